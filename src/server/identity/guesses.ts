import { dropOldest } from '../../util/bounded-map.ts';
import { type BucketOptions, TokenBuckets } from '../../util/token-buckets.ts';

/** Somebody who says who they are, with a password that was not looked at yet. */
export interface Claim {
  readonly name: string;
  /** What stands for the caller's address: see `callerOf`. */
  readonly address: string;
  /** The caller is logged in to the account: nobody else's guesses concern them. */
  readonly isHolder: boolean;
  /** Whether nobody would hear the answer any more. */
  readonly isGone: () => boolean;
  /** Sets what is called when that becomes so, in place of what was set before; null: nothing. */
  readonly whenGone: (leave: (() => void) | null) => void;
  /** Whether the caller sends nothing more, and may have given this up. */
  readonly hasEnded: () => boolean;
  /** Whether proofs were wrong on this connection, more than once. */
  readonly hasErred: () => boolean;
}

export interface GuessesOptions {
  /** Wrong passwords for one name from one address that are nobody else's matter. */
  readonly perPair: BucketOptions;
  /** The same where that name got in from that address lately, and for who is logged in to the account. */
  readonly perKnownPair: BucketOptions;
  /** Beyond them, for one name from all addresses together. */
  readonly perName: BucketOptions;
  /** For all names together from one address where they did not get in lately; one more waits for its token. */
  readonly perAddress: BucketOptions;
  /** Entries of each table; above it the one that was heard of longest ago is forgotten. */
  readonly keys: number;
}

/**
 * How often one may be wrong. Only a wrong password costs, and nobody is refused for it: where there were too many, the
 * next attempt is looked at later. So a right password always gets in, and nobody guesses faster than the buckets allow.
 * Since the first wrong ones of each address for each name are counted for that pair alone, nobody elsewhere can use them
 * up.
 *
 * What bounds a guesser: its own pairs, then what all guessers of the name have in common, its address, and the line for
 * hashes (`HashLine`), which looks at attempts of one pair one after the other.
 */
export class Guesses {
  readonly #options: GuessesOptions;
  readonly #pairs: TokenBuckets;
  readonly #knownPairs: TokenBuckets;
  readonly #names: TokenBuckets;
  readonly #addresses: TokenBuckets;
  /** Pairs that got in, in the order of the last time; at most `keys`. */
  readonly #known = new Set<string>();

  /** @param now milliseconds on a clock that never jumps */
  constructor(options: GuessesOptions, now?: () => number) {
    const { keys } = options;
    this.#options = options;
    this.#pairs = new TokenBuckets(options.perPair, keys, now);
    this.#knownPairs = new TokenBuckets(options.perKnownPair, keys, now);
    this.#names = new TokenBuckets(options.perName, keys, now);
    this.#addresses = new TokenBuckets(options.perAddress, keys, now);
  }

  /** Whether the name got in from that address lately. */
  isKnown(claim: Claim): boolean {
    return claim.isHolder || this.#known.has(pairOf(claim));
  }

  /** Milliseconds until the attempt may be looked at; 0: now. */
  wait(claim: Claim): number {
    const known = this.isKnown(claim);
    const own = (known ? this.#knownPairs : this.#pairs).wait(pairOf(claim));
    const ofName = claim.isHolder ? own : Math.min(own, this.#names.wait(claim.name));
    return known ? ofName : Math.max(ofName, this.#addresses.wait(claim.address));
  }

  /** The password was wrong. What others have used up meanwhile counts in full: they were looked at in the same moment. */
  wrong(claim: Claim): void {
    const known = this.isKnown(claim);
    const own = (known ? this.#knownPairs : this.#pairs).take(pairOf(claim));
    if (own > 0 && !claim.isHolder) this.#names.charge(claim.name);
    if (!known) this.#addresses.charge(claim.address);
  }

  /** The name got in from that address, by whatever proof. */
  gotIn(claim: Claim): void {
    if (claim.isHolder) return;
    const key = pairOf(claim);
    this.#known.delete(key);
    this.#known.add(key);
    dropOldest(this.#known, this.#options.keys);
  }
}

/** Neither a name nor an address has a blank in it; `held` is no address. */
function pairOf({ name, address, isHolder }: Claim): string {
  return `${name} ${isHolder ? 'held' : address}`;
}
