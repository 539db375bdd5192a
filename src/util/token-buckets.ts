import { putLast } from './bounded-map.ts';

export interface BucketOptions {
  /** Tokens of a bucket that was not used for long: what may be taken at once. */
  readonly burst: number;
  /** Tokens that come back. */
  readonly perSecond: number;
}

/** One token bucket: `burst` things at once, then `perSecond`. */
export class TokenBucket {
  readonly #options: BucketOptions;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  /** @param now milliseconds on a clock that never jumps */
  constructor(options: BucketOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#tokens = options.burst;
    this.#at = now();
  }

  /** Milliseconds until there are so many tokens; 0 where there are. */
  wait(count = 1): number {
    const { burst, perSecond } = this.#options;
    const now = this.#now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
    return this.#tokens < count ? Math.ceil(((count - this.#tokens) / perSecond) * 1_000) : 0;
  }

  /**
   * Takes tokens, no more than `burst`.
   * @returns as `wait`: where it is not 0, there were not so many and none was taken
   */
  take(count = 1): number {
    const wait = this.wait(count);
    if (wait === 0) this.#tokens -= count;
    return wait;
  }

  /** Takes tokens that may not be there; no more is owed than a full bucket. */
  charge(count: number): void {
    this.#tokens = Math.max(-this.#options.burst, this.#tokens - count);
  }

  /** Whether it was empty when somebody last looked. Looks again only then: who has some is asked often. */
  get isEmpty(): boolean {
    return this.#tokens < 0 && this.wait(0) > 0;
  }

  /** What it was taken for did not happen after all. */
  giveBack(): void {
    this.#tokens = Math.min(this.#options.burst, this.#tokens + 1);
  }
}

/**
 * A token bucket for each of many keys. Bounded: above `keys` the one that was taken from longest ago is forgotten, which
 * makes it a full one again. To profit from that somebody has to use as many other keys meanwhile.
 */
export class TokenBuckets {
  readonly #options: BucketOptions;
  readonly #keys: number;
  readonly #now: (() => number) | undefined;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: BucketOptions, keys: number, now?: () => number) {
    this.#options = options;
    this.#keys = keys;
    this.#now = now;
  }

  /** As `TokenBucket.wait`; only to look makes no bucket and keeps none. */
  wait(key: string): number {
    return this.#buckets.get(key)?.wait() ?? 0;
  }

  /** As `TokenBucket.take`. */
  take(key: string, count = 1): number {
    return this.#used(key).take(count);
  }

  /** Takes a token that may not be there: what has happened already counts, as `TokenBucket.charge` bounds it. */
  charge(key: string): void {
    const bucket = this.#used(key);
    // First what has come back until now, or it would come on top.
    bucket.wait();
    bucket.charge(1);
  }

  giveBack(key: string): void {
    this.#buckets.get(key)?.giveBack();
  }

  #used(key: string): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#options, this.#now);
    putLast(this.#buckets, key, bucket, this.#keys);
    return bucket;
  }
}
