/*
 * status {names} → status {logged in}: which of these people are logged in now, through any frontend. Who cannot be
 * asked about in time, and whoever does not exist, counts as not logged in. Never fails.
 */
import type { Result, StatusRequest } from '../requests.ts';
import type { Services } from './context.ts';

export async function status(services: Services, request: StatusRequest): Promise<Result> {
  const { accounts, presence } = services;
  const names = [...new Set(request.names)];
  const answers = await Promise.all(
    names.map(async (name) => {
      const account = accounts.get(name);
      return account !== undefined && (await presence.isLoggedIn(account));
    }),
  );
  return { type: 'status', loggedIn: names.filter((_, i) => answers[i] === true) };
}
