import stringWidth from 'string-width';
import { sanitiseTyped } from '../sanitise.ts';

/** Longest input in bytes of UTF-8: what a send can carry, less its header and a command in front of it. */
export const MAX_INPUT_BYTES = 65_000;
/** Entered lines that are kept for the up key; the oldest is forgotten when one more comes. */
const MAX_HISTORY = 100;

export interface InputLine {
  readonly text: string;
  /** Where the next character goes: an index into `text`, always between two graphemes. */
  readonly cursor: number;
  /** Entered lines, oldest first. */
  readonly history: readonly string[];
  /** Which line of the history is shown; its length = the line that is being written. */
  readonly historyAt: number;
  /** The line that was being written when the up key was pressed. */
  readonly draft: string;
}

export type InputAction =
  | { readonly type: 'insert'; readonly text: string }
  | { readonly type: 'submit' }
  /** Empties the line and remembers nothing of it. */
  | { readonly type: 'clear' }
  | {
      readonly type:
        | 'backspace'
        | 'delete'
        | 'left'
        | 'right'
        | 'word-left'
        | 'word-right'
        | 'home'
        | 'end'
        | 'delete-word'
        | 'delete-to-start'
        | 'delete-to-end'
        | 'up'
        | 'down';
    };

export const EMPTY_INPUT: InputLine = { text: '', cursor: 0, history: [], historyAt: 0, draft: '' };

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** What the input line becomes by one action. Pure; `submit` empties the line and remembers it. */
export function editInput(input: InputLine, action: InputAction): InputLine {
  const { text, cursor } = input;
  switch (action.type) {
    case 'insert':
      return insert(input, action.text);
    case 'submit':
      return submit(input);
    case 'clear':
      return { ...EMPTY_INPUT, history: input.history, historyAt: input.history.length };
    case 'backspace':
      return cut(input, graphemeBefore(text, cursor), cursor);
    case 'delete':
      return cut(input, cursor, graphemeAfter(text, cursor));
    case 'left':
      return { ...input, cursor: graphemeBefore(text, cursor) };
    case 'right':
      return { ...input, cursor: graphemeAfter(text, cursor) };
    case 'word-left':
      return { ...input, cursor: wordBefore(text, cursor) };
    case 'word-right':
      return { ...input, cursor: wordAfter(text, cursor) };
    case 'home':
      return { ...input, cursor: 0 };
    case 'end':
      return { ...input, cursor: text.length };
    case 'delete-word':
      return cut(input, wordBefore(text, cursor), cursor);
    case 'delete-to-start':
      return cut(input, 0, cursor);
    case 'delete-to-end':
      return cut(input, cursor, text.length);
    case 'up':
      return recall(input, input.historyAt - 1);
    case 'down':
      return recall(input, input.historyAt + 1);
  }
}

/** The part of the input line that fits, and the column of the cursor in it. */
export interface InputView {
  readonly text: string;
  readonly cursorColumn: number;
}

/**
 * Shows the input in `columns` columns so that the cursor, which needs one of them, is always among them. The text
 * moves sideways only when the cursor would leave.
 */
export function viewInput(input: InputLine, columns: number): InputView {
  if (columns < 1) return { text: '', cursorColumn: 0 };
  // A grapheme takes two columns at most: what is further away than the window is wide need not be looked at.
  const before: string[] = [];
  let width = 0;
  let at = input.cursor;
  while (at > 0) {
    const start = graphemeBefore(input.text, at);
    const piece = input.text.slice(start, at);
    const pieceWidth = stringWidth(piece);
    if (width + pieceWidth > columns - 1) break;
    before.unshift(piece);
    width += pieceWidth;
    at = start;
  }
  const cursorColumn = width;
  let shown = before.join('');
  at = input.cursor;
  while (at < input.text.length) {
    const end = graphemeAfter(input.text, at);
    const piece = input.text.slice(at, end);
    width += stringWidth(piece);
    if (width > columns) break;
    shown += piece;
    at = end;
  }
  return { text: shown, cursorColumn };
}

/** The same line with a dot for each character; nothing of the text is left in it. */
export function maskInput({ text, cursor }: InputLine): InputLine {
  const dots = (part: string) => '•'.repeat(Array.from(graphemes.segment(part)).length);
  const before = dots(text.slice(0, cursor));
  return { ...EMPTY_INPUT, text: before + dots(text.slice(cursor)), cursor: before.length };
}

function insert(input: InputLine, typed: string): InputLine {
  // Cut first: nobody needs to look at megabytes of paste to find that they do not fit.
  const room = MAX_INPUT_BYTES - Buffer.byteLength(input.text);
  const text = fitting(sanitiseTyped(typed.slice(0, MAX_INPUT_BYTES)), room);
  if (text === '') return input;
  const whole = input.text.slice(0, input.cursor) + text + input.text.slice(input.cursor);
  // A combining mark or joiner may have grown together with what stands beside it.
  return { ...input, text: whole, cursor: boundaryAt(whole, input.cursor + text.length) };
}

/** The longest beginning of whole graphemes that takes at most `bytes` bytes. */
function fitting(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let used = 0;
  let end = 0;
  for (const part of graphemes.segment(text)) {
    used += Buffer.byteLength(part.segment);
    if (used > bytes) break;
    end = part.index + part.segment.length;
  }
  return text.slice(0, end);
}

function submit(input: InputLine): InputLine {
  const repeated = input.text === '' || input.history.at(-1) === input.text;
  const history = repeated ? input.history : [...input.history, input.text].slice(-MAX_HISTORY);
  return { text: '', cursor: 0, history, historyAt: history.length, draft: '' };
}

function recall(input: InputLine, at: number): InputLine {
  const { history, historyAt } = input;
  if (at < 0 || at > history.length) return input;
  const draft = historyAt === history.length ? input.text : input.draft;
  return { ...withText(input, history[at] ?? draft), historyAt: at, draft };
}

function withText(input: InputLine, text: string): InputLine {
  return { ...input, text, cursor: text.length };
}

function cut(input: InputLine, from: number, to: number): InputLine {
  if (from === to) return input;
  const text = input.text.slice(0, from) + input.text.slice(to);
  return { ...input, text, cursor: boundaryAt(text, from) };
}

/** The next boundary of graphemes at or after `index`. */
function boundaryAt(text: string, index: number): number {
  if (index <= 0 || index >= text.length) return Math.max(0, Math.min(index, text.length));
  const part = graphemes.segment(text).containing(index);
  if (part === undefined || part.index === index) return index;
  return part.index + part.segment.length;
}

function graphemeBefore(text: string, index: number): number {
  return index <= 0 ? 0 : (graphemes.segment(text).containing(index - 1)?.index ?? 0);
}

function graphemeAfter(text: string, index: number): number {
  const part = graphemes.segment(text).containing(index);
  return part === undefined ? text.length : part.index + part.segment.length;
}

function wordBefore(text: string, cursor: number): number {
  // By steps: a regular expression that looks for the end of the text takes quadratic time on a long word.
  let at = cursor;
  while (at > 0 && isBlank(text, at - 1)) at -= 1;
  while (at > 0 && !isBlank(text, at - 1)) at -= 1;
  return at;
}

function isBlank(text: string, index: number): boolean {
  return /\s/u.test(text.charAt(index));
}

function wordAfter(text: string, cursor: number): number {
  const skipped = /^\s*\S*/u.exec(text.slice(cursor));
  return cursor + (skipped?.[0].length ?? 0);
}
