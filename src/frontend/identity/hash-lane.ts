import { ProtocolError } from '../../protocol/errors.ts';
import type { Work } from './hash-line.ts';

/** Work whose turn has not come. */
export interface Waiting {
  readonly work: Work;
  /** On the clock of `performance.now()`: until then nobody needs to look at it. */
  notBefore: number;
  readonly enter: () => void;
  readonly reject: (error: ProtocolError) => void;
}

/** How many wait that have something in common. */
interface Crowd {
  count: number;
}

/** Those of one address and name, in the order of their coming. */
interface Pair extends Crowd {
  readonly entries: Set<Entry>;
}

/** The names of one address, in the order in which they are served. */
interface Address extends Crowd {
  readonly pairs: Map<string, Pair>;
  /** Whether who has erred before goes before who has not: they take turns. */
  erredFirst: boolean;
}

/** The addresses of one network, in the order in which they are served. */
interface Network extends Crowd {
  readonly addresses: Map<string, Address>;
}

interface Entry extends Waiting {
  readonly network: Network;
  readonly address: Address;
  readonly name: Crowd;
  readonly pair: Pair;
}

/**
 * What waits in one lane of the line for hashes. Networks take turns, in each of them its addresses do, and at each address
 * its names. Every second turn of an address is for who has not been wrong on its connection, but for once: a
 * person who comes to where many connections guess does not wait behind all of them.
 */
export class HashLane {
  /** Work done, divided by the lane's weight. */
  progress = 0;
  readonly #most: number;
  /** In the order in which they are served. Like names and addresses: those of which somebody waits, and no others. */
  readonly #networks = new Map<string, Network>();
  readonly #names = new Map<string, Crowd>();
  /** All of them, in no order of turns. */
  readonly #entries = new Set<Entry>();

  /** @param most entries; a newcomer above it takes the place of another one */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries of an address. */
  from(address: string): number {
    return this.#networks.get(networkOf(address))?.addresses.get(address)?.count ?? 0;
  }

  /** @returns who has no place any more, perhaps the newcomer; null if there was room */
  add(waiting: Waiting): Waiting | null {
    const { work } = waiting;
    const network = of(this.#networks, networkOf(work.address), () => ({ count: 0, addresses: new Map() }));
    const address = of(network.addresses, work.address, newAddress);
    const pair = of(address.pairs, work.name, () => ({ count: 0, entries: new Set<Entry>() }));
    const name = of(this.#names, work.name, () => ({ count: 0 }));
    const entry: Entry = { ...waiting, network, address, name, pair };
    pair.entries.add(entry);
    this.#entries.add(entry);
    count(entry, 1);
    if (this.#entries.size <= this.#most) return null;
    const crowdedOut = this.#crowdedOut(entry);
    this.#remove(crowdedOut);
    return crowdedOut;
  }

  /** Takes out the first one that is ready; whoever turns out to be refused is told so and is out, too. */
  take(isReady: (waiting: Waiting) => boolean): Waiting | null {
    for (const entry of this.#inTurn()) {
      const ready = verdict(entry, isReady);
      if (ready === false) continue;
      this.#remove(entry);
      if (ready === null) continue;
      this.#toTheEnd(entry);
      return entry;
    }
    return null;
  }

  /** Takes all of them out. */
  empty(): Waiting[] {
    const all = [...this.#entries];
    for (const entry of all) this.#remove(entry);
    return all;
  }

  /** Entries may be removed on the way. */
  *#inTurn(): Generator<Entry> {
    for (const { addresses } of this.#networks.values()) {
      for (const { pairs, erredFirst } of addresses.values()) {
        for (const hasErred of [erredFirst, !erredFirst]) {
          for (const { entries } of pairs.values()) {
            for (const entry of entries) if (entry.work.hasErred === hasErred) yield entry;
          }
        }
      }
    }
  }

  /**
   * Who gives a place up: somebody whose client has ended its side, if there is one, else one of whoever has most places.
   * Of equals never the newcomer: whoever filled the line would keep everybody else out, for as long as it is answered and
   * asks again at once. And not the oldest one, whose turn is next: who sends as much as the line holds would empty it of
   * everybody, each after the longest wait. Any of them: so an honest newcomer surely comes in, and stays in with the
   * chances that everybody has, whatever the others do and however they time it.
   */
  #crowdedOut(newcomer: Entry): Entry {
    let most = 0;
    let heaviest: Entry[] = [];
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
  #weigh({ network, address, name, pair, work }: Entry): number {
    const scale = this.#most + 2;
    const ofNetwork = Math.max(network.count, name.count);
    const ofAddress = ofNetwork * scale + Math.max(address.count, name.count);
    return (ofAddress * scale + pair.count) * 2 + Number(work.hasErred);
  }

  #remove(entry: Entry): void {
    const { work, network, address, name, pair } = entry;
    pair.entries.delete(entry);
    this.#entries.delete(entry);
    count(entry, -1);
    if (pair.count === 0) address.pairs.delete(work.name);
    if (address.count === 0) network.addresses.delete(work.address);
    if (network.count === 0) this.#networks.delete(networkOf(work.address));
    if (name.count === 0) this.#names.delete(work.name);
  }

  /** It was served: others of its name there, of its address, and of its network, come after everybody else. */
  #toTheEnd({ work, network, address, pair }: Entry): void {
    address.erredFirst = !work.hasErred;
    if (pair.count > 0) moveToEnd(address.pairs, work.name, pair);
    if (address.count > 0) moveToEnd(network.addresses, work.address, address);
    if (network.count > 0) moveToEnd(this.#networks, networkOf(work.address), network);
  }
}

/**
 * Who may have many addresses at no cost: of IPv6 the first 48 bits, as providers give them to a customer; an IPv4
 * address is one of its own.
 */
function networkOf(address: string): string {
  return address.endsWith('::/64') ? `${address.split(':', 3).join(':')}::/48` : address;
}

function newAddress(): Address {
  return { count: 0, pairs: new Map(), erredFirst: false };
}

function count({ network, address, name, pair }: Entry, change: 1 | -1): void {
  for (const crowd of [network, address, name, pair]) crowd.count += change;
}

function of<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function moveToEnd<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

/** Null: it was refused, and told so. */
function verdict(entry: Entry, isReady: (waiting: Waiting) => boolean): boolean | null {
  try {
    return isReady(entry);
  } catch (error) {
    entry.reject(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL'));
    return null;
  }
}
