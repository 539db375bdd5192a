import type { Remote } from '../identity/address.ts';

/** What a transport tells. Never from within a call to it. */
export interface TransportListener {
  /** Bytes came, in whatever cuts; they are the listener's from now on. */
  readonly received: (bytes: Buffer) => void;
  /** The other end will send nothing more. */
  readonly ended: () => void;
  /** It is closed, by whichever side. */
  readonly closed: () => void;
}

/**
 * What carries a connection's bytes to and fro: TCP, TLS, a pair of ends in memory. A further way, such as WebSocket, is one
 * class more that has these, and hands its connections to `Reception.welcome`.
 */
export interface Transport {
  /** Where the other end is. */
  readonly remote: Remote;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  /** Whether `write` has any sense: neither `end` nor `destroy` was called, nor has the other end broken off. */
  readonly isWritable: boolean;
  /** Bytes written that nobody has taken yet. */
  readonly unsentBytes: number;

  /** Who is told; once. Nothing is lost that came before, and nothing may come before the first `resume`. */
  listen(listener: TransportListener): void;
  pause(): void;
  resume(): void;
  /** @param written called once the network took all of it, or with an error when it never will */
  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void;
  /** Closes by itself where nothing goes out or comes in for so long, ms; 0: never, as at first. */
  closeIfIdle(ms: number): void;
  /** Sends what was written, and then that nothing more comes; closes once the other end has ended, too. */
  end(): void;
  /** Closes at once; what was not sent is lost. The other end hears that it has ended, or is closed. */
  destroy(): void;
}
