import type { ProtocolErrorCode } from '../protocol/errors.ts';
import { retryMs } from '../util/backoff.ts';
import type { Client } from './client.ts';
import { ClientError, isLost } from './errors.ts';
import type { ClientEvent } from './events.ts';
import { type Identity, isTransient, type LoginStore } from './identity.ts';
import { TOO_OLD } from './login.ts';
import { aborted, withSignal } from './with-signal.ts';

/** How long a login is tried where that may work in a moment, but nobody says when: two of one account meet easily. */
const PATIENCE_MS = 3_000;
/** The same after a login that was lost with its server, whose lease has to end first. */
const LOST_PATIENCE_MS = 20_000;
/** For all of it, where the server says when, or that there is too much to do. */
const WHOLE_PATIENCE_MS = 30_000;
const RETRIES = { firstMs: 250, maxMs: 1_000 };

/** How somebody shows whose account it is. */
export interface Credentials {
  readonly user: string;
  /** A login of an earlier process, which is tried first; null and undefined: there is none. */
  readonly login?: Pick<Identity, 'token'> | null | undefined;
  /** The password, or what gives it once there is a connection and no other login does. Absent: the account has none. */
  readonly password?: string | (() => Promise<string | null>) | undefined;
  /** Makes the account, with the operator's leave where the server asks for it. */
  readonly create?: boolean | { readonly invite: string } | undefined;
  /** Ends another login of the account; otherwise such a login is refused with ALREADY_LOGGED_IN, after three seconds. */
  readonly takeover?: boolean | undefined;
}

export interface AuthenticatorOptions extends Credentials {
  readonly logins?: LoginStore | undefined;
  /** Whether to wait for a server that is not there yet, instead of ending when each was tried. */
  readonly waitForServer?: boolean | undefined;
  /** For the login at first, in milliseconds. */
  readonly loginTimeoutMs?: number | undefined;
}

/** Logs a client in to one account: by the token while there is one, then by the password, over as many connections as that takes. */
export class Authenticator {
  readonly #client: Client;
  readonly #options: AuthenticatorOptions;
  readonly #user: string;
  readonly #signal: AbortSignal;
  readonly #tell: (event: ClientEvent) => void;
  /** By which the next login is tried; null once it was refused. */
  #token: Uint8Array | null;
  #password: string | null | undefined;
  /** A login was asked for, and not refused: it may be carried out. */
  #isAsked = false;

  /** @param signal ends what is being tried. @param tell of a login that was kept, and is of no use */
  constructor(
    client: Client,
    options: AuthenticatorOptions,
    signal: AbortSignal,
    tell: (event: ClientEvent) => void,
  ) {
    this.#client = client;
    this.#options = options;
    this.#user = options.user.toLowerCase();
    this.#signal = signal;
    this.#tell = tell;
    this.#token = options.login?.token ?? null;
  }

  /** There is another token; null: the one that there was is good no more. */
  set token(token: Uint8Array | null) {
    this.#token = token;
  }

  /** There is another password. */
  set password(password: string) {
    this.#password = password;
  }

  /**
   * Logs in, on one connection after the other if need be.
   * @param isLasting for as long as that may work at all
   * @throws ClientError, of which `ABORTED` says whether it may have been carried out; what the password's function throws
   */
  async enter(isLasting: boolean): Promise<void> {
    const signal = this.#signal;
    const { create = false, loginTimeoutMs = WHOLE_PATIENCE_MS, waitForServer = false } = this.#options;
    const whole = isLasting ? Number.POSITIVE_INFINITY : performance.now() + loginTimeoutMs;
    let patience = performance.now() + PATIENCE_MS;
    let lost: unknown;
    for (let attempt = 0; ; attempt++) {
      await this.#client
        .connected({ signal, patient: isLasting || waitForServer })
        .catch((error: unknown) => {
          throw isLost(error) ? (lost ?? error) : error;
        });
      try {
        return await withSignal<void>(signal, ({ resolve, reject }) => {
          this.#logIn(isLasting).then(resolve, reject);
          return () => undefined;
        });
      } catch (error) {
        if (signal.aborted) throw aborted(signal, !this.#isAsked);
        if (!(error instanceof ClientError)) throw error;
        if (error.refusal !== undefined) this.#isAsked = false;
        const { code, retryAfterMs } = error.refusal ?? {};
        // It may have been made: another try would find the name taken, by itself.
        if (create && !isLasting && !error.nothingSent) throw error;
        if (isLost(error) && (isLasting || error.code !== 'TIMEOUT' || this.#client.hasMoreServers)) {
          const hasFailed = !waitForServer && this.#client.state.link.kind === 'waiting';
          // Each server was tried, or there is no time for another one.
          if (!isLasting && (hasFailed || performance.now() >= whole)) throw error;
          // It may be logged in, and its server gone.
          lost = error;
          patience = performance.now() + LOST_PATIENCE_MS;
          if (error.code !== 'DISCONNECTED') this.#client.tryNext('it does not answer');
          continue;
        }
        const waitMs = retryMs(attempt, RETRIES, retryAfterMs);
        const isForAll =
          retryAfterMs !== undefined || code === 'BUSY' || (isLasting && code !== 'ALREADY_LOGGED_IN');
        if (
          !isTransient(code) ||
          performance.now() + waitMs >= (isForAll ? whole : Math.min(whole, patience))
        )
          throw error;
        await sleep(waitMs, signal);
      }
    }
  }

  /** By the token while there is one, then by the password. */
  async #logIn(isAgain: boolean): Promise<void> {
    const { create, takeover, logins } = this.#options;
    const client = this.#client;
    if (create !== undefined && create !== false && !isAgain) {
      const invite = create === true ? null : create.invite;
      const password = await this.#givenPassword();
      this.#isAsked = true;
      return client.create(this.#user, password, invite);
    }
    // A login that takes the inbox has to ask first: otherwise it would put out who goes on with it.
    const asks = client.welcome?.features.includes('resume-asks') || client.deliver === 'none';
    if (this.#token !== null && !asks && !isAgain) {
      this.#token = null;
      this.#notRestored(null, TOO_OLD);
    }
    if (this.#token !== null) {
      try {
        this.#isAsked = true;
        await client.login(this.#user, this.#token, isAgain ? undefined : (takeover ?? false));
        return;
      } catch (error) {
        if (!isRefused(error, 'BAD_CREDENTIALS')) throw error;
        this.#isAsked = false;
        logins?.forget(this.#user, this.#token);
        this.#token = null;
        this.#notRestored('BAD_CREDENTIALS', error.message);
      }
    }
    const password = await this.#givenPassword();
    this.#isAsked = true;
    // Whoever has taken it over meanwhile keeps it.
    await client.login(this.#user, password, isAgain ? false : takeover);
  }

  #notRestored(code: ProtocolErrorCode | null, reason: string): void {
    const isTried = code !== null;
    this.#tell({
      type: 'login-not-restored',
      name: this.#user,
      code,
      isTried,
      reason,
      retryInMs: null,
    });
  }

  async #givenPassword(): Promise<string | null> {
    if (this.#password !== undefined) return this.#password;
    const { password } = this.#options;
    this.#password = typeof password === 'function' ? await password() : (password ?? null);
    return this.#password;
  }
}

function isRefused(error: unknown, code: ProtocolErrorCode): error is ClientError {
  return error instanceof ClientError && error.refusal?.code === code;
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return withSignal(signal, ({ resolve }) => {
    const timer = setTimeout(() => resolve(undefined), milliseconds);
    return () => clearTimeout(timer);
  });
}
