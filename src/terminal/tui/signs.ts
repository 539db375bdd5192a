import type { SignsChoice } from '../setting-table.ts';
import type { Row, Span } from './rows.ts';

/** Which signs are drawn: those of Unicode, or ASCII's for fonts that have no others. */
export type Signs = Exclude<SignsChoice, 'auto'>;

/**
 * The Linux console has a font of 256 or 512 characters, and ticks, hourglass and circles are in none that come with it.
 * @param term `TERM`
 */
export function signsFor(choice: SignsChoice, term: string | undefined): Signs {
  if (choice !== 'auto') return choice;
  return term === 'linux' ? 'ascii' : 'unicode';
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
  '⏎': '$',
};

const OURS = new RegExp(`[${Object.keys(ASCII).join('')}]`, 'gu');

/** What others have written stays as it is, whatever the font makes of it: only our own words and signs are drawn otherwise. */
export function withSigns(row: Row, signs: Signs): Row {
  return signs === 'unicode' ? row : row.map(inAscii);
}

/** What the pieces of a row are that others have written. */
const THEIRS: ReadonlySet<Span['role']> = new Set([
  'text',
  'name',
  'external',
  'highlight',
  'found',
  'found-here',
]);

function inAscii(span: Span): Span {
  if (THEIRS.has(span.role)) return span;
  return { ...span, text: textInAscii(span.text) };
}

/** The same for a text of ours. */
export function textInAscii(text: string): string {
  return text.replace(OURS, (sign) => ASCII[sign] ?? sign);
}
