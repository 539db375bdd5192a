import type { Socket } from 'node:net';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { Entry } from '../protocol/v1/entries.ts';
import type { Request } from '../protocol/v1/requests.ts';
import { type BackoffLimits, backoffMs } from './backoff.ts';
import { type Address, Connection, openSocket, type Reply } from './connection.ts';
import { ClientError } from './errors.ts';

export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryInMs: number }
  | { readonly kind: 'closed' };

export interface ClientState {
  readonly link: Link;
  /** The account that the server confirmed on this connection. */
  readonly account: string | null;
  /** The account that the client means to be logged in to, and tries to be again after a reconnect. */
  readonly wanted: string | null;
}

/** What the client has to tell. Texts and names are as they came: not safe for a terminal. */
export type ClientEvent =
  | { readonly type: 'state'; readonly state: ClientState }
  | { readonly type: 'message'; readonly sender: string; readonly body: string }
  /** A connection stands; `again` after an earlier one was lost. */
  | { readonly type: 'connected'; readonly again: boolean }
  /** The connection ended, or could not be made; the next attempt follows. */
  | { readonly type: 'disconnected'; readonly reason: string; readonly retryInMs: number }
  /** Logged in again after a reconnect. */
  | { readonly type: 'login-restored'; readonly name: string }
  | {
      readonly type: 'login-not-restored';
      readonly name: string;
      readonly reason: string;
      readonly retryInMs: number | null;
    }
  /** The answer to a request that its caller was told had timed out. */
  | { readonly type: 'late-reply'; readonly request: Request; readonly reply: Reply }
  | { readonly type: 'server-text'; readonly text: string };

export interface ClientOptions {
  readonly address: Address;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly deadAfterMs: number;
  readonly reconnect: BackoffLimits;
  /** Between tries to log in again: a killed server's hold on the account ends only after some seconds. */
  readonly relogin: BackoffLimits & { readonly tries: number };
  /** A connection that lived this long was a good one: the next reconnect starts with the shortest wait. */
  readonly stableAfterMs: number;
}

export const DEFAULT_OPTIONS: Omit<ClientOptions, 'address'> = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  deadAfterMs: 30_000,
  reconnect: { firstMs: 500, maxMs: 15_000 },
  relogin: { firstMs: 1_000, maxMs: 8_000, tries: 6 },
  stableAfterMs: 5_000,
};

