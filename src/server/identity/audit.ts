import type { Logger } from 'pino';
import { type BucketOptions, TokenBucket, TokenBuckets } from '../../util/token-buckets.ts';

/** What somebody did to an account, or tried to. */
export interface AuditEntry {
  readonly audit: 'create' | 'login' | 'takeover' | 'logout' | 'delete' | 'password';
  /** `failed`: not proven, or not good enough; `refused`: not even looked at; `error`: a fault of ours or Kafka's. */
  readonly outcome: 'ok' | 'failed' | 'refused' | 'error';
  /** A valid username, perhaps one that nobody has. */
  readonly user: string;
  /** Of the caller, without its port. */
  readonly address: string;
  /** Code of the failure; of an account that was made: why nobody is logged in to it. */
  readonly reason?: string;
  /** How a login was proven; whether it was to end another one. */
  readonly by?: 'password' | 'token' | 'none';
  readonly takeover?: true;
}

/** Bounds of one kind of lines: of each address (of who is let in: each account there), of all, and of what waits. */
interface LineBounds {
  readonly each: BucketOptions;
  readonly all: BucketOptions;
  readonly waiting: number;
}

/** What strangers cause: with new accounts and the lines that sum up, 10 in any second. Enough of each for who counts them. */
const OUTSIDE: LineBounds = {
  each: { burst: 10, perSecond: 0.1 },
  all: { burst: 2, perSecond: 3 },
  waiting: 1_000,
};
/** New accounts: as many wait as may be made within an hour, each with its name. */
const CREATED: LineBounds = {
  each: { burst: 1, perSecond: 1 },
  all: { burst: 1, perSecond: 2 },
  waiting: 1_200,
};
/** Who has an account: ten thousand who come back after an outage are told of within some minutes. */
const INSIDE: LineBounds = {
  each: { burst: 3, perSecond: 1 / 60 },
  all: { burst: 50, perSecond: 50 },
  waiting: 20_000,
};

/** Lines that come again are summed up this often. */
const FLUSH_MS = 1_000;
/** Keys whose lines are counted; above it the one that was used longest ago is forgotten. */
const KEYS = 20_000;

/**
 * One line in the log for whatever happens to accounts, for people and for programs such as fail2ban; never with a
 * password or token. What comes too often waits and becomes one line with `times`, addresses in turn; what not even waits
 * is counted.
 */
export class Audit {
  readonly #outside: Lines;
  readonly #created: Lines;
  readonly #inside: Lines;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    const byAccount = ({ audit, user, address }: AuditEntry) => `${audit} ${user} ${address}`;
    this.#outside = new Lines(
      log,
      OUTSIDE,
      ({ audit, outcome, address }) => `${audit} ${outcome} ${address}`,
    );
    this.#created = new Lines(log, CREATED, byAccount);
    this.#inside = new Lines(log, INSIDE, byAccount);
  }

  record(entry: AuditEntry): void {
    if (!this.#linesOf(entry).add(entry)) this.#flushLater();
  }

  /** Sums up what still waits. */
  close(): void {
    clearTimeout(this.#timer);
    for (const lines of this.#all) lines.giveUp();
  }

  get #all(): Lines[] {
    return [this.#outside, this.#created, this.#inside];
  }

  #linesOf({ audit, outcome }: AuditEntry): Lines {
    if (outcome !== 'ok') return this.#outside;
    return audit === 'create' ? this.#created : this.#inside;
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#all.filter((lines) => lines.flush()).length > 0) this.#flushLater();
    }, FLUSH_MS).unref();
  }
}

interface Waiting {
  entry: AuditEntry;
  times: number;
}

class Lines {
  readonly #log: Logger;
  readonly #bounds: LineBounds;
  readonly #keyOf: (entry: AuditEntry) => string;
  readonly #each: TokenBuckets;
  readonly #all: TokenBucket;
  /** In the order of their coming; at most `waiting`, beyond it they are only counted. */
  readonly #waiting = new Map<string, Waiting>();
  #uncounted = 0;

  constructor(log: Logger, bounds: LineBounds, keyOf: (entry: AuditEntry) => string) {
    this.#log = log;
    this.#bounds = bounds;
    this.#keyOf = keyOf;
    this.#each = new TokenBuckets(bounds.each, KEYS);
    this.#all = new TokenBucket(bounds.all);
  }

  /** @returns whether it is written already */
  add(entry: AuditEntry): boolean {
    const key = this.#keyOf(entry);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.entry = entry;
      waiting.times += 1;
    } else if (this.#mayWrite(key)) {
      this.#write(entry, 1);
      return true;
    } else if (this.#waiting.size < this.#bounds.waiting) this.#waiting.set(key, { entry, times: 1 });
    else this.#uncounted += 1;
    return false;
  }

  /** @returns whether something waits still */
  flush(): boolean {
    for (const [key, { entry, times }] of this.#waiting) {
      if (this.#all.wait() > 0) break;
      if (!this.#mayWrite(key)) continue;
      this.#waiting.delete(key);
      this.#write(entry, times);
    }
    this.#sumUp(this.#uncounted);
    return this.#waiting.size > 0;
  }

  giveUp(): void {
    let times = this.#uncounted;
    for (const waiting of this.#waiting.values()) times += waiting.times;
    this.#waiting.clear();
    this.#sumUp(times);
  }

  #mayWrite(key: string): boolean {
    return this.#each.wait(key) === 0 && this.#all.take() === 0 && this.#each.take(key) === 0;
  }

  #sumUp(times: number): void {
    if (times > 0) this.#log.warn({ audit: 'more', times }, 'more of that than can be said');
    this.#uncounted = 0;
  }

  #write(entry: AuditEntry, times: number): void {
    const { audit, outcome } = entry;
    const level = outcome === 'ok' ? 'info' : 'warn';
    this.#log[level](times > 1 ? { ...entry, times } : entry, `${audit} ${outcome}`);
  }
}
