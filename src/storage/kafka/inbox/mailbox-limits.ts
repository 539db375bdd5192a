import { type Account, inboxLifeOf } from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import { sameUuid } from '../../../util/uuid.ts';
import { Correspondents } from '../groups/correspondents.ts';
import { now } from '../wire/retry.ts';
import type { MailboxStats } from './mailbox-stats.ts';

export interface MailboxLimitsOptions {
  /** Undelivered messages that one inbox may hold. */
  readonly maxMessages: number;
  /** Bytes of undelivered bodies that one inbox may hold, as counted by this frontend. */
  readonly maxBytes: number;
  /** Share of `maxMessages` that one sender may fill, between 0 and 1. */
  readonly senderShare: number;
  /** How full strangers may make it, between 0 and 1: the rest is for those whom the owner has written to. */
  readonly strangerShare: number;
  /** Reads what is committed, and where the log ends. @throws EngineError */
  readonly readStats: (to: Account) => Promise<Omit<MailboxStats, 'positions'>>;
}

/** What this frontend knows of one inbox. */
export interface MailboxEstimate {
  /** As `inboxLifeOf` has it. */
  readonly id: Uint8Array;
  /** Offset after the last message that is known of. */
  end: number;
  /** Undelivered messages below `end` when it was last looked at. */
  undelivered: number;
  lookedAt: number;
  /** Whom its owner had written to by then. */
  correspondents: Correspondents;
  /** Appends that wait for a look at Kafka, one after the other: they keep their order. */
  line: Promise<void> | null;
  /** Counted here: bytes and messages by sender that may still be undelivered; of senders, those with the most. */
  bytes: number;
  readonly bySender: Map<string, number>;
}

/** How old the position may be by which an append is judged, milliseconds. */
const MAX_AGE_MS = 2_000;
/** Nobody is refused by a position older than this: commits come every half second, so it may just have moved. */
const MAX_REFUSAL_AGE_MS = 100;
/** Inboxes remembered; past that those longest unused are forgotten, and looked at anew when they are used again. */
const MAX_MAILBOXES = 50_000;
/** Senders counted for one inbox. */
const MAX_SENDERS = 64;

/**
 * Refuses messages to an inbox that is full, before they are stored. The number of undelivered messages comes from
 * the offset of the last append and, in an inbox that may be half full, a position at most 2 s old, so the limit may be
 * overshot by what several frontends append in that time. Strangers all together may fill a part of it only, whoever filled
 * that: so many accounts as one likes to make keep nobody out whom the owner has written to. Bytes and each sender's share are counted by each frontend for itself, and shrink in
 * proportion as the inbox empties.
 */
export class MailboxLimits {
  readonly #options: MailboxLimitsOptions;
  /** Used since the last change of generations, and before it: half of what is remembered each. */
  #recent = new Map<string, MailboxEstimate>();
  #older = new Map<string, MailboxEstimate>();

  constructor(options: MailboxLimitsOptions) {
    this.#options = options;
  }

  /**
   * Runs `append` unless the inbox is full. At once where that is known; else after a look at Kafka: for the first
   * message to an inbox, one that is at least half full, and before a refusal.
   * @throws EngineError `MAILBOX_FULL`, and what `append` throws
   */
  run<T>(to: Account, sender: Account, append: (mailbox: MailboxEstimate) => Promise<T>): Promise<T> {
    const mailbox = this.#mailbox(to);
    if (mailbox.line === null && this.#isSurelyOpen(mailbox, sender)) return append(mailbox);
    const turn = this.#queue(mailbox, () => this.#demandRoom(to, mailbox, sender));
    return turn.then(() => append(mailbox));
  }

  /** A message was stored at this offset of the inbox that `run` gave. */
  stored(mailbox: MailboxEstimate, sender: string, bytes: number, offset: number): void {
    mailbox.undelivered += Math.max(0, offset + 1 - mailbox.end);
    mailbox.end = Math.max(mailbox.end, offset + 1);
    mailbox.bytes += bytes;
    count(mailbox.bySender, sender);
  }

  #mailbox(to: Account): MailboxEstimate {
    let known = this.#recent.get(to.name);
    const id = inboxLifeOf(to);
    if (known && sameUuid(known.id, id)) return known;
    known = this.#older.get(to.name);
    const mailbox = known && sameUuid(known.id, id) ? known : newMailbox(id);
    this.#recent.set(to.name, mailbox);
    if (this.#recent.size > MAX_MAILBOXES / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    return mailbox;
  }

  #queue(mailbox: MailboxEstimate, step: () => Promise<void>): Promise<void> {
    const turn = (mailbox.line ?? Promise.resolve()).then(step);
    const line: Promise<void> = turn
      .catch(() => {})
      .then(() => {
        if (mailbox.line === line) mailbox.line = null;
      });
    mailbox.line = line;
    return turn;
  }

