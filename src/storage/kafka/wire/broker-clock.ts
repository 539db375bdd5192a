import { steadyTime } from '../../../util/steady-time.ts';

/**
 * The brokers' time, as far as this process knows it. What is signed carries it, and is compared with the moment at which a
 * broker appended it: a frontend whose own clock is wrong would make forgeries of all that its people write.
 */
export class BrokerClock {
  readonly #wall: () => number;
  /** How far the brokers' clock is ahead of this process's, milliseconds. */
  #ahead = 0;

  /**
   * @param wall this process's clock, milliseconds since the epoch. One that jumps makes forgeries of what is signed before the
   *   next append is answered.
   */
  constructor(wall: () => number = steadyTime()) {
    this.#wall = wall;
  }

  /** Milliseconds since the epoch, as brokers count them. */
  now(): number {
    return Math.round(this.#wall() + this.#ahead);
  }

  /** This process's own clock: for `learn`. */
  own(): number {
    return this.#wall();
  }

  /**
   * Something was appended between two moments of this process's clock. A difference that is possible stays as it is, so
   * slow answers move nothing.
   * @param sentAt when the request went out, by `own`; the answer came just now
   * @param appendTime when the broker says that it appended it
   */
  learn(sentAt: number, appendTime: number): void {
    const least = appendTime - this.#wall();
    const most = appendTime - sentAt;
    this.#ahead = Math.min(Math.max(this.#ahead, least), most);
  }
}
