import type { Inbox, InboxMessage } from '../kafka/inboxes.ts';
import type { Connection } from './connection.ts';
import type { Version } from './versions.ts';

/** Offsets first..last, both included. */
export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}

/** As much of a connection as messages need. */
export type Outlet = Pick<Connection, 'write' | 'isFull'>;

/**
 * Messages on their way from one inbox to one connection: each goes out once per login, pushed or retrieved,
 * and the inbox rests while the connection is full.
 */
export class Delivery {
  readonly #inbox: Inbox;
  readonly #connection: Outlet;
  readonly #version: Version;
  readonly #flushed: (range: OffsetRange) => void;
  #pushed: OffsetRange | null = null;
  /** Everything up to here was retrieved or pushed. */
  #retrievedTo = -1;
  #flow: 'running' | 'resting' | 'stopped' = 'running';

  /** @param flushed called when the network took the messages with these offsets */
  constructor(inbox: Inbox, connection: Outlet, version: Version, flushed: (range: OffsetRange) => void) {
    this.#inbox = inbox;
    this.#connection = connection;
    this.#version = version;
    this.#flushed = flushed;
  }

  /** Sends a live message. */
  push(message: InboxMessage): void {
    const { offset } = message;
    // It waited in a resting inbox, and a retrieve came by and took it along.
    if (offset <= this.#retrievedTo) return;
    this.#pushed = { first: this.#pushed?.first ?? offset, last: offset };
    this.#connection.write(this.#version.encodeMessage(message), () =>
      this.#flushed({ first: offset, last: offset }),
    );
  }

  /**
   * What of the messages just read has not gone out as a push meanwhile. They are on their way from now on.
   */
  retrieve(messages: readonly InboxMessage[]): InboxMessage[] {
    const pushed = this.#pushed;
    const left = messages.filter(
      ({ offset }) => pushed === null || offset < pushed.first || offset > pushed.last,
    );
    this.#retrievedTo = Math.max(this.#retrievedTo, left.at(-1)?.offset ?? -1);
    return left;
  }

  /** To acknowledge what `retrieve` returned: at most one range on each side of the pushed ones. */
  rangesOf(messages: readonly InboxMessage[]): OffsetRange[] {
    const border = this.#pushed?.first ?? Number.POSITIVE_INFINITY;
    const sides = [messages.filter((m) => m.offset < border), messages.filter((m) => m.offset > border)];
    return sides.flatMap((side) => {
      const [first, last] = [side.at(0), side.at(-1)];
      return first && last ? [{ first: first.offset, last: last.offset }] : [];
    });
  }

  /** Lets the inbox rest while the connection is full: a slow reader's messages stay in Kafka. */
  balance(): void {
    if (this.#flow === 'running' && this.#connection.isFull) {
      this.#flow = 'resting';
      this.#inbox.pause();
    } else if (this.#flow === 'resting' && !this.#connection.isFull) {
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
