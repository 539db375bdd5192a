import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../client/client.ts';
import { ClientError } from '../../client/errors.ts';
import { type ClientEvent, DEFAULT_OPTIONS } from '../../client/events.ts';
import { isPassing } from '../../client/identity.ts';
import { LastServer } from '../../client/last-server.ts';
import { noConnection } from '../../client/route.ts';
import { messageKey } from '../../client/seen.ts';
import type { Message } from '../../protocol/v2/replies.ts';
import { backoffMs } from '../../util/backoff.ts';
import type { KeptLogins } from '../kept-logins.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import type { Context } from './context.ts';
import { commandLogins } from './entrance.ts';
import { EXIT, EXIT_BY_REFUSAL, Failure, failureOf } from './exit.ts';
import type { Journal } from './journal.ts';
import {
  isLost,
  LOGIN_PATIENCE_MS,
  LOGIN_RETRIES,
  LOGOUT_MS,
  LOST_LOGIN_PATIENCE_MS,
  loggedInElsewhere,
  noServer,
} from './link.ts';
import { messageText } from './message-text.ts';

/** A login that does not come back for a reason that may pass is tried for ever: nobody is there to ask. */
const RELOGIN = { firstMs: 1_000, maxMs: 15_000, tries: Number.POSITIVE_INFINITY };
/**
 * Messages that wait to be written out, and their characters: with more the server is let wait, until half is written. Its
 * window is smaller unless it was set so, or is none.
 */
const MAX_QUEUED = 10_000;
const MAX_QUEUED_CHARACTERS = 32 * 1024 * 1024;
/** After so many messages from others, which wait unacknowledged, the person is told that they fill the window. */
const TELL_SKIPPED_EVERY = 100;

export interface ListenerOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly takeover: boolean;
  readonly json: boolean;
  /** End after the first message. */
  readonly once: boolean;
  /** Print only this user's messages; null: everybody's. */
  readonly from: string | null;
}

type NotRestored = Extract<ClientEvent, { type: 'login-not-restored' }>;

interface Received {
  readonly message: Message;
  readonly inbox: string;
}

