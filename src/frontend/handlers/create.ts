/*
 * create {name} → created {token}: makes an account and its empty inbox, and logs in to it.
 * Failures: BAD_CREDENTIALS (no open accounts here), USERNAME_TAKEN, BUSY, UNAVAILABLE.
 */
import type { Account } from '../../kafka/accounts.ts';
import type { Inbox } from '../../kafka/inboxes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { toProtocolError } from '../failures.ts';
import type { CreateRequest, Entered } from '../requests.ts';
import type { Caller, Services } from './context.ts';
import { demandOpenAccounts, newToken, openInbox } from './entry.ts';

/** @throws ProtocolError, EngineError */
export async function create(services: Services, caller: Caller, request: CreateRequest): Promise<Entered> {
  demandOpenAccounts(services);
  const account = await services.accounts.create({ name: request.name });
  const inbox = await enter(services, caller, account);
  return { type: 'created', account, inbox, token: newToken() };
}

/** The account exists now, so a failure has to say so: the person need not try to create it again. */
async function enter(services: Services, caller: Caller, account: Account): Promise<Inbox> {
  try {
    return await openInbox(services, caller, account);
  } catch (error) {
    const failure = toProtocolError(error, services.log);
    const text = `The account ${account.name} was made, but you are not logged in to it. ${failure.message}`;
    throw new ProtocolError(failure.code, text, { cause: error });
  }
}
