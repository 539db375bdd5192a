import type { Room } from '../../../core/rooms.ts';
import type { TopicWindow } from '../../../core/windows.ts';
import type { Semaphore } from '../../../util/semaphore.ts';
import { uuidKey } from '../../../util/uuid.ts';
import { BadExpression } from '../follow/bad-expression.ts';
import { RecordLines } from '../follow/record-lines.ts';
import type { Cluster } from '../wire/cluster.ts';
import { longerPause, now } from '../wire/retry.ts';
import type { Chunk, ChunkCache } from './chunk.ts';
import { FloodLimit } from './flood-limit.ts';
import type { TopicListener, TopicWatch } from './topic-watch.ts';
import { WindowLog } from './window-log.ts';

/** What took more than its share is tried again after this, and later each time. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** Somebody who is shown a window. */
export interface WindowViewer {
  /** There may be something new. */
  look(): void;
  say(sentence: string): void;
  /** The topic's offsets mean other records from now on. */
  remade(): void;
}

export interface RoomWindowOptions {
  readonly cluster: Cluster;
  readonly cache: ChunkCache;
  readonly reading: Semaphore;
  readonly perSecond: number;
  readonly maxAgeMs: number;
  readonly watch: TopicWatch;
  readonly room: Room;
  /** The room as it is now; undefined where that life of it is over. */
  readonly current: () => Room | undefined;
}

/** A window that somebody here is shown: however many they are, its topic is read, filtered and made into lines once. */
export class RoomWindow implements TopicListener {
  readonly #options: RoomWindowOptions;
  readonly #viewers = new Set<WindowViewer>();
  readonly #logs = new Map<number, WindowLog>();
  readonly #flood: FloodLimit;
  /** Names this life of the room. */
  readonly #whom: string;
  /** What it shows; null until it has been read. */
  #shown: TopicWindow | null = null;
  /** What cannot be read, until that is tried again. */
  #unread: TopicWindow | null = null;
  #lines: RecordLines | null = null;
  #isReading = false;
  /** Why nothing is shown, and when that is tried again. */
  #paused: string | null = null;
  #resumesAt = 0;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(options: RoomWindowOptions) {
    this.#options = options;
    this.#flood = new FloodLimit(options.perSecond);
    this.#whom = uuidKey(options.room.incarnation);
    options.watch.add(this);
  }

  get watch(): TopicWatch {
    return this.#options.watch;
  }

  get isUnused(): boolean {
    return this.#viewers.size === 0;
  }

  /** Whether something can be shown. */
  get isOpen(): boolean {
    return this.#lines !== null && this.#paused === null && !this.#isReading;
  }

  /** @returns why nothing comes, in sentences */
  add(viewer: WindowViewer): string[] {
    this.#viewers.add(viewer);
    void this.#read();
    return [this.watch.trouble, this.#paused].filter((sentence) => sentence !== null);
  }

  remove(viewer: WindowViewer): void {
    this.#viewers.delete(viewer);
  }

  /** A partition's log ends further in front than it did. */
  cut(partition: number, end: number): void {
    this.#logs.get(partition)?.cut(end);
  }

  close(): void {
    this.watch.remove(this);
    this.#forget();
  }

  /** @throws the network's error; KafkaError; Error where it is paused */
  async at(partition: number, position: number): Promise<Chunk> {
    const lines = this.#lines;
    if (lines === null || this.#paused !== null) throw new Error(this.#paused ?? 'not read yet');
    let log = this.#logs.get(partition);
    if (log === undefined) {
      log = new WindowLog(partition, { ...this.#options, lines, flood: this.#flood, whom: this.#whom });
      this.#logs.set(partition, log);
    }
    try {
      return await log.at(position);
    } finally {
      if (lines === this.#lines && lines.paused !== null && this.#paused === null) this.#pause(lines.paused);
    }
  }

  // ---- the topic's side (TopicListener)

  onLook(): void {
    if (this.#paused !== null && now() >= this.#resumesAt) this.#resume();
    void this.#read();
    for (const viewer of [...this.#viewers]) viewer.look();
  }

  onWord(sentence: string): void {
    this.#say(sentence);
  }

  onRemade(): void {
    this.#forget();
    for (const viewer of [...this.#viewers]) viewer.remade();
  }

  // ---- inside

  /** Reads the filter and the template, if they are other ones than before. Never rejects. */
  async #read(): Promise<void> {
    const window = this.#options.current()?.window;
    if (window === undefined || this.#isReading) return;
    if (isSame(window, this.#shown) || isSame(window, this.#unread)) return;
    this.#isReading = true;
    try {
      const lines = await RecordLines.open(window);
      this.#lines = lines;
      this.#shown = window;
      this.#unread = null;
      this.#paused = null;
      this.#pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      this.#lines = null;
      this.#shown = null;
      this.#unread = window;
      const why = error instanceof BadExpression ? error.message : String(error);
      this.#pause(`The filter or the template cannot be read: ${why}`);
    }
    this.#forget();
    this.#isReading = false;
    for (const viewer of [...this.#viewers]) viewer.look();
  }

  #forget(): void {
    for (const log of this.#logs.values()) log.close();
    this.#logs.clear();
  }

  #pause(why: string): void {
    this.#paused = `Paused. ${why}.`;
    this.#resumesAt = now() + this.#pauseMs;
    this.#pauseMs = longerPause(this.#pauseMs, LONGEST_PAUSE_MS);
    this.#say(this.#paused);
  }

  #resume(): void {
    this.#paused = null;
    this.#unread = null;
    this.#lines?.resume();
  }

  #say(sentence: string): void {
    for (const viewer of [...this.#viewers]) viewer.say(sentence);
  }
}

function isSame(one: TopicWindow, other: TopicWindow | null): boolean {
  return one.where === other?.where && one.as === other.as;
}
