import type { ClientState } from '../state.ts';
import type { Command } from './commands.ts';
import type { NewLine, Question, Screen } from './screen.ts';

/** The screen as one version's face writes on it. Texts must be safe for a terminal, except those of `say`. */
export interface Display {
  readonly screen: Screen;
  /** The client's own words. They may quote the server, so they are made safe here. */
  say(kind: 'info' | 'error', text: string): void;
  /** Adds a line; returns its id. */
  append(line: NewLine): number;
  /** What became of an outgoing line. */
  fate(id: number, fate: string): void;
  state(state: ClientState): void;
  turnTo(to: string | null): void;
  /**
   * Asks the person, at once: what they enter next is the answer, or null if they leave the question or the account
   * it was about is not logged in any more. Rejections are told as those of commands are.
   */
  ask(question: Question, answered: (text: string | null) => Promise<void> | void): void;
  quit(): void;
}

/** One version of the protocol between the person and the server. */
export interface Face {
  readonly protocol: 1 | 2;
  start(): void;
  close(): Promise<void>;
  /** @throws ClientError, which is told to the person */
  carryOut(command: Command): Promise<void>;
}

export type MakeFace = (display: Display) => Face;

/** A question that only a typed `yes` answers with yes. */
export function yesOrNo(prompt: string, yes: string, no: string): Question {
  return { prompt, hint: `yes ${yes} · anything else ${no}`, masked: false };
}

export function isYes(answer: string | null): boolean {
  return answer?.trim().toLowerCase() === 'yes';
}
