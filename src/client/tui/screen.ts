import type { ClientState } from '../state.ts';
import type { Link } from '../transport.ts';
import { EMPTY_INPUT, editInput, type InputAction, type InputLine } from './input-line.ts';
import { type Line, rowsOf, windowOf } from './lines.ts';

/** Scroll-back: at most so many lines, and so many characters in them. The oldest line goes when one more comes. */
const MAX_LINES = 2_000;
const MAX_CHARACTERS = 2_000_000;
/** A longer text is cut: no inbox takes one, so only a hostile server sends it. */
const MAX_LINE_CHARACTERS = 200_000;

export const MIN_COLUMNS = 20;
export const MIN_ROWS = 6;

/** Everything that the screen shows. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly server: string;
  readonly protocol: 1 | 2;
  readonly link: Link;
  readonly account: string | null;
  /** As `ClientState.wanted`. */
  readonly wanted: string | null;
  /** Who gets what is typed without a command. Changes only by the person's own command. */
  readonly to: string | null;
  /** What the person is asked, and their answer so far; what they were writing waits meanwhile. */
  readonly question: Question | null;
  readonly answer: InputLine;
  readonly lines: readonly Line[];
  readonly characters: number;
  readonly nextId: number;
  /** How many rows lie below the window; 0 = the newest are in sight. */
  readonly below: number;
  /** Lines that came while they would have been below the window. */
  readonly unseen: number;
  readonly input: InputLine;
}

export interface Question {
  /** In front of the input. */
  readonly prompt: string;
  readonly hint: string;
  /** Whether the answer is a password: never shown, never kept. */
  readonly masked: boolean;
}

export type NewLine = Omit<Line, 'id'>;

export type ScreenEvent =
  | { readonly type: 'edit'; readonly action: InputAction }
  | { readonly type: 'append'; readonly line: NewLine }
  /** What became of an outgoing line. */
  | { readonly type: 'fate'; readonly id: number; readonly fate: string }
  | { readonly type: 'state'; readonly state: ClientState }
  | { readonly type: 'turn-to'; readonly to: string | null }
  | { readonly type: 'ask'; readonly question: Question | null }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly type: 'page-up' | 'page-down' };

export function emptyScreen(server: string, columns: number, rows: number): Screen {
  return {
    columns,
    rows,
    server,
    protocol: 2,
    link: { kind: 'connecting' },
    account: null,
    wanted: null,
    to: null,
    question: null,
    answer: EMPTY_INPUT,
    lines: [],
    characters: 0,
    nextId: 1,
    below: 0,
    unseen: 0,
    input: EMPTY_INPUT,
  };
}

/** The screen after one event. Pure. */
export function updateScreen(screen: Screen, event: ScreenEvent): Screen {
  switch (event.type) {
    case 'edit':
      return screen.question === null
        ? { ...screen, input: editInput(screen.input, event.action) }
        : { ...screen, answer: editInput(screen.answer, event.action) };
    case 'append':
      return append(screen, event.line);
    case 'fate':
      return {
        ...screen,
        lines: screen.lines.map((line) => (line.id === event.id ? { ...line, fate: event.fate } : line)),
      };
    case 'state':
      return { ...screen, ...event.state };
    case 'turn-to':
      return { ...screen, to: event.to };
    case 'ask':
      return { ...screen, question: event.question, answer: EMPTY_INPUT };
    case 'resize':
      return scrolledTo({ ...screen, columns: event.columns, rows: event.rows }, screen.below);
    case 'page-up':
      return scrolledTo(screen, screen.below + bodyRows(screen.rows) - 1);
    case 'page-down':
      return scrolledTo(screen, screen.below - bodyRows(screen.rows) + 1);
  }
}

/** Whether there is room for the two rules that part the messages from header and input. */
export function hasRules(rows: number): boolean {
  return rows >= 10;
}

/** Rows for messages in a terminal of `rows` rows: what header, input line, hint line and rules leave. */
export function bodyRows(rows: number): number {
  return Math.max(1, rows - (hasRules(rows) ? 5 : 3));
}

function append(screen: Screen, added: NewLine): Screen {
  const text =
    added.text.length <= MAX_LINE_CHARACTERS
      ? added.text
      : `${added.text.slice(0, MAX_LINE_CHARACTERS)}… (cut)`;
  const line: Line = { ...added, text: text.toWellFormed(), id: screen.nextId };
  let characters = screen.characters + line.text.length;
  let first = Math.max(0, screen.lines.length + 1 - MAX_LINES);
  for (let index = 0; index < first; index++) characters -= screen.lines[index]?.text.length ?? 0;
  while (characters > MAX_CHARACTERS && first < screen.lines.length) {
    characters -= screen.lines[first]?.text.length ?? 0;
    first += 1;
  }
  const lines = [...screen.lines.slice(first), line];
  const scrolled = screen.below > 0;
  return {
    ...screen,
    lines,
    characters,
    nextId: screen.nextId + 1,
    // Who reads further up goes on reading there.
    below: scrolled ? screen.below + rowsOf(line, screen.columns).length : 0,
    unseen: scrolled ? screen.unseen + 1 : 0,
  };
}

function scrolledTo(screen: Screen, wanted: number): Screen {
  const { below } = windowOf(screen.lines, screen.columns, bodyRows(screen.rows), Math.max(0, wanted));
  return { ...screen, below, unseen: below === 0 ? 0 : screen.unseen };
}
