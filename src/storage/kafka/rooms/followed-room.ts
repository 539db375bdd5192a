import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { FollowedRoom, Room, RoomListener } from '../../../core/rooms.ts';
import { readBounds } from '../fetch/log-reader.ts';
import { readCommits } from '../groups/commits.ts';
import type { Position } from '../groups/position.ts';
import { Cursor } from '../inbox/cursor.ts';
import type { InboxLease } from '../inbox/inbox-lease.ts';
import type { InboxSurroundings } from '../inbox/inbox-surroundings.ts';
import { type DecodedRecord, decodeRecord } from '../inbox/record.ts';
import type { RawRecord } from '../wire/log-batch.ts';
import { longerPause, now, retry, whyOf } from '../wire/retry.ts';
import { cutUnknown, roomCommit, roomPosition } from './room-position.ts';

const FOLLOW_TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface FollowOptions {
  readonly around: InboxSurroundings;
  readonly lease: InboxLease;
  /** Of the device, in which its position is committed. */
  readonly group: string;
  readonly room: Room;
  readonly topic: string;
  /** Nothing in front of this is theirs. */
  readonly since: number;
  readonly listener: RoomListener;
  /** It is not known whether the lease is still held: somebody is to ask. */
  readonly confirmSoon: () => void;
  /** The log was cut below what this session was given: it cannot go on. */
  readonly onCut: (found: Record<string, unknown>) => void;
  readonly onLeft: () => void;
}

/** What is in a record of a room: all who follow it are given the same, read once. */
const decoded = new WeakMap<RawRecord, DecodedRecord>();

/** A room that one device follows, under the lease of its inbox: a cursor in the room's log. */
export class KafkaFollowedRoom implements FollowedRoom {
  readonly #options: FollowOptions;
  readonly #position: Position;
  #cursor: Cursor | null = null;
  /** Nothing is committed yet. */
  readonly #isNew: boolean;
  #isPaused = false;
  #hasLeft = false;
  /** What lies below this was given to this session, or is not theirs; 0 until it begins anew. */
  #given = 0;

  private constructor(options: FollowOptions, position: Position, isNew: boolean) {
    this.#options = options;
    this.#isNew = isNew;
    this.#position = position;
  }

  /** @throws EngineError `UNAVAILABLE`, `LOST`; KafkaError where there is no such topic */
  static async follow(options: FollowOptions): Promise<KafkaFollowedRoom> {
    const { around, lease, group, topic, room, since } = options;
    const deadline = now() + FOLLOW_TIMEOUT_MS;
    const [commit = null] = await readCommits(around.cluster, [{ group, topic }], deadline);
    const { position, isNew } = roomPosition(commit, room, since);
    const followed = new KafkaFollowedRoom(options, position, isNew);
    await followed.#begin(deadline);
    if (lease.hasEnded) followed.#end();
    await lease.expect();
    return followed;
  }

  acknowledge(first: number, last: number): void {
    if (this.#cursor !== null) this.#cursor.acknowledge(first, last);
    // While it begins anew: they were given it before. What the log has lost of it is taken back then.
    else if (!this.#hasLeft) this.#position.delivered.add(first, Math.min(last, this.#given - 1));
  }

  pause(): void {
    this.#isPaused = true;
    this.#cursor?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#cursor?.resume();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#end();
    this.#options.onLeft();
  }

  /** Where the log is what the position counts on, it is gone on with; what of it is there no more is told of. */
  async #begin(deadline: number): Promise<void> {
    const { around, lease, room, topic, since, listener, confirmSoon, onCut } = this.#options;
    const { delivered } = this.#position;
    const given = this.#given;
    const bounds = await readBounds(around.cluster, topic, deadline);
    cutUnknown(this.#position, since, bounds);
    const { epoch } = this.#position;
    const isSure = epoch === UNKNOWN_EPOCH || (epoch === bounds.epoch && delivered.top <= bounds.end);
    const ends = isSure
      ? null
      : await retry(`epochs of ${topic}`, deadline, () => around.stats.epochEnd(topic, epoch));
    const { again, gone } = this.#position.resume(bounds, ends);
    // Acknowledgements of what was there are on their way, for offsets that mean other messages now.
    if (given > 0 && (again > 0 || given > bounds.end)) onCut({ again, given, end: bounds.end });
    // What this session was given before it is not given again.
    const liveStart = Math.max(delivered.low, Math.min(given, bounds.end));
    const cursor: Cursor = new Cursor({
      ...{ around, lease, topic, position: this.#position, liveStart, epoch: bounds.epoch },
      confirmSoon,
      isPaused: this.#isPaused,
      owner: room,
      decode: (raw) => this.#decode(raw),
      onMessage: listener.onMessage,
      commit: () => roomCommit(this.#position, room, since),
      onChanged: (found) => void this.#beginAgain(found),
      // Deleted, with all memberships: nothing comes any more.
      onGone: () => this.#end(),
    });
    // The session has ended meanwhile: nobody would take it out again.
    if (this.#hasLeft || lease.hasEnded) return;
    this.#cursor = cursor;
    lease.add(cursor);
    around.roomFollowers.add(room.topicId, cursor);
    // A gap is not committed before something behind it is acknowledged: whoever has not heard of it hears of it again.
    if (gone > 0) listener.onGap(gone);
    // Until something is committed Kafka's tools show no lag of it.
    else if (this.#isNew || given > 0) cursor.touch();
    cursor.start();
  }

  /** Retention has taken what was not received yet, or the log was cut. Never rejects. */
  async #beginAgain(found: Record<string, unknown>): Promise<void> {
    const { around, lease, topic } = this.#options;
    const next = this.#cursor?.progress.next ?? this.#given;
    this.#given = next;
    this.#end();
    around.log.info({ topic, next, ...found }, 'a room has changed');
    for (
      let pause = FIRST_PAUSE_MS;
      !this.#hasLeft && !lease.hasEnded;
      pause = longerPause(pause, LONGEST_PAUSE_MS)
    ) {
      try {
        await this.#begin(now() + FOLLOW_TIMEOUT_MS);
        return;
      } catch (error) {
        around.log.warn({ ...whyOf(error), topic }, 'a room is not followed');
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  #end(): void {
    const cursor = this.#cursor;
    if (cursor === null) return;
    this.#cursor = null;
    this.#options.around.roomFollowers.remove(this.#options.room.topicId, cursor);
    this.#options.lease.remove(cursor);
  }

  #decode(raw: RawRecord): DecodedRecord {
    const known = decoded.get(raw);
    if (known !== undefined) return known;
    const read = decodeRecord(this.#options.around.trust, this.#options.room, raw);
    decoded.set(raw, read);
    return read;
  }
}
