import { type Account, inboxLifeOf } from '../../../core/accounts.ts';
import { type EpochEnd, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { EngineError } from '../../../core/errors.ts';
import type {
  Accepted,
  Inbox,
  InboxMessage,
  LossReason,
  OpenOptions,
  Surprise,
} from '../../../core/inboxes.ts';
import { type DecidedRecords, type Place, readBounds, readDecided } from '../fetch/log-reader.ts';
import type { Follower, Subscription } from '../fetch/tail.ts';
import { CommitSchedule } from '../groups/commit-schedule.ts';
import type { Correspondents } from '../groups/correspondents.ts';
import { deleteGroup, type GroupMember } from '../groups/group-member.ts';
import type { Position } from '../groups/position.ts';
import type { Watermark } from '../groups/watermark.ts';
import type { Lost } from '../wire/fetched-records.ts';
import { isUnknownTopic, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { bytesOf, type Marker, type RawRecord } from '../wire/log-batch.ts';
import { RareWarning } from '../wire/rare-warning.ts';
import { isOfNetwork, now, retry, whyOf } from '../wire/retry.ts';
import { MAX_RECORD_BYTES, noInbox } from '../wire/topics.ts';
import { unavailable } from '../wire/unavailable.ts';
import { HeldBack, type Markers, markersOf } from './held-back.ts';
import { trimHistory, trimIntervalMs } from './history.ts';
import { inboxId } from './inbox-id.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import { decodeRecord } from './record.ts';

const READ_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** A position that nobody could check is followed again after this. */
const CHECK_AGAIN_MS = 100;
/** Bytes asked for at once when reading the backlog. */
const READ_BYTES = 1024 * 1024;
const LOST = 'messages are lost that nobody had received: see docs/operations.md';

/** Where an inbox is begun. */
export interface StartingPoint {
  readonly position: Position;
  readonly correspondents: Correspondents;
  readonly surprise: Surprise;
  /** It is not what was committed, or nothing was. */
  readonly isNew: boolean;
  /** The log is known to be that of this leader epoch up to its end. */
  readonly epoch: number;
}

/** One held inbox: the lease, the watermark and the place in the log up to which messages were pushed. */
export class KafkaInbox implements Inbox, Follower {
  readonly owner: Account;
  readonly id: Uint8Array;
  readonly surprise: Surprise;
  readonly topic: string;
  readonly #around: InboxSurroundings;
  readonly #member: GroupMember;
  readonly #options: OpenOptions;
  readonly #position: Position;
  readonly #watermark: Watermark;
  readonly #correspondents: Correspondents;
  /** Messages before this one are left to `read`; from here on they are pushed. */
  readonly #liveStart: number;
  /** Offset after the last one that was pushed or stepped over. */
  #next: number;
  /** Leader epoch of the record in front of that. */
  #epoch: number;
  /** Last offset that the owner was given, by push or by read. */
  #handedOut: number;
  /** What of others' transactions waits for their end. */
  readonly #held = new HeldBack();
  #subscription: Subscription | null = null;
  /** Why nothing is pushed now; any of them keeps the inbox out of the tail. */
  readonly #stops = { paused: false, frontendSilent: false, unconfirmed: false, rangesFull: false };
  #ended = false;
  #loss: LossReason | Promise<LossReason> | undefined;
  readonly #commits: CommitSchedule;
  /** A compaction may leave thousands of holes. */
  readonly #lost: RareWarning;
  #closing: Promise<void> | null = null;
  #lastHeartbeat = now();
  /** When Kafka was asked for what last showed that the inbox is held. */
  #heldAt = now();
  /** Everything below is committed as delivered, or not there any more. */
  #committedLow: number;
  #trimmedAt: number;
  /** So long it reads nothing more, since what it has read had to be unpacked. */
  #unpackRest: Promise<void> | null = null;

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
    this.#member = member;
    this.#options = options;
    const { watermark } = position;
    this.#position = position;
    this.#watermark = watermark;
    this.surprise = surprise;
    this.id = inboxId(owner.topicId, position.cutUnder);
    this.#correspondents = correspondents;
    this.#liveStart = liveStart;
    this.#next = liveStart;
    this.#epoch = epoch;
    this.#handedOut = liveStart - 1;
    this.#committedLow = watermark.low;
    // Anywhere in the interval: people who came at the same moment are not trimmed at the same moment.
    this.#trimmedAt = now() - Math.random() * trimIntervalMs(around.historyMs);
    // Where delivery begins at the first gap, it closes them.
    this.#stops.rangesFull = liveStart > watermark.low && watermark.isFull();
    this.#lost = new RareWarning((fields) => around.log.warn(fields, LOST));
    this.#commits = new CommitSchedule({
      pace: around.commitPace,
      commit: () => this.#commit(),
      mayCommit: () => around.isFrontendAlive(),
      onFailed: (error) => this.#onContactFailed('commit', error),
    });
    // Senders of what is gone, or was cut away, are told by what is committed; and until something is committed, Kafka's
    // tools show no lag of this inbox.
    if (isNew) this.#commits.touch();
  }

  get topicId(): string {
    return this.owner.topicId;
  }

  /**
   * Begins to push. Apart from the constructor so that the caller can note the inbox first.
   * @param askedAt when the lease was asked for
   */
  start(askedAt = now()): void {
    this.#heldAt = askedAt;
    this.#follow();
  }

  /** Offset after the last one that was pushed or stepped over. */
  get next(): number {
    return this.#next;
  }

  // ---- the owner's side

  async undelivered(): Promise<number> {
    await this.#expectHeld();
    const deadline = now() + READ_TIMEOUT_MS;
    const askEnd = () => this.#around.looks.end(this.owner);
    const end = await retry(`end of ${this.topic}`, deadline, askEnd).catch(this.#asEngineError);
    await this.#expectStillHeld();
    return Math.max(0, end - this.#watermark.low - this.#watermark.acknowledgedAbove);
  }

  async read(limits: { maxBytes: number; maxMessages?: number }): Promise<InboxMessage[]> {
    await this.#expectHeld();
    const found: InboxMessage[] = [];
    let bytes = 0;
    // What is not followed now is not about to be pushed either, so it can be read up to the log's end.
    const end = this.#subscription ? this.#liveStart : Number.POSITIVE_INFINITY;
    let position = this.#nextToRead(this.#watermark.low);
    while (position < end) {
      const { records, nextOffset, ends, lost } = await this.#readFrom(position);
      if (nextOffset === position) break;
      for (const raw of records) {
        if (raw.offset > position) this.#pass(position, Math.min(raw.offset, end) - 1, lost);
        if (raw.offset >= end) return found;
        position = raw.offset + 1;
        this.#position.epochs.note(raw.offset, raw.leaderEpoch);
        if (this.#nextToRead(raw.offset) !== raw.offset || !this.#counts(raw, ends)) continue;
        const message = this.#decode(raw);
        if (!message) continue;
        bytes += message.body.length;
        if (found.length > 0 && bytes > limits.maxBytes) return found;
        found.push(message);
        this.#handedOut = Math.max(this.#handedOut, raw.offset);
        if (found.length >= (limits.maxMessages ?? Number.POSITIVE_INFINITY)) return found;
      }
      // Control records at the end of what was read hold no message either.
      if (nextOffset > position) this.#pass(position, Math.min(nextOffset, end) - 1, lost);
      position = this.#nextToRead(Math.max(position, nextOffset));
    }
    return found;
  }

  async confirm(): Promise<void> {
    await this.#expectHeld();
    try {
      await retry('confirm lease', now() + READ_TIMEOUT_MS, () => this.#heartbeat());
    } catch (error) {
      this.#onContactFailed('confirmation', error);
      await this.#expectHeld();
      unavailable(error);
    }
    await this.#expectHeld();
  }

  /** A message was stored where the log had another one before. */
  cutAt({ offset, epoch }: Accepted): void {
    if (this.#ended) return;
    if (epoch === UNKNOWN_EPOCH) {
      this.onOutOfRange();
      return;
    }
    this.#position.cut(offset, epoch);
    this.#commits.touch();
    this.#changed({ stored: offset });
  }

  epochAt(offset: number): number {
    return this.#position.epochs.at(offset);
  }

  acknowledge(first: number, last: number): boolean {
    if (this.#ended) return false;
    // Nobody can have what was not handed out yet.
    const changed = this.#deliver(first, Math.min(last, this.#handedOut));
    if (changed && this.#stops.rangesFull && !this.#watermark.isFull()) {
      this.#stops.rangesFull = false;
      this.#follow();
    }
    return this.isKnownHeld;
  }

  pause(): void {
    this.#stops.paused = true;
    this.#unfollow();
  }

  resume(): void {
    this.#stops.paused = false;
    this.#follow();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(true);
    return this.#closing;
  }

  discard(): Promise<void> {
    this.#closing ??= this.#close(false).then(() =>
      deleteGroup(this.#around.cluster, this.#member.group).catch((error: unknown) => {
        this.#around.log.warn({ ...whyOf(error), group: this.#member.group }, 'group left behind');
      }),
    );
    return this.#closing;
  }

  // ---- the engine's side

  /**
   * What is due from time to time: a heartbeat, unless one went out within this time, and trimming the history.
   * @param heartbeatIntervalMs null: as often as the coordinator wants it
   */
  maintain(heartbeatIntervalMs: number | null): void {
    if (this.#ended) return;
    const moment = now();
    const intervalMs = heartbeatIntervalMs ?? this.#member.heartbeatIntervalMs;
    if (moment - this.#lastHeartbeat >= intervalMs) void this.checkLease();
    if (moment - this.#trimmedAt >= trimIntervalMs(this.#around.historyMs)) void this.#trim();
  }

  /** A heartbeat, which tells whether the lease is still ours. */
  async checkLease(): Promise<void> {
    if (this.#ended) return;
    const before = this.#lastHeartbeat;
    this.#lastHeartbeat = now();
    try {
      await this.#heartbeat();
    } catch (error) {
      this.#lastHeartbeat = before;
      this.#onContactFailed('heartbeat', error);
      return;
    }
    if (this.#member.mayHaveCompany && !this.#ended) await this.#around.putOutStrangers(this.#member);
  }

  async #trim(): Promise<void> {
    this.#trimmedAt = now();
    const { cluster, historyMs, log } = this.#around;
    try {
      // Only below what is committed: if this process dies now, nothing that must be delivered again is gone.
      await trimHistory(cluster, this, this.#committedLow, historyMs);
    } catch (error) {
      if (!isOfNetwork(error)) log.warn({ ...whyOf(error), topic: this.topic }, 'history not trimmed');
    }
  }

  /** The owner has written to somebody, who is no stranger from now on. */
  wroteTo(account: Account): void {
    if (!this.#ended && this.#correspondents.add(account.incarnation)) this.#commits.touch();
  }

  /** The frontend's lease is known to be good again. */
  wake(): void {
    if (!this.#stops.frontendSilent) return;
    this.#stops.frontendSilent = false;
    this.#follow();
  }

  /** Kafka has said that the inbox is held, later than anything that could have made that doubtful. */
  get isKnownHeld(): boolean {
    return !this.#ended && !this.#around.isDoubtful(this.#heldAt);
  }

  /** The lease is gone, or must be taken for gone. */
  lose(reason: LossReason): void {
    if (!this.#release()) return;
    this.#loss = reason;
    this.#options.onLost(reason);
  }

  /**
   * The log is not what the position counts on: its offsets mean other messages, or some are gone unread. What was acknowledged
   * is committed with its epoch, and the next login begins by that (`Position.resume`).
   */
  #changed(found: Record<string, unknown>): void {
    if (this.#ended) return;
    const { topic } = this;
    this.#around.log.warn(
      { topic, position: this.#next, epoch: this.#epoch, ...found },
      'an inbox has changed',
    );
    void this.close();
    this.#options.onLost('changed');
  }

  // ---- the tail's side (Follower)

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
      const isLate = this.#held.isLate(raw.offset);
      // Handed over already.
      if (raw.offset < this.#next && !isLate) continue;
      if (!this.#mayPush()) return;
      if (isLate) {
        this.#held.takeLate(raw.offset);
      } else {
        if (raw.offset > this.#next) this.#pass(this.#next, raw.offset - 1, lost);
        this.#next = raw.offset + 1;
        this.#epoch = raw.leaderEpoch;
        this.#position.epochs.note(raw.offset, raw.leaderEpoch);
        if (this.#watermark.has(raw.offset) || this.#held.join(raw) || !this.#counts(raw, ends)) continue;
      }
      const message = this.#decode(raw);
      if (message) this.#push(message);
      this.#restIfFull();
    }
    if (!this.#subscription) return;
    const wasBack = nextOffset < this.#next;
    if (nextOffset > this.#next) {
      this.#pass(this.#next, nextOffset - 1, lost);
      this.#next = nextOffset;
      this.#epoch = epoch;
    }
    if (markers.length > 0 || this.#held.firstLate !== undefined || wasBack)
      this.#endTransactions(markers, nextOffset);
  }

  /**
   * A message that this process has just stored in this inbox: pushed at once if it is exactly the next one, under the
   * leader that what is in front of it came from. All others come with a fetch, as if this had not been called.
   * @param epoch leader epoch under which it was stored
   */
  handOver(message: InboxMessage, epoch: number): void {
    const { offset } = message;
    if (!this.#subscription || offset !== this.#next || epoch !== this.#epoch || !this.#mayPush()) return;
    // It is being read again further back.
    if (this.#held.firstLate !== undefined) return;
    this.#next = offset + 1;
    this.#position.epochs.note(offset, epoch);
    this.#subscription.advance(this.#next);
    if (this.#watermark.has(offset)) return;
    this.#push(message);
    this.#restIfFull();
  }

  onGone(): void {
    this.#subscription = null;
    void this.#around.whyGone(this.owner).then((reason) => this.lose(reason));
  }

  onParted(ends: EpochEnd): void {
    this.#subscription = null;
    if (this.#position.epochs.partsFrom(ends) < this.#next) {
      this.#changed({ ...ends });
      return;
    }
    // Nothing was appended under the epoch that we were told of, and the log has forgotten it.
    this.#epoch = ends.epoch;
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
    const { cluster, looks } = this.#around;
    const deadline = now() + READ_TIMEOUT_MS;
    const { start } = await readBounds(cluster, this.topic, deadline);
    const ends = await retry('epoch', deadline, () => looks.epochEnd(this.owner, this.#epoch));
    if (this.#ended) return;
    const isCut = this.#position.epochs.partsFrom(ends) < this.#next;
    // What was held back there is gone unread, which the next login finds out.
    this.#held.forgetBelow(start);
    if (start > this.#next || isCut) this.#changed({ start, ...ends });
    else setTimeout(() => this.#follow(), CHECK_AGAIN_MS);
  }

  // ---- inside

  /** False, and nothing is fetched, while this frontend may have been taken for dead, or the inbox be somebody else's. */
  #mayPush(): boolean {
    if (!this.#around.isFrontendAlive()) this.#stops.frontendSilent = true;
    else if (!this.isKnownHeld) this.#stops.unconfirmed = true;
    else return true;
    this.#unfollow();
    if (this.#stops.unconfirmed) this.#around.confirmSoon(this);
    return false;
  }

  #push(message: InboxMessage): void {
    this.#handedOut = Math.max(this.#handedOut, message.offset);
    this.#options.onMessage(message);
  }

  #restIfFull(): void {
    // Gaps of what is held back close by what is still to come.
    if (!this.#watermark.isFull() || this.#held.isWaiting) return;
    this.#stops.rangesFull = true;
    this.#unfollow();
  }

  #follow(): void {
    const { paused, frontendSilent, unconfirmed, rangesFull } = this.#stops;
    if (this.#ended || this.#subscription || paused || frontendSilent || unconfirmed || rangesFull) return;
    this.#subscription = this.#around.tail.follow(this, this.#place());
  }

  /** Where to read on: what comes late comes first. */
  #place(): Place {
    const { firstLate } = this.#held;
    return firstLate === undefined
      ? { offset: this.#next, epoch: this.#epoch }
      : { offset: firstLate, epoch: UNKNOWN_EPOCH };
  }

  #unfollow(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }

  /** The first offset from `from` on that was neither acknowledged nor pushed. */
  #nextToRead(from: number): number {
    const missing = this.#watermark.nextMissing(from);
    return missing >= this.#liveStart && missing < this.#next
      ? this.#watermark.nextMissing(this.#next)
      : missing;
  }

  #decode(raw: RawRecord): InboxMessage | null {
    const reason = this.#read(raw);
    if (typeof reason !== 'string') return reason;
    this.#around.steppedOver.note({ topic: this.topic, offset: raw.offset, reason });
    this.#stepOver(raw.offset, raw.offset);
    return null;
  }

  /** @returns why it is no message otherwise */
  #read(raw: RawRecord): InboxMessage | string {
    // No frame has room for it.
    if (bytesOf(raw) > MAX_RECORD_BYTES) return 'too large';
    const decoded = decodeRecord(this.#around.trust, this.owner, raw);
    return decoded.kind === 'message' ? decoded.message : decoded.reason;
  }

  /** Offsets without a record: what was lost of them is gone, the others are of no account. */
  #pass(first: number, last: number, lost: readonly Lost[]): void {
    for (const range of lost) {
      if (range.first > last) break;
      this.#lose(Math.max(first, range.first), Math.min(last, range.last), range.reason);
    }
    this.#stepOver(first, last);
  }

  /** Nobody will ever get what lay there: its senders hear so by the next commit. */
  #lose(first: number, last: number, reason: Lost['reason']): void {
    if (first > last || this.#position.lose(first, last) === 0) return;
    this.#commits.touch();
    this.#lost.note({ topic: this.topic, first, last, reason });
  }

  /** Offsets without a message for the owner count as delivered. */
  #stepOver(first: number, last: number): void {
    this.#deliver(first, last);
  }

  /** What of these is not held back counts as delivered. @returns whether anything changed */
  #deliver(first: number, last: number): boolean {
    let hasChanged = false;
    if (this.#held.isWaiting) {
      for (const range of this.#held.outside(first, last)) {
        if (this.#watermark.add(...range)) hasChanged = true;
      }
    } else {
      hasChanged = this.#watermark.add(first, last);
    }
    if (hasChanged) this.#commits.touch();
    return hasChanged;
  }

  /** Whether a record is not of a transaction that was aborted, or is open. */
  #counts(raw: RawRecord, ends: Markers): boolean {
    const standing = this.#held.judge(raw, ends);
    if (standing === 'aborted') this.#stepOver(raw.offset, raw.offset);
    return standing === 'counts';
  }

  /**
   * Of what was held back for a transaction that has ended, the tail brings once more what was committed. What lies before
   * the live messages waits for `read`, as all does there.
   * @param nextOffset where the fetch ended that brought these markers
   */
  #endTransactions(markers: readonly Marker[], nextOffset: number): void {
    // The log has it no more.
    for (const range of this.#held.dropLateBelow(nextOffset)) this.#lose(...range, 'not in the log');
    for (const marker of markers) {
      this.#position.epochs.note(marker.offset, marker.leaderEpoch);
      for (const [first, last] of this.#held.end(marker)) {
        if (!marker.isCommit) this.#stepOver(first, last);
        else if (last >= this.#liveStart) this.#held.addLate(Math.max(first, this.#liveStart), last);
      }
    }
    const place = this.#place();
    if (place.offset !== nextOffset) this.#subscription?.moveTo(place);
  }

  async #readFrom(position: number): Promise<DecidedRecords> {
    const { cluster, tail, steppedOver } = this.#around;
    // Before the next one and not after the last: what waits has nothing large in its hands.
    await this.#unpackRest;
    const deadline = now() + READ_TIMEOUT_MS;
    const place = { offset: position, epoch: this.epochAt(position - 1) };
    const read = await readDecided(cluster, this, place, READ_BYTES, deadline).catch((error: unknown) => {
      if (error instanceof KafkaError && error.kafkaCode === KafkaCode.OFFSET_OUT_OF_RANGE)
        this.#changed(place);
      return this.#asEngineError(error);
    });
    this.#unpackRest = tail.pace.unpacked(read.unpackCost);
    if (read.damage) {
      const { error, nextOffset } = read.damage;
      steppedOver.note({ topic: this.topic, before: nextOffset, reason: error.message });
    }
    await this.#expectStillHeld();
    return read;
  }

  readonly #asEngineError = (error: unknown): never => {
    if (error instanceof EngineError) throw error;
    if (isUnknownTopic(error)) throw noInbox(this.topic);
    throw new EngineError('LOST', `the inbox topic ${this.topic} cannot be read`, { cause: error });
  };

  /** After waiting for anything: this process may have been frozen meanwhile, and the inbox be somebody else's. */
  async #expectStillHeld(): Promise<void> {
    if (!this.#around.isFrontendAlive()) await this.#around.frontendAlive(now() + READ_TIMEOUT_MS);
    if (!this.isKnownHeld) await this.confirm();
    await this.#expectHeld();
  }

  async #expectHeld(): Promise<void> {
    if (!this.#ended) return;
    throw new EngineError('LOST', `${this.topic} is not held any more`, { loss: await this.#loss });
  }

  async #heartbeat(): Promise<void> {
    const sentAt = now();
    await this.#member.heartbeat();
    this.#lastHeartbeat = Math.max(this.#lastHeartbeat, sentAt);
    this.#hasContact(sentAt);
  }

  /** Kafka took it for the holder's. */
  #hasContact(sentAt: number): void {
    this.#heldAt = Math.max(this.#heldAt, sentAt);
    if (!this.#stops.unconfirmed || !this.isKnownHeld) return;
    this.#stops.unconfirmed = false;
    this.#follow();
  }

  async #commit(): Promise<void> {
    const sentAt = now();
    const { low } = this.#watermark;
    const { epoch } = this.#position;
    const past = this.#position.encode();
    const metadata = this.#watermark.encode(inboxLifeOf(this.owner), this.#correspondents.encode(), past);
    await this.#member.commit(this.topic, { offset: low, epoch, metadata });
    this.#hasContact(sentAt);
    this.#committedLow = low;
  }

  #onContactFailed(what: string, error: unknown): void {
    if (error instanceof EngineError && error.code === 'LOST') this.#unknown();
    else if (!isOfNetwork(error))
      this.#around.log.warn({ ...whyOf(error), group: this.#member.group }, `${what} failed`);
  }

  /** Kafka does not know our member any more: it has ended, and why is to be found out. */
  #unknown(): void {
    if (!this.#release()) return;
    this.#loss = this.#around.whyUnknown(this);
    void this.#loss.then((reason) => this.#options.onLost(reason));
  }

  /** @returns false when it had ended already */
  #release(): boolean {
    if (!this.#end()) return false;
    this.#around.abandon(this.#member);
    this.#around.onReleased(this);
    return true;
  }

  /** @returns false when it had ended already */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#commits.stop();
    this.#unfollow();
    return true;
  }

  async #close(commit: boolean): Promise<void> {
    if (!this.#end()) return;
    const deadline = now() + CLOSE_TIMEOUT_MS;
    try {
      const isDirty = await this.#commits.settle();
      if (commit && isDirty) await retry('last commit', deadline, () => this.#commit());
      await this.#member.leave(deadline);
    } catch (error) {
      this.#around.log.warn({ ...whyOf(error), group: this.#member.group }, 'inbox not closed cleanly');
      this.#around.abandon(this.#member);
    } finally {
      this.#around.onReleased(this);
    }
  }
}
