import type { Environment } from '../environment.ts';
import type { EndingSignal } from './exit.ts';
import type { Output } from './output.ts';

/** What a command gets from the process around it. */
export interface Context {
  /** Behind the command's name. */
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly output: Output;
  /** Tells the person something on standard error; the text is safe for a terminal. */
  readonly say: (text: string) => void;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; the reason is an `Interrupted`. */
  readonly interrupted: AbortSignal;
}

/** A signal asked the command to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: EndingSignal;

  constructor(signal: EndingSignal) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}
