import { type Account, inboxLifeOf } from '../../../core/accounts.ts';
import { type EpochEnd, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type {
  Accepted,
  Inbox,
  InboxMessage,
  LossReason,
  OpenOptions,
  Surprise,
} from '../../../core/inboxes.ts';
import type { Follower, Subscription } from '../fetch/fetcher.ts';
import { readBounds } from '../fetch/log-reader.ts';
import type { Correspondents } from '../groups/correspondents.ts';
import type { GroupMember } from '../groups/group-member.ts';
import type { Lost } from '../wire/fetched-records.ts';
import type { Marker, RawRecord } from '../wire/log-batch.ts';
import { now, retry, whyOf } from '../wire/retry.ts';
import { Backlog } from './backlog.ts';
import { Cursor } from './cursor.ts';
import { markersOf } from './held-back.ts';
import { HistoryTrimming } from './history.ts';
import { InboxLease } from './inbox-lease.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import type { StartingPoint } from './starting-point.ts';

const READ_TIMEOUT_MS = 10_000;
/** A position that nobody could check is followed again after this. */
const CHECK_AGAIN_MS = 100;

/** Why nothing is pushed. */
type Stop = 'paused' | 'frontend silent' | 'unconfirmed' | 'ranges full';

/**
 * One held inbox: what comes by its log, or straight from the appender, is taken by its cursor and pushed to the owner, for as long
 * as the lease holds and nothing makes it rest.
 */
export class KafkaInbox implements Inbox, Follower {
  readonly owner: Account;
  readonly id: Uint8Array;
  readonly surprise: Surprise;
  readonly topic: string;
  readonly #around: InboxSurroundings;
  readonly #options: OpenOptions;
  readonly #correspondents: Correspondents;
  readonly #cursor: Cursor;
  readonly #lease: InboxLease;
  readonly #backlog: Backlog;
  #subscription: Subscription | null = null;
  /** What holds now; any of them keeps the inbox out of the fetcher. */
  readonly #stops = new Set<Stop>();
  readonly #history: HistoryTrimming;

  constructor(
    around: InboxSurroundings,
    owner: Account,
    topic: string,
    member: GroupMember,
    options: OpenOptions,
    { position, correspondents, surprise, isNew, epoch }: StartingPoint,
    liveStart: number,
  ) {
    this.#around = around;
    this.owner = owner;
    this.topic = topic;
    this.#options = options;
    this.surprise = surprise;
    this.id = position.inboxId(owner.topicId);
    this.#correspondents = correspondents;
    const { delivered } = position;
    const lease = new InboxLease(
      {
        ...{ around, member, topic },
        commit: () => position.commit(inboxLifeOf(owner), correspondents.encode()),
        onEnd: () => this.#unfollow(),
        onReleased: () => around.onReleased(this),
        onLost: options.onLost,
        onContact: () => this.#confirmed(),
        whyUnknown: () => around.whyUnknown(this),
      },
      delivered.low,
    );
    this.#lease = lease;
    const { trust, log, steppedOver } = around;
    const touch = () => lease.touch();
    this.#cursor = new Cursor({ owner, topic, position, liveStart, epoch, trust, log, steppedOver, touch });
    this.#backlog = new Backlog({
      ...{ around, owner, topic, cursor: this.#cursor },
      expectHeld: () => lease.expectStill(),
      onOutOfRange: (place) => this.#changed({ ...place }),
    });
    this.#history = new HistoryTrimming(around, this);
    // Where delivery begins at the first gap, it closes them.
    if (liveStart > delivered.low && delivered.isFull()) this.#stops.add('ranges full');
    // Senders of what is gone, or was cut away, are told by what is committed; and until something is committed, Kafka's
    // tools show no lag of this inbox.
    if (isNew) lease.touch();
  }

  get topicId(): string {
    return this.owner.topicId;
  }

  /**
   * Begins to push. Apart from the constructor so that the caller can note the inbox first.
   * @param askedAt when the lease was asked for
   */
  start(askedAt = now()): void {
    this.#lease.begin(askedAt);
    this.#follow();
  }

  /** Offset after the last one that was pushed or stepped over. */
  get next(): number {
    return this.#cursor.next;
  }

  // ---- the owner's side

  async undelivered(): Promise<number> {
    await this.#lease.expect();
    return this.#backlog.count();
  }

  async read(limits: { maxBytes: number; maxMessages?: number }): Promise<InboxMessage[]> {
    await this.#lease.expect();
    // What is not followed now is not about to be pushed either, so it can be read up to the log's end.
    const end = this.#subscription ? this.#cursor.liveStart : Number.POSITIVE_INFINITY;
    return this.#backlog.read(limits, end);
  }

  confirm(): Promise<void> {
    return this.#lease.confirm();
  }

  /** A message was stored where the log had another one before. */
  cutAt({ offset, epoch }: Accepted): void {
    if (this.#lease.hasEnded) return;
    if (epoch === UNKNOWN_EPOCH) {
      this.onOutOfRange();
      return;
    }
    this.#cursor.position.cut(offset, epoch);
    this.#lease.touch();
    this.#changed({ stored: offset });
  }

  epochAt(offset: number): number {
    return this.#cursor.position.epochs.at(offset);
  }

  acknowledge(first: number, last: number): boolean {
    if (this.#lease.hasEnded) return false;
    const changed = this.#cursor.acknowledge(first, last);
    if (changed && !this.#cursor.position.delivered.isFull()) this.#goOn('ranges full');
    return this.isKnownHeld;
  }

  pause(): void {
    this.#stop('paused');
  }

  resume(): void {
    this.#stops.delete('paused');
    this.#follow();
  }

  close(): Promise<void> {
    return this.#lease.close();
  }

  discard(): Promise<void> {
    return this.#lease.discard();
  }

  // ---- the engine's side

  /**
   * What is due from time to time: a heartbeat, unless one went out within this time, and trimming the history.
   * @param heartbeatIntervalMs null: as often as the coordinator wants it
   */
  maintain(heartbeatIntervalMs: number | null): void {
    if (this.#lease.hasEnded) return;
    this.#lease.maintain(heartbeatIntervalMs);
    // Only below what is committed: if this process dies now, nothing that must be delivered again is gone.
    this.#history.maintain(this.#lease.committed);
  }

  /** A heartbeat, which tells whether the lease is still ours. */
  checkLease(): Promise<void> {
    return this.#lease.check();
  }

  /** The owner has written to somebody, who is no stranger from now on. */
  wroteTo(account: Account): void {
    if (!this.#lease.hasEnded && this.#correspondents.add(account.incarnation)) this.#lease.touch();
  }

  /** The frontend's lease is known to be good again. */
  wake(): void {
    this.#goOn('frontend silent');
  }

  /** Kafka has said that the inbox is held, later than anything that could have made that doubtful. */
  get isKnownHeld(): boolean {
    return this.#lease.isKnownHeld;
  }

  /** The lease is gone, or must be taken for gone. */
  lose(reason: LossReason): void {
    this.#lease.lose(reason);
  }

  /**
   * The log is not what the position counts on: its offsets mean other messages, or some are gone unread. What was acknowledged
   * is committed with its epoch, and the next login begins by that (`Position.resume`).
   */
  #changed(found: Record<string, unknown>): void {
    if (this.#lease.hasEnded) return;
    const { topic } = this;
    const { next: position, epoch } = this.#cursor;
    this.#around.log.warn({ topic, position, epoch, ...found }, 'an inbox has changed');
    void this.close();
    this.#options.onLost('changed');
  }

  // ---- the fetcher's side (Follower)

  onRecords(
    records: readonly RawRecord[],
    nextOffset: number,
    epoch: number,
    markers: readonly Marker[],
    lost: readonly Lost[],
  ): void {
    const ends = markersOf(markers);
    for (const raw of records) {
      // A callback paused or ended it: the rest is fetched again from where it stopped.
      if (!this.#subscription) return;
      // Handed over already.
      if (this.#cursor.isBehind(raw.offset)) continue;
      if (!this.#mayPush()) return;
      const message = this.#cursor.take(raw, ends, lost);
      if (message) this.#push(message);
      this.#restIfFull();
    }
    if (!this.#subscription) return;
    const elsewhere = this.#cursor.reach(nextOffset, epoch, markers, lost);
    if (elsewhere) this.#subscription.moveTo(elsewhere);
  }

  /**
   * A message that this process has just stored in this inbox: pushed at once if it is exactly the next one, under the
   * leader that what is in front of it came from. All others come with a fetch, as if this had not been called.
   * @param epoch leader epoch under which it was stored
   */
  handOver(message: InboxMessage, epoch: number): void {
    const { offset } = message;
    if (!this.#subscription || !this.#cursor.isNext(offset, epoch) || !this.#mayPush()) return;
    if (this.#cursor.isReadingBack) return;
    const isNew = this.#cursor.stepOver(offset, epoch);
    this.#subscription.advance(this.#cursor.next);
    if (!isNew) return;
    this.#push(message);
    this.#restIfFull();
  }

  onGone(): void {
    this.#subscription = null;
    void this.#around.whyGone(this.owner).then((reason) => this.lose(reason));
  }

  onParted(ends: EpochEnd): void {
    this.#subscription = null;
    if (this.#cursor.isCutBy(ends)) {
      this.#changed({ ...ends });
      return;
    }
    this.#cursor.epoch = ends.epoch;
    this.#follow();
  }

  onOutOfRange(): void {
    this.#unfollow();
    this.#checkPosition().catch((error: unknown) => {
      this.#around.log.warn({ ...whyOf(error), topic: this.topic }, 'position not checked');
      setTimeout(() => this.#follow(), CHECK_AGAIN_MS);
    });
  }

  /** The position may be outside the log, or the log another one: has its leader tell, and goes on if it is neither. */
  async #checkPosition(): Promise<void> {
    const { cluster, stats } = this.#around;
    const deadline = now() + READ_TIMEOUT_MS;
    const { start } = await readBounds(cluster, this.topic, deadline);
    const ends = await retry('epoch', deadline, () => stats.epochEnd(this.owner, this.#cursor.epoch));
    if (this.#lease.hasEnded) return;
    const isCut = this.#cursor.isCutBy(ends);
    this.#cursor.forgetBelow(start);
    if (start > this.#cursor.next || isCut) this.#changed({ start, ...ends });
    else setTimeout(() => this.#follow(), CHECK_AGAIN_MS);
  }

  // ---- inside

  /** False, and nothing is fetched, while this frontend may have been taken for dead, or the inbox be somebody else's. */
  #mayPush(): boolean {
    if (!this.#around.isFrontendAlive()) {
      this.#stop('frontend silent');
    } else if (!this.isKnownHeld) {
      this.#stop('unconfirmed');
      this.#around.confirmSoon(this);
    } else return true;
    return false;
  }

  /** Kafka has answered as to a holder. */
  #confirmed(): void {
    if (this.isKnownHeld) this.#goOn('unconfirmed');
  }

  #push(message: InboxMessage): void {
    this.#cursor.handOut(message.offset);
    this.#options.onMessage(message);
  }

  #restIfFull(): void {
    if (this.#cursor.isFull) this.#stop('ranges full');
  }

  #stop(why: Stop): void {
    this.#stops.add(why);
    this.#unfollow();
  }

  /** That is no reason to rest any more, if it was one. */
  #goOn(why: Stop): void {
    if (this.#stops.delete(why)) this.#follow();
  }

  #follow(): void {
    if (this.#lease.hasEnded || this.#subscription || this.#stops.size > 0) return;
    this.#subscription = this.#around.fetcher.follow(this, this.#cursor.place);
  }

  #unfollow(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }
}
