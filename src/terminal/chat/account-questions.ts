import { type Client, ClientError, parseUsername } from '../../client/index.ts';
import { weaknessOf } from '../../util/weak-password.ts';
import { USUAL_CHARACTERS, USUALLY } from '../usual-password.ts';
import { isYes } from '../yes.ts';
import type { Display, Question } from './display.ts';
import { type LoginOptions, LoginQuestions } from './login-questions.ts';
import { secret, yesOrNo } from './questions.ts';
import { countOf, noneYet, wordsFor } from './words.ts';

export interface AccountOptions extends LoginOptions {
  /** An operator's leave to make accounts, as it was given at the start. */
  readonly invite?: string | null;
  /** With which one to log in; null: the main one, with which every account is made. */
  readonly device?: string | null;
  /** The flags by which another start of the client finds this server; empty for the default one. */
  readonly serverFlags?: string;
  /** Whether new passwords are looked at before they are typed again; where nobody types, the server's answer is enough. */
  readonly looksAtPasswords?: boolean;
}

const INSIST = 'The same once more leaves it to the server.';

/** A new password that is asked for, and whose it will be. */
interface Asking {
  readonly name: string;
  readonly prompt: string;
  readonly hint: string;
}

/**
 * What has to be asked to create, change and delete an account, and who somebody is. The next question follows at once, so that no
 * part of a password that was typed ahead can land in a message.
 */
export class AccountQuestions {
  readonly #client: Client;
  readonly #display: Display;
  readonly logins: LoginQuestions;
  readonly #device: string | null;
  readonly #serverFlags: string;
  readonly #looksAtPasswords: boolean;
  #invite: string | null;

  constructor(client: Client, display: Display, options: AccountOptions) {
    const { invite = null, device = null, serverFlags = '', looksAtPasswords = true } = options;
    this.#client = client;
    this.#display = display;
    this.#invite = invite;
    this.#device = device;
    this.#serverFlags = serverFlags;
    this.#looksAtPasswords = looksAtPasswords;
    const events = { onMake: (name: string) => this.create(name), onOther: () => this.greet(null) };
    this.logins = new LoginQuestions(client, display, events, options);
  }

