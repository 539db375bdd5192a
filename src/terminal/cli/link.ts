import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../client/connection.ts';
import { brief, ClientError } from '../../client/errors.ts';
import { DEFAULT_OPTIONS } from '../../client/events.ts';
import { Heartbeat } from '../../client/heartbeat.ts';
import { isPassing } from '../../client/identity.ts';
import { LastServer } from '../../client/last-server.ts';
import { noConnection, type Opened, Route, type Stop } from '../../client/route.ts';
import type { ServerFrame, ServerFrameOf } from '../../protocol/v2/replies.ts';
import { backoffMs } from '../../util/backoff.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import type { Deadline } from './deadline.ts';
import { EXIT, Failure } from './exit.ts';

/** How long a command tries to log in where that may work in a moment, but nobody says when: two of one account meet easily. */
export const LOGIN_PATIENCE_MS = 3_000;
/** The same after a login that was lost with its server, whose lease has to end first. */
export const LOST_LOGIN_PATIENCE_MS = 20_000;
export const LOGIN_RETRIES = { firstMs: 250, maxMs: 1_000 };
/** How long an orderly end may take; without it the server finds out by itself. */
export const LOGOUT_MS = 5_000;

/** A server of several may take so long for an answer: longer than a frontend waits for Kafka. */
const PATIENCE_MS = 15_000;

export interface LinkOptions {
  /** Ends the connection, too. */
  readonly deadline: Deadline;
  /** Which servers are still to be tried; the round begins anew if there are none. */
  readonly route: Route;
  readonly signal: AbortSignal;
  readonly onPush?: (frame: ServerFrame) => void;
}

/** A password, or the token of another login: of one whose connection was lost, or with `takeover` of an earlier program. */
export type Proof =
  | { readonly password: string; readonly takeover?: boolean }
  | { readonly token: Uint8Array; readonly takeover?: boolean };

/**
 * One connection for one command: nothing is tried again behind its back, and each failure has its reason. What has to
 * outlive connections is made of the library's `Client` instead.
 */
export class Link {
  readonly connection: Connection;
  readonly socket: Socket;
  /** Where it goes. */
  readonly stop: Stop;
  readonly welcome: ServerFrameOf<'welcome'>;
  /** Milliseconds from asking for the connection until it stood, and from the greeting to its answer. */
  readonly connectMs: number;
  readonly greetMs: number;
  readonly #ended: Promise<string>;
  readonly #heartbeat: Heartbeat;
  readonly #deadline: Deadline;
  #isLoggedIn = false;
  #keepsLogin = false;

  private constructor(parts: {
    connection: Connection;
    opened: Opened;
    welcome: ServerFrameOf<'welcome'>;
    ended: Promise<string>;
    heartbeat: Heartbeat;
    deadline: Deadline;
    connectMs: number;
    greetMs: number;
  }) {
    this.connection = parts.connection;
    this.socket = parts.opened.socket;
    this.stop = parts.opened.stop;
    this.welcome = parts.welcome;
    this.connectMs = parts.connectMs;
    this.greetMs = parts.greetMs;
    this.#ended = parts.ended;
    this.#heartbeat = parts.heartbeat;
    this.#deadline = parts.deadline;
  }

  /**
   * Connects to the first server that greets back.
   * @throws Failure `UNAVAILABLE` when all were tried; what aborts the signal
   */
  static async open(settings: Settings, options: LinkOptions): Promise<Link> {
    const { deadline, route, signal } = options;
    if (!route.hasMore) route.begin();
    const patienceMs = () => Math.min(deadline.leftMs, DEFAULT_OPTIONS.connectTimeoutMs);
    for (;;) {
      signal.throwIfAborted();
      const began = performance.now();
      const opened = await route.open(patienceMs, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
      if (opened === undefined) throw noServer(settings, route.reason);
      const link = await Link.#greeted(opened, performance.now() - began, options);
      if (link instanceof Link) {
        route.good(opened.stop);
        return link;
      }
      route.failed(opened.stop, link);
    }
  }

  /** The link, or why there is none. @throws what aborts the signal */
  static async #greeted(opened: Opened, connectMs: number, options: LinkOptions): Promise<Link | string> {
    const { deadline, route, signal } = options;
    const heartbeat = new Heartbeat(DEFAULT_OPTIONS.minHeartbeatMs);
    let tellEnd: (reason: string) => void = () => undefined;
    const ended = new Promise<string>((resolve) => {
      tellEnd = resolve;
    });
    let goodbye: string | undefined;
    const left = deadline.leftMs;
    const timeoutMs = Math.max(1, route.hasMore ? Math.min(PATIENCE_MS, left / 2) : left);
    const { deadAfterMs, deadInLineAfterMs } = DEFAULT_OPTIONS;
    const times = {
      program: 'milena-terminal',
      requestTimeoutMs: timeoutMs,
      deadAfterMs: timeoutMs + deadAfterMs,
      deadInLineAfterMs,
    };
    const connection: Connection = new Connection(opened.socket, times, {
      onPush: (frame) => {
        if (frame.type === 'ping') heartbeat.beat();
        if (frame.type === 'goodbye') {
          goodbye = brief(frame.reason).replace(/\.$/, '');
          if (frame.retryAfterMs !== undefined) route.hold(opened.stop, frame.retryAfterMs);
          void connection.close(goodbye);
        }
        options.onPush?.(frame);
      },
      onReply: (_request, reply) => {
        if (reply.type === 'pong') heartbeat.answered();
      },
      onClosed: (reason) => {
        heartbeat.stop();
        signal.removeEventListener('abort', giveUp);
        deadline.signal.removeEventListener('abort', beLate);
        tellEnd(goodbye ?? reason);
      },
    });
    const giveUp = () => void connection.close('given up');
    const beLate = () => void connection.close('the time is over');
    signal.addEventListener('abort', giveUp, { once: true });
    const began = performance.now();
    try {
      const welcome = await connection.greet();
      if (welcome.type !== 'welcome') return await refused(connection, welcome);
      // From now on, since until then each wait has its own end, and 69 for it.
      deadline.signal.addEventListener('abort', beLate, { once: true });
      heartbeat.begin(connection, welcome.limits.pingAfterMs);
      const greetMs = performance.now() - began;
      return new Link({ connection, opened, welcome, ended, heartbeat, deadline, connectMs, greetMs });
    } catch (error) {
      void connection.close();
      signal.throwIfAborted();
      if (!(error instanceof ClientError)) throw error;
      return error.code === 'TIMEOUT' ? 'it does not answer as a Milena server does' : await ended;
    }
  }

