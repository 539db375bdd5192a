/*
 * status {names} → status {logged in}: which of these people are logged in now, through any frontend. Who cannot be
 * asked about in time, and whoever does not exist, counts as not logged in. Never fails.
 */
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { RequestFor } from './command.ts';
import type { Caller, Principal, Services } from './context.ts';

export async function status(
  services: Services,
  { principal }: Caller<Principal>,
  request: RequestFor<'status'>,
): Promise<ServerFrameOf<'status'>> {
  const { accounts, presence, questions } = services;
  const known = [...new Set(request.names)]
    .map((name) => accounts.get(name))
    .filter((one) => one !== undefined);
  const elsewhere = known.filter((account) => !presence.isHere(account));
  const answers = await questions.ask(principal.account.name, elsewhere, (some) =>
    Promise.all(some.map((account) => presence.isLoggedIn(account))),
  );
  const away = new Set(elsewhere.filter((_, i) => answers[i] !== true));
  return { type: 'status', loggedIn: known.filter((account) => !away.has(account)).map(({ name }) => name) };
}
