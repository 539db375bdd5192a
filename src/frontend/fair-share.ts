import { atTurnEnd, thisTurn } from './turn-end.ts';

/** One client's requests that are begun before everybody else has had a turn of the event loop. */
const REQUESTS_A_TURN = 16;

/**
 * How much of one turn of the event loop a session may use. Requests that need nothing from Kafka are answered in
 * microtasks: a client that sends thousands of them at once would keep everybody else waiting until it is through.
 */
export class FairShare {
  readonly #nextTurn: () => void;
  #turn = -1;
  #used = 0;

  /** @param nextTurn called when the session may go on, after a turn in which it used up its share */
  constructor(nextTurn: () => void) {
    this.#nextTurn = nextTurn;
  }

  get isUsedUp(): boolean {
    return this.#used >= REQUESTS_A_TURN && this.#turn === thisTurn();
  }

  /** One request is begun. */
  use(): void {
    const turn = thisTurn();
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#used = 0;
    }
    this.#used += 1;
    if (this.#used === REQUESTS_A_TURN) atTurnEnd(this.#nextTurn);
  }
}
