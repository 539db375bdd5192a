import { connect, type Socket } from 'node:net';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../protocol/frame.ts';
import { v1 } from '../protocol/v1/codec.ts';
import type { ServerFrame } from '../protocol/v1/replies.ts';
import type { Request } from '../protocol/v1/requests.ts';

/** Longest wait for an answer or a message, in milliseconds: a frontend on this machine needs some thousandths of it. */
const PATIENCE_MS = 15_000;

type Message = Extract<ServerFrame, { type: 'message' }>;

/** One side of the demo's conversation: a socket to a frontend, protocol version 1, one request at a time. */
export class Party {
  readonly name: string;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder({ maxPayload: 2 * MAX_REPLY_PAYLOAD });
  readonly #replies = new Arrivals<ServerFrame>();
  readonly #messages = new Arrivals<Message>();
  readonly #closed: Promise<void>;

  private constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    void this.#closed.then(() => this.#fail(new Error('the frontend closed the connection')));
  }

  /** @throws when nobody accepts the connection */
  static async connect(name: string, host: string, port: number): Promise<Party> {
    const socket = connect({ host, port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Party(name, socket);
  }

  /** Sends a request and waits for its reply. @throws when none comes in time */
  ask(request: Request): Promise<ServerFrame> {
    this.#socket.write(v1.encodeRequest(request));
    return this.#replies.next(`a reply to ${request.type}`);
  }

  /** The next message that the frontend pushes. @throws when none comes in time */
  message(): Promise<Message> {
    return this.#messages.next('a message');
  }

  /** Logout and delete have no reply: the client says it and shuts its socket; then the frontend closes it as well. */
  async leave(request: { type: 'logout' | 'delete' }): Promise<void> {
    this.#socket.end(v1.encodeRequest(request));
    await withLimit(this.#closed, 'the end of the connection');
  }

  /** Ends the connection, whatever state it is in. */
  drop(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        const value = v1.decodeServerFrame(frame);
        if (value.type === 'message') this.#messages.add(value);
        else this.#replies.add(value);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
    }
  }

  #fail(error: Error): void {
    this.#replies.fail(error);
    this.#messages.fail(error);
  }
}

/** What comes in, in order, for whoever asks next. It holds a conversation of a dozen frames. */
class Arrivals<Item> {
  readonly #items: Item[] = [];
  readonly #waiting: { resolve: (item: Item) => void; reject: (error: Error) => void }[] = [];
  #error: Error | undefined;

  add(item: Item): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#items.push(item);
    else first.resolve(item);
  }

  fail(error: Error): void {
    this.#error ??= error;
    for (const one of this.#waiting.splice(0)) one.reject(error);
  }

  next(what: string): Promise<Item> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const arrival = new Promise<Item>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    return withLimit(arrival, what);
  }
}

async function withLimit<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE_MS / 1000} s for ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
