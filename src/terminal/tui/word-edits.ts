import { boundaryAfter, boundaryBefore } from './graphemes.ts';
import type { Written } from './input-view.ts';
import { wordAfter, wordBefore } from './word-motion.ts';

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
