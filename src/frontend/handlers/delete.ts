/*
 * delete → deleted: removes the account one is logged in to, its inbox and the inbox's consumer group.
 * Failures: HAS_UNDELIVERED with their number, NO_SUCH_USER (somebody else removed it), BUSY, UNAVAILABLE.
 *
 * The check and the removal cannot be one step: a message accepted between them is undeliverable.
 */
import { ProtocolError } from '../../protocol/errors.ts';
import type { Result } from '../requests.ts';
import type { Seat, Services } from './context.ts';

/** @throws ProtocolError, EngineError: the account is still there, or its removal will show elsewhere */
export async function deleteAccount(services: Services, seat: Seat): Promise<Result> {
  await demandEmpty(seat);
  await services.accounts.remove(seat.account);
  await seat.inbox.discard();
  return { type: 'deleted' };
}

async function demandEmpty(seat: Seat): Promise<void> {
  const count = await seat.inbox.undelivered();
  if (count === 0) return;
  const messages = count === 1 ? '1 undelivered message' : `${count} undelivered messages`;
  throw new ProtocolError('HAS_UNDELIVERED', `The account holds ${messages}: retrieve first.`);
}
