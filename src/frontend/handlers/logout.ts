/*
 * logout → logged-out: forgets the token, commits what was delivered and gives the inbox back. Never fails.
 */
import type { Result } from '../requests.ts';
import type { Seat, Services } from './context.ts';

export async function logout(services: Services, seat: Seat): Promise<Result> {
  try {
    // Not the token of somebody who has taken over meanwhile.
    await seat.inbox.confirm();
    await services.identity.forgetToken(seat.account);
  } catch (error) {
    services.log.warn({ err: error, user: seat.account.name }, 'a token outlives its login');
  }
  await giveBack(services, seat);
  return { type: 'logged-out' };
}

/** The same without a word from the client, who may come back by its token. */
export function giveBack(
  services: Services,
  { account, inbox }: Pick<Seat, 'account' | 'inbox'>,
): Promise<void> {
  return services.exit.pass(account.name, () => inbox.close());
}
