export interface PlacesOptions {
  readonly all: number;
  readonly perAddress: number;
}

/** A place that was taken. */
export interface Place {
  /**
   * Its occupant is a stranger, as everybody is at first, and may have to make room: as the last one of those who are there
   * now. Or it keeps the place for as long as it likes.
   */
  isStrangers(isStranger: boolean): void;
  /** Free again; once and for all. */
  leave(): void;
}

/** Why there is none: as many as there may be in all, or from one address, and none of them a stranger's. */
export type NoPlace = 'all' | 'address';

/** The strangers of one address, oldest first, and what ends each. */
type Strangers = Map<Place, () => void>;

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
  readonly #strangers = new Map<string, Strangers>();
  /** Addresses by their number of strangers, to find the most without a look at all. */
  readonly #byNumber = new Map<number, Set<string>>();
  #most = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @param evict called when the occupant has to go: its place counts as free already */
  take(address: string, evict: () => void): Place | NoPlace {
    const { all, perAddress } = this.#options;
    if ((this.#perAddress.get(address) ?? 0) >= perAddress && !this.#evict(address)) return 'address';
    if (this.#taken >= all && !this.#evict(this.#mostStrangers())) return 'all';
    this.#taken += 1;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    let isTaken = true;
    const place: Place = {
      isStrangers: (isStranger) => {
        if (isTaken && isStranger) this.#add(address, place, evict);
        else this.#remove(address, place);
      },
      leave: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#remove(address, place);
        this.#taken -= 1;
        const left = (this.#perAddress.get(address) ?? 1) - 1;
        if (left === 0) this.#perAddress.delete(address);
        else this.#perAddress.set(address, left);
      },
    };
    this.#add(address, place, evict);
    return place;
  }

  #add(address: string, place: Place, evict: () => void): void {
    const strangers = this.#strangers.get(address) ?? new Map();
    const before = strangers.size;
    strangers.delete(place);
    strangers.set(place, evict);
    this.#strangers.set(address, strangers);
    this.#counted(address, before, strangers.size);
  }

  #remove(address: string, place: Place): void {
    const strangers = this.#strangers.get(address);
    if (strangers === undefined || !strangers.delete(place)) return;
    this.#counted(address, strangers.size + 1, strangers.size);
    if (strangers.size === 0) this.#strangers.delete(address);
  }

  #counted(address: string, before: number, after: number): void {
    const left = this.#byNumber.get(before);
    left?.delete(address);
    if (left?.size === 0) this.#byNumber.delete(before);
    if (after > 0) this.#byNumber.set(after, (this.#byNumber.get(after) ?? new Set()).add(address));
    if (after > this.#most) this.#most = after;
    // By one at most: the address itself has one less.
    while (this.#most > 0 && !this.#byNumber.has(this.#most)) this.#most -= 1;
  }

  #mostStrangers(): string | undefined {
    const [address] = this.#byNumber.get(this.#most) ?? [];
    return address;
  }

  /** @returns whether somebody had to go */
  #evict(address: string | undefined): boolean {
    for (const [place, evict] of this.#strangers.get(address ?? '') ?? []) {
      place.leave();
      evict();
      return true;
    }
    return false;
  }
}