/**
 * A person's client without a face: keeps one connection to a server, makes it anew when it is lost (told by events),
 * logs in again to the same account, and never sends a request twice on its own.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #listener: (event: ClientEvent) => void;
  readonly #stop = new AbortController();
  #state: ClientState = { link: { kind: 'connecting' }, account: null, wanted: null };
  /** The connection that requests go to: it has been greeted, and it has not ended. */
  #connection: Connection | undefined;
  /** The last connection that was opened, greeted or not. */
  #latest: Connection | undefined;
  /** The account to log in to again after a reconnect. */
  #wanted: string | null = null;
  /** Counts the person's own logins and logouts: one ends all tries to restore an earlier login. */
  #intent = 0;
  /** Set while the end of the connection is what we asked for: no wait, nothing to tell. */
  #expectedEnd = false;
  /** The next connection only follows such an end: nothing to tell either. */
  #quiet = false;
  #wasConnected = false;
  /** Who waits for the next connection. */
  readonly #waiting = new Set<() => void>();
  #finished: Promise<void> = Promise.resolve();

  /** @param listener gets each event, in order; it must not throw. */
  constructor(options: ClientOptions, listener: (event: ClientEvent) => void) {
    this.#options = options;
    this.#listener = listener;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Begins to connect, and goes on until `close`. */
  start(): void {
    this.#finished = this.#run();
  }

  /** Ends everything; the server logs the account out when the socket closes. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#latest?.close();
    await this.#finished;
  }

  /** Makes an account and logs in to it. @throws ClientError */
  async create(name: string): Promise<void> {
    this.#intent += 1;
    await this.#online().request({ type: 'create', name });
  }

  /** @throws ClientError */
  async login(name: string): Promise<void> {
    this.#intent += 1;
    await this.#online().request({ type: 'login', name });
  }

  /** Logs out, which in version 1 ends the connection; a new one is made at once. @throws ClientError `OFFLINE` */
  async logout(): Promise<void> {
    const connection = this.#online();
    this.#forgetLogin();
    this.#expectedEnd = true;
    await connection.logout();
  }

  /**
   * Deletes the account one is logged in to. Version 1 confirms it only by closing the connection, and a killed server
   * closes it just so: therefore the name is looked up afterwards on a new connection.
   * @throws ClientError `REFUSED` and the others; `DISCONNECTED` if it cannot be said
   */
  async delete(): Promise<void> {
    const connection = this.#online();
    const name = this.#state.account;
    if (name === null) throw new ClientError('INVALID', 'You are not logged in: there is nothing to delete.');
    this.#expectedEnd = true;
    try {
      await connection.delete();
    } catch (error) {
      this.#expectedEnd = false;
      throw error;
    }
    this.#forgetLogin();
    await this.#verifyDeleted(name);
  }

  /** Names that match; `*` any run, `?` any one character, empty = all. @throws ClientError */
  async list(pattern: string): Promise<readonly string[]> {
    const reply = await this.#online().request({ type: 'list', pattern });
    return reply.type === 'listed' ? reply.names : [];
  }

  /** Takes the undelivered messages out of the inbox, up to 1 MiB of them. @throws ClientError */
  async retrieve(): Promise<readonly Entry[]> {
    const reply = await this.#online().request({ type: 'retrieve' });
    return reply.type === 'retrieved' ? reply.entries : [];
  }

  /** Sends a message; resolves to the server's word that it was delivered or queued. @throws ClientError */
  async send(to: string, body: string): Promise<string> {
    const reply = await this.#online().request({ type: 'send', to, body });
    return reply.type === 'sent' ? reply.text : '';
  }

  #online(): Connection {
    if (this.#connection === undefined) {
      throw new ClientError('OFFLINE', 'Not connected to the server: nothing was sent.');
    }
    return this.#connection;
  }

  #forgetLogin(): void {
    this.#intent += 1;
    this.#giveUpLogin();
  }

  #giveUpLogin(): void {
    this.#wanted = null;
    this.#setState(this.#state.link, this.#state.account);
  }

  async #verifyDeleted(name: string): Promise<void> {
    let names: readonly string[];
    try {
      await this.#nextConnection();
      names = await this.list(name);
    } catch (cause) {
      const text = `The connection ended without an answer: ${name} may be deleted or not. Look with /list ${name}`;
      throw new ClientError('DISCONNECTED', text, { cause });
    }
    if (names.includes(name)) {
      throw new ClientError('DISCONNECTED', `The connection ended without an answer: ${name} still exists.`);
    }
  }

  /** Resolves when a connection stands. @throws ClientError `OFFLINE` after the time of one request */
  #nextConnection(): Promise<void> {
    if (this.#connection !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(arrived);
        reject(new ClientError('OFFLINE', 'Not connected to the server.'));
      }, this.#options.requestTimeoutMs);
      const arrived = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.add(arrived);
    });
  }

  async #run(): Promise<void> {
    let attempt = 0;
    while (!this.#stop.signal.aborted) {
      this.#setState({ kind: 'connecting' }, null);
      const began = performance.now();
      let reason: string;
      try {
        const { address, connectTimeoutMs } = this.#options;
        const socket = await openSocket(address, connectTimeoutMs, this.#stop.signal);
        reason = await this.#live(socket);
        if (performance.now() - began > this.#options.stableAfterMs) attempt = 0;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      if (this.#stop.signal.aborted) break;
      if (this.#expectedEnd) {
        this.#expectedEnd = false;
        this.#quiet = true;
        continue;
      }
      this.#quiet = false;
      const retryInMs = backoffMs(attempt, this.#options.reconnect);
      attempt += 1;
      this.#setState({ kind: 'waiting', reason, retryInMs }, null);
      this.#listener({ type: 'disconnected', reason, retryInMs });
      await this.#sleep(retryInMs);
    }
    this.#setState({ kind: 'closed' }, null);
  }

  /** One connection's life; resolves to the reason of its end. */
  #live(socket: Socket): Promise<string> {
    return new Promise((resolve) => {
      const connection = new Connection(socket, this.#options, {
        onMessage: (message) => this.#listener({ type: 'message', ...message }),
        onServerText: (text) => this.#listener({ type: 'server-text', text }),
        onReply: (request, reply, late) => this.#took(request, reply, late),
        onClosed: (reason) => {
          this.#connection = undefined;
          resolve(reason);
        },
      });
      this.#latest = connection;
      if (this.#stop.signal.aborted) void connection.close();
      connection.greet().then(
        () => this.#welcome(connection),
        // DISCONNECTED has its own way through onClosed.
        (error: ClientError) =>
          void (error.code === 'TIMEOUT' && connection.close('no answer to the greeting')),
      );
    });
  }

  #welcome(connection: Connection): void {
    if (connection.hasEnded) return;
    this.#connection = connection;
    this.#setState({ kind: 'online' }, null);
    if (!this.#quiet) this.#listener({ type: 'connected', again: this.#wasConnected });
    this.#wasConnected = true;
    this.#quiet = false;
    for (const arrived of this.#waiting) arrived();
    this.#waiting.clear();
    if (this.#wanted !== null) void this.#restoreLogin(connection, this.#wanted);
  }

  /** What the server did counts when its reply comes, even if nobody waits for it any more. */
  #took(request: Request, reply: Reply, late: boolean): void {
    if ((request.type === 'create' || request.type === 'login') && reply.type !== 'failure') {
      // As the server spells it; the codec has seen to it that the name is ASCII.
      const name = request.name.toLowerCase();
      this.#wanted = name;
      this.#setState(this.#state.link, name);
    }
    if (late) this.#listener({ type: 'late-reply', request, reply });
  }

  /**
   * Logs in again after a reconnect, and tells each failure. A refusal is tried again a few times, since a server that
   * was killed holds the account for some seconds more; an unanswered login is not, since it may still succeed.
   */
  async #restoreLogin(connection: Connection, name: string): Promise<void> {
    const intent = this.#intent;
    const obsolete = () => intent !== this.#intent || connection !== this.#connection;
    for (let attempt = 0; !obsolete(); attempt++) {
      try {
        await connection.request({ type: 'login', name });
        this.#listener({ type: 'login-restored', name });
        return;
      } catch (error) {
        if (obsolete() || !(error instanceof ClientError)) return;
        const more = error.code === 'REFUSED' && attempt + 1 < this.#options.relogin.tries;
        const retryInMs = more ? backoffMs(attempt, this.#options.relogin) : null;
        if (!more) this.#giveUpLogin();
        this.#listener({ type: 'login-not-restored', name, reason: error.message, retryInMs });
        if (retryInMs === null) return;
        await this.#sleep(retryInMs);
      }
    }
  }

  #setState(link: Link, account: string | null): void {
    this.#state = { link, account, wanted: this.#wanted };
    this.#listener({ type: 'state', state: this.#state });
  }

  /** Waits, but not beyond `close`. */
  async #sleep(milliseconds: number): Promise<void> {
    await setTimeoutPromise(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
