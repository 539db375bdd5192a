import { ProtocolError } from '../../protocol/errors.ts';
import { audited } from './audited.ts';
import { block } from './block.ts';
import type { Caller, Holder, Principal, Services } from './context.ts';
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
 * @param principal who is logged in; null: nobody
 * @throws ProtocolError, EngineError: the reply; anything else is a fault of ours
 */
export function carryOut(
  services: Services,
  caller: Caller,
  principal: Principal | null,
  request: WholeRequest,
): Promise<Result> {
  return audited(services, caller, principal, request, handle(services, caller, principal, request));
}

async function handle(
  services: Services,
  caller: Caller,
  principal: Principal | null,
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
      return list(services, caller, principal, request);
    case 'status':
      return status(services, demandPrincipal(principal), request);
    case 'logout':
      return logout(services, demandPrincipal(principal));
    case 'delete':
      return deleteAccount(services, caller, demandHolder(principal), request);
    case 'retrieve':
      return retrieve(services, caller, demandHolder(principal), request);
    case 'password':
      return changePassword(services, caller, demandHolder(principal), request);
    case 'receipts':
      return receipts(services, demandPrincipal(principal), request);
    case 'block':
      return block(services, demandPrincipal(principal), request);
  }
}

/** The session's table lets nobody here without one. */
function demandPrincipal(principal: Principal | null): Principal {
  if (principal === null) throw new Error('a request that needs a login came without one');
  return principal;
}

function demandHolder(principal: Principal | null): Holder {
  const { inbox, ...rest } = demandPrincipal(principal);
  if (inbox === null) throw new ProtocolError('ONLY_SENDS');
  return { ...rest, inbox };
}
