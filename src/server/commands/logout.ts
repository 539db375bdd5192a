/*
 * logout → logged-out: forgets the token, commits what was delivered and gives the inbox back. Never fails.
 */

import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { Caller, Holder, Principal, Services } from './context.ts';

export async function logout(
  services: Services,
  { principal: { account, inbox } }: Caller<Principal>,
): Promise<ServerFrameOf<'logged-out'>> {
  // The token belongs to the login that holds the inbox.
  if (inbox === null) return { type: 'logged-out' };
  try {
    // Not the token of somebody who has taken over meanwhile.
    await inbox.confirm();
    await services.identity.forgetToken(account, inbox.device);
  } catch (error) {
    services.log.warn({ err: error, user: account.name }, 'a token outlives its login');
  }
  await giveBack(services, { account, inbox });
  return { type: 'logged-out' };
}

/** The same without a word from the client, who may come back by its token. */
export function giveBack(
  services: Services,
  { account, inbox }: Pick<Holder, 'account' | 'inbox'>,
): Promise<void> {
  return services.exit.pass(account.name, () => inbox.close());
}
