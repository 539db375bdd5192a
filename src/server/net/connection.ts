import { ProtocolError } from '../../protocol/errors.ts';
import { type Frame, FrameDecoder, HEADER_BYTES } from '../../protocol/frame.ts';
import { atTickEnd } from '../../util/tick.ts';
import { callerOf } from '../identity/address.ts';
import type { Limits } from '../limits.ts';
import type { Transport } from './transport.ts';

/** What a connection tells its session. None of them is called from within a call to the connection. */
export interface ConnectionListener {
  /** There may be a frame to take. */
  readable(): void;
  /** The other end will send nothing more; frames it sent before may still wait. */
  ended(): void;
  /** Enough of what was written has gone out; `isFull` is false again. */
  writable(): void;
  /** A deadline has passed. */
  expired(error: ProtocolError): void;
  /** The transport is closed, by whichever side. Frames received before may still wait. */
  gone(): void;
}

/** Frames of one turn are copied into one buffer up to this size. */
const LARGEST_COPY = 64 * 1024;

const NOBODY: ConnectionListener = { readable() {}, ended() {}, writable() {}, expired() {}, gone() {} };

/**
 * A transport's bytes as frames. What is received waits in the decoder until the session takes it: at `unreadBytes` nothing
 * more is read, so a client that asks faster than it is answered fills its own buffers, not ours.
 */
export class Connection {
  /** `address:port` of the other end, for the log. */
  readonly peer: string;
  /** Who is counted when callers are counted: see `callerOf`. */
  readonly caller: string;
  readonly #transport: Transport;
  readonly #limits: Limits;
  readonly #decoder: FrameDecoder;
  #listener: ConnectionListener = NOBODY;
  /** There may be a frame to take: something came since `take` had nothing more. */
  hasUnread = false;
  /** So much waits to go out that nothing should be added. A connection that is gone is never full. */
  isFull = false;
  isGone = false;
  /** The other end sends nothing more, or whatever it sends is dropped. */
  hasEnded = false;
  #isDiscarding = false;
  #isPaused = false;
  /** Bytes that may wait to be taken: hardly any of a stranger's, of whom there may be thousands. */
  #unreadBytes: number;
  /** Null once somebody has logged in. */
  #strangersInput: InputPool | null;
  /** What this connection has in it. */
  #pooledBytes = 0;
  /** What may still come and be dropped, once the connection is finished. */
  #mayDiscard: number;
  /** Frames written in this tick of the event loop; they go out together at its end. */
  #out: Buffer[] = [];
  #outBytes = 0;
  /** At so many of them it is full: what the network had not taken when they were last written counts, too. */
  #room: number;
  /** Who wants to know when the network has taken them. */
  #toTell: (() => void)[] = [];
  #partialTimer: NodeJS.Timeout | undefined;
  #firstRequestTimer: NodeJS.Timeout | undefined;
  #loginTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #heardAt = performance.now();

  /** @param strangersInput what waits of everybody who has not logged in */
  constructor(transport: Transport, versions: readonly number[], limits: Limits, strangersInput: InputPool) {
    const { address, port } = transport.remote;
    this.#strangersInput = strangersInput;
    this.#transport = transport;
    this.#limits = limits;
    this.#room = limits.unsentBytes;
    this.#unreadBytes = limits.payloadBeforeLogin + HEADER_BYTES;
    this.#mayDiscard = limits.strangersDiscardedBytes;
    this.#decoder = new FrameDecoder({ maxPayload: limits.payloadBeforeLogin, versions });
    this.peer = `${address ?? '?'}:${port ?? 0}`;
    this.caller = callerOf(address);
    transport.listen({
      received: this.#received,
      ended: () => this.#endReached(),
      closed: () => this.#closed(),
    });
    this.#firstRequestTimer = setTimeout(() => this.#expire(FIRST_REQUEST), limits.firstRequestMs);
    this.#loginTimer = setTimeout(() => this.#expire(NO_LOGIN), limits.loginMs);
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener;
  }

  /** The input has ended within a frame. Says something only after `take` returned undefined. */
  get isCutShort(): boolean {
    return this.hasEnded && !this.#isDiscarding && this.#decoder.hasPartial;
  }

