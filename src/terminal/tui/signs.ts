import { type Environment, hasOtherEncoding } from '../environment.ts';
import type { SignsChoice } from '../setting-table.ts';
import type { Row, Span } from './rows.ts';

/** Which signs are drawn: those of Unicode, or ASCII's for fonts that have no others. */
export type Signs = Exclude<SignsChoice, 'auto'>;

/**
 * The Linux console has a font of 256 or 512 characters, and ticks, hourglass and circles are in none that come with it. A
 * terminal of another encoding than UTF-8 has none of them either, and tmux draws a `_` for each in such a locale.
 */
export function signsFor(choice: SignsChoice, environment: Environment): Signs {
  if (choice !== 'auto') return choice;
  return environment.TERM === 'linux' || hasOtherEncoding(environment) ? 'ascii' : 'unicode';
}

/** Each of ours that is not ASCII, and one of the same width. */
const ASCII: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '⧖': '~',
  '●': '*',
  '○': 'o',
  '▸': '>',
  '›': '>',
  '↑': '^',
  '↓': 'v',
  '•': '*',
  '◌': 'o',
  '→': '>',
  '│': '|',
  '─': '-',
  '┬': '+',
  '┴': '+',
  '┼': '+',
  '·': '-',
  '…': '_',
  '–': '-',
  '’': "'",
  '“': '"',
  '”': '"',
  '⏎': '$',
};

const OURS = new RegExp(`[${Object.keys(ASCII).join('')}]`, 'gu');

/** What others have written stays as it is, whatever the font makes of it: only our own words and signs are drawn otherwise. */
export function withSigns(row: Row, signs: Signs): Row {
  return signs === 'unicode' ? row : row.map(inAscii);
}

/** What the pieces of a row are that others have written. A user's name is of ASCII: what else stands in one is ours. */
const THEIRS: ReadonlySet<Span['role']> = new Set(['text', 'external', 'highlight', 'found', 'found-here']);

function inAscii(span: Span): Span {
  if (THEIRS.has(span.role)) return span;
  return { ...span, text: textInAscii(span.text) };
}

/** The same for a text of ours. */
export function textInAscii(text: string): string {
  return text.replace(OURS, (sign) => ASCII[sign] ?? sign);
}
