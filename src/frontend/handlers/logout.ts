/*
 * logout → logged-out: commits what was delivered and gives the inbox back. Never fails. The same happens when
 * the connection ends without a word.
 */
import type { Result } from '../requests.ts';
import type { Seat, Services } from './context.ts';

export async function logout(services: Services, seat: Seat): Promise<Result> {
  await services.exit.pass(() => seat.inbox.close());
  return { type: 'logged-out' };
}
