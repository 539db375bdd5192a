import type { Inbox, InboxMessage, OffsetRange } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
import type { Version } from '../adapters/version.ts';
import type { Connection } from '../net/connection.ts';
import { runs, Window } from './window.ts';

/** As much of a connection as messages need. */
export type Outlet = Pick<Connection, 'write' | 'isFull'>;

export interface DeliveryOptions {
  readonly version: Version;
  /** Messages that may be pushed and not acknowledged; counts where the client acknowledges. */
  readonly window: number;
  /** Called when the network took messages, where that is all one can know. */
  readonly flushed: (range: OffsetRange) => void;
}

/**
 * Messages on their way from one inbox to one connection: each goes out once per login, pushed or retrieved,
 * and the inbox rests while the connection is full, or the window of unacknowledged messages is.
 */
export class InboxDelivery {
  readonly #inbox: Inbox;
  readonly #connection: Outlet;
  readonly #version: Version;
  readonly #flushed: (range: OffsetRange) => void;
  /** Null where the client does not acknowledge. */
  readonly #window: Window | null;
  #pushed: OffsetRange | null = null;
  /** Retrieved and not counted as delivered yet: at most what fits into the pages on their way. */
  readonly #retrieved = new Set<number>();
  #flow: 'running' | 'resting' | 'stopped';

  constructor(inbox: Inbox, connection: Outlet, options: DeliveryOptions) {
    this.#inbox = inbox;
    this.#connection = connection;
    this.#version = options.version;
    this.#flushed = options.flushed;
    this.#window = options.version.deliveredBy === 'client' ? new Window(options.window) : null;
    // Where logins are answered with the number of messages that wait, the inbox rests until then.
    this.#flow = options.version.resumes ? 'resting' : 'running';
  }

  /** Sends a live message, or a note of another device. */
  push(message: InboxMessage | InboxNote): void {
    const { offset } = message;
    // It waited in a resting inbox, and a retrieve came by and took it along.
    if (this.#retrieved.has(offset)) return;
    const { first, last } = this.#pushed ?? { first: offset, last: offset };
    this.#pushed = { first: Math.min(first, offset), last: Math.max(last, offset) };
    const frame =
      'note' in message ? this.#version.encodeNote(message) : this.#version.encodeMessage(message);
    if (this.#window === null) {
      this.#connection.write(frame, () => this.#flushed({ first: offset, last: offset }));
    } else {
      this.#window.pushed(offset);
      this.#connection.write(frame);
    }
    this.balance();
  }

  /**
   * What of the messages just read has not gone out as a push meanwhile. They are on their way from now on.
   */
  retrieve(messages: readonly InboxMessage[]): InboxMessage[] {
    const pushed = this.#pushed;
    const left = messages.filter(
      ({ offset }) => pushed === null || offset < pushed.first || offset > pushed.last,
    );
    for (const { offset } of left) this.#retrieved.add(offset);
    this.#window?.retrieved(left.map(({ offset }) => offset));
    return left;
  }

  /** To call when the network took a reply with what `retrieve` returned. */
  retrievedFlushed(messages: readonly InboxMessage[]): void {
    if (this.#window !== null) return;
    for (const range of runs(messages.map(({ offset }) => offset))) this.#flushed(range);
  }

  /** The client has these. @returns what of it had been handed out, and counts from now on */
  acknowledge(ranges: readonly OffsetRange[]): OffsetRange[] {
    const counting = this.#window?.acknowledge(ranges) ?? [];
    this.balance();
    return counting;
  }

  /** The inbox knows that these are delivered: it does not push them. */
  counted({ first, last }: OffsetRange): void {
    for (let offset = first; offset <= last && this.#retrieved.size > 0; offset++) {
      this.#retrieved.delete(offset);
    }
  }

  /**
   * Lets the inbox rest while the client is behind: a slow reader's messages stay in Kafka. Each push and each acknowledgement
   * does; to be called where the connection has room again, and at first.
   */
  balance(): void {
    const isBehind = this.#connection.isFull || this.#window?.isFull === true;
    if (this.#flow === 'running' && isBehind) {
      this.#flow = 'resting';
      this.#inbox.pause();
    } else if (this.#flow === 'resting' && !isBehind) {
      this.#flow = 'running';
      this.#inbox.resume();
    }
  }

  /** Nothing more is pushed until `restart`. */
  stop(): void {
    this.#flow = 'stopped';
    this.#inbox.pause();
  }

  restart(): void {
    if (this.#flow === 'stopped') this.#flow = 'resting';
    this.balance();
  }
}
