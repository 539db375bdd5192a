import { MAX_COUNTED } from '../history/conversation-table.ts';
import { cells } from './cells.ts';

/** What a piece of a row is; the theme says what that looks like. What a row means can be read without colours. */
export type Role =
  /** What others have written, and what somebody is writing. */
  | 'text'
  /** The same look for words and signs of our own. */
  | 'ours'
  | 'dim'
  | 'strong'
  | 'border'
  | 'own'
  | 'external'
  | 'error'
  | 'notice'
  | 'unread'
  | 'highlight'
  /** What was looked for; and where the person has come to. */
  | 'found'
  | 'found-here'
  | 'selected'
  | 'tick'
  | 'waiting'
  | 'refused'
  | 'prompt'
  | 'online'
  | 'connecting'
  | 'offline';

export interface Span {
  /** Safe for a terminal, and of one line. */
  readonly text: string;
  /** `name`: in the colour that `who` always has. */
  readonly role: Role | 'name';
  readonly who?: string;
  /** The address that it leads to, of printable ASCII. */
  readonly link?: string;
}

/** A row of the terminal, from the left; not wider than what it was made for. */
export type Row = readonly Span[];

export function span(text: string, role: Span['role'] = 'text'): Span {
  return { text, role };
}

/** A count of messages as it is shown: `999+` where there are as many as are counted, or more. */
export function counted(count: number): string {
  return count >= MAX_COUNTED ? `${MAX_COUNTED - 1}+` : String(count);
}

/** How many cells a row takes. */
export function rowCells(row: Row): number {
  return row.reduce((sum, { text }) => sum + cells(text), 0);
}

export function textOf(row: Row): string {
  return row.map(({ text }) => text).join('');
}

export function sameRow(one: Row, other: Row): boolean {
  return (
    one.length === other.length &&
    one.every((span, index) => {
      const against = other[index];
      return (
        span.text === against?.text &&
        span.role === against.role &&
        span.who === against.who &&
        span.link === against.link
      );
    })
  );
}
