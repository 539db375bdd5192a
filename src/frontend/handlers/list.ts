/*
 * list {pattern} → listed {names}: the accounts whose names match, in order. Never fails.
 */
import type { ListRequest, Result } from '../requests.ts';
import type { Services } from './context.ts';

export async function list(services: Services, request: ListRequest): Promise<Result> {
  const names = services.accounts.list(request.pattern, { limit: services.limits.listNames });
  return { type: 'listed', names };
}
