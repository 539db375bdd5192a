import type { Socket } from 'node:net';
import { ProtocolError } from '../protocol/errors.ts';
import {
  type Frame,
  FrameDecoder,
  HEADER_BYTES,
  MAX_PAYLOAD,
  MAX_PAYLOAD_BEFORE_LOGIN,
} from '../protocol/frame.ts';
import { v2 } from '../protocol/v2/codec.ts';
import type { ServerFrame } from '../protocol/v2/replies.ts';
import type { Deliver, Request, RequestOf } from '../protocol/v2/requests.ts';
import { ClientError, inSeconds, OPEN_OUTCOME } from './errors.ts';
import { announced } from './how-to-login.ts';
import {
  answers,
  contradiction,
  mayWait,
  type ReplyTo,
  type RequestType,
  refusalOf,
  replyTypeOf,
} from './replies.ts';
import { socketReason } from './socket.ts';

export interface ConnectionEvents {
  /** What answers no request: a push, or a failure that is the server's last word. It may throw ProtocolError. */
  readonly onPush: (frame: ServerFrame) => void;
  /**
   * Each reply that answers a request, before the request's promise settles, and also if that promise has timed
   * out already (`late`): what the server did, it did. It may throw ProtocolError for a reply that cannot be.
   */
  readonly onReply: (request: Request, reply: ServerFrame, late: boolean) => void;
  /** Once, after the last other event. */
  readonly onClosed: (reason: string) => void;
}

export interface ConnectionOptions {
  /** What the server is told to have before it. */
  readonly program: string;
  /** With which of the account's devices to log in; absent: the main one. */
  readonly device?: string | undefined;
  /** Whether to hear what other devices send and read; with a device it is heard anyway. */
  readonly elsewhere?: boolean | undefined;
  /** What comes by itself: `all` unless it is given. */
  readonly deliver?: Deliver | undefined;
  /**
   * Whether what is said in the account's rooms comes, too, and messages can go there; a login that only sends is one for
   * rooms anyway.
   */
  readonly rooms?: boolean | undefined;
  /** How long a person waits for a reply. */
  readonly requestTimeoutMs: number;
  /** How long the oldest unanswered request may hold up all later ones before the connection counts as dead. */
  readonly deadAfterMs: number;
  /** The same for a request that the server may let wait its turn: see `mayWait`. */
  readonly deadInLineAfterMs: number;
}

/** Twice what a Milena server sends at most. A frame above it is no reply, and the connection ends. */
const MAX_SERVER_PAYLOAD = 2 * 1024 * 1024;
/** Requests that wait for their reply; with more, `request` refuses at once (`BUSY`) and nothing is sent. */
const MAX_UNANSWERED = 16;

/**
 * Bytes that are written and that the server has not taken: more than all unanswered requests together. With more, it
 * takes nothing any more, and the connection ends.
 */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** As much as a socket gives at once. There is more behind it then, and timers and signals have their turn before that. */
const WHOLE_CHUNK_BYTES = 65_536;

/** What it means if a server's first byte is not the version that was asked for. */
const HINTS: Readonly<Record<number, string>> = {
  1: 'it speaks version 1 of the protocol only, and this client version 2',
  // The alert with which a TLS server answers what is not TLS.
  21: 'it seems to speak TLS there: use --tls',
};

/** A request on its way. It keeps its place in the line after its time-out. */
interface Slot {
  readonly request: Request;
  readonly settle: (outcome: ServerFrame | ClientError) => void;
  timer: NodeJS.Timeout | undefined;
  timedOut: boolean;
}

