import type { ProtocolError } from '../../protocol/errors.ts';
import { Sorted } from './sorted.ts';
import { Group, type InTurn } from './turns.ts';

/** Who waits where: for a name that got in from its address lately, for any other, and for a new account. */
export type LaneName = 'known' | 'others' | 'creates';

/** One piece of work, and whose it is. */
export interface Work {
  readonly lane: LaneName;
  readonly name: string;
  readonly address: string;
  /**
   * Asked when it comes and when its turn comes, since much may have happened in between.
   * @returns milliseconds that it has to wait; 0: it may be done now
   * @throws ProtocolError: it is not to be done at all
   */
  readonly waitMs: () => number;
  /** Whether its client sends nothing more and has perhaps given it up: then it is done when there is nothing else to do. */
  readonly hasEnded: () => boolean;
  /** Whether its connection has been wrong before, more than once. */
  readonly hasErred: boolean;
  /** What is called when its caller is gone, for as long as it waits; then null. */
  readonly whenGone: (leave: (() => void) | null) => void;
}

/** Work whose turn has not come. */
export interface Waiting {
  readonly work: Work;
  readonly enter: () => void;
  readonly reject: (error: ProtocolError) => void;
}

/** How many wait that have a name in common. */
interface Crowd {
  count: number;
}

/** Its place in a lane. */
export interface LaneEntry extends Waiting, InTurn {
  /** Among those who take turns, among those who have to wait for a time, or behind all of them. */
  place: 'turns' | 'later' | 'last';
  /** On the clock of `performance.now()`; counts in `later`. */
  notBefore: number;
  readonly network: Group<LaneEntry>;
  readonly address: Group<LaneEntry>;
  /** Those of one name and address that have erred, or those that have not. */
  readonly pair: Group<LaneEntry>;
  readonly name: Crowd;
}

/**
 * What waits in one lane of the line for hashes. Networks take turns, in each of them its addresses do, at each address
 * those that have been wrong on their connection, but for once, and those that have not, and among these the names: a
 * person who comes to where many connections guess does not wait behind all of them.
 */
export class HashLane {
  /** Work done, divided by the lane's weight. */
  progress = 0;
  readonly #most: number;
  readonly #networks = Group.outermost<LaneEntry>();
  /** Of which somebody waits, and no others. */
  readonly #names = new Map<string, Crowd>();
  readonly #entries = new Set<LaneEntry>();
  readonly #later = new Sorted<LaneEntry>(({ notBefore }) => notBefore);
  /** Whose client has ended its side, in the order in which that was seen. */
  readonly #last = new Set<LaneEntry>();

  /** @param most entries; a newcomer above it takes the place of another one */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whose turn it is. */
  get first(): LaneEntry | null {
    return this.#networks.first;
  }

  /** Who is served when there is nobody else. */
  get firstOfLast(): LaneEntry | null {
    const [first = null] = this.#last;
    return first;
  }

  /** When somebody has to be recalled, on the clock of `performance.now()`; infinity: nobody. */
  get recallsAt(): number {
    return this.#later.first?.notBefore ?? Number.POSITIVE_INFINITY;
  }

  /** Takes turns with the others from now on. Whoever calls it lets somebody else be crowded out, where there are too many. */
  add(waiting: Waiting): LaneEntry {
    const { name, address, hasErred } = waiting.work;
    const network = this.#networks.group(networkOf(address));
    const ofAddress = network.group(address);
    // In this order: who has not erred goes first.
    const fresh = ofAddress.group('fresh', true);
    const erred = ofAddress.group('erred', true);
    const entry: LaneEntry = {
      ...waiting,
      turn: this.#networks.nextTurn(),
      place: 'turns',
      notBefore: 0,
      network,
      address: ofAddress,
      pair: (hasErred ? erred : fresh).group(name),
      name: this.#crowdOf(name),
    };
    this.#entries.add(entry);
    entry.name.count += 1;
    entry.pair.change(1);
    entry.pair.raise(entry);
    return entry;
  }

