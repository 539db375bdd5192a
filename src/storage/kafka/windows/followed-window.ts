import type { Logger } from 'pino';
import type { FollowedRoom, RoomListener } from '../../../core/rooms.ts';
import { placeOf, seqOf } from '../../../core/windows.ts';
import type { InboxLease } from '../inbox/inbox-lease.ts';
import type { InboxSurroundings } from '../inbox/inbox-surroundings.ts';
import type { Cluster } from '../wire/cluster.ts';
import { now, whyOf } from '../wire/retry.ts';
import type { Chunk } from './chunk.ts';
import { startsOf } from './read-committed.ts';
import type { RoomWindow, WindowViewer } from './room-window.ts';
import type { TopicPositions } from './topic-positions.ts';
import { UnshownRecords } from './unshown.ts';

export interface FollowedWindowOptions {
  readonly around: Pick<InboxSurroundings, 'isFrontendAlive'>;
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly lease: Pick<InboxLease, 'hasEnded' | 'isKnownHeld'>;
  readonly window: RoomWindow;
  readonly positions: TopicPositions;
  /** `windowKey`: the window, and since when they are in it. */
  readonly key: string;
  /** The latter, milliseconds since the epoch. */
  readonly at: number;
  /** They came in while they were logged in, so that nobody could commit where they begin. */
  readonly cameNow: boolean;
  /** Where the topic ended when they came in, by partition, if that was through this frontend. */
  readonly entered: () => ReadonlyMap<number, number> | undefined;
  readonly maxRecords: number;
  readonly maxAgeMs: number;
  readonly listener: RoomListener;
  /** It is not known whether the lease is still held: somebody is to ask. */
  readonly confirmSoon: () => void;
  readonly onLeft: () => void;
}

/** Records of a partition that may have come between the time at which somebody came in and the first look for them. */
const LOOK_BACK = 1_000;
/** Of a partition that was not looked at yet. */
const UNSEEN = { end: 0, askedAt: Number.NEGATIVE_INFINITY };

/** One partition on its way to one device. */
interface Walk {
  readonly partition: number;
  /** Where nothing is known of it: what is of a time before that is not theirs, unless it has come since they are followed. */
  readonly since: { readonly time: number; readonly below: number } | null;
  /** The next offset that they are shown, or step over. */
  next: number;
  /** Since when that is known, on the clock of `now`. */
  knownAt: number;
  /** What they were shown and have not acknowledged, ascending. */
  readonly unacknowledged: Set<number>;
  isBusy: boolean;
}

/** A window that one device follows, under the lease of its inbox: all partitions of the topic, each from where they are in it. */
export class FollowedWindow implements FollowedRoom, WindowViewer {
  readonly #options: FollowedWindowOptions;
  readonly #walks = new Map<number, Walk>();
  readonly #unshown: UnshownRecords;
  readonly #wake = () => this.look();
  #isBeginning = false;
  #isRemade = false;
  #isPaused = false;
  #hasLeft = false;

  constructor(options: FollowedWindowOptions) {
    this.#options = options;
    const { window, positions, maxAgeMs, maxRecords } = options;
    this.#unshown = new UnshownRecords({
      ...{ topic: window.watch.topic, maxAgeMs, maxRecords },
      say: (notice) => this.#isOver || options.listener.onNotice?.(notice),
      onTold: () => {
        for (const walk of this.#walks.values()) this.#settle(walk);
      },
    });
    positions.add(this.#wake);
    for (const sentence of window.add(this)) this.say(sentence);
    this.look();
  }

  // ---- the session's side (FollowedRoom)

