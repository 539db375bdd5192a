import type { Remote } from '../../src/server/identity/address.ts';
import type { Transport, TransportListener } from '../../src/server/net/transport.ts';

interface Written {
  readonly bytes: Buffer;
  readonly written: ((error?: Error | null) => void) | undefined;
}

/** One end of a connection that is in memory alone. What one end writes the other one has in a later turn, unless it is paused. */
export class MemoryTransport implements Transport {
  readonly remote: Remote;
  readonly #closed = Promise.withResolvers<void>();
  #other: MemoryTransport | null = null;
  #listener: TransportListener | null = null;
  #isPaused = false;
  #isClosed = false;
  #hasEnded = false;
  #hasHeardEnd = false;
  #isAwaited = false;
  readonly #unsent: Written[] = [];
  #idle: NodeJS.Timeout | undefined;
  #idleMs = 0;

  private constructor(remote: Remote) {
    this.remote = remote;
  }

  /** Both ends of one connection. @param remote whom each end takes the other one for */
  static pair(remote: Remote = { address: '127.0.0.1', port: 1 }): [MemoryTransport, MemoryTransport] {
    const [one, other] = [new MemoryTransport(remote), new MemoryTransport(remote)];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get isWritable(): boolean {
    return !this.#isClosed && !this.#hasEnded;
  }

  get unsentBytes(): number {
    return this.#unsent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    if (this.#other !== null) this.#other.#deliverSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#other !== null) this.#other.#deliverSoon();
  }

  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void {
    if (!this.isWritable) {
      setImmediate(() => written?.(new Error('written after the end')));
      return;
    }
    this.#unsent.push({ bytes: Buffer.from(bytes), written });
    this.#deliverSoon();
  }

  closeIfIdle(ms: number): void {
    this.#idleMs = ms;
    this.#active();
  }

  end(): void {
    this.#hasEnded = true;
    this.#deliverSoon();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#idle);
    const lost = this.#unsent.splice(0);
    setImmediate(() => {
      for (const { written } of lost) written?.(new Error('closed'));
      this.#listener?.closed();
      this.#closed.resolve();
    });
    this.#other?.destroy();
  }

  #deliverSoon(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(() => {
      this.#isAwaited = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const other = this.#other;
    while (other !== null && other.#listener !== null && !other.#isPaused && !this.#isClosed) {
      const next = this.#unsent.shift();
      if (next === undefined) break;
      this.#active();
      other.#active();
      other.#listener.received(next.bytes);
      next.written?.();
    }
    if (this.#unsent.length > 0 || !this.#hasEnded || this.#isClosed || other === null) return;
    if (!other.#hasHeardEnd && other.#listener !== null) {
      other.#hasHeardEnd = true;
      if (!other.#hasEnded) other.#listener.ended();
    }
    // Both sides have said all they had to say.
    if (other.#hasHeardEnd && this.#hasHeardEnd) this.destroy();
  }

  #active(): void {
    clearTimeout(this.#idle);
    if (this.#idleMs > 0) this.#idle = setTimeout(() => this.destroy(), this.#idleMs);
  }
}
