/*
 * list {pattern, after, limit} → listed {names, more}: the accounts whose names match, in order, from the one behind
 * `after` on. A search that takes long shares its time with all others.
 * Failures: NOT_LOGGED_IN (where the operator tells names to nobody else), RATE_LIMITED (a stranger was told very many).
 */
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import { MAX_PAGE } from '../../protocol/v2/requests.ts';
import type { RequestFor } from './command.ts';
import type { Caller, Services } from './context.ts';

/** @throws ProtocolError */
export async function list(
  services: Services,
  caller: Caller,
  { pattern = '', after, limit = MAX_PAGE }: RequestFor<'list'>,
): Promise<ServerFrameOf<'listed'>> {
  const { principal } = caller;
  const { quotas, limits, accounts, listBeforeLogin } = services;
  if (principal === null && !listBeforeLogin) throw new ProtocolError('NOT_LOGGED_IN');
  const most = Math.min(limit, limits.listNames);
  const lane = quotas.searches[principal === null ? 'anonymous' : 'loggedIn'];
  // One more than asked for says whether there are more.
  const found = await accounts.list(pattern, {
    limit: most + 1,
    ...(after !== undefined && { after }),
    // Nobody is there to hear the rest.
    inSteps: (step) => lane.inSteps(caller.address, () => caller.isGone() || step()),
  });
  const names = found.slice(0, most);
  if (principal === null) demandRoom(services, caller, names);
  return { type: 'listed', names, more: found.length > most };
}

/** The kernel keeps megabytes for whoever never reads: only so much of it for strangers. @throws ProtocolError */
function demandRoom({ strangersLists }: Services, { address }: Caller, names: readonly string[]): void {
  const bytes = names.reduce((sum, name) => sum + name.length + 2, 0);
  const retryAfterMs = strangersLists.ofAddress.take(address, bytes) || strangersLists.ofAll.take(bytes);
  if (retryAfterMs > 0) throw new ProtocolError('RATE_LIMITED', undefined, { retryAfterMs });
}
