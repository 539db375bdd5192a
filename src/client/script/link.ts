import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerFrame, ServerFrameOf } from '../../protocol/v2/replies.ts';
import { backoffMs } from '../backoff.ts';
import { Connection } from '../connection.ts';
import { ClientError } from '../errors.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import { openSocket } from '../socket.ts';
import { DEFAULT_OPTIONS } from '../state.ts';
import { ask, type Connection2, dialect2 } from '../v2/dialect.ts';
import { DEFAULT_OPTIONS_2 } from '../v2/events.ts';
import { Heartbeat } from '../v2/heartbeat.ts';
import { isPassing } from '../v2/identity.ts';
import { EXIT, Failure } from './exit.ts';

/** How long a command tries to log in where that may work in a moment: two commands of one account meet easily. */
export const LOGIN_PATIENCE_MS = 3_000;
export const LOGIN_RETRIES = { firstMs: 250, maxMs: 1_000 };
/** How long an orderly end may take; without it the server finds out by itself. */
export const LOGOUT_MS = 5_000;

export interface LinkOptions {
  /** For each reply. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onPush?: (frame: ServerFrame) => void;
}

/** A password, or the token of a login whose connection was lost. */
export type Proof =
  | { readonly password: string; readonly takeover?: boolean }
  | { readonly token: Uint8Array };

/**
 * One connection for one command: nothing is tried again behind its back, and each failure has its reason. What has to
 * outlive connections is made of the client in `v2/client.ts` instead.
 */
export class Link {
  readonly connection: Connection2;
  readonly socket: Socket;
  readonly welcome: ServerFrameOf<'welcome'>;
  /** Milliseconds from asking for the connection until it stood, and from the greeting to its answer. */
  readonly connectMs: number;
  readonly greetMs: number;
  readonly #ended: Promise<string>;
  readonly #heartbeat: Heartbeat;
  #isLoggedIn = false;

  private constructor(parts: {
    connection: Connection2;
    socket: Socket;
    welcome: ServerFrameOf<'welcome'>;
    ended: Promise<string>;
    heartbeat: Heartbeat;
    connectMs: number;
    greetMs: number;
  }) {
    this.connection = parts.connection;
    this.socket = parts.socket;
    this.welcome = parts.welcome;
    this.connectMs = parts.connectMs;
    this.greetMs = parts.greetMs;
    this.#ended = parts.ended;
    this.#heartbeat = parts.heartbeat;
  }

  /** Connects and greets. @throws Failure `UNAVAILABLE`, `USAGE` for settings with protocol 1 */
  static async open(settings: Settings, options: LinkOptions): Promise<Link> {
    if (settings.protocol === 1) {
      throw new Failure(EXIT.USAGE, 'Commands speak version 2 of the protocol: leave --protocol 1 away.');
    }
    const { signal, timeoutMs } = options;
    signal.throwIfAborted();
    const began = performance.now();
    const connectTimeoutMs = Math.min(timeoutMs, DEFAULT_OPTIONS.connectTimeoutMs);
    let socket: Socket;
    try {
      socket = await openSocket(settings.address, settings.tls, connectTimeoutMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw noServer(settings, error instanceof Error ? error.message : String(error), error);
    }
    const connected = performance.now();
    const heartbeat = new Heartbeat(DEFAULT_OPTIONS_2.minHeartbeatMs);
    let tellEnd: (reason: string) => void = () => undefined;
    const ended = new Promise<string>((resolve) => {
      tellEnd = resolve;
    });
    let goodbye: string | undefined;
    const times = { requestTimeoutMs: timeoutMs, deadAfterMs: timeoutMs + DEFAULT_OPTIONS.deadAfterMs };
    const connection: Connection2 = new Connection(socket, dialect2, times, {
      onPush: (frame) => {
        if (frame.type === 'ping') heartbeat.beat();
        if (frame.type === 'goodbye') {
          goodbye = frame.reason.replace(/\.$/, '');
          void connection.close(goodbye);
        }
        options.onPush?.(frame);
      },
      onReply: (_request, reply) => {
        if (reply.type === 'pong') heartbeat.answered();
      },
      onClosed: (reason) => {
        heartbeat.stop();
        tellEnd(goodbye ?? reason);
      },
    });
    signal.addEventListener('abort', () => void connection.close('given up'), { once: true });
    try {
      const greeting = await connection.greet();
      if (greeting.type !== 'welcome') throw new ClientError('REFUSED', 'it did not greet back');
      heartbeat.begin(connection, greeting.limits.pingAfterMs);
      const connectMs = connected - began;
      const greetMs = performance.now() - connected;
      return new Link({ connection, socket, welcome: greeting, ended, heartbeat, connectMs, greetMs });
    } catch (error) {
      const reason =
        error instanceof ClientError && error.code === 'DISCONNECTED'
          ? await ended
          : error instanceof ClientError && error.code === 'TIMEOUT'
            ? 'it does not answer as a Milena server does'
            : undefined;
      void connection.close();
      signal.throwIfAborted();
      if (reason === undefined) throw error;
      throw noServer(settings, reason, error);
    }
  }

  /** Why the connection ended, once it has. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /**
   * Logs in. Older messages are not pushed: they wait for who shows them. A refusal that may pass is tried again for a
   * short while.
   * @throws ClientError; Failure `TRY_LATER` for an account that is logged in elsewhere
   */
  async logIn(username: string, proof: Proof): Promise<ServerFrameOf<'logged-in'>> {
    const request = { type: 'login', username, deliver: 'live', ...proven(proof) } as const;
    const deadline = performance.now() + LOGIN_PATIENCE_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        const session = await ask(this.connection, request);
        this.#isLoggedIn = true;
        return session;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const waitMs = Math.max(backoffMs(attempt, LOGIN_RETRIES), error.refusal?.retryAfterMs ?? 0);
        if (isPassing(error.refusal?.code) && performance.now() + waitMs < deadline) {
          await Promise.race([sleep(waitMs), this.#ended]);
          continue;
        }
        throw error.refusal?.code === 'ALREADY_LOGGED_IN' ? loggedInElsewhere(username, error) : error;
      }
    }
  }

  /** A new account is logged in to as soon as it is made. */
  isEntered(): void {
    this.#isLoggedIn = true;
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
    if (this.#isLoggedIn && !keepLogin && !this.connection.hasEnded) {
      this.#isLoggedIn = false;
      const enough = new AbortController();
      await Promise.race([
        ask(this.connection, { type: 'logout' }).catch(() => undefined),
        sleep(LOGOUT_MS, undefined, { signal: enough.signal }).catch(() => undefined),
      ]);
      enough.abort();
    }
    this.#heartbeat.stop();
    await this.connection.close();
  }
}

function proven(proof: Proof): { password: string; takeover?: boolean } | { token: Uint8Array } {
  if ('token' in proof) return proof;
  const password = proof.password.normalize('NFC');
  return proof.takeover ? { password, takeover: true } : { password };
}

/** No connection could be made, or it ended before anything was asked. */
export function noServer({ server }: Settings, reason: string, cause: unknown): Failure {
  const text = `No connection to ${server}: ${reason.replace(/\.$/, '')}.`;
  return new Failure(EXIT.UNAVAILABLE, sanitiseLine(text), { cause });
}

/** The account has another login, and this one did not ask to take it over. */
export function loggedInElsewhere(name: string, cause: unknown): Failure {
  const text =
    `${name} is logged in elsewhere, and an account has one login: use --takeover to end that one, or another ` +
    'account for scripts. Nothing was done.';
  return new Failure(EXIT.TRY_LATER, text, { cause });
}
