import type { Account } from '../../core/accounts.ts';
import { EngineError } from '../../core/errors.ts';
import type { InboxMessage, LossReason } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
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

/** A message, or a note of one of the owner's devices as a message. */
export interface MailboxEntry extends InboxMessage {
  readonly note?: Pick<InboxNote, 'device' | 'note'>;
}

/** What some device has still to get. */
interface Kept {
  readonly message: MailboxEntry;
  /** The devices that have it; null: none has, which is of no account of a note. */
  had: Set<Device> | null;
}

/** By name; undefined is the main one. */
type Device = string | undefined;

/**
 * The messages of one account that not all of its devices have, and who has them open. Undelivered is what none of them has.
 */
export class Mailbox {
  readonly holders = new Map<Device, MailboxHolder>();
  readonly #limits: MemoryLimits['mailbox'];
  /** By offset, ascending. */
  readonly #kept = new Map<number, Kept>();
  /** Those that have begun: they have what they had then. */
  readonly #devices = new Set<Device>([undefined]);
  /** Undelivered messages by the name of their sender. */
  readonly #bySender = new Map<string, number>();
  /** Incarnations, the one that was written to last at the end. */
  readonly #correspondents = new Set<string>();
  #next = 0;
  #undelivered = 0;
  #bytes = 0;

  constructor(limits: MemoryLimits['mailbox']) {
    this.#limits = limits;
  }

  /** The offset that the next message gets. */
  get next(): number {
    return this.#next;
  }

  /** Number of undelivered messages. */
  get size(): number {
    return this.#undelivered;
  }

  /** A device begins with what none has, unless it has begun before, and with those of the last offsets that are still there. */
  begin(device: Device, last: number): void {
    if (this.#devices.has(device)) return;
    this.#devices.add(device);
    for (const { message, had } of this.#kept.values())
      if (message.offset < this.#next - last) had?.add(device);
  }

  /** What only this one had, none has any more. @returns what nobody waits for any more */
  forget(device: Device): MailboxEntry[] {
    this.#devices.delete(device);
    this.holders.get(device)?.lose('fenced');
    return [...this.#kept.values()].flatMap((kept) => {
      if (kept.had?.delete(device) && kept.had.size === 0 && kept.message.note === undefined) {
        kept.had = null;
        this.#count(kept.message, 1);
      }
      return this.#drop(kept);
    });
  }

  /** Makes room: what some device has is kept no longer for the others. @returns what that is */
  shed(): MailboxEntry[] {
    const delivered = [...this.#kept.values()].flatMap(({ message, had }) => (had === null ? [] : message));
    for (const { offset } of delivered) this.#kept.delete(offset);
    return delivered;
  }

  /** The oldest offset of what a device has still to get. */
  first(device: Device): number {
    for (const { offset } of this.waiting(device)) return offset;
    return this.#next;
  }

  /** What lies at an offset, if the device has still to get it. */
  get(offset: number, device: Device): MailboxEntry | undefined {
    const kept = this.#kept.get(offset);
    return kept?.had?.has(device) ? undefined : kept?.message;
  }

  /** Whether some device has what was stored at an offset. */
  isDelivered(offset: number): boolean {
    const kept = this.#kept.get(offset);
    return offset < this.#next && (kept === undefined || kept.had !== null);
  }

  /** What a device has still to get, oldest first. */
  *waiting(device: Device): Generator<MailboxEntry> {
    for (const { message, had } of this.#kept.values()) if (!had?.has(device)) yield message;
  }

  /** Everything that some device has still to get. */
  *messages(): Generator<MailboxEntry> {
    for (const { message } of this.#kept.values()) yield message;
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

  put(message: Omit<MailboxEntry, 'offset' | 'acceptedAt'>): MailboxEntry {
    const stored: MailboxEntry = { ...message, offset: this.#next, acceptedAt: Date.now() };
    const isNote = stored.note !== undefined;
    this.#kept.set(this.#next, { message: stored, had: isNote ? new Set() : null });
    this.#next += 1;
    if (!isNote) this.#count(stored, 1);
    for (const holder of this.holders.values()) holder.appended();
    return stored;
  }

  /** A device has those with offsets from `first` to `last`. @returns what nobody waits for any more */
  acknowledge(device: Device, first: number, last: number): MailboxEntry[] {
    const gone: MailboxEntry[] = [];
    // Along whichever is shorter: a range may be as long as somebody likes, and so may be what waits in front of it.
    if (last - first < this.#kept.size) {
      for (let offset = first; offset <= last; offset++) gone.push(...this.#had(device, offset));
    } else {
      for (const offset of this.#kept.keys()) {
        if (offset > last) break;
        if (offset >= first) gone.push(...this.#had(device, offset));
      }
    }
    return gone;
  }

  #had(device: Device, offset: number): MailboxEntry[] {
    const kept = this.#kept.get(offset);
    if (kept === undefined) return [];
    if (kept.had === null) {
      kept.had = new Set();
      this.#count(kept.message, -1);
    }
    kept.had.add(device);
    return this.#drop(kept);
  }

  /** It is undelivered from now on, or not any more. */
  #count({ body, from: { name } }: MailboxEntry, change: 1 | -1): void {
    this.#undelivered += change;
    this.#bytes += change * body.length;
    const left = (this.#bySender.get(name) ?? 0) + change;
    if (left > 0) this.#bySender.set(name, left);
    else this.#bySender.delete(name);
  }

  /** Keeps it no longer, if all have it. */
  #drop({ message, had }: Kept): MailboxEntry[] {
    if (had === null) return [];
    for (const device of this.#devices) if (!had.has(device)) return [];
    this.#kept.delete(message.offset);
    return [message];
  }
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count));
}

/** How much a storage in memory keeps. What does not fit is refused as `MAILBOX_FULL`. */
export interface MemoryLimits {
  /** All messages that are kept together, in bytes, each with what it costs beside its body; those of rooms are a quarter at most. */
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
