/*
 * login {name, proof, takeover, deliver, device, last} → logged-in {token}: takes the inbox for one of the account's devices, with
 * which nobody else may be logged in then. A token takes it over without asking, since it is the same client that comes back, unless `takeover` is false. With
 * `deliver` none the login only sends: it takes nothing, gets no token, and leaves the one there is as it was.
 * Failures: BAD_CREDENTIALS (wrong password or token, the same for a name that nobody has; the account is disabled, or
 * open accounts are not allowed here), NO_SUCH_USER (without a proof only), RATE_LIMITED, ALREADY_LOGGED_IN, TOO_MANY_DEVICES, BUSY,
 * UNAVAILABLE.
 */
import type { Account } from '../../core/accounts.ts';
import { deviceKey } from '../../core/devices.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Claim } from '../identity/guesses.ts';
import { passwordIdOf } from '../identity/passwords.ts';
import type { RequestFor } from './command.ts';
import { type Caller, claimOf, type Services } from './context.ts';
import { demandOpenAccounts, enter, type LoginResult, type TokenSource } from './entry.ts';

/** An account whose owner is there. */
interface Proven {
  readonly account: Account;
  readonly takeover: boolean;
  /** The device may be one that comes for the first time. */
  readonly begins: boolean;
  /** Proves it again, where that may be otherwise after another login. */
  readonly again: () => Promise<unknown>;
  readonly token: TokenSource;
}

/** @throws ProtocolError, EngineError */
export async function login(
  services: Services,
  caller: Caller<null>,
  request: RequestFor<'login'>,
): Promise<LoginResult> {
  const { account, takeover, begins, again, token } = await prove(services, caller, request);
  const passwordId = passwordIdOf(account.credential);
  if (account.disabled) {
    throw new ProtocolError('BAD_CREDENTIALS', `The account ${account.name} is disabled.`);
  }
  const { deliver = 'all', device, last } = request;
  if (deliver === 'none') {
    const entered = await enter(services, caller, account, { deliver }, token);
    return { type: 'logged-in', ...entered, passwordId };
  }
  // Somebody who logs out and in again at once must not be told that they are still logged in.
  await services.presence.leave(account, device);
  // A client that has given up a login comes again at once: it has to wait for the end of that, but not to ask again.
  const entered = await services.logins.pass(deviceKey(account, device), takeover, async (hasWaited) => {
    if (hasWaited) await again();
    const current = await services.devices.enter(account, device, { begins, takeover });
    return enter(services, caller, current, { deliver, takeover, device, last }, token);
  });
  return { type: 'logged-in', ...entered, passwordId };
}

/** How somebody shows that an account is theirs; by nothing at all that it is an open one. */
export function proofOf({ password, token }: RequestFor<'login'>): 'none' | 'password' | 'token' {
  if (token !== undefined) return 'token';
  return password === undefined ? 'none' : 'password';
}

async function prove(services: Services, caller: Caller, request: RequestFor<'login'>): Promise<Proven> {
  const { identity } = services;
  const { username: name, password, takeover, device } = request;
  if (request.token !== undefined) {
    const shown = request.token;
    const again = () => identity.demandToken(claimOf(caller, name), shown, device);
    const resumption = await again();
    const { account } = resumption;
    const isWritten = identity.isToBeProlonged(resumption);
    const get = () => identity.prolongToken(resumption, device);
    return { account, takeover: takeover ?? true, begins: false, again, token: { isWritten, get } };
  }
  if (password !== undefined) {
    await services.accounts.findEvenly(name);
    const claim = claimOf(caller, name);
    const account = await identity.demandPassword(claim, () => services.accounts.get(name), password);
    const get = async () => {
      await raiseCost(services, claim, account, password);
      return identity.issueToken(account, device);
    };
    return afresh(account, takeover, get);
  }
  demandOpenAccounts(services, 'BAD_CREDENTIALS');
  const account = demandOpen(name, await services.accounts.find(name));
  return afresh(account, takeover, () => identity.issueToken(account, device));
}

/** By no token of before: it gets a new one. */
function afresh(account: Account, takeover = false, get: TokenSource['get']): Proven {
  return { account, takeover, begins: true, again: nothing, token: { isWritten: true, get } };
}

const nothing = async () => {};

function demandOpen(name: string, account: Account | undefined): Account {
  if (account === undefined) throw new ProtocolError('NO_SUCH_USER', `There is no user called ${name}.`);
  if (account.credential === null) return account;
  const text = `The account ${name} has a password: log in with a client that can send it.`;
  throw new ProtocolError('BAD_CREDENTIALS', text);
}

/** A login does not fail because its hash could not be made anew. */
async function raiseCost(
  services: Services,
  claim: Claim,
  account: Account,
  password: string,
): Promise<void> {
  const { identity, accounts, log } = services;
  try {
    const credential = await identity.renewedCredential(claim, account, password);
    // Another password that was set meanwhile stays.
    const isStill = (current: Account) => current.credential === account.credential;
    if (credential !== null)
      await accounts.update(account, (current) => (isStill(current) ? { credential } : null));
  } catch (error) {
    log.warn({ err: error, user: account.name }, 'a password hash stays as it was');
  }
}
