import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { ServerFrame, ServerFrameOf } from '../protocol/v2/replies.ts';
import type { Request } from '../protocol/v2/requests.ts';
import { type BackoffLimits, backoffMs } from '../util/backoff.ts';
import { type ConnectionOptions, ServerConnection } from './connection.ts';
import { ClientError } from './errors.ts';
import { noConnection, type Opened, Route, type RouteOptions, type Stop } from './route.ts';
import { type Settle, withSignal } from './with-signal.ts';

/** What a server says of itself. */
export type Welcome = ServerFrameOf<'welcome'>;

/** Between two things that a server says unasked. */
const TELL_EVERY_MS = 1_000;

export type Link =
  | { readonly kind: 'connecting' }
  /** `server`: the one it is, `HOST:PORT`, perhaps with an address behind it. */
  | { readonly kind: 'online'; readonly server: string }
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryInMs: number }
  | { readonly kind: 'closed' };

export interface ReconnectorOptions extends ConnectionOptions, RouteOptions {
  readonly connectTimeoutMs: number;
  readonly reconnect: BackoffLimits;
  /** A connection that lived this long was a good one: the next reconnect starts with the shortest wait. */
  readonly stableAfterMs: number;
}

export interface ReconnectorEvents {
  /** The link has changed, and with it nobody is logged in any more. */
  readonly onLink: (link: Link) => void;
  /**
   * A connection stands and requests can go to it; `again` after an earlier one was lost, `quiet` if it only follows
   * an end that was asked for.
   */
  readonly onOnline: (
    connection: ServerConnection,
    how: { readonly again: boolean; readonly quiet: boolean; readonly greeting: Welcome },
  ) => void;
  readonly onPush: (frame: ServerFrame) => void;
  readonly onReply: (request: Request, reply: ServerFrame, late: boolean) => void;
  /** A connection that `onOnline` told of has ended, however; before `onLink` and `onLost`. */
  readonly onOffline: () => void;
  /**
   * The connection ended, or none could be made to any server; the next attempt follows, at once (0) if there is another
   * server to try.
   */
  readonly onLost: (reason: string, retryInMs: number) => void;
}

