import type { Connection } from '@platformatic/kafka';

type Socket = Pick<Connection['socket'], 'on' | 'pause' | 'resume'>;

/**
 * Bytes of answers that may be on their way into memory at once, over all fetch sessions. One answer has 2 MiB, or 1 MiB
 * where that is one batch: hundreds of sessions would otherwise have as many of them at the same time.
 */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Lets large answers in one after the other: what there is no room for waits in the kernel's buffers and at the broker. Small
 * ones, which are whole with their first bytes, never wait.
 */
export class FetchIntake {
  readonly #maxBytes: number;
  /** Bytes of those that were let in. */
  #bytes = 0;
  readonly #waiting = new Set<FetchGate>();

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are on their way in now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** For a connection with one request under way at a time, from now on. */
  gate(socket: Socket): FetchGate {
    return new FetchGate(socket, {
      enter: (gate, bytes) => this.#enter(gate, bytes),
      leave: (gate, bytes) => this.#leave(gate, bytes),
    });
  }

  /** @returns whether it is in */
  #enter(gate: FetchGate, bytes: number): boolean {
    if (this.#waiting.size > 0 || !this.#hasRoom(bytes)) {
      this.#waiting.add(gate);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  #leave(gate: FetchGate, bytes: number): void {
    if (!this.#waiting.delete(gate)) this.#bytes -= bytes;
    for (const next of this.#waiting) {
      if (!this.#hasRoom(next.bytes)) return;
      this.#waiting.delete(next);
      this.#bytes += next.bytes;
      next.open();
    }
  }

  /** One alone always has. */
  #hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }
}

interface Intake {
  enter(gate: FetchGate, bytes: number): boolean;
  leave(gate: FetchGate, bytes: number): void;
}

/** One connection's way in. */
export class FetchGate {
  readonly #socket: Socket;
  readonly #intake: Intake;
  #hasBegun = false;
  #isClosed = false;
  /** Of the answer that is coming, where it is large. */
  bytes = 0;

  constructor(socket: Socket, intake: Intake) {
    this.#socket = socket;
    this.#intake = intake;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  /** The answer was looked at. */
  done(): void {
    this.#hasBegun = false;
    const { bytes } = this;
    this.bytes = 0;
    if (bytes > 0) this.#intake.leave(this, bytes);
  }

  /** Nothing that still comes counts. */
  close(): void {
    this.#isClosed = true;
    this.done();
  }

  /** Reads on. */
  open(): void {
    this.#socket.resume();
  }

  /** Each answer begins with its size. */
  #onData(chunk: Buffer): void {
    if (this.#hasBegun || this.#isClosed) return;
    this.#hasBegun = true;
    const bytes = chunk.length >= 4 ? 4 + chunk.readInt32BE(0) : 0;
    if (bytes <= chunk.length) return;
    this.bytes = bytes;
    if (!this.#intake.enter(this, bytes)) this.#socket.pause();
  }
}
