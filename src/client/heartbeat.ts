import type { ServerConnection } from './connection.ts';
import { ClientError } from './errors.ts';

/** Longer than this a server's silence is never trusted, whatever it asks for. */
const MAX_SILENCE_MS = 300_000;

/** Answers the server's pings, and pings a server that has been silent: unanswered, the connection gives it up. */
export class Heartbeat {
  readonly #minMs: number;
  #connection: ServerConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #silenceMs = 0;
  /** One at a time: a server that pings without end gets no more than it answers. */
  #unanswered = false;

  constructor(minMs: number) {
    this.#minMs = minMs;
  }

  /** @param pingAfterMs after so long a silence the server itself would ping */
  begin(connection: ServerConnection, pingAfterMs: number): void {
    this.stop();
    this.#connection = connection;
    this.#unanswered = false;
    this.#silenceMs = Math.min(MAX_SILENCE_MS, Math.max(this.#minMs, pingAfterMs));
    this.#wait(connection);
  }

  /** As long as the silence lasts already, it needs not last again. */
  #wait(connection: ServerConnection): void {
    const silentMs = performance.now() - connection.heardAt;
    const leftMs = silentMs < this.#silenceMs ? this.#silenceMs - silentMs : this.#silenceMs;
    this.#timer = setTimeout(() => {
      if (performance.now() - connection.heardAt >= this.#silenceMs) this.beat();
      if (connection === this.#connection) this.#wait(connection);
    }, leftMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#connection = undefined;
  }

  beat(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#unanswered) return;
    this.#unanswered = true;
    connection.ask({ type: 'ping' }).catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
      // It never went out: the line is full of others, whose answers are as good as a pong.
      if (connection === this.#connection && error.nothingSent) this.#unanswered = false;
    });
  }

  /** A pong has come, in time or late. */
  answered(): void {
    this.#unanswered = false;
  }
}
