import { Lane } from './lane.ts';
import { thisTurn } from './turn-end.ts';

/** Requests of one client that are begun before others of its kind have had their turn. */
const REQUESTS_A_TURN = { loggedIn: 16, anonymous: 4 } as const;
/** A client that has asked for no more than this goes before others of its address that have: a hello and a login, mostly. */
const FRESH_REQUESTS = 4;

export type Rank = keyof typeof REQUESTS_A_TURN;

/** Times in milliseconds, see `Limits`. */
export interface SharesOptions {
  readonly loggedInTurnMs: number;
  readonly anonymousTurnMs: number;
  readonly anonymousMsPerSecond: number;
  readonly searchTurnMs: number;
  readonly anonymousSearchMsPerSecond: number;
}

/**
 * How the time of the event loop is shared out between everybody: people who are logged in, people who are not, and
 * searches of either, which take longest.
 */
export class Shares {
  readonly requests: Readonly<Record<Rank, Lane>>;
  readonly searches: Readonly<Record<Rank, Lane>>;

  constructor(options: SharesOptions) {
    const { loggedInTurnMs, anonymousTurnMs, anonymousMsPerSecond } = options;
    this.requests = {
      loggedIn: new Lane({ turnMs: loggedInTurnMs }),
      anonymous: new Lane({ turnMs: anonymousTurnMs, msPerSecond: anonymousMsPerSecond }),
    };
    const { searchTurnMs: turnMs, anonymousSearchMsPerSecond: msPerSecond } = options;
    this.searches = { loggedIn: new Lane({ turnMs }), anonymous: new Lane({ turnMs, msPerSecond }) };
  }
}

/** What one client may have of it. */
export class Share {
  readonly #shares: Shares;
  readonly #address: string;
  readonly #goOn: () => void;
  #rank: Rank = 'anonymous';
  #turn = -1;
  /** Requests begun in this turn, and in all. */
  #begun = 0;
  #total = 0;
  #isWaiting = false;
  /** It is the client's turn: nobody else who waits goes before it. */
  #isCalled = false;
  #isOver = false;

  /**
   * @param address whom the client counts for, see `callerOf`
   * @param goOn called when the client may go on, after `mayBegin` has said no
   */
  constructor(shares: Shares, address: string, goOn: () => void) {
    this.#shares = shares;
    this.#address = address;
    this.#goOn = goOn;
  }

  /** The lane of the client's requests; what is done for it lies between its `begin` and `end`. */
  get lane(): Lane {
    return this.#shares.requests[this.#rank];
  }

  set rank(rank: Rank) {
    this.#rank = rank;
  }

  /** Whether the client's next request may be begun now. If not, it is told when. */
  mayBegin(): boolean {
    if (this.#isWaiting) return false;
    const isUsedUp = this.#begun >= REQUESTS_A_TURN[this.#rank] && this.#turn === thisTurn();
    if (!isUsedUp && (this.#isCalled ? this.lane.hasTime : this.lane.isFree)) return true;
    this.#isWaiting = true;
    this.lane.wait(this.#address, this.#called, this.#total < FRESH_REQUESTS ? 'fresh' : 'known');
    return false;
  }

  /** One request is begun. */
  use(): void {
    const turn = thisTurn();
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#begun = 0;
    }
    this.#begun += 1;
    this.#total += 1;
  }

  /** Nothing is asked for any more. */
  end(): void {
    this.#isOver = true;
  }

  readonly #called = (): void => {
    this.#isWaiting = false;
    if (this.#isOver) return;
    this.#isCalled = true;
    this.#goOn();
    this.#isCalled = false;
  };
}
