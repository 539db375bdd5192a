/*
 * create {name, password, display name} → created {token}: makes an account and its empty inbox, and logs in to it; with `deliver` none it only sends.
 * Failures: REGISTRATION_CLOSED, RATE_LIMITED (too many new accounts), WEAK_PASSWORD (also for none, where there are no
 * open accounts), USERNAME_TAKEN, BUSY, UNAVAILABLE; with `created` any failure of a login, where the account was made.
 */
import type { Account } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { toProtocolError } from '../adapters/failures.ts';
import { passwordIdOf } from '../identity/passwords.ts';
import type { Permit } from '../identity/registration.ts';
import type { RequestFor } from './command.ts';
import { type Caller, claimOf, type Services } from './context.ts';
import { demandOpenAccounts, enter, type LoginResult } from './entry.ts';

/** @throws ProtocolError, EngineError */
export async function create(
  services: Services,
  caller: Caller<null>,
  request: RequestFor<'create'>,
): Promise<LoginResult> {
  const permit = services.registration.demandPermit(caller.address, request.invite ?? null);
  let account: Account;
  try {
    account = await make(services, caller, request, permit);
    permit.use();
  } catch (error) {
    if (madeNothing(error)) permit.giveBack();
    else permit.use();
    throw isUsedUp(error) ? new ProtocolError('REGISTRATION_CLOSED', USED_UP, { cause: error }) : error;
  }
  services.identity.made(claimOf(caller, account.name));
  try {
    const token = { isWritten: true, get: () => services.identity.issueToken(account) };
    // Whoever gives this up and logs in waits for it.
    const entered = await services.logins.pass(account.name, false, () =>
      enter(services, caller, account, { deliver: request.deliver ?? 'all' }, token),
    );
    return { type: 'created', ...entered, passwordId: passwordIdOf(account.credential) };
  } catch (error) {
    throw madeButNotEntered(services, account, error);
  }
}

async function make(
  services: Services,
  caller: Caller,
  { username: name, password, displayName }: RequestFor<'create'>,
  { invite }: Permit,
): Promise<Account> {
  if (password === undefined) demandOpenAccounts(services, 'WEAK_PASSWORD');
  // A name that is known to be taken is not worth a hash.
  else if (services.accounts.get(name) !== undefined) throw new ProtocolError('USERNAME_TAKEN');
  const claim = claimOf(caller, name);
  const credential =
    password === undefined ? null : await services.identity.newCredential(claim, password, true);
  return services.creating.pass(caller.address, () =>
    services.accounts.create({ name, displayName: displayName ?? null, credential, invite }),
  );
}

const USED_UP = 'That invite was used as often as it may be: ask the operator for another one.';

function isUsedUp(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'INVITE_USED';
}

/** Where Kafka did not answer, the account may be there. */
function madeNothing(error: unknown): boolean {
  return !(error instanceof EngineError && error.code === 'UNAVAILABLE');
}

/** The account exists now, so a failure has to say so: the person need not try to create it again. */
function madeButNotEntered(services: Services, account: Account, error: unknown): ProtocolError {
  const failure = toProtocolError(error, services.log);
  const text = `The account ${account.name} was made, but you are not logged in to it. ${failure.message}`;
  return new ProtocolError(failure.code, text, {
    cause: error,
    created: true,
    retryAfterMs: failure.retryAfterMs,
  });
}
