import type { Logger } from 'pino';
import type { FollowedRoom, RoomListener } from '../../../core/rooms.ts';
import { placeOf, seqOf } from '../../../core/windows.ts';
import type { InboxLease } from '../inbox/inbox-lease.ts';
import type { InboxSurroundings } from '../inbox/inbox-surroundings.ts';
import type { Cluster } from '../wire/cluster.ts';
import { whyOf } from '../wire/retry.ts';
import type { Chunk } from './chunk.ts';
import { startOf } from './read-committed.ts';
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
  /** They came in while they were logged in: if nothing is known of it they begin at the topic's end. */
  readonly cameNow: boolean;
  readonly maxRecords: number;
  readonly maxAgeMs: number;
  readonly listener: RoomListener;
  /** It is not known whether the lease is still held: somebody is to ask. */
  readonly confirmSoon: () => void;
  readonly onLeft: () => void;
}

/** One partition on its way to one device. */
interface Walk {
  readonly partition: number;
  /** Where nothing is known of it: what is of a time before that is not theirs. */
  readonly since: number | null;
  /** The next offset that they are shown, or step over. */
  next: number;
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
    for (const walk of this.#walks.values()) if (!walk.isBusy && this.#mayRead(walk)) void this.#read(walk);
  }

  say(text: string): void {
    if (!this.#isOver) this.#options.listener.onNotice?.({ text });
  }

  remade(): void {
    this.#walks.clear();
    this.#isRemade = true;
  }

  // ---- inside

  get #isOver(): boolean {
    return this.#hasLeft || this.#options.lease.hasEnded;
  }

  /** Begins with the partitions that are not followed yet. Never rejects. */
  async #begin(): Promise<void> {
    const { window, positions, key, at, cameNow, cluster, log } = this.#options;
    const { watch } = window;
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    try {
      const { topicId } = watch;
      const wanted = [...watch.partitions.keys()];
      await positions.read(topicId, wanted);
      // A partition without a position is new to who has one in others, as all are in a topic that was made again.
      const isNew =
        !this.#isRemade && wanted.every((partition) => positions.get(partition)?.get(key) === undefined);
      const hasJustCome = isNew && cameNow;
      const since = isNew && !hasJustCome ? at : null;
      const fresh: Walk[] = [];
      for (const partition of wanted.filter((each) => !this.#walks.has(each))) {
        const { node = -1, end = 0 } = watch.partitions.get(partition) ?? {};
        const known = positions.get(partition)?.get(key) ?? (hasJustCome ? end : undefined);
        const next = known ?? (await startOf(cluster, { topic: watch.topic, partition, node }));
        // Where the log was cut its next records are behind its end.
        const place = { next: Math.min(next, end), since };
        fresh.push({ partition, ...place, unacknowledged: new Set(), isBusy: false });
      }
      if (this.#isOver || topicId !== watch.topicId) return;
      this.#bound(fresh);
      for (const walk of fresh) this.#walks.set(walk.partition, walk);
      for (const walk of fresh) this.#settle(walk);
    } catch (error) {
      // The next look tries again.
      log.debug({ ...whyOf(error), topic: watch.topic }, 'a topic is not followed yet');
    } finally {
      this.#isBeginning = false;
    }
    if (this.#walks.size > 0) this.look();
  }

  /** Of what lies in front of somebody who was away only the newest is shown: the same number of each partition, as far as it has them. */
  #bound(walks: readonly Walk[]): void {
    const { partitions } = this.#options.window.watch;
    const behind = (walk: Walk) => (partitions.get(walk.partition)?.end ?? 0) - walk.next;
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
    const { end = 0 } = window.watch.partitions.get(partition) ?? {};
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
    let hasTheirs = walk.since === null;
    for (const message of messages) {
      const { offset } = placeOf(message.offset);
      if (offset < walk.next) continue;
      // What comes before it was left out.
      walk.next = offset;
      isWhole = !this.#isPaused && this.#mayPush();
      if (!isWhole) break;
      walk.next = offset + 1;
      if (walk.since !== null && message.acceptedAt < walk.since) continue;
      hasTheirs = true;
      walk.unacknowledged.add(offset);
      listener.onMessage(message);
    }
    if (isWhole) walk.next = Math.max(walk.next, next);
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

  /** Everything in front of what they have not acknowledged counts as delivered. */
  #settle({ partition, next, unacknowledged }: Walk): void {
    if (this.#isOver) return;
    const [low = next] = unacknowledged;
    this.#options.positions.get(partition)?.set(this.#options.key, low);
  }
}
