import type { Socket } from 'node:net';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { type BackoffLimits, retryMs } from './backoff.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { Dialect, Typed } from './dialect.ts';
import { ClientError } from './errors.ts';
import { type Address, openSocket, type TlsSettings } from './socket.ts';

export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryInMs: number }
  | { readonly kind: 'closed' };

export interface TransportOptions extends ConnectionOptions {
  readonly address: Address;
  /** Absent: plain text. */
  readonly tls?: TlsSettings | undefined;
  readonly connectTimeoutMs: number;
  readonly reconnect: BackoffLimits;
  /** A connection that lived this long was a good one: the next reconnect starts with the shortest wait. */
  readonly stableAfterMs: number;
}

export interface TransportEvents<Request extends Typed, ServerFrame extends Typed> {
  /** The link has changed, and with it nobody is logged in any more. */
  readonly onLink: (link: Link) => void;
  /**
   * A connection stands and requests can go to it; `again` after an earlier one was lost, `quiet` if it only follows
   * an end that was asked for.
   */
  readonly onOnline: (
    connection: Connection<Request, ServerFrame>,
    how: { readonly again: boolean; readonly quiet: boolean; readonly greeting: ServerFrame },
  ) => void;
  readonly onPush: (frame: ServerFrame) => void;
  readonly onReply: (request: Request, reply: ServerFrame, late: boolean) => void;
  /** A connection that `onOnline` told of has ended, however; before `onLink` and `onLost`. */
  readonly onOffline: () => void;
  /** The connection ended, or could not be made; the next attempt follows. */
  readonly onLost: (reason: string, retryInMs: number) => void;
}

/** Keeps one connection to a server, of whatever version, and makes it anew when it is lost. */
export class Transport<Request extends Typed, ServerFrame extends Typed> {
  readonly #options: TransportOptions;
  readonly #dialect: Dialect<Request, ServerFrame>;
  readonly #events: TransportEvents<Request, ServerFrame>;
  readonly #stop = new AbortController();
  #link: Link = { kind: 'connecting' };
  /** The connection that requests go to: it has been greeted, and it has not ended. */
  #connection: Connection<Request, ServerFrame> | undefined;
  /** The last connection that was opened, greeted or not. */
  #latest: Connection<Request, ServerFrame> | undefined;
  /** Set while the end of the connection is what we asked for: no wait, nothing to tell. */
  #expectedEnd = false;
  /** The next connection only follows such an end: nothing to tell either. */
  #quiet = false;
  #wasConnected = false;
  /** The server asked not to be tried before this time has passed, in milliseconds. */
  #holdOffMs = 0;
  /** Who waits for the next connection. */
  readonly #waiting = new Set<() => void>();
  #finished: Promise<void> = Promise.resolve();

  /** The events must not throw, except as `ConnectionEvents` allows. */
  constructor(
    options: TransportOptions,
    dialect: Dialect<Request, ServerFrame>,
    events: TransportEvents<Request, ServerFrame>,
  ) {
    this.#options = options;
    this.#dialect = dialect;
    this.#events = events;
  }

  get link(): Link {
    return this.#link;
  }

  get connection(): Connection<Request, ServerFrame> | undefined {
    return this.#connection;
  }

  /** Begins to connect, and goes on until `close`. */
  start(): void {
    this.#finished = this.#run();
  }

  /** Ends everything. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#latest?.close();
    await this.#finished;
  }

  /** The connection that requests go to. @throws ClientError `OFFLINE` */
  online(): Connection<Request, ServerFrame> {
    if (this.#connection === undefined) {
      throw new ClientError('OFFLINE', 'Not connected to the server: nothing was sent.');
    }
    return this.#connection;
  }

  /** Whether the connection's end, if it comes, is what we asked for: no wait then, and nothing to tell. */
  expectEnd(expected: boolean): void {
    this.#expectedEnd = expected;
  }

  /** Keeps the next attempt, and only that, from coming sooner. */
  holdOff(milliseconds: number): void {
    this.#holdOffMs = milliseconds;
  }

  /** Ends the connection that there is, greeted or not; the next one follows. */
  hangUp(reason: string): void {
    const connection = this.#latest;
    if (connection === undefined || connection.hasEnded) return;
    // Its end takes a moment, in which nothing can be asked any more.
    this.#forget(connection);
    void connection.close(reason);
    this.#setLink({ kind: 'connecting' });
  }

  /** Resolves when a connection stands. @throws ClientError `OFFLINE` after the time of one request */
  nextConnection(): Promise<void> {
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

  /** Waits, but not beyond `close`. */
  async sleep(milliseconds: number): Promise<void> {
    await setTimeoutPromise(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    let attempt = 0;
    while (!this.#stop.signal.aborted) {
      this.#setLink({ kind: 'connecting' });
      const began = performance.now();
      let reason: string;
      try {
        const { address, tls, connectTimeoutMs } = this.#options;
        const socket = await openSocket(address, tls, connectTimeoutMs, this.#stop.signal);
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
      const retryInMs = retryMs(attempt, this.#options.reconnect, this.#holdOffMs);
      this.#holdOffMs = 0;
      attempt += 1;
      this.#setLink({ kind: 'waiting', reason, retryInMs });
      this.#events.onLost(reason, retryInMs);
      await this.sleep(retryInMs);
    }
    this.#setLink({ kind: 'closed' });
  }

  /** One connection's life; resolves to the reason of its end. */
  #live(socket: Socket): Promise<string> {
    return new Promise((resolve) => {
      const connection = new Connection(socket, this.#dialect, this.#options, {
        onPush: (frame) => this.#events.onPush(frame),
        onReply: (request, reply, late) => this.#events.onReply(request, reply, late),
        onClosed: (reason) => {
          this.#forget(connection);
          resolve(reason);
        },
      });
      this.#latest = connection;
      if (this.#stop.signal.aborted) void connection.close();
      connection.greet().then(
        (greeting) => this.#welcome(connection, greeting),
        // DISCONNECTED has its own way through onClosed.
        (error: ClientError) =>
          void (error.code === 'TIMEOUT' && connection.close('no answer to the greeting')),
      );
    });
  }

  #welcome(connection: Connection<Request, ServerFrame>, greeting: ServerFrame): void {
    if (connection.hasEnded) return;
    this.#connection = connection;
    const [again, quiet] = [this.#wasConnected, this.#quiet];
    this.#wasConnected = true;
    this.#quiet = false;
    this.#setLink({ kind: 'online' });
    this.#events.onOnline(connection, { again, quiet, greeting });
    for (const arrived of this.#waiting) arrived();
    this.#waiting.clear();
  }

  #forget(connection: Connection<Request, ServerFrame>): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#events.onOffline();
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.#events.onLink(link);
  }
}
