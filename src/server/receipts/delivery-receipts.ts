import type { Logger } from 'pino';
import { type Account, type Accounts, inboxLifeOf } from '../../core/accounts.ts';
import { UNKNOWN_EPOCH } from '../../core/epochs.ts';
import type { Accepted, Inbox, Inboxes, OffsetRange } from '../../core/inboxes.ts';
import { uuidKey } from '../../util/uuid.ts';
import type { Limits } from '../limits.ts';

/** A session that wants to hear what became of its messages. */
export interface Waiter {
  /** The life of the account whose messages they are, as `uuidKey` has its incarnation. */
  readonly account: string;
  /** In bulk, by the ids of the messages. Never called from within a call to the `DeliveryReceipts`. */
  settled(delivered: readonly Uint8Array[], undeliverable: readonly Uint8Array[]): void;
}

/** One accepted message that a sender waits for. */
interface Entry {
  readonly waiter: Waiter;
  readonly id: Uint8Array;
  readonly to: Account;
  /** The recipient's inbox, as `lifeKey` has it. */
  readonly life: string;
  readonly offset: number;
  readonly epoch: number;
  readonly acceptedAt: number;
}

/** One life of one recipient's inbox, and what waits for it. */
interface Recipient {
  readonly account: Account;
  /** Offset of the message that was accepted last. */
  last: number;
  /** By offset. */
  readonly entries: Map<number, Entry>;
}

interface News {
  readonly delivered: Uint8Array[];
  readonly undeliverable: Uint8Array[];
}

/** Every so often it is looked into the logs, too, for messages that were lost there. */
const POLLS_PER_LOG_CHECK = 5;

/**
 * Which messages of the people here their recipients have acknowledged: told at once by those who are logged in here,
 * asked of Kafka for the others, all in one question, at most once a second and only while somebody waits.
 *
 * Bounded by messages for each account and in all, and by recipients, since each costs Kafka a look: above any of
 * them the oldest is dropped, whose sender can still ask by receipt.
 */
export class DeliveryReceipts {
  readonly #inboxes: Pick<Inboxes, 'fates'>;
  readonly #accounts: Pick<Accounts, 'get'>;
  readonly #limits: Limits;
  readonly #log: Logger;
  /** By the life of the recipient's inbox (`lifeKey`), oldest first. */
  readonly #recipients = new Map<string, Recipient>();
  /** All entries, oldest first. */
  readonly #entries = new Set<Entry>();
  /** The same by the sender's incarnation: an account may have many sessions. */
  readonly #byAccount = new Map<string, Set<Entry>>();
  /** What is to be told soon. */
  readonly #news = new Map<Waiter, News>();
  #polls = 0;
  #timer: NodeJS.Timeout | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** A timer or an immediate for it is set. */
  #isTelling = false;
  #closed = false;

  constructor(inboxes: Pick<Inboxes, 'fates'>, accounts: Pick<Accounts, 'get'>, limits: Limits, log: Logger) {
    this.#inboxes = inboxes;
    this.#accounts = accounts;
    this.#limits = limits;
    this.#log = log;
  }

  /** Number of messages that somebody waits for. */
  get size(): number {
    return this.#entries.size;
  }

  /** A message was accepted, and its sender waits. */
  track(waiter: Waiter, id: Uint8Array, to: Account, { offset, epoch, acceptedAt }: Accepted): void {
    if (this.#closed) return;
    const life = lifeKey(to);
    const recipient = this.#recipientOf(life, to);
    const entry: Entry = { waiter, id, to, life, offset, epoch, acceptedAt };
    if (offset <= recipient.last) this.#replaced(recipient, entry);
    recipient.last = offset;
    recipient.entries.set(offset, entry);
    this.#entries.add(entry);
    const own = this.#byAccount.get(waiter.account) ?? new Set();
    this.#byAccount.set(waiter.account, own.add(entry));
    const { trackedPerAccount, tracked, trackedRecipients } = this.#limits;
    if (own.size > trackedPerAccount) this.#dropOldest(own);
    if (this.#entries.size > tracked) this.#dropOldest(this.#entries);
    if (this.#recipients.size > trackedRecipients) {
      const [oldest] = this.#recipients.values();
      for (const each of [...(oldest?.entries.values() ?? [])]) this.#drop(each);
    }
    this.#schedule();
  }

  /** A recipient who is logged in here has acknowledged these offsets of what its inbox has there. */
  acknowledged(by: Account, ranges: readonly OffsetRange[], inbox: Pick<Inbox, 'epochAt'>): void {
    const entries = this.#recipients.get(lifeKey(by))?.entries;
    if (entries === undefined) return;
    for (const { first, last } of ranges) {
      // Whichever is less to look at.
      if (last - first < entries.size) {
        for (let offset = first; offset <= last; offset++) this.#taken(entries.get(offset), inbox);
      } else {
        for (const entry of [...entries.values()]) {
          if (entry.offset >= first && entry.offset <= last) this.#taken(entry, inbox);
        }
      }
    }
  }

  /** Tells now what is to be told to this one soon: something else goes out to it anyway. */
  tellNow(waiter: Waiter): void {
    const news = this.#news.get(waiter);
    if (news === undefined) return;
    this.#news.delete(waiter);
    this.#give(waiter, news);
  }

  /** The sender is gone: it asks by receipt when it is back. */
  forget(waiter: Waiter): void {
    for (const entry of [...(this.#byAccount.get(waiter.account) ?? [])]) {
      if (entry.waiter === waiter) this.#drop(entry);
    }
    this.#news.delete(waiter);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #recipientOf(life: string, account: Account): Recipient {
    const known = this.#recipients.get(life);
    if (known !== undefined) return known;
    const recipient = { account, last: -1, entries: new Map<number, Entry>() };
    this.#recipients.set(life, recipient);
    return recipient;
  }

  #dropOldest(entries: ReadonlySet<Entry>): void {
    const [oldest] = entries;
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry);
    const own = this.#byAccount.get(entry.waiter.account);
    own?.delete(entry);
    if (own?.size === 0) this.#byAccount.delete(entry.waiter.account);
    const recipient = this.#recipients.get(entry.life);
    recipient?.entries.delete(entry.offset);
    if (recipient?.entries.size === 0) this.#recipients.delete(entry.life);
  }

  /** Where the inbox has that offset under another leader, or that is not known, Kafka is asked with all others. */
  #taken(entry: Entry | undefined, inbox: Pick<Inbox, 'epochAt'>): void {
    if (entry !== undefined && entry.epoch === inbox.epochAt(entry.offset)) this.#delivered(entry);
  }

  /** A message has an offset that is not behind all of those before: what an earlier leader had there and behind is lost. */
  #replaced({ entries }: Recipient, { offset, epoch }: Entry): void {
    for (const earlier of [...entries.values()]) {
      const isLost = earlier.epoch !== UNKNOWN_EPOCH && earlier.epoch < epoch;
      if (earlier.offset >= offset && isLost) this.#undeliverable(earlier);
    }
    const same = entries.get(offset);
    if (same !== undefined) this.#drop(same);
  }

