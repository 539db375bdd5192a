import { sanitiseTyped } from '../sanitise.ts';
import { boundaryAfter, boundaryAt, boundaryBefore, graphemesOf } from './graphemes.ts';
import { moveByRows } from './input-view.ts';
import {
  caseWord,
  chunkBefore,
  type Edit,
  transposeChars,
  transposeWords,
  type WordCase,
  wordAfter,
  wordBefore,
} from './word-motion.ts';

/** Longest input in bytes of UTF-8: what a send can carry, less its header and a command in front of it. */
export const MAX_INPUT_BYTES = 65_000;
/** Entered texts that are kept for the up key; the oldest is forgotten when one more comes. */
export const MAX_HISTORY = 100;
/** Steps that can be undone; the oldest is forgotten when one more comes. */
const MAX_UNDO = 100;

/** What a cut may leave at the end. */
const HALF_CHARACTER = /[\ud800-\udbff]$/;

/** What undoing brings back. */
type Snapshot = Pick<InputLine, 'text' | 'cursor' | 'historyAt' | 'draft'>;

/** What an action was a part of, where several are undone (or yanked) as one. */
type Run = 'typing' | 'erasing' | 'killing' | 'recalling' | null;

export interface InputLine {
  /** Lines are parted by LF. Everything in it is safe for a terminal. */
  readonly text: string;
  /** Where the next character goes: an index into `text`, always between two graphemes. */
  readonly cursor: number;
  /** Entered texts, oldest first. */
  readonly history: readonly string[];
  /** Which text of the history is shown; its length = the one that is being written. */
  readonly historyAt: number;
  /** What was being written when the up key was pressed. */
  readonly draft: string;
  /** What the last kills took out, for `yank`. */
  readonly killed: string;
  /** Earlier states, the latest last; and what was undone. */
  readonly undo: readonly Snapshot[];
  readonly redo: readonly Snapshot[];
  readonly run: Run;
  /** The column that moving up and down strives for, after the first such step. */
  readonly goal: number | null;
  /** The last action brought text for which there was no room, or not for all of it. */
  readonly isFull: boolean;
}

export type InputAction =
  /** Text that was typed or pasted, of one line or more; it is sanitised here. */
  | { readonly type: 'insert'; readonly text: string }
  /** Another text in place of a part of it, as completion makes it; undone in one step. */
  | { readonly type: 'replace'; readonly from: number; readonly to: number; readonly text: string }
  /** Another text altogether, with nothing to undo, and what was entered before: those of another conversation. */
  | { readonly type: 'set'; readonly text: string; readonly history?: readonly string[] }
  | {
      readonly type: /** Empties the line and remembers it. */
        | 'submit'
        /** Empties the line and remembers nothing of it, not even for undo and yank: it may have been a password. */
        | 'clear'
        | 'newline'
        | 'backspace'
        | 'delete'
        | 'left'
        | 'right'
        | 'word-left'
        | 'word-right'
        /** Start and end of the line that the cursor is on, where the text has several. */
        | 'home'
        | 'end'
        /** Kills back to the blank before, as a shell's Ctrl+W. */
        | 'delete-word'
        /** Kills back to, or on to, the end of a word: these stop at punctuation, too. */
        | 'kill-word-back'
        | 'kill-word-forward'
        /** Kill to the start or end of the line; from there on the line break. */
        | 'delete-to-start'
        | 'delete-to-end'
        /** Puts back what the last kills took. */
        | 'yank'
        | 'undo'
        | 'redo'
        | 'transpose-chars'
        | 'transpose-words'
        /** Of the rest of the word that the cursor is in or before. */
        | WordCase
        /** By rows of the screen; from the first or last one through the history. */
        | 'up'
        | 'down'
        /** Through the history, wherever the cursor is. */
        | 'older'
        | 'newer';
    };

export const EMPTY_INPUT: InputLine = {
  text: '',
  cursor: 0,
  history: [],
  historyAt: 0,
  draft: '',
  killed: '',
  undo: [],
  redo: [],
  run: null,
  goal: null,
  isFull: false,
};

/**
 * What the input becomes by one action. Pure.
 *
 * @param columns the columns that the text is shown in, as for `viewInput`: `up` and `down` go by these rows. Without
 *   it a line is one row, however long.
 */
