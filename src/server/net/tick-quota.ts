import { thisTick } from '../../util/tick.ts';
import { type BucketOptions, TokenBucket } from '../../util/token-buckets.ts';
import type { Limits } from '../limits.ts';
import { Lane } from './lane.ts';

/** Requests of one client that are begun before others of its kind have had theirs. */
const REQUESTS_A_TICK = { loggedIn: 16, busy: 4, anonymous: 4 } as const;
/** A client that has asked for no more than this goes before others of its address that have: a hello and a login, mostly. */
const FRESH_REQUESTS = 4;

/** Somebody logged in is busy after more requests than people make: then others go first. */
type Rank = keyof typeof REQUESTS_A_TICK;

/** How much time there is for whom; its meanings stand with `Limits`. */
type TickQuotasOptions = Pick<
  Limits,
  | 'loggedInTickMs'
  | 'loggedInMs'
  | 'busyTickMs'
  | 'busyMsPerSecond'
  | 'anonymousTickMs'
  | 'anonymousMsPerSecond'
  | 'searchTickMs'
  | 'anonymousSearchMsPerSecond'
>;

/**
 * How the time of the event loop is shared out between everybody: people who are logged in, those of them who ask for more
 * than people do, people who are not logged in, and searches, which take longest.
 */
export class TickQuotas {
  readonly requests: Readonly<Record<Rank, Lane>>;
  readonly searches: Readonly<Record<'loggedIn' | 'anonymous', Lane>>;
  readonly #ofOne: BucketOptions;

  constructor(options: TickQuotasOptions) {
    const { loggedInTickMs, loggedInMs, busyTickMs, busyMsPerSecond } = options;
    const { anonymousTickMs, anonymousMsPerSecond } = options;
    this.#ofOne = loggedInMs;
    this.requests = {
      loggedIn: new Lane({ tickMs: loggedInTickMs }),
      busy: new Lane({ tickMs: busyTickMs, msPerSecond: busyMsPerSecond }),
      anonymous: new Lane({ tickMs: anonymousTickMs, msPerSecond: anonymousMsPerSecond }),
    };
    const { searchTickMs: tickMs, anonymousSearchMsPerSecond: msPerSecond } = options;
    this.searches = { loggedIn: new Lane({ tickMs }), anonymous: new Lane({ tickMs, msPerSecond }) };
  }

  /** What one who is logged in may use before others go first, in ms. */
  ofOne(): TokenBucket {
    return new TokenBucket(this.#ofOne);
  }
}

/** What one client may have of it. */
export class TickQuota {
  readonly #quotas: TickQuotas;
  readonly #address: string;
  readonly #goOn: () => void;
  /** Null as long as nobody is logged in. */
  #own: TokenBucket | null = null;
  /** As it was when a request or an answer was about to begin. */
  #rank: Rank = 'anonymous';
  /** Of what is being done, and how many calls of `begin` deep that is. */
  #lane: Lane | null = null;
  #depth = 0;
  /** Requests begun in that tick of the event loop, and in all. */
  #begun = 0;
  #tick = thisTick();
  #total = 0;
  /** Where it waits for its turn. */
  #waitsIn: Lane | null = null;
  /** It is the client's turn: nobody else who waits goes before it. */
  #isCalled = false;
  /** One request may be begun, whatever time is left: otherwise somebody who uses it up all the time would let nobody in. */
  #isGranted = false;

  /**
   * @param address whom the client counts for, see `callerOf`
   * @param goOn called when the client may go on, after `mayBegin` has said no
   */
  constructor(quotas: TickQuotas, address: string, goOn: () => void) {
    this.#quotas = quotas;
    this.#address = address;
    this.#goOn = goOn;
  }

  loggedIn(): void {
    this.#own = this.#quotas.ofOne();
    this.#rank = 'loggedIn';
  }

  /** Something is done for the client. What it takes counts, be it allowed or not: some of it cannot wait. */
  begin(): void {
    this.#depth += 1;
    if (this.#depth > 1) return;
    this.#lane = this.#quotas.requests[this.#rank];
    this.#lane.begin();
  }

  /** @param what a message that was stored counts for the lane alone: how many there may be is bounded elsewhere */
  end(what: 'asked' | 'stored'): void {
    this.#depth -= 1;
    if (this.#depth > 0) return;
    const ms = this.#lane?.end() ?? 0;
    if (what === 'asked') this.#own?.charge(ms);
  }

  /** Does what has to be done, as soon as there is time: at once where nobody waits, and before new requests. */
  whenFree(work: () => void): void {
    const lane = this.#laneNow();
    const timed = (): void => {
      this.begin();
      work();
      this.end('asked');
    };
    if (lane.isFree) timed();
    else lane.wait(this.#address, timed, 'fresh');
  }

  /** Whether the client's next request may be begun now. If not, it is told when. */
  mayBegin(): boolean {
    if (this.#waitsIn !== null) return false;
    const tick = thisTick();
    if (tick !== this.#tick) {
      this.#tick = tick;
      this.#begun = 0;
    }
    if (this.#isGranted) return true;
    const lane = this.#laneNow();
    const isUsedUp = this.#begun >= REQUESTS_A_TICK[this.#rank];
    if (!isUsedUp && (this.#isCalled ? lane.hasTime : lane.isFree)) return true;
    this.#waitsIn = lane;
    lane.wait(this.#address, this.#called, this.#total < FRESH_REQUESTS ? 'fresh' : 'known');
    return false;
  }

  /** One request is begun. */
  use(): void {
    this.#isGranted = false;
    this.#begun += 1;
    this.#total += 1;
  }

  /** Nothing is asked for any more. */
  close(): void {
    this.#waitsIn?.forget(this.#address, this.#called);
    this.#waitsIn = null;
  }

  #laneNow(): Lane {
    if (this.#own !== null) this.#rank = this.#own.isEmpty ? 'busy' : 'loggedIn';
    return this.#quotas.requests[this.#rank];
  }

  readonly #called = (): void => {
    this.#waitsIn = null;
    this.#isCalled = true;
    this.#isGranted = true;
    this.#goOn();
    this.#isGranted = false;
    this.#isCalled = false;
  };
}
