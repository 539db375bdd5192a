import type { Socket } from 'node:net';
import type { Remote } from '../identity/address.ts';
import type { Transport, TransportListener } from './transport.ts';

/** TCP, or TLS on it. */
export class SocketTransport implements Transport {
  readonly remote: Remote;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #isEnding = false;

  /**
   * @param socket must allow half-open connections: one side may end while the other goes on
   * @param remote where the other end is: behind a balancer the socket does not know
   * @param keepAliveMs silence after which TCP asks whether the other end is alive, ms
   */
  constructor(socket: Socket, remote: Remote, keepAliveMs: number) {
    this.remote = remote;
    this.#socket = socket;
    socket.setNoDelay(true);
    // Version 1 has no ping: TCP itself finds a client whose machine went away.
    socket.setKeepAlive(true, keepAliveMs);
    // 'close' follows each error and is what counts.
    socket.on('error', () => {});
    socket.on('timeout', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  get isWritable(): boolean {
    return this.#socket.writable;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  listen(listener: TransportListener): void {
    const socket = this.#socket;
    socket.on('data', listener.received);
    socket.on('end', () => {
      if (this.#isEnding) socket.destroySoon();
      else listener.ended();
    });
    socket.on('close', listener.closed);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void {
    this.#socket.write(bytes, written);
  }

  closeIfIdle(ms: number): void {
    this.#socket.setTimeout(ms);
  }

  end(): void {
    this.#isEnding = true;
    this.#socket.end();
    if (this.#socket.readableEnded) this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
