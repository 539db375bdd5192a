import type { InboxMessage, OffsetRange } from '../../core/inboxes.ts';
import type { FollowedRoom, Life, RoomListener } from '../../core/rooms.ts';
import { uuidKey } from '../../util/uuid.ts';

/** Messages of one room that are kept at most, whatever its retention says. */
const MOST_MESSAGES = 10_000;

/** What was acknowledged of a room by one device: everything below `low`, and single ones above. */
interface Place {
  low: number;
  readonly above: Set<number>;
}

/** Where a device of this life of an account is, it alone. */
export function placeKey({ incarnation }: Life, device: string | undefined): string {
  return `${uuidKey(incarnation)}${device ?? ''}`;
}

/** What is said in one room, where everybody is in it, and who follows it. */
export class RoomLog {
  retentionMs: number;
  /** Oldest first, without gaps. */
  readonly #messages: InboxMessage[] = [];
  readonly #places = new Map<string, Place>();
  readonly #followers = new Set<MemoryRoomFollower>();
  readonly #onDropped: (message: InboxMessage) => void;
  #next = 0;

  /** @param onDropped hears of each message that is kept no longer */
  constructor(retentionMs: number, onDropped: (message: InboxMessage) => void) {
    this.retentionMs = retentionMs;
    this.#onDropped = onDropped;
  }

  /** Messages that are kept. */
  get size(): number {
    return this.#messages.length;
  }

  /** Offsets of the oldest message, and of the one that comes next. */
  get bounds(): { readonly start: number; readonly end: number } {
    const oldest = Date.now() - this.retentionMs;
    while ((this.#messages[0]?.acceptedAt ?? oldest) < oldest) this.dropOldest();
    return { start: this.#next - this.#messages.length, end: this.#next };
  }

  append(message: Omit<InboxMessage, 'offset' | 'acceptedAt'>): InboxMessage {
    const stored = { ...message, offset: this.#next, acceptedAt: Date.now() };
    this.#messages.push(stored);
    this.#next += 1;
    if (this.#messages.length > MOST_MESSAGES) this.dropOldest();
    for (const follower of this.#followers) follower.wake();
    return stored;
  }

  /** @returns false where there is none */
  dropOldest(): boolean {
    const oldest = this.#messages.shift();
    if (oldest !== undefined) this.#onDropped(oldest);
    return oldest !== undefined;
  }

  /** Somebody is in it no more: where they were in it is of no use, since they begin anew. */
  forget(person: Life): void {
    const prefix = placeKey(person, undefined);
    for (const key of this.#places.keys()) if (key.startsWith(prefix)) this.#places.delete(key);
  }

  /** A device of somebody in it is none any more. */
  forgetDevice(person: Life, device: string | undefined): void {
    this.#places.delete(placeKey(person, device));
  }

  get(offset: number): InboxMessage | undefined {
    return this.#messages[offset - this.bounds.start];
  }

  /** @param device who follows: one place is kept for each */
  follow(device: string, since: number, listener: RoomListener): MemoryRoomFollower {
    const place = this.#places.get(device) ?? { low: since, above: new Set() };
    place.low = Math.max(place.low, since);
    this.#places.set(device, place);
    const follower = new MemoryRoomFollower(this, place, listener, () => this.#followers.delete(follower));
    this.#followers.add(follower);
    follower.wake();
    return follower;
  }

  has(device: string, offset: number): boolean {
    const place = this.#places.get(device);
    return place !== undefined && (offset < place.low || place.above.has(offset));
  }
}

/** One device's reading of a room. */
class MemoryRoomFollower implements FollowedRoom {
  readonly #log: RoomLog;
  readonly #place: Place;
  readonly #listener: RoomListener;
  readonly #onLeft: () => void;
  #next: number;
  /** What was there no more and was told of: it counts once something behind it is acknowledged. */
  #gap: OffsetRange | null = null;
  #isPaused = false;
  #isDue = false;
  #hasLeft = false;

  constructor(log: RoomLog, place: Place, listener: RoomListener, onLeft: () => void) {
    this.#log = log;
    this.#place = place;
    this.#listener = listener;
    this.#onLeft = onLeft;
    this.#next = place.low;
  }

  acknowledge(first: number, last: number): void {
    const { low, above } = this.#place;
    const to = Math.min(last, this.#next - 1);
    for (let offset = Math.max(first, low); offset <= to; offset++) above.add(offset);
    const gap = this.#gap;
    if (gap !== null && to > gap.last) {
      for (let offset = Math.max(gap.first, low); offset <= gap.last; offset++) above.add(offset);
      this.#gap = null;
    }
    this.#settle();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.wake();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#onLeft();
  }

  /** What is pushed comes in a turn of its own, never while somebody sends, follows or resumes. */
  wake(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#push();
    });
  }

  #push(): void {
    const { start } = this.#log.bounds;
    if (!this.#hasLeft && !this.#isPaused && start > this.#next)
      this.#skip({ first: this.#next, last: start - 1 });
    while (!this.#hasLeft && !this.#isPaused && this.#next < this.#log.bounds.end) {
      const message = this.#log.get(this.#next);
      const isKnown = this.#place.above.has(this.#next);
      this.#next += 1;
      if (message !== undefined && !isKnown) this.#listener.onMessage(message);
    }
  }

  /** The log has these no more. */
  #skip({ first, last }: OffsetRange): void {
    let lost = 0;
    for (let offset = first; offset <= last; offset++) if (!this.#place.above.has(offset)) lost += 1;
    this.#gap = { first: this.#gap?.first ?? first, last };
    this.#next = last + 1;
    if (lost > 0) this.#listener.onGap(lost);
  }

  #settle(): void {
    while (this.#place.above.delete(this.#place.low)) this.#place.low += 1;
  }
}