  /** A look that fails leaves things as they were: appending will tell. */
  async #refresh(to: Account, mailbox: MailboxEstimate): Promise<void> {
    try {
      const { position, correspondents, start, end } = await this.#options.readStats(to);
      const delivered = position?.delivered;
      const low = Math.max(start, delivered?.low ?? start);
      const undelivered = Math.max(0, end - low - (delivered?.acknowledgedAbove ?? 0));
      this.#shrink(mailbox, undelivered);
      mailbox.undelivered = undelivered;
      mailbox.correspondents = correspondents;
      mailbox.end = Math.max(mailbox.end, end);
    } catch {
      // Kafka does not answer.
    }
    mailbox.lookedAt = now();
  }

  /** What was counted here becomes less as the whole does. */
  #shrink(mailbox: MailboxEstimate, undelivered: number): void {
    const share = mailbox.undelivered > 0 ? Math.min(1, undelivered / mailbox.undelivered) : 0;
    if (share === 1) return;
    mailbox.bytes = Math.floor(mailbox.bytes * share);
    for (const [sender, count] of mailbox.bySender) {
      const rest = Math.floor(count * share);
      if (rest > 0) mailbox.bySender.set(sender, rest);
      else mailbox.bySender.delete(sender);
    }
  }

  /**
   * Looked at not too long ago, or so empty that it does not matter: the offset of each append says how many messages
   * came in since the look, so what is known is too much if anything.
   */
  #isSurelyOpen(mailbox: MailboxEstimate, sender: Account): boolean {
    if (mailbox.lookedAt === Number.NEGATIVE_INFINITY) return false;
    const limit = now() - mailbox.lookedAt <= MAX_AGE_MS ? 1 : 0.5;
    return this.#fill(mailbox, sender) < limit;
  }

  /** How full it is for this sender: 1 is full. */
  #fill(mailbox: MailboxEstimate, { name, incarnation }: Account): number {
    const { maxMessages, maxBytes, strangerShare } = this.#options;
    const share = mailbox.correspondents.has(incarnation) ? 1 : strangerShare;
    const ofMessages = mailbox.undelivered / Math.max(1, Math.floor(maxMessages * share));
    const ofSender = (mailbox.bySender.get(name) ?? 0) / this.#senderLimit;
    return Math.max(ofMessages, mailbox.bytes / (maxBytes * share), ofSender);
  }

  get #senderLimit(): number {
    return Math.max(1, Math.floor(this.#options.maxMessages * this.#options.senderShare));
  }

  async #demandRoom(to: Account, mailbox: MailboxEstimate, sender: Account): Promise<void> {
    const maxAge = this.#fill(mailbox, sender) < 1 ? MAX_AGE_MS : MAX_REFUSAL_AGE_MS;
    if (now() - mailbox.lookedAt > maxAge) await this.#refresh(to, mailbox);
    if (this.#fill(mailbox, sender) < 1) return;
    const { undelivered, bytes } = mailbox;
    throw new EngineError(
      'MAILBOX_FULL',
      `${to.name}: ${undelivered} messages, ${bytes} bytes, or too many of ${sender.name}`,
    );
  }
}

function newMailbox(id: Uint8Array): MailboxEstimate {
  return {
    id,
    end: 0,
    undelivered: 0,
    lookedAt: Number.NEGATIVE_INFINITY,
    correspondents: new Correspondents(),
    line: null,
    bytes: 0,
    bySender: new Map(),
  };
}

/**
 * Counts one message. Where there are too many senders, each has one less (Misra and Gries): who sends more than one in 64
 * of all messages stays, and is counted short by a 64th of them at most.
 */
function count(bySender: Map<string, number>, sender: string): void {
  const known = bySender.get(sender);
  if (known !== undefined || bySender.size < MAX_SENDERS) {
    bySender.set(sender, (known ?? 0) + 1);
    return;
  }
  for (const [name, messages] of bySender) {
    if (messages > 1) bySender.set(name, messages - 1);
    else bySender.delete(name);
  }
}
