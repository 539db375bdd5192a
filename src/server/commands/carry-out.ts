import { ProtocolError } from '../../protocol/errors.ts';
import { audited } from './audited.ts';
import { block } from './block.ts';
import type { Caller, HolderSeat, Seat, Services } from './context.ts';
import { create } from './create.ts';
import { deleteAccount } from './delete.ts';
import { hello } from './hello.ts';
import { list } from './list.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { changePassword } from './password.ts';
import { receipts } from './receipts.ts';
import type { AckRequest, PingRequest, Request, Result, SendRequest } from './requests.ts';
import { retrieve } from './retrieve.ts';
import { status } from './status.ts';

/** A request that is carried out in one step: a send has two, see `admitSend`; an ack and a ping have none that takes time. */
export type WholeRequest = Exclude<Request, SendRequest | AckRequest | PingRequest>;

/**
 * Hands a request to its handler.
 * @param seat what the caller has who is logged in; null for who is not
 * @throws ProtocolError, EngineError: the reply; anything else is a fault of ours
 */
export function carryOut(
  services: Services,
  caller: Caller,
  seat: Seat | null,
  request: WholeRequest,
): Promise<Result> {
  return audited(services, caller, seat, request, handle(services, caller, seat, request));
}

async function handle(
  services: Services,
  caller: Caller,
  seat: Seat | null,
  request: WholeRequest,
): Promise<Result> {
  switch (request.type) {
    case 'hello':
      return hello(services);
    case 'create':
      return create(services, caller, request);
    case 'login':
      return login(services, caller, request);
    case 'list':
      return list(services, caller, seat, request);
    case 'status':
      return status(services, demandSeat(seat), request);
    case 'logout':
      return logout(services, demandSeat(seat));
    case 'delete':
      return deleteAccount(services, caller, demandHolder(seat), request);
    case 'retrieve':
      return retrieve(services, caller, demandHolder(seat), request);
    case 'password':
      return changePassword(services, caller, demandHolder(seat), request);
    case 'receipts':
      return receipts(services, demandSeat(seat), request);
    case 'block':
      return block(services, demandSeat(seat), request);
  }
}

/** The session's table lets nobody here without one. */
function demandSeat(seat: Seat | null): Seat {
  if (seat === null) throw new Error('a request that needs a login came without one');
  return seat;
}

function demandHolder(seat: Seat | null): HolderSeat {
  const { inbox, ...rest } = demandSeat(seat);
  if (inbox === null) throw new ProtocolError('ONLY_SENDS');
  return { ...rest, inbox };
}
