import {
  ClientError,
  type ClientEvent,
  connect,
  type Deliver,
  type MessageStore,
  type Milena,
  noConnection,
} from '../../client/index.ts';
import { KeptLogins } from '../kept-logins.ts';
import { sanitiseLine } from '../sanitise.ts';
import { connectionOptions, type Settings } from '../settings.ts';
import type { Context } from './context.ts';
import type { Deadline } from './deadline.ts';
import { EXIT, Failure } from './exit.ts';
import { knownPassword, passwordFor } from './password.ts';

/** Whose account it is, and what is done with it. */
export interface SignInAccount {
  readonly name: string;
  readonly settings: Settings;
  /** Nothing else than a password will do: the server asks for it once more. */
  readonly needsPassword?: boolean;
  /** What is waited for here does not count for the command's time. */
  readonly deadline?: Deadline;
}

export interface HowToSignIn {
  /** `none` to send only, beside other logins. */
  readonly deliver: Deliver;
  /** Whether what is said in the account's rooms comes, too. */
  readonly rooms?: boolean;
  readonly takeover?: boolean;
  /** Makes the account; the password is one that is new. */
  readonly create?: { readonly invite?: string | undefined; readonly password: () => Promise<string> };
  readonly store?: MessageStore;
  /** For everything together, in milliseconds; not given: as long as a login may take. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: ClientEvent) => void;
}

/**
 * How a command shows whose account it is: by the password that was given, or the login that the chat keeps on this machine, or
 * a password that the person is asked for.
 */
export class SignIn {
  readonly #account: SignInAccount;
  readonly #context: Context;
  readonly #logins: KeptLogins;
  #password: string | undefined;

  constructor(account: SignInAccount, context: Context) {
    this.#account = account;
    this.#context = context;
    // None is begun by commands, none becomes worthless.
    this.#logins = new KeptLogins(account.settings, 'known', (sentence) =>
      context.say(sanitiseLine(sentence)),
    );
  }

  /** The password, for requests that want it once more. @throws Failure, Interrupted */
  async password(): Promise<string> {
    const { name, settings } = this.#account;
    this.#password ??= await this.#pause(() => passwordFor(name, settings, this.#context));
    return this.#password;
  }

  /** @throws ClientError, Failure, Interrupted */
  async enter({
    deliver,
    rooms,
    takeover = false,
    create,
    store,
    timeoutMs,
    signal,
    onEvent,
  }: HowToSignIn): Promise<Milena> {
    const { name, settings, needsPassword = false } = this.#account;
    // What asks the person begins once there is a connection.
    const login = needsPassword || create !== undefined ? null : await this.#kept();
    let isIn = false;
    let isConnected = false;
    let lost: ClientError | undefined;
    const password = () => {
      // Nobody is asked in the midst of a command.
      if (lost !== undefined && this.#password === undefined) throw lost;
      return this.password();
    };
    const me = await connect({
      ...connectionOptions(settings, timeoutMs),
      deliver,
      rooms,
      // What is kept is this device's; an account is made with its main one.
      ...(settings.device !== null && create === undefined && { device: settings.device }),
      store,
      logins: this.#logins,
      user: name,
      login,
      create: create && (create.invite === undefined ? true : { invite: create.invite }),
      takeover,
      password: create ? () => this.#pause(create.password) : async () => password(),
      loginTimeoutMs: timeoutMs,
      onEvent: (event) => {
        if (event.type === 'login-not-restored') {
          if (isIn) lost = refusalOf(event);
          else this.#tellNotKept(event);
        }
        if (event.type === 'connected') isConnected = true;
        onEvent?.(event);
      },
      signal,
    }).catch((error: unknown) => {
      const isLate = this.#account.deadline?.isOver === true;
      throw isLate && !isConnected ? noAnswer(settings) : causeOf(error, name);
    });
    isIn = true;
    return me;
  }

  /** Ends the login, unless others come back by it. Never throws. @param hasTime whether to wait for the server */
  async leave(me: Milena, hasTime = true): Promise<void> {
    const isKept = me.login?.token !== null && this.#logins.has(this.#account.name);
    await (isKept || !hasTime ? me.close() : me.logout());
  }

  /** Null also where a password is given. */
  async #kept() {
    const { name, settings } = this.#account;
    if (!this.#logins.has(name)) return null;
    this.#password = (await this.#pause(() => knownPassword(name, settings, this.#context))) ?? undefined;
    return this.#password === undefined ? this.#logins.find(name) : null;
  }

  #pause<Value>(work: () => Promise<Value>): Promise<Value> {
    const { deadline } = this.#account;
    return deadline === undefined ? work() : deadline.pause(work);
  }

  #tellNotKept({ code, isTried, reason }: Extract<ClientEvent, { type: 'login-not-restored' }>): void {
    if (!isTried) this.#context.say(sanitiseLine(reason));
    else if (code === 'BAD_CREDENTIALS') {
      const { name } = this.#account;
      this.#context.say(`The login of ${name} that was kept on this machine is not good any more.`);
    }
  }
}

function refusalOf({ code, reason }: Extract<ClientEvent, { type: 'login-not-restored' }>): ClientError {
  return code === null
    ? new ClientError('OFFLINE', reason)
    : new ClientError('REFUSED', reason, { refusal: { code } });
}

/** What a command ends with: where its own signal has ended something, what that was for. */
export function causeOf(error: unknown, name: string): unknown {
  if (!(error instanceof ClientError)) return error;
  if (error.code === 'ABORTED' && error.cause instanceof Error) return error.cause;
  return error.refusal?.code === 'ALREADY_LOGGED_IN' ? loggedInElsewhere(name, error) : error;
}

/** The time of a command was over before any server had greeted it. */
export function noAnswer({ servers }: Settings): Failure {
  const reason = 'it does not answer as a Milena server does';
  return new Failure(EXIT.UNAVAILABLE, sanitiseLine(`${noConnection(servers, reason)}.`));
}

/** The account has another login, and this one did not ask to take it over. */
function loggedInElsewhere(name: string, cause: unknown): Failure {
  const text =
    `${name} is logged in elsewhere, and an account has one login: use --takeover to end that one, or another ` +
    'account for scripts. Nothing was done.';
  return new Failure(EXIT.TRY_LATER, text, { cause });
}
