import { setTimeout as sleep, setImmediate as turnEnd } from 'node:timers/promises';
import type { EpochEnd } from '../../../core/epochs.ts';
import { Semaphore } from '../../../util/semaphore.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { Lost, ReadRecords } from '../wire/fetched-records.ts';
import { KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import type { Marker, RawRecord } from '../wire/log-batch.ts';
import { longerPause, now } from '../wire/retry.ts';
import type { Fetcher, Follower, Subscription } from './fetcher.ts';
import { type LogPosition, readLog } from './log-reader.ts';

/** What somebody who is behind reads at once. */
const READ_BYTES = 256 * 1024;
/** So many read at once at one broker, of all topics, so that one that is mute holds up no other; more wait their turn: a client that takes something again may have hundreds of logs that rested. */
export const READS_AT_ONCE = 32;
const READ_TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** What feeds read with. */
export interface FeedSources {
  /** Those who read where a topic is led. */
  readonly gateOf: (topic: string) => Semaphore;
  readonly fetcher: Pick<Fetcher, 'follow'> & { readonly pace: Pick<Fetcher['pace'], 'unpacked'> };
  /** Records from a place on, as many as one fetch brings. @throws EngineError; KafkaError OFFSET_OUT_OF_RANGE */
  readonly read: (topic: Pick<Follower, 'topic' | 'topicId'>, place: LogPosition) => Promise<ReadRecords>;
}

/** One of those who follow a topic. */
class Reader implements Subscription {
  readonly follower: Follower;
  readonly whom: string;
  position: number;
  /** Leader epoch of the record in front of that. */
  epoch: number;
  /** It is not one of the foremost, and reads for itself. */
  isBehind = true;
  isCatchingUp = false;
  isClosed = false;
  readonly #feed: Feed;

  constructor(feed: Feed, follower: Follower, { offset, epoch }: LogPosition, whom: string) {
    this.#feed = feed;
    this.follower = follower;
    this.whom = whom;
    this.position = offset;
    this.epoch = epoch;
  }

  advance(reached: number): void {
    if (reached > this.position) this.position = reached;
    if (this.isBehind) return;
    // Nearly always there is no other.
    if (this.#feed.readers.length === 1) this.#feed.tail?.advance(reached);
    else this.#feed.advanced();
  }

  moveTo({ offset, epoch }: LogPosition): void {
    this.position = offset;
    this.epoch = epoch;
    if (!this.isBehind) this.#feed.moved(this);
  }

  close(): void {
    if (!this.isClosed) this.#feed.close(this);
  }
}

/**
 * A topic that is followed: however many do so, the fetcher is asked for the newest records once. Whoever is further back reads the
 * log itself, in steps, until it has caught up with the foremost: nobody waits for one who is slower.
 */
class Feed implements Follower {
  readonly topic: string;
  readonly topicId: string;
  readonly #sources: FeedSources;
  readonly #onEmpty: () => void;
  readers: Reader[] = [];
  /** Where the foremost are; null while there are none. */
  tail: Subscription | null = null;
  /** Leader epoch in front of that. */
  #epoch = 0;
  /** What the foremost have advanced to is to be summed up. */
  #isDue = false;

  constructor({ topic, topicId }: Follower, sources: FeedSources, onEmpty: () => void) {
    this.topic = topic;
    this.topicId = topicId;
    this.#sources = sources;
    this.#onEmpty = onEmpty;
  }

  follow(follower: Follower, place: LogPosition, whom: string): Subscription {
    const reader = new Reader(this, follower, place, whom);
    this.readers.push(reader);
    if (!this.#joins(reader)) void this.#catchUp(reader);
    return reader;
  }

  // ---- the fetcher's side (Follower)

  onRecords(
    records: readonly RawRecord[],
    nextOffset: number,
    epoch: number,
    markers: readonly Marker[],
    lost: readonly Lost[],
  ): void {
    this.#epoch = epoch;
    for (const reader of [...this.readers]) {
      // Also by what the one before has brought about.
      if (reader.isBehind || reader.isClosed) continue;
      reader.position = nextOffset;
      reader.epoch = epoch;
      reader.follower.onRecords(records, nextOffset, epoch, markers, lost);
    }
  }

  onGone(): void {
    this.#ended((follower) => follower.onGone());
  }

  onOutOfRange(): void {
    this.#ended((follower) => follower.onOutOfRange());
  }

  onParted(ends: EpochEnd): void {
    this.#ended((follower) => follower.onParted(ends));
  }

  // ---- the readers' side

  /** One of the foremost has got something by another way: what all of them have need not be fetched. */
  advanced(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    // Once for all that are given the same.
    queueMicrotask(() => {
      this.#isDue = false;
      const positions = this.#foremost().map(({ position }) => position);
      if (positions.length > 0) this.tail?.advance(Math.min(...positions));
    });
  }

  /** One of the foremost goes on elsewhere. */
  moved(reader: Reader): void {
    const { position: offset, epoch } = reader;
    if (this.#foremost().length === 1) {
      this.#epoch = epoch;
      this.tail?.moveTo({ offset, epoch });
      return;
    }
    reader.isBehind = true;
    void this.#catchUp(reader);
  }

  close(reader: Reader): void {
    this.#remove(reader);
    if (this.#foremost().length > 0) return;
    this.tail?.close();
    this.tail = null;
  }

  // ---- inside

  #foremost(): Reader[] {
    return this.readers.filter(({ isBehind }) => !isBehind);
  }

  /** The fetcher has ended the tail: what to do the foremost find out, each for itself. */
  #ended(tell: (follower: Follower) => void): void {
    this.tail = null;
    const ended = this.#foremost();
    for (const reader of ended) this.#remove(reader);
    for (const { follower } of ended) tell(follower);
  }

  #remove(reader: Reader): void {
    reader.isClosed = true;
    this.readers = this.readers.filter((other) => other !== reader);
    if (this.readers.length === 0) this.#onEmpty();
  }

  /** Makes a reader one of the foremost, if it is where they are, or in front of them. @returns whether it is */
  #joins(reader: Reader): boolean {
    const place = { offset: reader.position, epoch: reader.epoch };
    if (this.tail === null) {
      reader.isBehind = false;
      this.#epoch = place.epoch;
      this.tail = this.#sources.fetcher.follow(this, place);
      return true;
    }
    const { position } = this.tail;
    if (place.offset < position || (place.offset === position && place.epoch !== this.#epoch)) return false;
    if (place.offset > position) {
      // It must not get again what it has: the others go the rest of the way by themselves.
      const passed = this.#foremost();
      for (const other of passed) other.isBehind = true;
      this.#epoch = place.epoch;
      this.tail.moveTo(place);
      for (const other of passed) void this.#catchUp(other);
    }
    reader.isBehind = false;
    return true;
  }

  /** Never fails. */
  async #catchUp(reader: Reader): Promise<void> {
    if (reader.isCatchingUp) return;
    reader.isCatchingUp = true;
    for (let pause = FIRST_PAUSE_MS; reader.isBehind && !reader.isClosed; ) {
      try {
        await this.#step(reader);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (reader.isClosed) break;
        if (error instanceof KafkaError && error.kafkaCode === KafkaCode.OFFSET_OUT_OF_RANGE) {
          this.#remove(reader);
          reader.follower.onOutOfRange();
          break;
        }
        await sleep(pause * (0.5 + Math.random()));
        pause = longerPause(pause, LONGEST_PAUSE_MS);
        // Where the topic is gone, it is the fetcher that tells.
        if (!reader.isClosed && this.tail === null) this.#joins(reader);
      }
    }
    reader.isCatchingUp = false;
  }

  /** Reads on, no further than to the foremost. */
  async #step(reader: Reader): Promise<void> {
    const { fetcher, read, gateOf } = this.#sources;
    const from = reader.position;
    const isStill = () => !reader.isClosed && reader.position === from;
    // What has waited for its turn may rest again by then.
    const found = await gateOf(this.topic).pass(reader.whom, async () =>
      isStill() ? read(this, { offset: from, epoch: reader.epoch }) : null,
    );
    // It was moved or ended meanwhile.
    if (found === null || !isStill()) return;
    const tail = this.tail?.position ?? Number.POSITIVE_INFINITY;
    const { records, nextOffset, epoch, markers, lost } = upTo(found, Math.max(from, tail));
    if (nextOffset > from) {
      reader.position = nextOffset;
      reader.epoch = epoch;
      reader.follower.onRecords(records, nextOffset, epoch, markers, lost);
    } else if (from === tail) {
      // The leader has just found the same in front of it as the foremost have.
      reader.epoch = this.#epoch;
    }
    if (reader.isClosed || this.#joins(reader)) return;
    await fetcher.pace.unpacked(found.unpackCost);
    await turnEnd();
  }
}

/** What lies below an offset. */
function upTo(read: ReadRecords, most: number): ReadRecords {
  if (read.nextOffset <= most) return read;
  const records = read.records.filter(({ offset }) => offset < most);
  const markers = read.markers.filter(({ offset }) => offset < most);
  const lost = read.lost.filter(({ first }) => first < most);
  const epoch = Math.max(records.at(-1)?.leaderEpoch ?? -1, markers.at(-1)?.leaderEpoch ?? -1);
  return { ...read, records, markers, lost, nextOffset: most, epoch };
}

/** The topics that somebody here follows: one feed for each. */
export class Feeds {
  readonly #sources: FeedSources;
  /** By topic id. */
  readonly #feeds = new Map<string, Feed>();

  constructor(sources: FeedSources) {
    this.#sources = sources;
  }

  /**
   * Starts to follow a topic from a place on. To pause: close, and follow again from the position.
   * @param whom it is for: everybody who waits to read has the next turn in turn
   */
  follow(follower: Follower, place: LogPosition, whom: string): Subscription {
    const { topicId } = follower;
    let feed = this.#feeds.get(topicId);
    if (feed === undefined) {
      feed = new Feed(follower, this.#sources, () => this.#feeds.delete(topicId));
      this.#feeds.set(topicId, feed);
    }
    return feed.follow(follower, place, whom);
  }
}

/** Feeds over a fetcher, whose readers read the log at its leader. */
export function feedsOf(cluster: Cluster, fetcher: FeedSources['fetcher']): Feeds {
  // By broker, as many as there are; those of whom nobody knows yet who leads their topics have one together.
  const gates = new Map<number | undefined, Semaphore>();
  const gateOf = (topic: string) => {
    const node = cluster.knownLeader(topic)?.node;
    const gate = gates.get(node) ?? new Semaphore(READS_AT_ONCE);
    gates.set(node, gate);
    return gate;
  };
  return new Feeds({
    fetcher,
    gateOf,
    read: (topic, place) => readLog(cluster, topic, place, READ_BYTES, now() + READ_TIMEOUT_MS),
  });
}