/** Keeps one connection to one of the servers, and makes it anew when it is lost. */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  readonly #events: ReconnectorEvents;
  readonly #route: Route;
  readonly #stop = new AbortController();
  #link: Link = { kind: 'connecting' };
  /** The connection that requests go to: it has been greeted, and it has not ended. */
  #connection: ServerConnection | undefined;
  /** The last connection that was opened, greeted or not, and where it goes. */
  #latest: { readonly connection: ServerConnection; readonly to: Stop } | undefined;
  /** Set while the end of the connection is what we asked for: no wait, nothing to tell. */
  #expectedEnd = false;
  /** The next connection only follows such an end: nothing to tell either. */
  #quiet = false;
  #wasConnected = false;
  /** When the server's own words were told last, on the monotonic clock. */
  #toldAt = Number.NEGATIVE_INFINITY;
  /** Who waits for the next connection. */
  readonly #waiting = new Set<Settle<void> & { readonly patient: boolean }>();
  #finished: Promise<void> = Promise.resolve();

  /** The events must not throw, except as `ConnectionEvents` allows. */
  constructor(options: ReconnectorOptions, events: ReconnectorEvents) {
    this.#options = options;
    this.#route = new Route(options);
    this.#events = events;
  }

  /** Whether another server is tried before there is a pause. */
  get hasMoreServers(): boolean {
    return this.#route.hasMore;
  }

  get link(): Link {
    return this.#link;
  }

  get connection(): ServerConnection | undefined {
    return this.#connection;
  }

  /** Begins to connect, and goes on until `close`. */
  start(): void {
    this.#finished = this.#run();
  }

  /** Ends everything. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#latest?.connection.close();
    await this.#finished;
    for (const { reject } of this.#waiting) reject(closed());
    this.#waiting.clear();
  }

  /** The connection that requests go to. @throws ClientError `OFFLINE` */
  online(): ServerConnection {
    if (this.#connection === undefined) {
      throw new ClientError('OFFLINE', 'Not connected to the server: nothing was sent.');
    }
    return this.#connection;
  }

  /** Whether the connection's end, if it comes, is what we asked for: no wait then, and nothing to tell. */
  expectEnd(expected: boolean): void {
    this.#expectedEnd = expected;
  }

  /** The server does not want to be tried again sooner; another one may be. */
  holdOff(milliseconds: number): void {
    if (this.#latest !== undefined && milliseconds > 0) this.#route.hold(this.#latest.to, milliseconds);
  }

  /** Ends the connection that there is, greeted or not; the next one follows. */
  hangUp(reason: string): void {
    const connection = this.#latest?.connection;
    if (connection === undefined || connection.hasEnded) return;
    // Its end takes a moment, in which nothing can be asked any more.
    this.#forget(connection);
    void connection.close(reason);
    this.#setLink({ kind: 'connecting' });
  }

  /** Whether what a server says unasked is to be told: once in a while, however often it does. */
  mayTell(): boolean {
    const now = performance.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return false;
    this.#toldAt = now;
    return true;
  }

  /** Whether to read on, or to let the server wait; a later connection begins with reading. */
  read(isReading: boolean): void {
    if (isReading) this.#latest?.connection.resume();
    else this.#latest?.connection.pause();
  }

  /**
   * Resolves when a connection stands; `patient`: also when that takes longer than to try each server once.
   * @throws ClientError `OFFLINE` when each server was tried in vain, `ABORTED`, `CLOSED`
   */
  connected({
    signal,
    patient = false,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly patient?: boolean;
  } = {}): Promise<void> {
    if (this.#connection !== undefined) return Promise.resolve();
    if (this.#stop.signal.aborted) return Promise.reject(closed());
    return withSignal(signal, (settle) => {
      const waiting = { ...settle, patient };
      this.#waiting.add(waiting);
      return () => this.#waiting.delete(waiting);
    });
  }

  /** Resolves when a connection stands. @throws ClientError `OFFLINE` after the time of one request */
  nextConnection(): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.requestTimeoutMs);
    return this.connected({ signal, patient: true }).catch((cause: unknown) => {
      throw new ClientError('OFFLINE', 'Not connected to the server.', { cause });
    });
  }

  /** Waits, but not beyond `close`. */
  async sleep(milliseconds: number): Promise<void> {
    await setTimeoutPromise(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { connectTimeoutMs, reconnect, stableAfterMs } = this.#options;
    const route = this.#route;
    let failedRounds = 0;
    while (!this.#stop.signal.aborted) {
      if (route.hasMore) this.#setLink({ kind: 'connecting' });
      const began = performance.now();
      const opened = await route.open(() => connectTimeoutMs, this.#stop.signal).catch(() => undefined);
      if (opened === undefined) {
        if (this.#stop.signal.aborted) break;
        this.#quiet = false;
        await this.#pause(Math.max(backoffMs(failedRounds, reconnect), route.heldMs));
        failedRounds += 1;
        continue;
      }
      const { wasOnline, reason } = await this.#live(opened);
      if (this.#stop.signal.aborted) break;
      const isStable = performance.now() - began > stableAfterMs;
      if (isStable) failedRounds = 0;
      if (this.#expectedEnd) {
        this.#expectedEnd = false;
        this.#quiet = true;
        route.again(opened.stop);
        continue;
      }
      this.#quiet = false;
      if (isStable && wasOnline) route.lost(opened.stop, reason);
      else route.failed(opened.stop, reason);
      if (wasOnline && route.hasMore) this.#events.onLost(reason, 0);
    }
    this.#setLink({ kind: 'closed' });
  }

  /** A whole round has failed. */
  async #pause(retryInMs: number): Promise<void> {
    const { reason } = this.#route;
    this.#setLink({ kind: 'waiting', reason, retryInMs });
    this.#events.onLost(reason, retryInMs);
    for (const waiting of this.#waiting) {
      if (waiting.patient) continue;
      this.#waiting.delete(waiting);
      waiting.reject(new ClientError('OFFLINE', `${noConnection(this.#options.servers, reason)}.`));
    }
    await this.sleep(retryInMs);
    this.#route.begin();
  }

  /** One connection's life; resolves at its end. */
  #live({ socket, stop }: Opened): Promise<{ readonly wasOnline: boolean; readonly reason: string }> {
    return new Promise((resolve) => {
      let wasOnline = false;
      const connection = new ServerConnection(socket, this.#options, {
        onPush: (frame) => this.#events.onPush(frame),
        onReply: (request, reply, late) => this.#events.onReply(request, reply, late),
        onClosed: (reason) => {
          this.#forget(connection);
          resolve({ wasOnline, reason });
        },
      });
      this.#latest = { connection, to: stop };
      if (this.#stop.signal.aborted) void connection.close();
      connection.greet().then(
        (greeting) => {
          if (connection.hasEnded) return;
          wasOnline = true;
          this.#route.good(stop);
          this.#welcome(connection, greeting, stop);
        },
        // DISCONNECTED has its own way through onClosed; anything else ends here, or it would be waited for without end.
        ({ code, message }: ClientError) => {
          if (code === 'TIMEOUT') void connection.close('no answer to the greeting');
          else if (code !== 'DISCONNECTED') void connection.close(message.replace(/\.$/, ''));
        },
      );
    });
  }

  #welcome(connection: ServerConnection, greeting: Welcome, { label }: Stop): void {
    this.#connection = connection;
    const [again, quiet] = [this.#wasConnected, this.#quiet];
    this.#wasConnected = true;
    this.#quiet = false;
    this.#setLink({ kind: 'online', server: label });
    this.#events.onOnline(connection, { again, quiet, greeting });
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #forget(connection: ServerConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#events.onOffline();
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.#events.onLink(link);
  }
}

function closed(): ClientError {
  return new ClientError('CLOSED', 'The client was closed.');
}
