import { ProtocolError } from '../../protocol/errors.ts';
import type { Work } from './hash-line.ts';

/** Work whose turn has not come. */
export interface Waiting {
  readonly work: Work;
  readonly enter: () => void;
  readonly reject: (error: ProtocolError) => void;
}

interface Entry extends Waiting {
  /** Each address has one entry in a round. */
  readonly round: number;
}

/** What waits in one lane of the line for hashes, in an order in which addresses take turns. */
export class HashLane {
  /** Work done, divided by the lane's weight. */
  progress = 0;
  readonly #most: number;
  /** By round, and in the order of their coming; at most `most`. */
  readonly #entries: Entry[] = [];
  /** How many wait of each address and each name, and the last round of each address: those that wait, and no others. */
  readonly #addresses = new Map<string, { count: number; round: number }>();
  readonly #names = new Map<string, number>();
  #round = 0;

  /** @param most entries; above it whoever has most of them gives one up */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Entries of an address. */
  from(address: string): number {
    return this.#addresses.get(address)?.count ?? 0;
  }

  /** @returns who has no place any more: the last one of whoever has most, perhaps the newcomer; null if there was room */
  add(waiting: Waiting): Waiting | null {
    const { name, address } = waiting.work;
    let crowdedOut: Waiting | null = null;
    if (this.#entries.length >= this.#most) {
      crowdedOut = this.#heaviestBut(waiting);
      if (crowdedOut === waiting) return waiting;
    }
    const there = this.#addresses.get(address);
    const round = Math.max(this.#round, (there?.round ?? -1) + 1);
    this.#addresses.set(address, { count: (there?.count ?? 0) + 1, round });
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    const after = this.#entries.findLastIndex((entry) => entry.round <= round);
    this.#entries.splice(after + 1, 0, { ...waiting, round });
    return crowdedOut;
  }

  /** Takes out the first one that is ready; whoever turns out to be refused is told so and is out, too. */
  take(isReady: (work: Work) => boolean): Waiting | null {
    for (let i = 0; i < this.#entries.length; ) {
      const entry = this.#entries[i];
      if (entry === undefined) break;
      const ready = verdict(entry, isReady);
      if (ready === false) i += 1;
      else {
        this.#remove(i);
        if (ready === true) {
          this.#round = Math.max(this.#round, entry.round);
          return entry;
        }
      }
    }
    return null;
  }

  #heaviestBut(newcomer: Waiting): Waiting {
    const { name, address } = newcomer.work;
    let most = Math.max(this.from(address), this.#names.get(name) ?? 0) + 1;
    let isTheirs = (_work: Work): boolean => false;
    for (const [key, { count }] of this.#addresses) {
      if (count <= most) continue;
      most = count;
      isTheirs = (work) => work.address === key;
    }
    for (const [key, count] of this.#names) {
      if (count <= most) continue;
      most = count;
      isTheirs = (work) => work.name === key;
    }
    const last = this.#entries.findLastIndex((entry) => isTheirs(entry.work));
    return this.#remove(last) ?? newcomer;
  }

  #remove(index: number): Entry | undefined {
    if (index < 0) return undefined;
    const [entry] = this.#entries.splice(index, 1);
    if (entry === undefined) return undefined;
    const { name, address } = entry.work;
    const there = this.#addresses.get(address);
    if (there !== undefined && there.count > 1) there.count -= 1;
    else this.#addresses.delete(address);
    const left = (this.#names.get(name) ?? 1) - 1;
    if (left > 0) this.#names.set(name, left);
    else this.#names.delete(name);
    return entry;
  }
}

/** Null: it was refused, and told so. */
function verdict(entry: Entry, isReady: (work: Work) => boolean): boolean | null {
  try {
    return isReady(entry.work);
  } catch (error) {
    entry.reject(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL'));
    return null;
  }
}
