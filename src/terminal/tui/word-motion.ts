import { boundaryAfter, boundaryAt, boundaryBefore } from './graphemes.ts';
import type { Written } from './input-view.ts';

/** So many units around the cursor are looked at first; more only where a word or a gap is longer. */
const WINDOW_UNITS = 128;

/** Words as a reader sees them: `deploy-bot` is two, and where no blanks stand between words a dictionary parts them. */
let segmenter: Intl.Segmenter | undefined;

function wordsIn(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' });
  return segmenter.segment(text);
}

/** Scripts that are written without blanks between words. */
const UNSPACED =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;

/** Where the word begins that `cursor` is in or behind; 0 if there is none. */
export function wordBefore(text: string, cursor: number): number {
  for (let units = WINDOW_UNITS; ; units *= 4) {
    const from = Math.max(0, cursor - units);
    // What is behind the cursor shows whether it is within a word.
    const window = text.slice(from, cursor + WINDOW_UNITS);
    let found = -1;
    for (const { index, isWordLike } of wordsIn(window)) {
      if (from + index >= cursor) break;
      if (isWordLike === true) found = index;
    }
    // One at the very start of the window may begin further to the left.
    if (found > 0 || from === 0) return boundaryBefore(text, from + Math.max(0, found) + 1);
  }
}

/** Where the word ends that `cursor` is in or in front of; the text's end if there is none. */
export function wordAfter(text: string, cursor: number): number {
  for (let units = WINDOW_UNITS; ; units *= 4) {
    const window = text.slice(cursor, cursor + units);
    const isWhole = cursor + window.length === text.length;
    let end = window.length;
    for (const { segment, index, isWordLike } of wordsIn(window)) {
      if (isWordLike !== true) continue;
      end = index + segment.length;
      break;
    }
    if (end < window.length || isWhole) return boundaryAt(text, cursor + end);
  }
}

/** Where what stands between blanks begins, as a shell's Ctrl+W sees it; one word where no blanks are written. */
export function chunkBefore(text: string, cursor: number): number {
  // By steps: a regular expression that looks for the end of the text takes quadratic time on a long word.
  let at = cursor;
  while (at > 0 && isBlank(text, at - 1)) at -= 1;
  if (isUnspaced(text, at - 1)) return wordBefore(text, at);
  while (at > 0 && !isBlank(text, at - 1) && !isUnspaced(text, at - 1)) at -= 1;
  return boundaryBefore(text, at + 1);
}

function isBlank(text: string, index: number): boolean {
  return /\s/u.test(text.charAt(index));
}

function isUnspaced(text: string, index: number): boolean {
  return UNSPACED.test(text.charAt(index));
}

/** A part of a text that becomes another; the cursor goes behind it. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export type WordCase = 'upcase-word' | 'downcase-word' | 'capitalize-word';

/** The characters on both sides of the cursor exchanged; at the end of a line the two before it. Null: there are none. */
export function transposeChars({ text, cursor }: Written): Edit | null {
  const isAtEnd = cursor === text.length || text.charAt(cursor) === '\n';
  const middle = isAtEnd ? boundaryBefore(text, cursor) : cursor;
  const from = boundaryBefore(text, middle);
  const to = boundaryAfter(text, middle);
  if (from === middle || text.slice(from, to).includes('\n')) return null;
  return { from, to, text: text.slice(middle, to) + text.slice(from, middle) };
}

/** The word that the cursor is in or before exchanged with the one before that; at the end the last two. */
export function transposeWords({ text, cursor }: Written): Edit | null {
  const isBeforeWord = /[\p{L}\p{N}]/u.test(text.slice(cursor));
  const to = wordAfter(text, isBeforeWord ? cursor : wordBefore(text, cursor));
  const second = wordBefore(text, to);
  const first = wordBefore(text, second);
  const between = wordAfter(text, first);
  if (first >= second || between > second || second >= to) return null;
  const words = [text.slice(first, between), text.slice(between, second), text.slice(second, to)];
  return { from: first, to, text: words.reverse().join('') };
}

/** The word from the cursor on in other letters. Null: there is none. */
export function caseWord({ text, cursor }: Written, how: WordCase): Edit | null {
  const to = wordAfter(text, cursor);
  const part = text.slice(cursor, to);
  if (part.trim() === '') return null;
  if (how === 'upcase-word') return { from: cursor, to, text: part.toUpperCase() };
  const lower = part.toLowerCase();
  if (how === 'downcase-word') return { from: cursor, to, text: lower };
  const capital = lower.replace(/[\p{L}\p{N}]/u, (letter) => letter.toUpperCase());
  return { from: cursor, to, text: capital };
}
