/**
 * - `good`: as it should be.
 * - `slow`: all promises are kept, and something takes longer or costs more than it has to.
 * - `dangerous`: it works, and something may go wrong one day.
 * - `broken`: a promise of the README cannot be kept; a frontend does not start.
 */
export type Grade = 'good' | 'slow' | 'dangerous' | 'broken';

/** One thing of a Kafka that was looked at. */
export interface Finding {
  readonly grade: Grade;
  /** What it is about: a setting with its value, a right, a topic. */
  readonly what: string;
  /** A sentence: what follows from it. */
  readonly text: string;
  /** How to change it, with the command; null: nothing to do. */
  readonly remedy: string | null;
  /** The topic of ours that it is about, where a frontend that starts sets it back, if it may: only then is it told. */
  readonly setBack?: string;
}
