import type { Account } from '../../../core/accounts.ts';
import type { EpochEnd } from '../../../core/epochs.ts';
import type { InboxMessage, OpenOptions } from '../../../core/inboxes.ts';
import type { InboxNote } from '../../../core/notes.ts';
import type { Follower, Subscription } from '../fetch/fetcher.ts';
import { readBounds } from '../fetch/log-reader.ts';
import type { Commit } from '../groups/position.ts';
import type { Lost } from '../wire/fetched-records.ts';
import type { Marker, RawRecord } from '../wire/log-batch.ts';
import { now, retry, whyOf } from '../wire/retry.ts';
import { markersOf } from './held-back.ts';
import type { InboxLease, Leased } from './inbox-lease.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import { Progress, type ProgressOptions } from './progress.ts';

const READ_TIMEOUT_MS = 10_000;
/** A position that nobody could check is followed again after this. */
const CHECK_AGAIN_MS = 100;

/** Why nothing is pushed. */
type Stop = 'paused' | 'frontend silent' | 'unconfirmed' | 'ranges full';

export interface CursorOptions
  extends Omit<ProgressOptions, 'touch' | 'trust' | 'log' | 'steppedOver' | 'notesBut'>,
    Pick<OpenOptions, 'device' | 'isPaused' | 'onMessage' | 'onNote'> {
  readonly owner: Pick<Account, 'name' | 'incarnation' | 'topicId'>;
  readonly around: InboxSurroundings;
  readonly lease: Pick<InboxLease, 'group' | 'hasEnded' | 'isKnownHeld' | 'touch'>;
  /** What is to be committed of it now. */
  readonly commit: () => Commit;
  /** It is not known whether the lease is still held: somebody is to ask. */
  readonly confirmSoon: () => void;
  /** The log is not what the position counts on: its offsets mean other messages, or some are gone unread. */
  readonly onChanged: (found: Record<string, unknown>) => void;
  /** The topic is gone. */
  readonly onGone: () => void;
}

/**
 * One reader of one log, under a lease: what comes by the log, or straight from the appender, is pushed from where its position
 * says, for as long as the lease holds and nothing makes it rest.
 */
export class Cursor implements Follower, Leased {
  readonly topic: string;
  readonly topicId: string;
  readonly progress: Progress;
  readonly #around: InboxSurroundings;
  readonly #options: CursorOptions;
  readonly #lease: CursorOptions['lease'];
  #subscription: Subscription | null = null;
  /** What holds now; any of them keeps it out of the fetcher. */
  readonly #stops = new Set<Stop>();
  #isChanged = false;
  #committedTo: number;

  constructor(options: CursorOptions) {
    const { around, lease, topic, owner, position, liveStart, device, onNote } = options;
    this.topic = topic;
    this.topicId = owner.topicId;
    this.#around = around;
    this.#options = options;
    this.#lease = lease;
    const { trust, log, steppedOver } = around;
    const { touch } = this;
    const notesBut = onNote === undefined ? null : { device };
    this.progress = new Progress({ ...options, notesBut, trust, log, steppedOver, touch });
    const { delivered } = position;
    this.#committedTo = delivered.low;
    if (options.isPaused) this.#stops.add('paused');
    // Where delivery begins at the first gap, it closes them.
    if (liveStart > delivered.low && delivered.isFull()) this.#stops.add('ranges full');
  }

  /** Everything below is committed as delivered, or not there any more. */
  get committedTo(): number {
    return this.#committedTo;
  }

  /** Begins to push. */
  start(): void {
    this.#follow();
  }

  get isFollowing(): boolean {
    return this.#subscription !== null;
  }

  pause(): void {
    this.#stop('paused');
  }

  resume(): void {
    this.#stops.delete('paused');
    this.#follow();
  }

  /** The frontend's lease is known to be good again. */
  wake(): void {
    this.#goOn('frontend silent');
  }

  /** The owner has these. */
  acknowledge(first: number, last: number): void {
    const { progress } = this;
    if (progress.acknowledge(first, last) && !progress.position.delivered.isFull()) this.#goOn('ranges full');
  }