  /** Nobody needs to look at it until then; its turn is the same afterwards. */
  postpone(entry: LaneEntry, notBefore: number): void {
    this.#displace(entry);
    entry.notBefore = notBefore;
    entry.place = 'later';
    this.#later.add(entry);
  }

  /** Those for whom it is time take turns again. */
  recall(now: number): void {
    for (let entry = this.#later.first; entry && entry.notBefore <= now; entry = this.#later.first) {
      this.#displace(entry);
      entry.place = 'turns';
      entry.pair.raise(entry);
    }
  }

  /** It is served when there is nobody else. */
  putLast(entry: LaneEntry): void {
    this.#displace(entry);
    entry.place = 'last';
    this.#last.add(entry);
  }

  /** It is served: others of its name there, of its address, and of its network, come after everybody else. */
  take(entry: LaneEntry): void {
    entry.pair.served();
    this.remove(entry);
  }

  /** @returns whether it was in */
  remove(entry: LaneEntry): boolean {
    if (!this.#entries.delete(entry)) return false;
    this.#displace(entry);
    entry.pair.change(-1);
    entry.name.count -= 1;
    if (entry.name.count === 0) this.#names.delete(entry.work.name);
    return true;
  }

  /** Takes all of them out. */
  empty(): LaneEntry[] {
    const all = [...this.#entries];
    for (const entry of all) this.remove(entry);
    return all;
  }

  /**
   * Takes somebody out where there are too many: somebody whose client has ended its side, if there is one, else one of
   * whoever has most places. Of equals never the newcomer: whoever filled the line would keep everybody else out, for as
   * long as it is answered and asks again at once. And not the oldest one, whose turn is next: who sends as much as the
   * line holds would empty it of everybody, each after the longest wait. Any of them: so an honest newcomer surely comes
   * in, and stays in with the chances that everybody has, whatever the others do and however they time it.
   * @returns who has no place any more; null if there was room
   */
  crowdOut(newcomer: LaneEntry): LaneEntry | null {
    if (this.#entries.size <= this.#most) return null;
    const entry = this.#dearest(newcomer);
    this.remove(entry);
    return entry;
  }

  #dearest(newcomer: LaneEntry): LaneEntry {
    let most = 0;
    let heaviest: LaneEntry[] = [];
    for (const entry of this.#entries) {
      if (entry === newcomer) continue;
      if (entry.work.hasEnded()) return entry;
      const weight = this.#weigh(entry);
      if (weight < most) continue;
      if (weight > most) heaviest = [];
      most = weight;
      heaviest.push(entry);
    }
    if (newcomer.work.hasEnded()) return newcomer;
    return heaviest[Math.floor(Math.random() * heaviest.length)] ?? newcomer;
  }

  /**
   * By its network or name; of equals by its address or name, then by name and address together, then by whether it has
   * erred: who shares the one does not pay for it.
   */
  #weigh({ network, address, name, pair, work }: LaneEntry): number {
    const scale = this.#most + 2;
    const ofNetwork = Math.max(network.count, name.count);
    const ofAddress = ofNetwork * scale + Math.max(address.count, name.count);
    return (ofAddress * scale + pair.count) * 2 + Number(work.hasErred);
  }

  #displace(entry: LaneEntry): void {
    if (entry.place === 'turns') entry.pair.lower(entry);
    else if (entry.place === 'later') this.#later.delete(entry);
    else this.#last.delete(entry);
  }

  #crowdOf(name: string): Crowd {
    let crowd = this.#names.get(name);
    if (crowd === undefined) {
      crowd = { count: 0 };
      this.#names.set(name, crowd);
    }
    return crowd;
  }
}

/**
 * Who may have many addresses at no cost: of IPv6 the first 48 bits, as providers give them to a customer; an IPv4
 * address is one of its own.
 */
function networkOf(address: string): string {
  return address.endsWith('::/64') ? `${address.split(':', 3).join(':')}::/48` : address;
}