  /** As `seqOf` has them. */
  acknowledge(first: number, last: number): void {
    if (this.#isOver) return;
    // Of whichever partitions: some hundred are on their way at most.
    for (const walk of this.#walks.values()) {
      const { partition, unacknowledged } = walk;
      const before = unacknowledged.size;
      for (const offset of unacknowledged) {
        const seq = seqOf({ partition, offset });
        if (first <= seq && seq <= last) unacknowledged.delete(offset);
      }
      if (unacknowledged.size < before) this.#settle(walk);
    }
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.look();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const { window, positions, key, lease, onLeft } = this.#options;
    window.remove(this);
    positions.remove(this.#wake);
    this.#unshown.close();
    if (!lease.hasEnded)
      for (const { partition } of this.#walks.values()) positions.get(partition)?.drop(key);
    onLeft();
  }

  // ---- the window's side (WindowViewer)

  look(): void {
    if (this.#isOver) return;
    const { partitions } = this.#options.window.watch;
    if (partitions.size !== this.#walks.size) void this.#begin();
    if (this.#isPaused) return;
    for (const walk of this.#walks.values()) {
      if (walk.isBusy) continue;
      this.#stepBack(walk);
      if (this.#mayRead(walk)) void this.#read(walk);
    }
  }

  say(text: string): void {
    if (!this.#isOver) this.#options.listener.onNotice?.({ text });
  }

  remade(): void {
    this.#walks.clear();
    this.#unshown.tell();
    this.#isRemade = true;
  }

  // ---- inside

  get #isOver(): boolean {
    return this.#hasLeft || this.#options.lease.hasEnded;
  }

  /** Begins with the partitions that are not followed yet; where that fails the next look tries again. Never rejects. */
  async #begin(): Promise<void> {
    const { window, positions, log } = this.#options;
    const { watch } = window;
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    let fresh: Walk[] = [];
    try {
      const { topicId } = watch;
      await positions.read(topicId, [...watch.partitions.keys()]);
      fresh = await this.#fresh();
      if (this.#isOver || topicId !== watch.topicId) return;
      this.#bound(fresh);
      for (const walk of fresh) this.#walks.set(walk.partition, walk);
      for (const walk of fresh) this.#settle(walk);
    } catch (error) {
      log.debug({ ...whyOf(error), topic: watch.topic }, 'a topic is not followed yet');
    } finally {
      this.#isBeginning = false;
    }
    if (fresh.length > 0) this.look();
  }

  /** Walks from where they are in those that are not followed yet. @throws the network's error; KafkaError */
  async #fresh(): Promise<Walk[]> {
    const { window, positions, key, at, cameNow, entered } = this.#options;
    const { watch } = window;
    const missing = [...watch.partitions].filter(([partition]) => !this.#walks.has(partition));
    const mayHaveEntered = cameNow && !this.#isRemade;
    const isFirst = this.#walks.size === 0;
    const known = new Map<number, number>();
    for (const [partition] of missing) {
      const low =
        positions.get(partition)?.get(key) ?? (mayHaveEntered ? entered()?.get(partition) : undefined);
      if (low !== undefined) known.set(partition, low);
    }
    const unknown = missing.filter(([partition]) => !known.has(partition));
    const starts = await startsOf(this.#options.cluster, watch.topic, unknown);
    const walks: Walk[] = [];
    for (const [partition, { end }] of missing) {
      const low = known.get(partition);
      const start = low ?? starts.get(partition);
      if (start === undefined) continue;
      // What of a topic that was made again is there is all of it new.
      const since = low === undefined && !this.#isRemade ? { time: at, below: end } : null;
      const next = since !== null && cameNow && isFirst ? Math.max(start, end - LOOK_BACK) : start;
      walks.push({ partition, since, next, knownAt: now(), unacknowledged: new Set(), isBusy: false });
    }
    return walks;
  }

  /** The partition's log was cut in front of where they are: its next records have offsets that they have had. */
  #stepBack(walk: Walk): void {
    const { window } = this.#options;
    const { end, askedAt } = window.watch.partitions.get(walk.partition) ?? UNSEEN;
    if (end >= walk.next || askedAt <= walk.knownAt) return;
    window.cut(walk.partition, end);
    for (const offset of walk.unacknowledged) if (offset >= end) walk.unacknowledged.delete(offset);
    this.say(
      `Kafka has lost the last records of ${window.watch.topic}/${walk.partition}, from offset ${end} on: others come in their place.`,
    );
    walk.next = end;
    walk.knownAt = now();
    this.#settle(walk);
  }

  /** Of what lies in front of somebody who was away only the newest is shown: the same number of each partition, as far as it has them. */
  #bound(walks: readonly Walk[]): void {
    const { partitions } = this.#options.window.watch;
    const behind = (walk: Walk) => Math.max(0, (partitions.get(walk.partition)?.end ?? 0) - walk.next);
    let left = this.#options.maxRecords;
    const shortFirst = [...walks].sort((a, b) => behind(a) - behind(b));
    for (const [index, walk] of shortFirst.entries()) {
      const share = Math.floor(left / (shortFirst.length - index));
      const skipped = behind(walk) - share;
      if (skipped > 0) {
        if (walk.since === null)
          this.#unshown.note(walk.partition, { why: 'skipped', records: skipped, from: walk.next });
        walk.next += skipped;
      }
      left -= behind(walk);
    }
  }

  #mayRead({ partition, next }: Walk): boolean {
    const { window } = this.#options;
    const { end } = window.watch.partitions.get(partition) ?? UNSEEN;
    return !this.#isOver && !this.#isPaused && window.isOpen && next < end;
  }

  /** Up to the partition's end, or until it has to rest. Never rejects. */
  async #read(walk: Walk): Promise<void> {
    const { window, log } = this.#options;
    walk.isBusy = true;
    try {
      while (this.#mayRead(walk)) {
        const chunk = await window.at(walk.partition, walk.next);
        // It was made again meanwhile.
        if (this.#walks.get(walk.partition) !== walk) return;
        this.#take(walk, chunk);
        if (!this.#mayPush()) return;
      }
    } catch (error) {
      // The next look tries again.
      log.debug({ ...whyOf(error), topic: window.watch.topic }, 'a topic was not read');
    } finally {
      walk.isBusy = false;
    }
  }

  #take(walk: Walk, { next, messages, remarks }: Chunk): void {
    const { listener } = this.#options;
    const from = walk.next;
    let isWhole = true;
    let hasTheirs = walk.since === null || from >= walk.since.below;
    for (const message of messages) {
      const { offset } = placeOf(message.offset);
      if (offset < walk.next) continue;
      // What comes before it was left out.
      walk.next = offset;
      isWhole = !this.#isPaused && this.#mayPush();
      if (!isWhole) break;
      walk.next = offset + 1;
      if (walk.since !== null && offset < walk.since.below && message.acceptedAt < walk.since.time) continue;
      hasTheirs = true;
      walk.unacknowledged.add(offset);
      listener.onMessage(message);
    }
    if (isWhole) walk.next = Math.max(walk.next, next);
    walk.knownAt = now();
    for (const remark of remarks)
      if (hasTheirs && remark.from >= from && remark.from < walk.next)
        this.#unshown.note(walk.partition, remark);
    this.#settle(walk);
  }

  /** False while this frontend may have been taken for dead, or the lease be somebody else's. */
  #mayPush(): boolean {
    const { around, lease, confirmSoon } = this.#options;
    if (this.#isOver || !around.isFrontendAlive()) return false;
    if (lease.isKnownHeld) return true;
    confirmSoon();
    return false;
  }

  /** Everything in front of what they have not acknowledged, or not been told of, counts as delivered. */
  #settle({ partition, next, unacknowledged }: Walk): void {
    if (this.#isOver) return;
    const [low = next] = unacknowledged;
    const untold = this.#unshown.first(partition) ?? low;
    this.#options.positions.get(partition)?.set(this.#options.key, Math.min(low, untold));
  }
}
