/*
 * list {pattern, after, limit} → listed {names, more}: the accounts whose names match, in order, from the one behind
 * `after` on.
 * Failures: BUSY (too many lists that take long).
 */
import type { ListRequest, Result } from '../requests.ts';
import type { Services } from './context.ts';

export async function list(services: Services, request: ListRequest): Promise<Result> {
  const { pattern, after, limit } = request;
  const most = Math.min(limit ?? Number.POSITIVE_INFINITY, services.limits.listNames);
  // One more than asked for says whether there are more.
  const found = await services.accounts.list(pattern, {
    limit: most + 1,
    ...(after !== null && { after }),
  });
  return { type: 'listed', names: found.slice(0, most), more: found.length > most };
}