/** Prints messages as they come, for as long as nobody ends it, over as many connections as that takes. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #context: Context;
  readonly #journal: Journal;
  readonly #client: Client;
  /** Bounded: see `MAX_QUEUED`. */
  readonly #queue: Received[] = [];
  #queuedCharacters = 0;
  #isFull = false;
  #isClosing = false;
  #isPrinting = false;
  #hasBegun = false;
  #isLost = false;
  #isEntering = false;
  /** Told when a login of an earlier program was taken, or why not: a sentence where the password may do all the same. */
  #resumed: (outcome: Failure | string | null) => void = () => undefined;
  #skipped = 0;
  /** The one that messages came from last. */
  #server = '';
  #password: string | null = null;
  readonly #logins: KeptLogins;
  #connected: () => void = () => undefined;
  #finish: (error: unknown) => void = () => undefined;

  constructor(options: ListenerOptions, journal: Journal, context: Context) {
    this.#options = options;
    this.#journal = journal;
    this.#context = context;
    this.#logins = commandLogins(options.settings, context);
    const { servers, tls, directory } = options.settings;
    const lastServer = LastServer.in(directory, servers);
    const clientOptions = {
      ...DEFAULT_OPTIONS,
      program: 'milena-terminal',
      servers,
      tls,
      lastServer,
      relogin: RELOGIN,
      store: journal,
      logins: this.#logins,
    };
    this.#client = new Client(clientOptions, (event) => this.#told(event));
  }

  /**
   * Ends after the first message with `once`; otherwise never by itself.
   * @param known the password that was given, perhaps
   * @param ask asks for it, once there is a connection and no login is kept
   * @throws Failure, ClientError, ReaderGone, Interrupted
   */
  async listen(known: () => Promise<string | null>, ask: () => Promise<string>): Promise<void> {
    const { interrupted, say } = this.#context;
    const finished = new Promise<unknown>((resolve) => {
      this.#finish = resolve;
    });
    const connected = new Promise<void>((resolve) => {
      this.#connected = resolve;
    });
    const abort = () => this.#finish(interrupted.reason);
    interrupted.addEventListener('abort', abort, { once: true });
    try {
      interrupted.throwIfAborted();
      this.#client.start();
      const begin = async () => {
        await connected;
        this.#password = await known();
        if (!(await this.#resume())) {
          this.#password ??= await ask();
          await this.#logIn(this.#password, this.#options.takeover);
        }
        this.#isLost = false;
        this.#restored();
        this.#hasBegun = true;
        say(`Listening as ${this.#options.name}.`);
        void this.#print();
      };
      begin().catch((error: unknown) => this.#finish(error));
      const error = await finished;
      if (error !== null) throw error;
    } finally {
      interrupted.removeEventListener('abort', abort);
      await this.#close();
    }
  }

  /** By the login that the chat keeps on this machine; false where there is none, or the server does not take it. */
  async #resume(): Promise<boolean> {
    const { name, takeover } = this.#options;
    const kept = this.#password === null ? this.#logins.find(name) : null;
    if (kept === null) return false;
    const outcome = await new Promise<Failure | string | null>((resolve) => {
      this.#resumed = resolve;
      this.#client.resume(kept, takeover);
    });
    this.#resumed = () => undefined;
    if (outcome instanceof Failure) throw outcome;
    if (outcome === null) return true;
    this.#context.say(outcome);
    return false;
  }

  async #logIn(password: string, takeover: boolean): Promise<void> {
    const { name } = this.#options;
    let deadline = performance.now() + LOGIN_PATIENCE_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#client.login(name, password, takeover);
        return;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        // Lost before it was answered, with other servers to go to: if there is none, that ends the command.
        if (!this.#hasBegun && isLost(error)) {
          await immediate();
          if (this.#isLost && !this.#isClosing) {
            deadline = performance.now() + LOST_LOGIN_PATIENCE_MS;
            continue;
          }
        }
        const waitMs = Math.max(backoffMs(attempt, LOGIN_RETRIES), error.refusal?.retryAfterMs ?? 0);
        if (!isPassing(error.refusal?.code) || performance.now() + waitMs >= deadline) {
          throw error.refusal?.code === 'ALREADY_LOGGED_IN' ? loggedInElsewhere(name, error) : error;
        }
        await sleep(waitMs);
      }
    }
  }

  #told(event: ClientEvent): void {
    const { say } = this.#context;
    switch (event.type) {
      case 'connected':
        this.#connected();
        // The token was given up, and the password had no connection to be tried on.
        if (this.#hasBegun && this.#client.state.wanted === null) void this.#logInAnew(null);
        break;
      case 'disconnected':
        this.#disconnected(event);
        break;
      case 'logged-in':
        this.#resumed(null);
        if (this.#hasBegun) this.#restored();
        break;
      case 'login-restored':
        this.#restored();
        break;
      case 'login-not-restored':
        if (event.retryInMs !== null) break;
        if (this.#hasBegun) void this.#logInAnew(event);
        else this.#resumed(this.#whyNotResumed(event));
        break;
      case 'replaced':
        this.#finish(new Failure(EXIT.TRY_LATER, sanitiseLine(event.reason)));
        break;
      case 'message':
        this.#enqueue(event);
        break;
      case 'outgoing':
        this.#journal.fate(event.entry);
        break;
      case 'server-text':
        say(sanitiseLine(`The server says: ${event.text}`));
        break;
    }
  }

  #disconnected({ reason, retryInMs }: { readonly reason: string; readonly retryInMs: number }): void {
    const { servers } = this.#options.settings;
    const isRoundOver = retryInMs > 0;
    if (!this.#hasBegun && isRoundOver) this.#finish(noServer({ servers }, reason));
    else if (!this.#isLost && this.#hasBegun) {
      const what =
        this.#server === ''
          ? noConnection(servers, reason)
          : `The connection to ${this.#server} is lost: ${reason}`;
      const next = isRoundOver ? 'Trying again until it works.' : 'Trying the next server.';
      this.#context.say(sanitiseLine(`${what}. ${next}`));
    }
    this.#isLost = true;
  }

  #restored(): void {
    const { link } = this.#client.state;
    const server = link.kind === 'online' ? link.server : this.#server;
    if (this.#isLost) {
      const where = server === this.#server ? '' : ` to ${server}`;
      this.#context.say(sanitiseLine(`Connected again${where}, listening as ${this.#options.name}.`));
    }
    this.#server = server;
    this.#isLost = false;
  }

  #whyNotResumed({ code, isTried, reason }: NotRestored): Failure | string {
    const { name } = this.#options;
    if (!isTried) return sanitiseLine(reason);
    if (code === 'BAD_CREDENTIALS') {
      return `The login of ${name} that was kept on this machine is not good any more.`;
    }
    if (code === 'ALREADY_LOGGED_IN') return loggedInElsewhere(name, null);
    const exit = code === null ? EXIT.TRY_LATER : EXIT_BY_REFUSAL[code];
    return new Failure(exit, sanitiseLine(reason));
  }

  /** The token is not taken any more; the password still may be. */
  async #logInAnew(event: NotRestored | null): Promise<void> {
    const password = this.#password;
    if (password === null) {
      const { name } = this.#options;
      const { code = null, reason = 'the login is not good any more.' } = event ?? {};
      const kept = code === null ? this.#logins.find(name) : null;
      const exit = code === null ? EXIT.TRY_LATER : EXIT_BY_REFUSAL[code];
      // Without an answer it may still be good, and its holder this very program.
      if (kept !== null) this.#client.resume(kept, true);
      else this.#finish(new Failure(exit, sanitiseLine(`Not logged in again as ${name}: ${reason}`)));
      return;
    }
    // One at a time: it outlives a lost connection by itself.
    if (this.#isEntering) return;
    this.#isEntering = true;
    try {
      await this.#logIn(password, false);
      this.#restored();
    } catch (error) {
      // Offline or unanswered: the next connection tries it again.
      const isLink = error instanceof ClientError && error.refusal === undefined;
      if (!isLink) this.#finish(error instanceof ClientError ? failureOf(error) : error);
    } finally {
      this.#isEntering = false;
    }
  }

  /** One message after the other: what was not written out is not acknowledged. */
  async #print(): Promise<void> {
    if (this.#isPrinting || !this.#hasBegun) return;
    this.#isPrinting = true;
    const { name, json, once } = this.#options;
    try {
      for (let next = this.#dequeue(); next !== undefined; next = this.#dequeue()) {
        const { message, inbox } = next;
        if (!this.#isWanted(message)) continue;
        await this.#context.output.write(messageText(message, name, inbox, json));
        this.#journal.received(message, messageKey(inbox, message));
        this.#client.shown(inbox, message.seq);
        if (once) return this.#finish(null);
      }
    } catch (error) {
      // Nothing more is printed: the queue's messages come again with the next login.
      this.#queue.length = 0;
      return this.#finish(error);
    }
    this.#isPrinting = false;
  }

  #enqueue(received: Received): void {
    // They come again with the next login.
    if (this.#isClosing) return;
    this.#queue.push(received);
    this.#queuedCharacters += received.message.body.length;
    if (this.#queue.length >= MAX_QUEUED || this.#queuedCharacters >= MAX_QUEUED_CHARACTERS) {
      this.#isFull = true;
      this.#client.read(false);
    }
    void this.#print();
  }

  #dequeue(): Received | undefined {
    const next = this.#queue.shift();
    this.#queuedCharacters -= next?.message.body.length ?? 0;
    const hasRoom =
      this.#queue.length <= MAX_QUEUED / 2 && this.#queuedCharacters <= MAX_QUEUED_CHARACTERS / 2;
    if (this.#isFull && hasRoom) {
      this.#isFull = false;
      this.#client.read(true);
    }
    return next;
  }

  #isWanted(message: Message): boolean {
    const { from } = this.#options;
    if (from === null || (message.verified && message.from === from)) return true;
    this.#skipped += 1;
    if (this.#skipped % TELL_SKIPPED_EVERY === 0) {
      this.#context.say(
        `${this.#skipped} messages from others wait undelivered. With too many of them the server sends no more: ` +
          '`milena retrieve` takes them.',
      );
    }
    return false;
  }

  /** Acknowledges what was printed, and ends the login where there is one. */
  async #close(): Promise<void> {
    this.#isClosing = true;
    this.#queue.length = 0;
    this.#client.read(true);
    const enough = new AbortController();
    // To log out would end what the chat comes back by.
    const leaves = !this.#logins.has(this.#options.name);
    await Promise.race([
      leaves && this.#client.logout().catch(() => undefined),
      sleep(LOGOUT_MS, undefined, { signal: enough.signal }).catch(() => undefined),
    ]);
    enough.abort();
    await this.#client.close();
  }
}
