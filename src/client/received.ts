import type { Message } from '../protocol/v2/replies.ts';
import type { ClientError } from './errors.ts';
import { messageKey } from './seen.ts';
import { aborted, type Settle, withSignal } from './with-signal.ts';

/**
 * Messages that wait to be read, and their characters: with more the server is let wait, until half of them are read. Its
 * window is smaller unless it was set so, or is none.
 */
const MAX_QUEUED = 10_000;
const MAX_QUEUED_CHARACTERS = 32 * 1024 * 1024;

/** A message as the program that uses the library gets it. Texts and names are as they came: not safe for a terminal. */
export type ReceivedMessage = Message & {
  /** The inbox that it lies in, in hex. */
  readonly inbox: string;
  /** The same for a message that comes again, and for no other one. */
  readonly key: string;
  /**
   * It is dealt with: it counts as delivered, and does not come again. What is not acknowledged comes again with a later
   * login.
   */
  ack(): void;
};

/** Messages between the connection and whoever reads them. Bounded: see `MAX_QUEUED`. */
export class Received {
  readonly #read: (isReading: boolean) => void;
  readonly #acknowledged: (message: Message, inbox: string, key: string) => void;
  /**
   * Keys of what was not acknowledged; the messages are whoever's that got them. Bounded by how many the client takes before
   * some are shown.
   */
  readonly #open = new Set<string>();
  readonly #queue: ReceivedMessage[] = [];
  #characters = 0;
  #isFull = false;
  readonly #waiting = new Set<Settle<ReceivedMessage | null>>();
  /** Set when no more will come: null is an end as it should be. */
  #end: ClientError | null | undefined;

  /** @param read false lets the server wait @param acknowledged a message is dealt with, by whoever reads */
  constructor(
    read: (isReading: boolean) => void,
    acknowledged: (message: Message, inbox: string, key: string) => void,
  ) {
    this.#read = read;
    this.#acknowledged = acknowledged;
  }

  /** A message has come. @param isPushed false: it was asked for, and is not to be read by `next` */
  add(message: Message, inbox: string, isPushed: boolean): void {
    // What comes too late comes again with the next login.
    if (this.#end !== undefined) return;
    const received = this.#withAck(message, inbox);
    this.#open.add(received.key);
    if (isPushed) this.#enqueue(received);
  }

  /** Those of these messages that have come and are not acknowledged. */
  openOf(messages: readonly Message[], inbox: string): readonly ReceivedMessage[] {
    const page = messages.map((message) => this.#withAck(message, inbox));
    const open = page.filter(({ key }) => this.#open.has(key));
    return [...new Map(open.map((message) => [message.key, message])).values()];
  }

  #withAck(message: Message, inbox: string): ReceivedMessage {
    const key = messageKey(inbox, message);
    const ack = () => {
      if (this.#open.delete(key)) this.#acknowledged(message, inbox, key);
    };
    return { ...message, inbox, key, ack };
  }

  #enqueue(message: ReceivedMessage): void {
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      waiting.resolve(message);
      return;
    }
    this.#queue.push(message);
    this.#characters += message.body.length;
    if (this.#queue.length < MAX_QUEUED && this.#characters < MAX_QUEUED_CHARACTERS) return;
    this.#isFull = true;
    // Said again for each that comes all the same: a new connection begins with reading.
    this.#read(false);
  }

  /** The next message; null at the end. @throws ClientError `ABORTED`; why there are no more */
  next(signal?: AbortSignal): Promise<ReceivedMessage | null> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    const first = this.#queue.shift();
    if (first !== undefined) {
      this.#characters -= first.body.length;
      this.#readOn();
      return Promise.resolve(first);
    }
    if (this.#end !== undefined)
      return this.#end === null ? Promise.resolve(null) : Promise.reject(this.#end);
    return withSignal(signal, (settle) => {
      this.#waiting.add(settle);
      return () => this.#waiting.delete(settle);
    });
  }

  /** No more come; what was not read comes again with a later login. @param error null: it was asked for */
  close(error: ClientError | null): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#queue.length = 0;
    // Answers, and the end of the connection, may lie behind what was not read.
    if (this.#isFull) this.#read(true);
    for (const { resolve, reject } of this.#waiting) {
      if (error === null) resolve(null);
      else reject(error);
    }
    this.#waiting.clear();
  }

  #readOn(): void {
    const hasRoom = this.#queue.length <= MAX_QUEUED / 2 && this.#characters <= MAX_QUEUED_CHARACTERS / 2;
    if (!this.#isFull || !hasRoom) return;
    this.#isFull = false;
    this.#read(true);
  }
}