  /** Why the connection ended, once it has. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** Whether the server lets any number in at once who only send. */
  get takesSenders(): boolean {
    return this.welcome.features.includes('deliver-none');
  }

  /** Whether the server lets a token ask first, as `Proof` with a `takeover` of false does. */
  get asksWhoResumes(): boolean {
    return this.welcome.features.includes('resume-asks');
  }

  /**
   * Logs in. Older messages are not pushed: they wait for who shows them. A refusal that may pass is tried again for a
   * short while; one that says when, or that there is too much to do, for all the time there is.
   * @param deliver `none` to send only, where the server `takesSenders`
   * @throws ClientError; Failure `TRY_LATER` for an account that is logged in elsewhere
   */
  async logIn(
    username: string,
    proof: Proof,
    deliver: 'live' | 'none' = 'live',
  ): Promise<ServerFrameOf<'logged-in'>> {
    const request = { type: 'login', username, deliver, ...proven(proof) } as const;
    // Before the time is over: the refusal tells more than the end of the connection.
    const end = performance.now() + this.#deadline.leftMs;
    const patience = Math.min(end, performance.now() + LOGIN_PATIENCE_MS);
    for (let attempt = 0; ; attempt++) {
      try {
        const session = await this.connection.ask(request);
        this.#isLoggedIn = true;
        return session;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const { code, retryAfterMs } = error.refusal ?? {};
        const waitMs = Math.max(backoffMs(attempt, LOGIN_RETRIES), retryAfterMs ?? 0);
        const until = retryAfterMs !== undefined || code === 'BUSY' ? end : patience;
        if (isPassing(code) && performance.now() + waitMs < until) {
          await Promise.race([sleep(waitMs), this.#ended]);
          continue;
        }
        throw code === 'ALREADY_LOGGED_IN' ? loggedInElsewhere(username, error) : error;
      }
    }
  }

  /** A new account is logged in to as soon as it is made. */
  isEntered(): void {
    this.#isLoggedIn = true;
  }

  /** The end of the connection ends no login: somebody comes back to it by its token. */
  keepLogin(): void {
    this.#keepsLogin = true;
  }

  /** The account was deleted, and its login with it. */
  isGone(): void {
    this.#isLoggedIn = false;
  }

  /**
   * Ends the login and the connection. Whoever logs in next is not told that somebody still is, and what was
   * acknowledged counts. Idempotent; never throws.
   * @param keepLogin for who comes back by the token
   */
  async close(keepLogin = false): Promise<void> {
    if (this.#isLoggedIn && !keepLogin && !this.#keepsLogin && !this.connection.hasEnded) {
      this.#isLoggedIn = false;
      const enough = new AbortController();
      await Promise.race([
        this.connection.ask({ type: 'logout' }).catch(() => undefined),
        sleep(LOGOUT_MS, undefined, { signal: enough.signal }).catch(() => undefined),
      ]);
      enough.abort();
    }
    this.#heartbeat.stop();
    await this.connection.close();
  }
}

function proven(proof: Proof): Proof {
  if ('token' in proof) return proof;
  const password = proof.password.normalize('NFC');
  return proof.takeover ? { password, takeover: true } : { password };
}

/** What a server says that does not let anybody in. */
async function refused(connection: Connection, frame: ServerFrame): Promise<string> {
  await connection.close();
  return frame.type === 'failure' ? brief(frame.message) : 'it did not greet back';
}

/** The servers of the settings, the one that answered last in an earlier process first. */
export function routeOf({ directory, servers, tls }: Settings): Route {
  return new Route({ servers, tls, lastServer: LastServer.in(directory, servers) });
}

/** No connection could be made, or it ended before anything was asked. @param reason as `Route.reason` */
export function noServer({ servers }: Pick<Settings, 'servers'>, reason: string): Failure {
  return new Failure(EXIT.UNAVAILABLE, sanitiseLine(`${noConnection(servers, reason)}.`));
}

/** Whether a request failed because of the connection or the server, so that another server may be asked. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  const { code, refusal } = error;
  const isServers = refusal?.code === 'SHUTTING_DOWN' || refusal?.code === 'INBOX_LOST';
  return isServers || ['DISCONNECTED', 'OFFLINE', 'TIMEOUT'].includes(code);
}

/** The account has another login, and this one did not ask to take it over. */
export function loggedInElsewhere(name: string, cause: unknown): Failure {
  const text =
    `${name} is logged in elsewhere, and an account has one login: use --takeover to end that one, or another ` +
    'account for scripts. Nothing was done.';
  return new Failure(EXIT.TRY_LATER, text, { cause });
}
