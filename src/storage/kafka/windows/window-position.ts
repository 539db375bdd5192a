import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Life } from '../../../core/rooms.ts';
import { MAX_METADATA_CHARACTERS } from '../groups/delivered-offsets.ts';
import type { Commit } from '../groups/position.ts';
import type { Leased } from '../inbox/inbox-lease.ts';

/*
  What is committed of a partition of another topic, by somebody who is in windows on it: the offset of the one that is furthest back,
  and as its metadata where each of them is:
    metadata = "w1" SP topic id SP [entry *("," entry)]
    entry    = window ":" offsets behind the committed one, base 36
    window   = the room's incarnation, base64url "." when they came into it, milliseconds since the epoch, base 36
*/

const FORMAT = 'w1';
const ENTRY = /^([\w-]{22}\.[0-9a-z]{1,11}):([0-9a-z]{1,11})$/;

/** Names a window that somebody is in, since they came into it. */
export function windowKey({ incarnation }: Pick<Life, 'incarnation'>, at: number): string {
  return `${Buffer.from(incarnation).toString('base64url')}.${at.toString(36)}`;
}

/** Where each window is, by `windowKey`; empty for a commit of another topic, or of anybody else. */
export function decodeWindows({ offset, metadata }: Commit, topicId: string): Map<string, number> {
  const [format, id, entries = ''] = metadata.split(' ');
  const windows = new Map<string, number>();
  if (format !== FORMAT || id !== topicId) return windows;
  for (const entry of entries.split(',')) {
    const [, key = '', behind = ''] = ENTRY.exec(entry) ?? [];
    if (key !== '') windows.set(key, offset + Number.parseInt(behind, 36));
  }
  return windows;
}

/** The first offset that somebody has not acknowledged in a window, since whenever they are in it; 0 where nothing is known. */
export function positionIn({ offset, metadata }: Commit, { incarnation }: Pick<Life, 'incarnation'>): number {
  const topicId = metadata.split(' ')[1] ?? '';
  const life = Buffer.from(incarnation).toString('base64url');
  const lows = [...decodeWindows({ offset, metadata, epoch: UNKNOWN_EPOCH }, topicId)];
  return Math.max(0, ...lows.filter(([key]) => key.startsWith(`${life}.`)).map(([, low]) => low));
}

/** The other way round. What does not fit, of some ninety windows on one topic, is left out: those begin at what is of a later time than they next time. */
export function encodeWindows(windows: ReadonlyMap<string, number>, topicId: string): Commit {
  const offset = Math.min(...windows.values());
  let metadata = `${FORMAT} ${topicId} `;
  for (const [key, low] of windows) {
    const entry = `${metadata.endsWith(' ') ? '' : ','}${key}:${(low - offset).toString(36)}`;
    if (metadata.length + entry.length > MAX_METADATA_CHARACTERS) break;
    metadata += entry;
  }
  return { offset, epoch: UNKNOWN_EPOCH, metadata };
}

/** Where somebody is in one partition, with all windows on it: committed with the rest under the lease of their inbox. */
export class WindowPosition implements Leased {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly #windows: Map<string, number>;
  readonly #touch: () => void;
  readonly #wake: () => void;
  #isChanged = false;

  /**
   * @param windows where they are by what is committed
   * @param touch there is something to commit
   * @param wake they may go on, if they rest
   */
  constructor(
    { topic, topicId, partition }: Pick<WindowPosition, 'topic' | 'topicId' | 'partition'>,
    windows: Map<string, number>,
    touch: () => void,
    wake: () => void,
  ) {
    this.topic = topic;
    this.topicId = topicId;
    this.partition = partition;
    this.#windows = windows;
    this.#touch = touch;
    this.#wake = wake;
  }

  /** Undefined for a window that nothing is committed of. */
  get(key: string): number | undefined {
    return this.#windows.get(key);
  }

  set(key: string, low: number): void {
    if (this.#windows.get(key) === low) return;
    this.#windows.set(key, low);
    this.#changed();
  }

  /** They are not in it any more. */
  drop(key: string): void {
    if (this.#windows.delete(key)) this.#changed();
  }

  changes(): Commit | null {
    if (!this.#isChanged || this.#windows.size === 0) return null;
    this.#isChanged = false;
    return encodeWindows(this.#windows, this.topicId);
  }

  committed(): void {}

  uncommitted(): void {
    this.#isChanged = true;
  }

  confirmed(): void {
    this.#wake();
  }

  wake(): void {
    this.#wake();
  }

  end(): void {}

  #changed(): void {
    this.#isChanged = true;
    this.#touch();
  }
}
