import { connect, type Socket } from 'node:net';
import { ProtocolError } from '../protocol/errors.ts';
import { type Frame, FrameDecoder, MAX_PAYLOAD, MAX_PAYLOAD_BEFORE_LOGIN } from '../protocol/frame.ts';
import { v1 } from '../protocol/v1/codec.ts';
import type { ServerFrame } from '../protocol/v1/replies.ts';
import type { Request } from '../protocol/v1/requests.ts';
import { ClientError } from './errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Reply = Exclude<ServerFrame, { type: 'message' }>;

/** A request that has a success reply. Logout and delete are answered by the end of the connection. */
export type AnsweredRequest = Exclude<Request, { type: 'logout' | 'delete' }>;

export interface ConnectionEvents {
  /** A live message. */
  readonly onMessage: (message: { sender: string; body: string }) => void;
  /**
   * Each reply that answers a request, before the request's promise settles, and also if that promise has timed
   * out already (`late`): what the server did, it did.
   */
  readonly onReply: (request: Request, reply: Reply, late: boolean) => void;
  /** A failure frame that answers no request: the server's last words, usually. */
  readonly onServerText: (text: string) => void;
  /** Once, after the last other event. */
  readonly onClosed: (reason: string) => void;
}

export interface ConnectionOptions {
  readonly connectTimeoutMs: number;
  /** How long a person waits for a reply. */
  readonly requestTimeoutMs: number;
  /** How long the oldest unanswered request may hold up all later ones before the connection counts as dead. */
  readonly deadAfterMs: number;
}

/** Twice what a Milena server sends at most. A frame above it is no reply, and the connection ends. */
const MAX_SERVER_PAYLOAD = 2 * 1024 * 1024;
/** Requests that wait for their reply; with more, `request` refuses at once (`BUSY`) and nothing is sent. */
const MAX_UNANSWERED = 16;

const EXPECTED: Record<Request['type'], Reply['type'] | null> = {
  create: 'created',
  login: 'logged-in',
  logout: null,
  delete: null,
  list: 'listed',
  retrieve: 'retrieved',
  send: 'sent',
};

/** A request on its way. It keeps its place in the line after its time-out. */
interface Slot {
  readonly request: Request;
  readonly settle: (outcome: Reply | ClientError) => void;
  timer: NodeJS.Timeout;
  timedOut: boolean;
}

