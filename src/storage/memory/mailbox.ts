import type { Account } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { InboxMessage, LossReason } from '../../core/inboxes.ts';
import { dropOldest } from '../../util/bounded-map.ts';
import { uuidKey } from '../../util/uuid.ts';

/** People remembered that the owner has written to: the last ones. */
const MOST_CORRESPONDENTS = 64;

/** Who has an inbox open. */
export interface MailboxHolder {
  /** There is a message more. */
  appended(): void;
  /** It is another one's, or nobody's. */
  lose(reason: LossReason): void;
}

/** One account's undelivered messages, and who has them open. What was acknowledged is gone. */
export class Mailbox {
  holder: MailboxHolder | null = null;
  readonly #limits: MemoryLimits['mailbox'];
  /** By offset, ascending. */
  readonly #messages = new Map<number, InboxMessage>();
  /** Undelivered messages by the name of their sender. */
  readonly #bySender = new Map<string, number>();
  /** Incarnations, the one that was written to last at the end. */
  readonly #correspondents = new Set<string>();
  #next = 0;
  #bytes = 0;

  constructor(limits: MemoryLimits['mailbox']) {
    this.#limits = limits;
  }

  /** The offset that the next message gets. */
  get next(): number {
    return this.#next;
  }

  /** That of the oldest undelivered message. */
  get first(): number {
    for (const offset of this.#messages.keys()) return offset;
    return this.#next;
  }

  /** Number of undelivered messages. */
  get size(): number {
    return this.#messages.size;
  }

  get(offset: number): InboxMessage | undefined {
    return this.#messages.get(offset);
  }

  /** The undelivered messages, oldest first. */
  messages(): Iterable<InboxMessage> {
    return this.#messages.values();
  }

  /** The owner has written to somebody, who is no stranger from now on. */
  wroteTo({ incarnation }: Account): void {
    const key = uuidKey(incarnation);
    this.#correspondents.delete(key);
    this.#correspondents.add(key);
    dropOldest(this.#correspondents, MOST_CORRESPONDENTS);
  }

  /** @throws EngineError `MAILBOX_FULL` where there is no room for one more of this sender */
  demandRoom({ name, incarnation }: Account): void {
    const { maxMessages, maxBytes, senderShare, strangerShare } = this.#limits;
    const share = this.#correspondents.has(uuidKey(incarnation)) ? 1 : strangerShare;
    const isFull = this.size >= atLeastOne(maxMessages * share) || this.#bytes >= maxBytes * share;
    if (!isFull && (this.#bySender.get(name) ?? 0) < atLeastOne(maxMessages * senderShare)) return;
    throw new EngineError(
      'MAILBOX_FULL',
      `${this.size} messages, ${this.#bytes} bytes, or too many of ${name}`,
    );
  }

  put(message: Omit<InboxMessage, 'offset' | 'acceptedAt'>): InboxMessage {
    const stored: InboxMessage = { ...message, offset: this.#next, acceptedAt: Date.now() };
    const { name } = message.from;
    this.#messages.set(this.#next, stored);
    this.#next += 1;
    this.#bytes += message.body.length;
    this.#bySender.set(name, (this.#bySender.get(name) ?? 0) + 1);
    this.holder?.appended();
    return stored;
  }

  /** @returns what is delivered by that, and was not before: those with offsets from `first` to `last` */
  acknowledge(first: number, last: number): InboxMessage[] {
    const delivered: InboxMessage[] = [];
    // Along whichever is shorter: a range may be as long as somebody likes, and so may be what waits in front of it.
    if (last - first < this.size) {
      for (let offset = first; offset <= last; offset++) delivered.push(...this.#remove(offset));
    } else {
      for (const offset of this.#messages.keys()) {
        if (offset > last) break;
        if (offset >= first) delivered.push(...this.#remove(offset));
      }
    }
    return delivered;
  }

  #remove(offset: number): InboxMessage[] {
    const message = this.#messages.get(offset);
    if (message === undefined) return [];
    this.#messages.delete(offset);
    this.#bytes -= message.body.length;
    const { name } = message.from;
    const left = (this.#bySender.get(name) ?? 0) - 1;
    if (left > 0) this.#bySender.set(name, left);
    else this.#bySender.delete(name);
    return [message];
  }
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count));
}

/** How much a storage in memory keeps. What does not fit is refused as `MAILBOX_FULL`. */
export interface MemoryLimits {
  /** All undelivered messages together, in bytes, each with what it costs beside its body. */
  readonly maxBytes: number;
  /** One inbox: undelivered messages, and bytes of their bodies. */
  readonly mailbox: {
    readonly maxMessages: number;
    readonly maxBytes: number;
    /** Share of `maxMessages` that one sender may fill, above 0 and at most 1. */
    readonly senderShare: number;
    /** How full strangers may make it, above 0 and at most 1: the rest is for those whom the owner has written to. */
    readonly strangerShare: number;
  };
}

/** As the settings have them by default. */
export const MEMORY_LIMITS: MemoryLimits = {
  maxBytes: 256 * 2 ** 20,
  mailbox: { maxMessages: 100_000, maxBytes: 256 * 2 ** 20, senderShare: 0.5, strangerShare: 0.75 },
};