export function editInput(input: InputLine, action: InputAction, columns = Infinity): InputLine {
  const { text, cursor } = input;
  switch (action.type) {
    case 'insert':
      return insert(input, action.text);
    case 'newline':
      return insert(input, '\n');
    case 'yank':
      return insert(input, input.killed);
    case 'replace':
      return replace(input, action.from, action.to, action.text);
    case 'set': {
      const { history = input.history } = action;
      return withText({ ...forgotten({ ...input, history }), killed: input.killed }, taken(action.text).text);
    }
    case 'submit':
      return submit(input);
    case 'clear':
      return forgotten(input);
    case 'backspace':
      return erase(input, boundaryBefore(text, cursor), cursor);
    case 'delete':
      return erase(input, cursor, boundaryAfter(text, cursor));
    case 'delete-word':
      return kill(input, chunkBefore(text, cursor), cursor);
    case 'kill-word-back':
      return kill(input, wordBefore(text, cursor), cursor);
    case 'kill-word-forward':
      return kill(input, cursor, wordAfter(text, cursor));
    case 'delete-to-start': {
      const start = lineStart(text, cursor);
      return kill(input, start === cursor ? Math.max(0, start - 1) : start, cursor);
    }
    case 'delete-to-end': {
      const end = lineEnd(text, cursor);
      return kill(input, cursor, end === cursor ? Math.min(text.length, end + 1) : end);
    }
    case 'left':
      return moved(input, boundaryBefore(text, cursor));
    case 'right':
      return moved(input, boundaryAfter(text, cursor));
    case 'word-left':
      return moved(input, wordBefore(text, cursor));
    case 'word-right':
      return moved(input, wordAfter(text, cursor));
    case 'home':
      return moved(input, lineStart(text, cursor));
    case 'end':
      return moved(input, lineEnd(text, cursor));
    case 'up':
      return byRow(input, columns, -1);
    case 'down':
      return byRow(input, columns, 1);
    case 'older':
      return recall(input, input.historyAt - 1);
    case 'newer':
      return recall(input, input.historyAt + 1);
    case 'transpose-chars':
      return edited(input, transposeChars(input));
    case 'transpose-words':
      return edited(input, transposeWords(input));
    case 'upcase-word':
    case 'downcase-word':
    case 'capitalize-word':
      return edited(input, caseWord(input, action.type));
    case 'undo':
      return travel(input, 'undo', 'redo');
    case 'redo':
      return travel(input, 'redo', 'undo');
  }
}

/**
 * As `editInput`, for the answer to a question, which is of one line: no key makes another, and what is pasted loses
 * the line breaks around it, which come along when a password is copied, and has blanks for those within.
 */
export function editAnswer(answer: InputLine, action: InputAction): InputLine {
  if (action.type === 'newline') return answer;
  if (action.type !== 'insert') return editInput(answer, action);
  const line = sanitiseTyped(action.text.slice(0, MAX_INPUT_BYTES)).split('\n').filter(Boolean).join(' ');
  return editInput(answer, { type: 'insert', text: line });
}

/** The same line with a dot for each character, line breaks among them; nothing of the text is left in it. */
export function maskInput({ text, cursor }: Pick<InputLine, 'text' | 'cursor'>): InputLine {
  const dots = (part: string) => '•'.repeat(graphemesOf(part).widths.length);
  const before = dots(text.slice(0, cursor));
  return { ...EMPTY_INPUT, text: before + dots(text.slice(cursor)), cursor: before.length };
}

function insert(input: InputLine, typed: string): InputLine {
  const { text: before, cursor } = input;
  const { text, isFull } = taken(typed, Buffer.byteLength(before));
  if (text === '') return { ...input, isFull };
  const isTyped = boundaryAfter(text, 0) === text.length && text !== '\n';
  // A word is one step with the blanks behind it; the next one starts another.
  const startsWord = /^\S/u.test(text) && /\s$/u.test(before.slice(Math.max(0, cursor - 1), cursor));
  const goesOn = isTyped && input.run === 'typing' && !startsWord;
  const edited = splice(goesOn ? input : remembered(input), cursor, cursor, text);
  return { ...edited, run: isTyped ? 'typing' : null, isFull };
}

function replace(input: InputLine, from: number, to: number, typed: string): InputLine {
  const { text } = input;
  const start = from <= 0 ? 0 : boundaryBefore(text, Math.min(from, text.length) + 1);
  const end = boundaryAt(text, Math.max(start, to));
  const kept = Buffer.byteLength(text) - Buffer.byteLength(text.slice(start, end));
  const { text: other, isFull } = taken(typed, kept);
  if (text.slice(start, end) === other) return { ...moved(input, end), isFull };
  return { ...splice(remembered(input), start, end, other), isFull };
}