/** Opens a TCP connection. @throws ClientError `OFFLINE` */
export function openSocket(address: Address, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
    socket.setKeepAlive(true, 15_000);
    const fail = (reason: string) => {
      socket.destroy();
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      reject(new ClientError('OFFLINE', reason));
    };
    const abort = () => fail('given up');
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error) => fail(socketReason(error)));
    socket.once('connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/**
 * One TCP connection that speaks version 1, from the open socket to its end; it never comes back.
 *
 * Replies come in the order of the requests and carry no id. So a request that timed out keeps its place in the line:
 * when its reply comes late it is taken as *its* reply and can never pass for the next request's. (Dropping the
 * connection would keep the order as well, but would log the person out for one slow answer.) Only when the oldest
 * request has had no reply for `deadAfterMs` the connection is given up, since nothing behind it can be answered.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #decoder = new FrameDecoder({ maxPayload: MAX_SERVER_PAYLOAD });
  readonly #slots: Slot[] = [];
  #reason: string | undefined;
  #closed = false;
  #maxPayload = MAX_PAYLOAD_BEFORE_LOGIN;

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => this.#drop('the server closed the connection'));
    socket.on('error', (error) => this.#drop(socketReason(error)));
    socket.on('close', () => this.#finish());
  }

  /** True from the moment at which its end is certain. */
  get hasEnded(): boolean {
    return this.#closed || this.#reason !== undefined;
  }

  /**
   * Sends a request and waits for its reply.
   * @throws ClientError any code but `OFFLINE`
   */
  async request(request: AnsweredRequest): Promise<Exclude<Reply, { type: 'failure' }>> {
    const outcome = await this.#send(request);
    if (outcome.type === 'failure') throw new ClientError('REFUSED', outcome.text);
    return outcome;
  }

  /**
   * Finds out whether the other end speaks the protocol at all, by a request that anybody may make: an open port
   * says nothing, and a server closes a connection on which nothing was ever asked.
   * @throws ClientError `TIMEOUT`, `DISCONNECTED`
   */
  async greet(): Promise<void> {
    await this.#send({ type: 'list', pattern: '?' });
  }

  /**
   * Asks for the account's deletion. Version 1 knows no success reply: resolves when the connection ends without a
   * refusal, which says only that it may have been done.
   * @throws ClientError `REFUSED`, `TIMEOUT`, `BUSY`
   */
  async delete(): Promise<void> {
    try {
      const outcome = await this.#send({ type: 'delete' });
      throw new ClientError(
        'REFUSED',
        outcome.type === 'failure' ? outcome.text : 'An unexpected reply came.',
      );
    } catch (error) {
      if (error instanceof ClientError && error.code === 'DISCONNECTED') return;
      throw error;
    }
  }

  /** Logs out as version 1 wants it: the request, then the end of our side at once. Resolves when all is closed. */
  logout(): Promise<void> {
    this.#reason ??= 'logged out';
    return this.#end(v1.encodeRequest({ type: 'logout' }));
  }

  /** Ends the connection, giving the server a moment to take what was sent. Idempotent. */
  close(reason = 'closed'): Promise<void> {
    this.#reason ??= reason;
    return this.#end();
  }

  #end(lastWords: Buffer = Buffer.alloc(0)): Promise<void> {
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
      this.#socket.end(lastWords);
    });
  }

  async #send(request: Request): Promise<Reply> {
    if (this.hasEnded) {
      throw new ClientError('OFFLINE', 'Not connected: nothing was sent.');
    }
    if (this.#slots.length >= MAX_UNANSWERED) {
      throw new ClientError('BUSY', `The server owes ${MAX_UNANSWERED} answers already: nothing was sent.`);
    }
    const frame = this.#encode(request);
    const outcome = await new Promise<Reply | ClientError>((settle) => {
      const timer = setTimeout(() => this.#timeOut(slot), this.#options.requestTimeoutMs);
      const slot: Slot = { request, settle, timer, timedOut: false };
      this.#slots.push(slot);
      this.#socket.write(frame);
    });
    if (outcome instanceof ClientError) throw outcome;
    return outcome;
  }

  #encode(request: Request): Buffer {
    let frame: Buffer;
    try {
      frame = v1.encodeRequest(request);
    } catch (error) {
      if (error instanceof ProtocolError) throw new ClientError('INVALID', error.message, { cause: error });
      throw error;
    }
    if (frame.length - 6 > this.#maxPayload) {
      throw new ClientError(
        'INVALID',
        `That is too long: ${this.#maxPayload} bytes are allowed. Nothing was sent.`,
      );
    }
    return frame;
  }

  #timeOut(slot: Slot): void {
    slot.timedOut = true;
    const seconds = this.#options.requestTimeoutMs / 1000;
    slot.settle(
      new ClientError('TIMEOUT', `No answer within ${seconds} s: it may have been carried out or not.`),
    );
    const rest = Math.max(0, this.#options.deadAfterMs - this.#options.requestTimeoutMs);
    slot.timer = setTimeout(() => {
      this.#drop(`the server left a request unanswered for ${this.#options.deadAfterMs / 1000} s`);
    }, rest);
  }

  #read(chunk: Buffer): void {
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
      this.#drop(`the server does not keep to the protocol (${error.message})`);
    }
  }

  #handle(frame: Frame): void {
    const value = v1.decodeServerFrame(frame);
    if (value.type === 'message') {
      this.#events.onMessage({ sender: value.sender, body: value.body });
      return;
    }
    const slot = this.#slots[0];
    if (slot === undefined) {
      if (value.type !== 'failure') throw new ProtocolError('BAD_FRAME', `"${value.type}" answers nothing`);
      this.#events.onServerText(value.text);
      return;
    }
    if (value.type !== 'failure' && value.type !== EXPECTED[slot.request.type]) {
      throw new ProtocolError('BAD_FRAME', `"${value.type}" answers no ${slot.request.type} request`);
    }
    this.#slots.shift();
    clearTimeout(slot.timer);
    if (value.type === 'created' || value.type === 'logged-in') this.#maxPayload = MAX_PAYLOAD;
    this.#events.onReply(slot.request, value, slot.timedOut);
    slot.settle(value);
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
      const text = `No answer, ${reason}: it may have been carried out or not.`;
      slot.settle(new ClientError('DISCONNECTED', text));
    }
    this.#events.onClosed(reason);
  }
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'no such host',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  EPIPE: 'the connection was reset',
};

function socketReason(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? (code === '' ? error.message : code);
}
