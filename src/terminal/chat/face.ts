import type { FaceCommand } from './commands.ts';
import type { Display, Question } from './display.ts';

/** One version of the protocol between the person and the server. */
export interface Face {
  readonly protocol: 1 | 2;
  start(): void;
  /** False lets the server wait; said again for each message that comes all the same. */
  read(isReading: boolean): void;
  close(): Promise<void>;
  /** Asks who the person is; a name that is known already is not asked for. */
  greet(name: string | null): void;
  /** Logs in to an account that somebody else took over, which ends it there. */
  takeBack(name: string): Promise<void> | void;
  /** Accounts of the server that match; `more` if there are others. @throws ClientError */
  list(pattern: string): Promise<{ readonly names: readonly string[]; readonly more: boolean }>;
  /** @throws ClientError, which is told to the person */
  carryOut(command: FaceCommand): Promise<void>;
}

export type MakeFace = (display: Display) => Face;

export const HISTORY_STAYS = 'the history on this machine stays';

/** A question whose answer nobody sees. */
export function secret(prompt: string, hint: string, again?: Question['again']): Question {
  return { prompt, hint, masked: true, ...(again === undefined ? {} : { again }) };
}

/** A question that only a typed `yes`, or `y`, answers with yes. */
export function yesOrNo(prompt: string, yes: string, no: string): Question {
  return { prompt, hint: `yes ${yes} · anything else ${no}`, masked: false };
}