  /** Of the latest frame that has begun to arrive; undefined before the first, and for one that is unknown. */
  get version(): number | undefined {
    return this.#decoder.version;
  }

  /** When something came last, on the clock of `performance.now()`. What waits to be read counts as coming now. */
  get heardAt(): number {
    return this.#isPaused ? performance.now() : this.#heardAt;
  }

  /**
   * The next whole frame, if one has arrived.
   * @throws ProtocolError, fatal: the stream cannot be read any more
   */
  take(): Frame | undefined {
    if (this.#isDiscarding) return undefined;
    const frame = this.#decoder.next();
    if (frame === undefined) this.#caughtUp(this.#decoder.hasPartial);
    else if (this.#decoder.isEmpty) this.#caughtUp(false);
    else if (this.#partialTimer !== undefined) this.#stopPartialTimer();
    return frame;
  }

  /** All that came is taken, but for a frame that has only begun. */
  #caughtUp(hasPartial: boolean): void {
    this.hasUnread = false;
    if (this.#pooledBytes > 0) this.#pool(0);
    if (hasPartial && !this.hasEnded) this.#startPartialTimer();
    if (!hasPartial && this.#partialTimer !== undefined) this.#stopPartialTimer();
    if (this.#isPaused) this.#readOn();
  }

  /** Requests may be larger from now on, and nobody waits for a login any more. */
  loggedIn(): void {
    this.#stopLoginTimer();
    this.#pool(0);
    this.#strangersInput = null;
    this.#unreadBytes = this.#limits.unreadBytes;
    this.#mayDiscard = this.#limits.discardedBytes;
    this.#decoder.maxPayload = this.#limits.payload;
  }

  /** A request that can be answered has come: silence is the person's right from now on. */
  requestBegun(): void {
    clearTimeout(this.#firstRequestTimer);
    this.#firstRequestTimer = undefined;
  }

  /**
   * Sends a frame. What is written within one tick of the event loop goes out together at its end.
   * @param flushed called once the network took the whole frame, never if it could not
   */
  write(frame: Buffer, flushed?: () => void): void {
    if (this.isGone) return;
    // What is much already waits for nothing more: only the network tells how much of it stays here.
    if (this.#outBytes + frame.length > LARGEST_COPY) this.#flush();
    if (this.#out.push(frame) === 1) atTickEnd(this.#flush);
    this.#outBytes += frame.length;
    if (flushed !== undefined) this.#toTell.push(flushed);
    if (this.#outBytes >= this.#room) this.#becomeFull();
  }

  /** Takes no more frames, sends what was written, then closes; the client has a moment to read it. */
  finish(): void {
    if (this.isGone || this.#lingerTimer !== undefined) return;
    this.#stopTimers();
    this.hasEnded = true;
    this.#isDiscarding = true;
    this.#flush();
    // Some input is read on and dropped: closing with unread input would reset the connection, and the client
    // would lose the last words it was sent.
    this.#transport.resume();
    this.#lingerTimer = setTimeout(() => this.#transport.destroy(), this.#limits.lingerMs);
    this.#transport.end();
  }

  /** Closes at once; what was not sent is lost. */
  destroy(): void {
    this.#transport.destroy();
  }

  readonly #received = (chunk: Buffer): void => {
    this.#heardAt = performance.now();
    if (this.hasEnded) {
      this.#discard(chunk.length);
      return;
    }
    this.#firstRequestTimer?.refresh();
    this.#decoder.push(chunk);
    this.hasUnread = true;
    this.#listener.readable();
    // Of what was taken nothing is left but a part of one frame.
    if (!this.hasUnread || this.hasEnded) return;
    const { heldBytes } = this.#decoder;
    if (heldBytes <= this.#unreadBytes) return;
    // What could not be taken yet is enough: the rest stays with the network until it was.
    this.#pause();
    this.#pool(heldBytes);
    if (this.#strangersInput?.isOver) this.#listener.expired(new ProtocolError('BUSY', TOO_MUCH_INPUT));
  };

  #pause(): void {
    this.#isPaused = true;
    this.#transport.pause();
  }

  /** Who goes on and on after the last words is not about to read them. */
  #discard(bytes: number): void {
    this.#mayDiscard -= bytes;
    if (this.#mayDiscard < 0) this.#transport.destroy();
  }

  /** So much waits here of a stranger's input. */
  #pool(bytes: number): void {
    this.#strangersInput?.change(bytes - this.#pooledBytes);
    this.#pooledBytes = bytes;
  }

  #endReached(): void {
    this.hasEnded = true;
    this.#stopTimers();
    this.#listener.ended();
  }

  /** From now on somebody has to read: the transport sees whether any of it goes out, and closes if none does: nobody would hear why. */
  #becomeFull(): void {
    if (this.isFull) return;
    this.isFull = true;
    // Nothing would be taken anyway, and what comes in would count as progress.
    this.#pause();
    this.#transport.closeIfIdle(this.#limits.stalledWriteMs);
  }

  /** One write for all: system calls are dearer than copies. */
  readonly #flush = (): void => {
    const frames = this.#out;
    const [first] = frames;
    if (first === undefined) return;
    const bytes = this.#outBytes;
    this.#out = [];
    this.#outBytes = 0;
    if (this.isGone || !this.#transport.isWritable) return;
    const all = frames.length === 1 ? first : Buffer.concat(frames, bytes);
    // Nobody needs to know, which is the usual case.
    if (this.#toTell.length === 0 && !this.isFull) this.#transport.write(all);
    else this.#transport.write(all, this.#whenWritten());
    this.#room = this.#limits.unsentBytes - this.#transport.unsentBytes;
  };

  /** For the last bytes of a flush. */
  #whenWritten(): (error?: Error | null) => void {
    const toTell = this.#toTell;
    this.#toTell = [];
    return (error) => {
      if (error) return;
      for (const flushed of toTell) flushed();
      this.#wrote();
    };
  }

  /** Below half the bound rather than just below it, so that the inbox doesn't stop and start at every message. */
  #wrote(): void {
    this.#room = this.#limits.unsentBytes - this.#transport.unsentBytes;
    if (!this.isFull || this.#room - this.#outBytes < this.#limits.unsentBytes / 2) return;
    this.isFull = false;
    this.#transport.closeIfIdle(0);
    if (this.#isPaused) this.#readOn();
    this.#listener.writable();
  }

  #readOn(): void {
    if (this.isFull || this.#decoder.heldBytes > this.#unreadBytes) return;
    this.#isPaused = false;
    this.#transport.resume();
  }

  #closed(): void {
    this.isGone = true;
    this.isFull = false;
    this.hasEnded = true;
    this.#stopTimers();
    this.#pool(0);
    clearTimeout(this.#lingerTimer);
    this.#listener.gone();
  }

  #expire(reason: string, options: { fatal?: boolean } = {}): void {
    this.#stopTimers();
    this.#listener.expired(new ProtocolError('TIMEOUT', reason, options));
  }

  #startPartialTimer(): void {
    this.#partialTimer ??= setTimeout(() => {
      this.#partialTimer = undefined;
      // The rest is here, but the session is busy: that is not the client's fault.
      if (this.hasUnread) this.#startPartialTimer();
      else this.#expire(PARTIAL_FRAME, { fatal: true });
    }, this.#limits.partialFrameMs);
  }

  #stopPartialTimer(): void {
    clearTimeout(this.#partialTimer);
    this.#partialTimer = undefined;
  }

  #stopLoginTimer(): void {
    clearTimeout(this.#loginTimer);
    this.#loginTimer = undefined;
  }

  #stopTimers(): void {
    this.#stopPartialTimer();
    this.#stopLoginTimer();
    clearTimeout(this.#firstRequestTimer);
    this.#firstRequestTimer = undefined;
  }
}

const FIRST_REQUEST = 'Nothing was asked for too long.';
const NO_LOGIN = 'Nobody logged in for too long.';
const TOO_MUCH_INPUT = 'The server has too much to read: send less before it has answered.';
const PARTIAL_FRAME = 'A frame was begun and not finished in time.';

/**
 * Bytes that strangers have sent and that wait for their turn, of all of them together: each may have sent a whole read
 * of the network, 64 KiB, and there may be thousands.
 */
export class InputPool {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get isOver(): boolean {
    return this.#held > this.#most;
  }

  /** What one of them holds has changed. */
  change(bytes: number): void {
    this.#held += bytes;
  }
}