  /** Asks for a name, and then enters or makes the account; for the password alone if the name is known. */
  greet(name: string | null): void {
    if (name !== null) {
      this.#requireNobody();
      this.logins.enter({ name, isStart: true, takeover: false });
      return;
    }
    const hint = `a name that you have, or a new one · ${this.#display.cancelKey} looks around first`;
    this.#display.ask({ prompt: 'your name', hint, masked: false, orCommand: true }, (answer) => {
      if (answer === null) return;
      return answer.trim() === '' ? this.greet(null) : this.#enterOrMake(answer.trim());
    });
  }

  create(name: string): void {
    this.#requireNobody();
    this.#askNewPassword(name);
  }

  /** @param takeover ends the login elsewhere without asking */
  login(name: string, takeover = false): void {
    this.#requireNobody();
    this.logins.enter({ name, isStart: false, takeover });
  }

  changePassword(): void {
    const name = this.#requireLogin();
    const prompt = 'new password';
    const hint = `${USUALLY} · ${this.#display.cancelKey} leaves`;
    const change = (old: string | null) =>
      this.#askTwice({ name, prompt, hint }, async (password) => {
        if (password === null) throw new ClientError('INVALID', 'A password cannot be empty.');
        await this.#client.changePassword(old, password);
        this.#display.say('info', 'The password is changed.');
      });
    if (this.#client.isOpen) {
      change(null);
      return;
    }
    this.#display.ask(
      secret('old password', `the one you have now · ${this.#display.cancelKey} leaves`),
      (old) => (old === null ? this.#nothing() : change(old === '' ? null : old)),
    );
  }

  delete(): void {
    const account = this.#requireLogin();
    this.#display.say(
      'info',
      `Delete the account ${account}? Type yes to delete it; anything else keeps it.`,
    );
    this.#display.ask(yesOrNo(`delete ${account}?`, 'deletes it', 'keeps it'), (answer) => {
      if (!isYes(answer)) return this.#kept(account);
      if (this.#client.isOpen) return this.#delete(account, null, false);
      this.#display.ask(
        secret(`password of ${account}`, `Enter deletes the account · ${this.#display.cancelKey} keeps it`),
        (password) =>
          password === null
            ? this.#kept(account)
            : this.#delete(account, password === '' ? null : password, false),
      );
    });
  }

  async #enterOrMake(text: string): Promise<void> {
    try {
      const name = parseUsername(text);
      if (await this.#client.exists(name)) return this.login(name);
      this.#display.say('info', noneYet(name));
      this.#display.ask(yesOrNo(`make ${name}?`, 'makes the account', 'asks again'), (answer) =>
        isYes(answer) ? this.create(name) : this.greet(null),
      );
    } catch (error) {
      if (error instanceof ClientError) this.#display.say('error', wordsFor(error));
      else throw error;
      this.greet(null);
    }
  }

  #askNewPassword(name: string): void {
    const hint = `${USUALLY} · Enter alone: none, open to anybody · ${this.#display.cancelKey} leaves`;
    const prompt = `password for ${name}`;
    this.#askTwice({ name, prompt, hint }, (password) => this.#create(name, password));
  }

  async #create(name: string, password: string | null): Promise<void> {
    try {
      await this.#client.create(name, password, this.#invite);
      if (this.#device === null) return;
      await this.#client.logout();
      await this.#client.login(name, password);
    } catch (error) {
      if (!(error instanceof ClientError) || error.refusal?.code !== 'REGISTRATION_CLOSED') throw error;
      this.#display.say('error', wordsFor(error));
      if (this.#invite === null) return this.#askInvite(name, password);
      // The server may make no accounts at all: who has another invite says so.
      this.#invite = null;
      this.#display.say('info', `If you have another invite:  /create ${name}`);
    }
  }

  /** The password is kept meanwhile: nobody has to type it again. The server need not be one that takes invites. */
  #askInvite(name: string, password: string | null): void {
    const command = ['milena', this.#serverFlags, '--invite INVITE'].filter(Boolean).join(' ');
    this.#display.say('info', `If you have an invite, enter it below, or give it at the start:  ${command}`);
    const hint = `the operator's invite, if the server takes any · ${this.#display.cancelKey} leaves`;
    this.#display.ask({ prompt: 'invite', hint, masked: false }, (answer) => {
      if (answer === null || answer.trim() === '') return this.#nothing();
      this.#invite = answer.trim();
      return this.#create(name, password);
    });
  }

  async #delete(account: string, password: string | null, force: boolean): Promise<void> {
    try {
      const lost = await this.#client.delete(password, force);
      this.#display.turnTo(null);
      const what = lost === 0 ? '' : ` Nobody will read ${messages(lost)}.`;
      this.#display.say('info', `The account ${account} is deleted.${what}`);
    } catch (error) {
      const refusal = error instanceof ClientError ? error.refusal : undefined;
      if (refusal?.code !== 'HAS_UNDELIVERED' || force) throw error;
      const held = refusal.undelivered === undefined ? 'messages' : messages(refusal.undelivered);
      this.#display.say(
        'error',
        `${account} holds ${held} that nobody would read. Type yes to delete all the same.`,
      );
      this.#display.ask(yesOrNo(`delete ${account} and ${held}?`, 'deletes all', 'keeps it'), (answer) =>
        isYes(answer) ? this.#delete(account, password, true) : this.#kept(account),
      );
    }
  }

  /**
   * Twice, since nobody sees what was typed; empty = null. Asked again for as long as another password might do: who
   * types on must not find that the line shows it.
   * @param again what the last one was refused with; `refused`: that one, when it was this client that did
   */
  #askTwice(
    asking: Asking,
    done: (password: string | null) => Promise<void>,
    again?: Question['again'],
    refused?: string,
  ): void {
    const attempt = async (password: string | null) => {
      try {
        await done(password);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        if (error.code !== 'INVALID' && error.refusal?.code !== 'WEAK_PASSWORD') throw error;
        this.#display.say('error', wordsFor(error));
        this.#askTwice(asking, done, error.refusal?.code ?? null);
      }
    };
    this.#display.ask(secret(asking.prompt, asking.hint, again), async (first) => {
      if (first === null) return this.#nothing();
      if (first === '') return attempt(null);
      // The server has the last word: it may take what is too short for others. By now it was typed twice.
      if (first === refused) return attempt(first);
      const weakness = await this.#weaknessOf(first, asking.name);
      if (weakness !== null) {
        this.#display.say('error', `${weakness} ${INSIST}`);
        return this.#askTwice(asking, done, 'WEAK_PASSWORD', first);
      }
      this.#display.ask(
        secret('the same again', `so that it is what you meant · ${this.#display.cancelKey} leaves`),
        (second) => {
          if (second === null) return this.#nothing();
          if (second === first) return attempt(first);
          this.#display.say(
            'error',
            `The two passwords differ: nothing was done. Once more, or ${this.#display.cancelKey}.`,
          );
          this.#askTwice(asking, done, null);
        },
      );
    });
  }

  /** By the server's own rules, as far as they are the same everywhere. */
  async #weaknessOf(password: string, name: string): Promise<string | null> {
    return this.#looksAtPasswords ? weaknessOf(password, name, USUAL_CHARACTERS) : null;
  }

  #nothing(): void {
    this.#display.say('info', 'Nothing was done.');
  }

  #kept(account: string): void {
    this.#display.say('info', `${account} is kept.`);
  }

  #requireNobody(): void {
    const { account, link } = this.#display.state;
    if (link.kind === 'waiting') throw new ClientError('OFFLINE', 'Not connected to the server.');
    if (account !== null) throw new ClientError('INVALID', `You are logged in as ${account}: /logout first.`);
  }

  #requireLogin(): string {
    const { account } = this.#display.state;
    if (account === null) throw new ClientError('INVALID', 'You are not logged in.');
    return account;
  }
}

function messages(count: number): string {
  return countOf(count, 'undelivered message');
}