  #delivered(entry: Entry): void {
    this.#drop(entry);
    this.#newsFor(entry.waiter).delivered.push(entry.id);
  }

  #undeliverable(entry: Entry): void {
    this.#drop(entry);
    this.#newsFor(entry.waiter).undeliverable.push(entry.id);
  }

  #newsFor(waiter: Waiter): News {
    const known = this.#news.get(waiter);
    if (known !== undefined) return known;
    this.#tellSoon();
    const news = { delivered: [], undeliverable: [] };
    this.#news.set(waiter, news);
    return news;
  }

  /** In the next turn of the event loop, or a moment later where somebody was just told: under load in bulk. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const waitMs = this.#toldAt + this.#limits.tellMs - performance.now();
    if (waitMs <= 0) setImmediate(() => this.#tell());
    else setTimeout(() => this.#tell(), waitMs);
  }

  #tell(): void {
    this.#isTelling = false;
    this.#toldAt = performance.now();
    const all = [...this.#news];
    this.#news.clear();
    for (const [waiter, news] of all) this.#give(waiter, news);
  }

  #give(waiter: Waiter, { delivered, undeliverable }: News): void {
    const { toldAtOnce } = this.#limits;
    for (let at = 0; at < Math.max(delivered.length, undeliverable.length); at += toldAtOnce) {
      waiter.settled(delivered.slice(at, at + toldAtOnce), undeliverable.slice(at, at + toldAtOnce));
    }
  }

  #schedule(): void {
    if (this.#timer !== null || this.#closed || this.#entries.size === 0) return;
    this.#timer = setTimeout(() => {
      void this.#poll().finally(() => {
        this.#timer = null;
        this.#schedule();
      });
    }, this.#limits.trackMs);
  }

  async #poll(): Promise<void> {
    const recipients = [...this.#recipients];
    for (const [life, { account, entries }] of recipients) {
      // Nobody will ever read what lies in an inbox of a life that is over, or lay in a topic that is gone.
      const current = this.#accounts.get(account.name);
      if (current !== undefined && lifeKey(current) === life) continue;
      for (const entry of [...entries.values()]) this.#undeliverable(entry);
    }
    const { trackedBatch } = this.#limits;
    this.#polls += 1;
    const inLog = this.#polls % POLLS_PER_LOG_CHECK === 0;
    for (let at = 0; at < recipients.length; at += trackedBatch) {
      const batch = recipients
        .slice(at, at + trackedBatch)
        .flatMap(([, { entries }]) => [...entries.values()]);
      if (!(await this.#ask(batch, inLog))) return;
    }
  }

  async #ask(batch: readonly Entry[], inLog: boolean): Promise<boolean> {
    if (batch.length === 0) return true;
    try {
      const answers = await this.#inboxes.fates(batch, { inLog });
      for (const [i, entry] of batch.entries()) {
        if (!this.#entries.has(entry)) continue;
        if (answers[i] === 'delivered') this.#delivered(entry);
        else if (answers[i] === 'undeliverable') this.#undeliverable(entry);
      }
      return true;
    } catch (error) {
      // They are asked for again in a second.
      this.#log.debug({ err: error }, 'nobody could say what was acknowledged');
      return false;
    }
  }
}

/** What names an inbox in a Map, for as long as it loses nothing (`inboxLifeOf`). */
function lifeKey(account: Account): string {
  return uuidKey(inboxLifeOf(account));
}
