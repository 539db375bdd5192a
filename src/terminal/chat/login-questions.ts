import { type Client, ClientError, type ClientEvent } from '../../client/index.ts';
import type { KeptLogins } from '../kept-logins.ts';
import { PasswordCommandError, passwordFrom } from '../password-command.ts';
import { isYes } from '../yes.ts';
import type { Display, Question } from './display.ts';
import { secret, yesOrNo } from './questions.ts';
import { HISTORY_STAYS, noneYet, wordsFor } from './words.ts';

export interface LoginOptions {
  /** Logins of earlier processes, that can be gone on with. */
  readonly logins?: Pick<KeptLogins, 'find'> | null;
  /** Prints the password of the account that is entered first. */
  readonly passwordCommand?: readonly string[] | null;
}

/** How somebody wants to get in. */
export interface Entering {
  readonly name: string;
  /** Whether nobody has said anything but the history: a no asks for another name then. */
  readonly isStart: boolean;
  /** To end the login elsewhere without asking. */
  readonly takeover: boolean;
}

export interface LoginEvents {
  /** There is no such account, and the person wants to make it. */
  readonly onMake: (name: string) => void;
  /** The person wants another one. */
  readonly onOther: () => void;
}

/** What has to be asked to enter an account: nothing where its login was kept, or a command has its password. */
export class LoginQuestions {
  readonly #client: Client;
  readonly #display: Display;
  readonly #events: LoginEvents;
  readonly #logins: Pick<KeptLogins, 'find'> | null;
  /** Null once it was used: it knows one password. */
  #passwordCommand: readonly string[] | null;
  /** Ends the program that looks for a password; null while there is none. */
  #looking: AbortController | null = null;
  /** Whose password is asked for. */
  #asked: Entering | null = null;
  /** Whose login of an earlier process is gone on with. */
  #resuming: Entering | null = null;

  constructor(client: Client, display: Display, events: LoginEvents, options: LoginOptions) {
    this.#client = client;
    this.#display = display;
    this.#events = events;
    this.#logins = options.logins ?? null;
    this.#passwordCommand = options.passwordCommand ?? null;
  }

  enter(entering: Entering): void {
    this.close();
    const kept = this.#logins?.find(entering.name) ?? null;
    if (kept === null) {
      this.#byPassword(entering);
      return;
    }
    this.#resuming = entering;
    this.#client.resume(kept, entering.takeover);
  }

  /** Nobody waits for a password any more. */
  close(): void {
    this.#looking?.abort();
    this.#looking = null;
  }

  /** Somebody is logged in. */
  entered(): void {
    this.close();
    this.#resuming = null;
  }

  /**
   * The login of an earlier process was not taken: asks for what lets the person in all the same. False: it was another
   * login, or is tried again.
   */
  notResumed(event: Extract<ClientEvent, { type: 'login-not-restored' }>): boolean {
    const entering = this.#resuming;
    const { name, code, reason, retryInMs } = event;
    if (entering === null || entering.name !== name || retryInMs !== null) return false;
    this.#resuming = null;
    if (code === 'ALREADY_LOGGED_IN') {
      this.#askTakeover(name, () => this.enter({ ...entering, takeover: true }));
      return true;
    }
    this.#display.say('error', code === 'BAD_CREDENTIALS' ? notGood(name) : reason);
    this.#byPassword(entering);
    return true;
  }

