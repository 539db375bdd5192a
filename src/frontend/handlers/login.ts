/*
 * login {name} → logged-in {token}: takes the account's inbox, which nobody else may hold then.
 * Failures: NO_SUCH_USER, BAD_CREDENTIALS (the account has a password, is disabled, or open accounts are not
 * allowed here), ALREADY_LOGGED_IN, BUSY, UNAVAILABLE.
 */
import type { Account } from '../../kafka/accounts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Entered, LoginRequest } from '../requests.ts';
import type { Caller, Services } from './context.ts';
import { demandOpenAccounts, newToken, openInbox } from './entry.ts';

/** @throws ProtocolError, EngineError */
export async function login(services: Services, caller: Caller, request: LoginRequest): Promise<Entered> {
  demandOpenAccounts(services);
  const account = await findAccount(services, request.name);
  demandOpen(account);
  // Somebody who logs out and in again at once must not be told that they are still logged in.
  await services.presence.leave(account.name);
  const inbox = await openInbox(services, caller, account);
  return { type: 'logged-in', account, inbox, token: newToken() };
}

async function findAccount(services: Services, name: string): Promise<Account> {
  const account = await services.accounts.find(name);
  if (account === undefined) throw new ProtocolError('NO_SUCH_USER', `There is no user called ${name}.`);
  return account;
}

function demandOpen(account: Account): void {
  if (account.disabled) {
    throw new ProtocolError('BAD_CREDENTIALS', `The account ${account.name} is disabled.`);
  }
  if (account.credential !== null) {
    throw new ProtocolError(
      'BAD_CREDENTIALS',
      `The account ${account.name} has a password: log in with a client that can send it.`,
    );
  }
}
