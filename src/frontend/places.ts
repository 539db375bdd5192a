/** Somebody who has a place and may have to give it up. */
export interface Occupant {
  /** False while it must be left alone: a login is under way. */
  readonly mayBeEvicted: boolean;
  /** Gives the place up: it counts as free already. */
  evict(): void;
}

export interface PlacesOptions {
  readonly all: number;
  readonly perAddress: number;
}

/** A place that was taken. */
export interface Place {
  /** Its occupant has shown who it is, and keeps it for as long as it likes. */
  settle(): void;
  /** Free again; once and for all. */
  leave(): void;
}

/** Why there is none: as many as there may be in all, or from one address, and all of them settled. */
export type NoPlace = 'all' | 'address';

/**
 * A bounded number of places, in all and for each address. Where there is none left, a newcomer gets that of the one
 * who has been a stranger for longest: of its own address if that has too many, otherwise of the address with the most
 * strangers. So whoever only fills places keeps nobody out, and who is logged in keeps the place.
 */
export class Places {
  readonly #options: PlacesOptions;
  #taken = 0;
  /** Places of each address; those with none are not here. */
  readonly #perAddress = new Map<string, number>();
  /** Those who have not settled, oldest first, by address. */
  readonly #strangers = new Map<string, Map<Occupant, Place>>();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get taken(): number {
    return this.#taken;
  }

  take(address: string, occupant: Occupant): Place | NoPlace {
    const { all, perAddress } = this.#options;
    if ((this.#perAddress.get(address) ?? 0) >= perAddress && !this.#evict(address)) return 'address';
    if (this.#taken >= all && !this.#evict(this.#mostStrangers())) return 'all';
    this.#taken += 1;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    const strangers = this.#strangers.get(address) ?? new Map<Occupant, Place>();
    this.#strangers.set(address, strangers);
    let isTaken = true;
    const settle = (): void => {
      if (strangers.delete(occupant) && strangers.size === 0) this.#strangers.delete(address);
    };
    const leave = (): void => {
      if (!isTaken) return;
      isTaken = false;
      settle();
      this.#taken -= 1;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    };
    const place = { settle, leave };
    strangers.set(occupant, place);
    return place;
  }

  /** @returns whether somebody had to go */
  #evict(address: string | undefined): boolean {
    for (const [occupant, place] of this.#strangers.get(address ?? '') ?? []) {
      if (!occupant.mayBeEvicted) continue;
      place.leave();
      occupant.evict();
      return true;
    }
    return false;
  }

  /** Looks at every address, but only where all places are taken. */
  #mostStrangers(): string | undefined {
    let most = 0;
    let found: string | undefined;
    for (const [address, strangers] of this.#strangers) {
      if (strangers.size <= most) continue;
      most = strangers.size;
      found = address;
    }
    return found;
  }
}