  /**
   * There may be a connection now: what is asked for an account that is not there (any more) is asked no longer, once
   * the server has said so.
   */
  async lookAgain(): Promise<void> {
    const asked = this.#asked;
    if (asked === null || this.#display.state.link.kind !== 'online') return;
    if (!(await this.#isMissing(asked.name)) || this.#asked !== asked) return;
    this.#asked = null;
    this.#offerToMake(asked);
  }

  /** A login was not taken again: says so if the account is gone. */
  async tellIfGone(name: string): Promise<void> {
    if (!(await this.#isMissing(name))) return;
    this.#display.say('error', `${goneWords(name)} /create ${name} makes it anew; ${HISTORY_STAYS}.`);
  }

  #byPassword(entering: Entering): void {
    const command = entering.isStart ? this.#passwordCommand : null;
    this.#passwordCommand = null;
    if (command === null) this.#askPassword(entering);
    else void this.#byCommand(entering, command);
  }

  async #byCommand(entering: Entering, command: readonly string[]): Promise<void> {
    const { name } = entering;
    const looking = new AbortController();
    const { signal } = looking;
    this.#looking = looking;
    this.#display.say(
      'info',
      `Waiting for the password that ${command[0]} prints; /login ${name} asks you for it instead.`,
    );
    // The person may have gone another way meanwhile, and be in the middle of another answer.
    const isWanted = () => this.#display.state.account === null && !this.#display.isAsking;
    try {
      const password = await passwordFrom(command, { user: name, hasTerminal: false, signal });
      this.#looking = null;
      if (isWanted()) await this.#login(entering, password);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PasswordCommandError || error instanceof ClientError)) throw error;
      this.#display.say('error', error instanceof ClientError ? wordsFor(error) : error.message);
      if (isWanted()) this.#askPassword(entering);
    }
  }

  #askPassword({ ...asked }: Entering, again?: Question['again']): void {
    const hint = `Enter logs in · alone: no password · ${this.#display.cancelKey} leaves`;
    const question = secret(`password of ${asked.name}`, hint, again);
    this.#display.ask(question, (password) => {
      // Another question has taken its place.
      if (this.#asked !== asked) return;
      this.#asked = null;
      return password === null ? this.#nothing() : this.#login(asked, password === '' ? null : password);
    });
    this.#asked = asked;
    void this.lookAgain();
  }

  /** As anybody may find out by a list. Not being able to ask is no sign of it. */
  async #isMissing(name: string): Promise<boolean> {
    try {
      return !(await this.#client.exists(name));
    } catch (error) {
      if (error instanceof ClientError) return false;
      throw error;
    }
  }

  #offerToMake({ name, isStart }: Entering): void {
    if (this.#display.hasHistory(name))
      this.#display.say('error', `${goneWords(name)} Type yes to make it; ${HISTORY_STAYS}.`);
    else this.#display.say('info', noneYet(name));
    const no = isStart ? 'asks for another name' : 'leaves it';
    this.#display.ask(yesOrNo(`make ${name}?`, 'makes the account', no), (answer) => {
      if (isYes(answer)) return this.#events.onMake(name);
      return isStart ? this.#events.onOther() : this.#nothing();
    });
  }

  async #login(entering: Entering, password: string | null): Promise<void> {
    const { name, takeover } = entering;
    try {
      await this.#client.login(name, password, takeover);
    } catch (error) {
      if (error instanceof ClientError && error.code === 'TIMEOUT' && password !== null) {
        this.#display.say('info', IN_LINE);
      }
      // Without an answer it may have been done: the person says what next.
      if (!(error instanceof ClientError) || error.code === 'TIMEOUT') throw error;
      const code = error.refusal?.code;
      const mayBeGone = code === 'BAD_CREDENTIALS' || code === 'NO_SUCH_USER';
      if (mayBeGone && (await this.#isMissing(name))) return this.#offerToMake(entering);
      if (takeover || code !== 'ALREADY_LOGGED_IN') {
        this.#display.say('error', wordsFor(error));
        if (this.#display.state.account === null) this.#askPassword(entering, code ?? null);
        return;
      }
      this.#askTakeover(name, () => this.#login({ ...entering, takeover: true }, password));
    }
  }

  #askTakeover(name: string, takeOver: () => Promise<void> | void): void {
    this.#display.say('error', `${name} is logged in elsewhere. Type yes to take over, which ends it there.`);
    this.#display.ask(yesOrNo('take over?', 'ends it there', 'leaves it'), (answer) =>
      isYes(answer) ? takeOver() : this.#nothing(),
    );
  }

  #nothing(): void {
    this.#display.say('info', 'Nothing was done.');
  }
}

const IN_LINE =
  'After wrong passwords, also those of others at your address, logins wait their turn. This one goes on waiting.';

function notGood(name: string): string {
  return (
    `The login of ${name} that was kept on this machine is not good any more: it has run out, or somebody has logged in ` +
    'with the password since, or changed it.'
  );
}

function goneWords(name: string): string {
  return `There is no account ${name} here (any more).`;
}
