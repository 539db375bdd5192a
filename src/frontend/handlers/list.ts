/*
 * list {pattern, after, limit} → listed {names, more}: the accounts whose names match, in order, from the one behind
 * `after` on. A search that takes long shares its time with all others.
 * Failures: NOT_LOGGED_IN (where the operator tells names to nobody else).
 */
import { ProtocolError } from '../../protocol/errors.ts';
import type { ListRequest, Result } from '../requests.ts';
import type { Caller, Seat, Services } from './context.ts';

/** @throws ProtocolError */
export async function list(
  services: Services,
  caller: Caller,
  seat: Seat | null,
  request: ListRequest,
): Promise<Result> {
  const { shares, limits, accounts, listBeforeLogin } = services;
  if (seat === null && !listBeforeLogin) throw new ProtocolError('NOT_LOGGED_IN');
  const { pattern, after, limit } = request;
  const most = Math.min(limit ?? Number.POSITIVE_INFINITY, limits.listNames);
  const lane = shares.searches[seat === null ? 'anonymous' : 'loggedIn'];
  // One more than asked for says whether there are more.
  const found = await accounts.list(pattern, {
    limit: most + 1,
    ...(after !== null && { after }),
    // Nobody is there to hear the rest.
    inSteps: (step) => lane.inSteps(caller.address, () => caller.isGone() || step()),
  });
  return { type: 'listed', names: found.slice(0, most), more: found.length > most };
}
