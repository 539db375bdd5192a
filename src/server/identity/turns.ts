import { Sorted } from './sorted.ts';

/** Something that has its turn: the lower the number, the sooner. */
export interface InTurn {
  turn: number;
}

/**
 * Some who take turns: each member is one who waits, or again a group. Whoever was served comes after all others of its
 * group, and its group after all others, and so on. Groups keep their order while nobody in them is ready, so who has to
 * wait for something else loses no turn by it. Finding who is next costs the same however many wait.
 */
export class Group<One extends InTurn> implements InTurn {
  turn: number;
  readonly #parent: Group<One> | null;
  readonly #key: string;
  readonly #stays: boolean;
  readonly #groups = new Map<string, Group<One>>();
  /** Members of whom somebody may be served. */
  readonly #ready = new Sorted<Group<One> | One>(({ turn }) => turn);
  #count = 0;
  #isHeld = false;
  /** The last turn that was given; of the outermost group. */
  #lastTurn = 0;

  private constructor(parent: Group<One> | null, key: string, stays: boolean) {
    this.#parent = parent;
    this.#key = key;
    this.#stays = stays;
    this.turn = this.nextTurn();
  }

  static outermost<One extends InTurn>(): Group<One> {
    return new Group<One>(null, '', true);
  }

  /** Those who wait in it, ready or not. */
  get count(): number {
    return this.#count;
  }

  /** Whose turn it is; null if nobody is ready. */
  get first(): One | null {
    const first = this.#ready.first;
    return first instanceof Group ? first.first : (first ?? null);
  }

  /**
   * A group of this one, which is made if it is not there.
   * @param stays whether it is there for as long as this group, or only while somebody waits in it
   */
  group(key: string, stays = false): Group<One> {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(this, key, stays);
      this.#groups.set(key, group);
    }
    return group;
  }

  /** A turn after all that were given. */
  nextTurn(): number {
    if (this.#parent !== null) return this.#parent.nextTurn();
    this.#lastTurn += 1;
    return this.#lastTurn;
  }

  /** So many more wait in it. */
  change(by: 1 | -1): void {
    this.#count += by;
    const parent = this.#parent;
    if (parent === null) return;
    if (this.#count === 0 && !this.#stays) parent.#groups.delete(this.#key);
    parent.change(by);
  }

  /** A member may be served from now on. */
  raise(member: Group<One> | One): void {
    this.#ready.add(member);
    if (this.#ready.size === 1 && !this.#isHeld) this.#parent?.raise(this);
  }

  /** It may not, or it is gone. Nothing happens if it might not anyway. */
  lower(member: Group<One> | One): void {
    if (!this.#ready.delete(member)) return;
    if (this.#ready.size === 0 && !this.#isHeld) this.#parent?.lower(this);
  }

  /** Nobody in it is served until `release`. */
  hold(): void {
    if (!this.#isHeld && this.#ready.size > 0) this.#parent?.lower(this);
    this.#isHeld = true;
  }

  release(): void {
    if (this.#isHeld && this.#ready.size > 0) this.#parent?.raise(this);
    this.#isHeld = false;
  }

  /** One of it was served. */
  served(): void {
    const parent = this.#parent;
    if (parent === null) return;
    const isReady = parent.#ready.delete(this);
    this.turn = this.nextTurn();
    if (isReady) parent.#ready.add(this);
    parent.served();
  }
}
