import type { Request, Result } from '../requests.ts';
import type { Caller, Seat, Services } from './context.ts';
import { create } from './create.ts';
import { deleteAccount } from './delete.ts';
import { list } from './list.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { retrieve } from './retrieve.ts';

/** A request that is carried out in one step; a send has two, see `admitSend`. */
export type WholeRequest = Exclude<Request, { type: 'send' }>;

/**
 * Hands a request to its handler.
 * @param seat what the caller has who is logged in; null for who is not
 * @throws ProtocolError, EngineError: the reply; anything else is a fault of ours
 */
export async function carryOut(
  services: Services,
  caller: Caller,
  seat: Seat | null,
  request: WholeRequest,
): Promise<Result> {
  switch (request.type) {
    case 'create':
      return create(services, caller, request);
    case 'login':
      return login(services, caller, request);
    case 'list':
      return list(services, request);
    case 'logout':
      return logout(services, demandSeat(seat));
    case 'delete':
      return deleteAccount(services, demandSeat(seat));
    case 'retrieve':
      return retrieve(services, caller, demandSeat(seat));
  }
}

/** The session's table lets nobody here without one. */
function demandSeat(seat: Seat | null): Seat {
  if (seat === null) throw new Error('a request that needs a login came without one');
  return seat;
}
