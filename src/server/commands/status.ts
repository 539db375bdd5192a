/*
 * status {names} → status {logged in}: which of these people are logged in now, through any frontend. Who cannot be
 * asked about in time, and whoever does not exist, counts as not logged in. Never fails.
 */

import type { Principal, Services } from './context.ts';
import type { Result, StatusRequest } from './requests.ts';

export async function status(
  services: Services,
  principal: Principal,
  request: StatusRequest,
): Promise<Result> {
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