/** What there is room for beside `used` bytes, made safe. */
function taken(typed: string, used = 0): { text: string; isFull: boolean } {
  // Cut first: nobody needs to look at megabytes of paste to find that they do not fit.
  const safe = sanitiseTyped(typed.slice(0, MAX_INPUT_BYTES).replace(HALF_CHARACTER, ''));
  const room = MAX_INPUT_BYTES - used;
  if (Buffer.byteLength(safe) <= room) return { text: safe, isFull: typed.length > MAX_INPUT_BYTES };
  const { starts } = graphemesOf(safe);
  let bytes = 0;
  for (let index = 0; index + 1 < starts.length; index++) {
    bytes += Buffer.byteLength(safe.slice(starts[index], starts[index + 1]));
    if (bytes > room) return { text: safe.slice(0, starts[index]), isFull: true };
  }
  return { text: safe, isFull: false };
}

function erase(input: InputLine, from: number, to: number): InputLine {
  if (from === to) return unchanged(input);
  return { ...splice(input.run === 'erasing' ? input : remembered(input), from, to, ''), run: 'erasing' };
}

/** Erases for `yank`: what several kills in a row take comes back together. */
function kill(input: InputLine, from: number, to: number): InputLine {
  if (from === to) return unchanged(input);
  const cut = input.text.slice(from, to);
  const earlier = input.run === 'killing' ? input.killed : '';
  const killed = to === input.cursor ? cut + earlier : earlier + cut;
  return { ...splice(remembered(input), from, to, ''), run: 'killing', killed };
}

/** The text between two places made another, and the cursor behind it. */
function splice(input: InputLine, from: number, to: number, text: string): InputLine {
  const whole = input.text.slice(0, from) + text + input.text.slice(to);
  // A combining mark or a joiner may have grown together with what stands beside it.
  const cursor = boundaryAt(whole, from + text.length);
  return { ...input, text: whole, cursor, run: null, goal: null, isFull: false };
}

function moved(input: InputLine, cursor: number): InputLine {
  return { ...input, cursor, run: null, goal: null, isFull: false };
}

/** A part of the text made another by a key; null: there is nothing to do. */
function edited(input: InputLine, edit: Edit | null): InputLine {
  return edit === null ? unchanged(input) : replace(input, edit.from, edit.to, edit.text);
}

/** There was nothing to do. */
function unchanged(input: InputLine): InputLine {
  return input.isFull ? { ...input, isFull: false } : input;
}

function withText(input: InputLine, text: string): InputLine {
  return { ...moved(input, text.length), text };
}

/** The input with what it is now as the first thing to undo. */
function remembered(input: InputLine): InputLine {
  return { ...input, undo: [...input.undo, snapshot(input)].slice(-MAX_UNDO), redo: [] };
}

function snapshot({ text, cursor, historyAt, draft }: InputLine): Snapshot {
  return { text, cursor, historyAt, draft };
}

function travel(input: InputLine, from: 'undo' | 'redo', to: 'undo' | 'redo'): InputLine {
  const earlier = input[from].at(-1);
  if (earlier === undefined) return unchanged(input);
  return {
    ...moved(input, earlier.cursor),
    ...earlier,
    [from]: input[from].slice(0, -1),
    [to]: [...input[to], snapshot(input)],
  };
}

function submit(input: InputLine): InputLine {
  const repeated = input.text === '' || input.history.at(-1) === input.text;
  const history = repeated ? input.history : [...input.history, input.text].slice(-MAX_HISTORY);
  return { ...EMPTY_INPUT, history, historyAt: history.length, killed: input.killed };
}

function forgotten({ history }: InputLine): InputLine {
  return { ...EMPTY_INPUT, history, historyAt: history.length };
}

function byRow(input: InputLine, columns: number, by: 1 | -1): InputLine {
  const place = moveByRows(input, columns, by, input.goal);
  if (place === null) return recall(input, input.historyAt + by);
  return { ...moved(input, place.cursor), goal: place.goal };
}

function recall(input: InputLine, at: number): InputLine {
  const { history, historyAt } = input;
  if (at < 0 || at > history.length) return unchanged(input);
  const draft = historyAt === history.length ? input.text : input.draft;
  const from = input.run === 'recalling' ? input : remembered(input);
  return { ...withText(from, history[at] ?? draft), historyAt: at, draft, run: 'recalling' };
}

function lineStart(text: string, cursor: number): number {
  // A search from a negative index would look at the first character.
  return cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1;
}

function lineEnd(text: string, cursor: number): number {
  const end = text.indexOf('\n', cursor);
  return end < 0 ? text.length : end;
}