  /** The log does not have what is in front of the position, or a part of it: it cannot be gone on with. */
  changed(found: Record<string, unknown>): void {
    if (!this.#lease.hasEnded) this.#options.onChanged(found);
  }

  // ---- the lease's side (Leased)

  /** There is something to commit. */
  readonly touch = (): void => {
    this.#isChanged = true;
    this.#lease.touch();
  };

  changes(): Commit | null {
    if (!this.#isChanged) return null;
    this.#isChanged = false;
    return this.#options.commit();
  }

  committed({ offset }: Commit): void {
    this.#committedTo = offset;
  }

  uncommitted(): void {
    this.#isChanged = true;
  }

  confirmed(): void {
    this.#goOn('unconfirmed');
  }

  end(): void {
    this.#unfollow();
  }

  // ---- the fetcher's side (Follower)

  onRecords(
    records: readonly RawRecord[],
    nextOffset: number,
    epoch: number,
    markers: readonly Marker[],
    lost: readonly Lost[],
  ): void {
    const { progress } = this;
    const ends = markersOf(markers);
    for (const raw of records) {
      // A callback paused or ended it: the rest is fetched again from where it stopped.
      if (!this.#subscription) return;
      // Handed over already.
      if (progress.isBehind(raw.offset)) continue;
      if (!this.#mayPush()) return;
      const message = progress.take(raw, ends, lost);
      if (message) this.#push(message);
      this.#restIfFull();
    }
    if (!this.#subscription) return;
    const elsewhere = progress.reach(nextOffset, epoch, markers, lost);
    if (elsewhere) this.#subscription.moveTo(elsewhere);
  }

  /**
   * A message that this process has just stored in this log: pushed at once if it is exactly the next one, under the
   * leader that what is in front of it came from. All others come with a fetch, as if this had not been called.
   * @param epoch leader epoch under which it was stored
   */
  handOver(message: InboxMessage, epoch: number): void {
    const { offset } = message;
    const { progress } = this;
    if (!this.#subscription || !progress.isNext(offset, epoch) || !this.#mayPush()) return;
    if (progress.isReadingBack) return;
    const isNew = progress.stepOver(offset, epoch);
    this.#subscription.advance(progress.next);
    if (!isNew) return;
    this.#push(message);
    this.#restIfFull();
  }

  onGone(): void {
    this.#subscription = null;
    this.#options.onGone();
  }

  onParted(ends: EpochEnd): void {
    this.#subscription = null;
    if (this.progress.isCutBy(ends)) {
      this.changed({ ...ends });
      return;
    }
    this.progress.epoch = ends.epoch;
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
    const { progress, topic } = this;
    const deadline = now() + READ_TIMEOUT_MS;
    const { start } = await readBounds(cluster, topic, deadline);
    const ends = await retry('epoch', deadline, () => stats.epochEnd(topic, progress.epoch));
    if (this.#lease.hasEnded) return;
    const isCut = progress.isCutBy(ends);
    progress.forgetBelow(start);
    if (start > progress.next || isCut) this.changed({ start, ...ends });
    else setTimeout(() => this.#follow(), CHECK_AGAIN_MS);
  }

  // ---- inside

  /** False, and nothing is fetched, while this frontend may have been taken for dead, or the lease be somebody else's. */
  #mayPush(): boolean {
    if (!this.#around.isFrontendAlive()) {
      this.#stop('frontend silent');
    } else if (!this.#lease.isKnownHeld) {
      this.#stop('unconfirmed');
      this.#options.confirmSoon();
    } else return true;
    return false;
  }

  #push(message: InboxMessage | InboxNote): void {
    this.progress.handOut(message.offset);
    if ('note' in message) this.#options.onNote?.(message);
    else this.#options.onMessage(message);
  }

  #restIfFull(): void {
    if (this.progress.isFull) this.#stop('ranges full');
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
    this.#subscription = this.#around.feeds.follow(this, this.progress.place, this.#lease.group);
  }

  #unfollow(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }
}