/**
 * One connection, from the open socket to its end; it never comes back.
 *
 * Replies come in the order of the requests and carry no id. So a request that timed out keeps its place in the line:
 * when its reply comes late it is taken as *its* reply and can never pass for the next request's. (Dropping the
 * connection would keep the order as well, but would log the person out for one slow answer.) Only when the oldest
 * request has had no reply for `deadAfterMs` (or much longer, if it waits its turn there) the connection is given up, since nothing behind it can be answered.
 */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #decoder: FrameDecoder;
  readonly #slots: Slot[] = [];
  #firstByte: number | undefined;
  #understood = false;
  #reason: string | undefined;
  #closed = false;
  #maxPayload = MAX_PAYLOAD_BEFORE_LOGIN;
  #isPaused = false;

  /** When something came last, on the monotonic clock in milliseconds. */
  heardAt = performance.now();

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#decoder = new FrameDecoder({ maxPayload: MAX_SERVER_PAYLOAD, versions: [v2.version] });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => this.#drop(this.#endReason()));
    socket.on('error', (error) => this.#drop(socketReason(error)));
    socket.on('close', () => this.#finish());
  }

  /** True from the moment at which its end is certain. */
  get hasEnded(): boolean {
    return this.#closed || this.#reason !== undefined;
  }

  /**
   * Sends a request and waits for its success reply.
   * @throws ClientError any code
   */
  async ask<Type extends RequestType>(
    request: RequestOf<Type> & { readonly type: Type },
  ): Promise<ReplyTo<Type>> {
    const outcome = await this.#send(request);
    if (outcome.type === 'failure') throw refusalOf(outcome);
    // Its type was checked when it came.
    return outcome as ReplyTo<Type>;
  }

  /** Sends a request that has no reply. @throws ClientError `OFFLINE`, `INVALID` */
  tell(request: Request): void {
    if (this.hasEnded) throw new ClientError('OFFLINE', 'Not connected: nothing was sent.');
    this.#write(this.#encode(request));
  }

  /**
   * Reads nothing more for now: whoever takes what comes has enough of it. What is in the kernel's buffers then makes the
   * server wait. Meanwhile no time-out runs, since the answers may lie there.
   */
  pause(): void {
    if (this.#isPaused || this.hasEnded) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.heardAt = performance.now();
    for (const slot of this.#slots) if (slot.timer === undefined) this.#wait(slot);
    this.#socket.resume();
  }

  /**
   * Finds out whether the other end speaks the protocol at all: an open port says nothing, and a server closes a
   * connection on which nothing was ever asked.
   * @throws ClientError `TIMEOUT`, `DISCONNECTED`, `REFUSED`
   */
  greet(): Promise<ReplyTo<'hello'>> {
    return this.ask({ type: 'hello', client: this.#options.program, ...announced(this.#options) });
  }

  /** Ends the connection, giving the server a moment to take what was sent. Idempotent. */
  close(reason = 'closed'): Promise<void> {
    this.#reason ??= reason;
    return this.#end();
  }

  #end(): Promise<void> {
    // Its own end, and the answers before it, are behind what was not read.
    this.resume();
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve();
        return;
      }
      const impatience = setTimeout(
        () => this.#socket.destroy(),
        Math.min(2_000, this.#options.requestTimeoutMs),
      );
      this.#socket.once('close', () => {
        clearTimeout(impatience);
        resolve();
      });
      this.#socket.end();
    });
  }

  async #send(request: Request): Promise<ServerFrame> {
    if (this.hasEnded) {
      throw new ClientError('OFFLINE', 'Not connected: nothing was sent.');
    }
    if (this.#slots.length >= MAX_UNANSWERED) {
      throw new ClientError('BUSY', `The server owes ${MAX_UNANSWERED} answers already: nothing was sent.`);
    }
    const frame = this.#encode(request);
    const outcome = await new Promise<ServerFrame | ClientError>((settle) => {
      const slot: Slot = { request, settle, timer: undefined, timedOut: false };
      this.#slots.push(slot);
      this.#wait(slot);
      this.#write(frame);
    });
    if (outcome instanceof ClientError) throw outcome;
    return outcome;
  }

  #encode(request: Request): Buffer {
    let frame: Buffer;
    try {
      frame = v2.encodeRequest(request);
    } catch (error) {
      if (error instanceof ProtocolError) throw new ClientError('INVALID', error.message, { cause: error });
      throw error;
    }
    if (frame.length - HEADER_BYTES > this.#maxPayload) {
      throw new ClientError(
        'INVALID',
        `That is too long: ${this.#maxPayload} bytes are allowed. Nothing was sent.`,
      );
    }
    return frame;
  }

  #write(frame: Buffer): void {
    this.#socket.write(frame);
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.#drop('the server takes nothing any more');
  }

  /** For its answer, then for that of the whole connection. */
  #wait(slot: Slot): void {
    const { requestTimeoutMs } = this.#options;
    const deadAfterMs = this.#deadAfterMs(slot);
    const milliseconds = slot.timedOut ? Math.max(0, deadAfterMs - requestTimeoutMs) : requestTimeoutMs;
    slot.timer = setTimeout(() => {
      slot.timer = undefined;
      // Begins again when reading does.
      if (this.#isPaused) return;
      if (!slot.timedOut) this.#timeOut(slot);
      // Otherwise the one before it is what is waited for; its own time begins when that is answered.
      else if (slot === this.#slots[0])
        this.#drop(`the server left a request unanswered for ${inSeconds(deadAfterMs)}`);
    }, milliseconds);
  }

  #deadAfterMs({ request }: Slot): number {
    const { deadAfterMs, deadInLineAfterMs } = this.#options;
    return mayWait(request) ? Math.max(deadAfterMs, deadInLineAfterMs) : deadAfterMs;
  }

  #timeOut(slot: Slot): void {
    slot.timedOut = true;
    const time = inSeconds(this.#options.requestTimeoutMs);
    slot.settle(new ClientError('TIMEOUT', `No answer within ${time}${OPEN_OUTCOME}`));
    this.#wait(slot);
  }

  #read(chunk: Buffer): void {
    this.heardAt = performance.now();
    this.#firstByte ??= chunk[0];
    if (chunk.length >= WHOLE_CHUNK_BYTES) this.#rest();
    this.#decoder.push(chunk);
    try {
      for (;;) {
        if (this.#closed) return;
        const frame = this.#decoder.next();
        if (frame === undefined) return;
        this.#handle(frame);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const stranger = error.code === 'UNSUPPORTED_VERSION' && !this.#understood;
      const hint = stranger ? HINTS[this.#firstByte ?? 0] : undefined;
      this.#drop(hint ?? `the server does not keep to the protocol (${error.message})`);
    }
  }

  /** For one turn of the event loop. */
  #rest(): void {
    this.#socket.pause();
    setImmediate(() => {
      if (!this.#isPaused) this.#socket.resume();
    });
  }

  #handle(frame: Frame): void {
    const value = v2.decodeServerFrame(frame);
    this.#understood = true;
    const slot = this.#slots[0];
    if (!answers(value, slot?.request)) {
      this.#events.onPush(value);
      return;
    }
    if (slot === undefined) throw new ProtocolError('BAD_FRAME', `"${value.type}" answers nothing`);
    if (value.type !== 'failure') {
      if (value.type !== replyTypeOf(slot.request)) {
        throw new ProtocolError('BAD_FRAME', `"${value.type}" answers no ${slot.request.type} request`);
      }
      const wrong = contradiction(slot.request, value);
      if (wrong !== undefined) throw new ProtocolError('BAD_FRAME', wrong);
    }
    this.#slots.shift();
    clearTimeout(slot.timer);
    const [next] = this.#slots;
    if (next?.timedOut && next.timer === undefined) this.#wait(next);
    if (value.type === 'created' || value.type === 'logged-in') this.#maxPayload = MAX_PAYLOAD;
    try {
      this.#events.onReply(slot.request, value, slot.timedOut);
    } finally {
      slot.settle(value);
    }
  }

  #endReason(): string {
    const silent = this.#firstByte === undefined && !('encrypted' in this.#socket);
    // What is not TLS is closed by a TLS server, with an alert or without a word.
    return `the server closed the connection${silent ? ' without a word: if it speaks TLS there, use --tls' : ''}`;
  }

  #drop(reason: string): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = this.#reason ?? 'the connection ended';
    for (const slot of this.#slots.splice(0)) {
      clearTimeout(slot.timer);
      const text = `No answer, ${reason}${OPEN_OUTCOME}`;
      slot.settle(new ClientError('DISCONNECTED', text));
    }
    this.#events.onClosed(reason);
  }
}
