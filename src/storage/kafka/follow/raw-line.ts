import { isUtf8 } from 'node:buffer';
import type { RawRecord } from '../wire/log-batch.ts';

/** Characters of a line, in UTF-16 units: a screen or two. */
export const MAX_LINE_CHARACTERS = 4_096;

/** Bytes of a record that are looked at for its line: as many as it may show, and blanks that become one. */
const LOOKED_AT = 4 * MAX_LINE_CHARACTERS;
/** Bytes that are shown of what is no text. */
const SHOWN_BYTES = 32;

/** A record in one readable line: `key: value`. What is no text is shown by its first bytes. */
export function rawLine({ key, value }: RawRecord): string {
  const line = key === null ? shown(value) : `${shown(key)}: ${shown(value)}`;
  return cut(line);
}

/** The text, or its beginning and `…`. What was cut is a copy, which keeps nothing of the rest in memory. */
export function cut(text: string): string {
  if (text.length <= MAX_LINE_CHARACTERS) return text;
  const start = text.slice(0, MAX_LINE_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '');
  return `${Buffer.from(start, 'utf16le').toString('utf16le')}…`;
}

function shown(bytes: Buffer | null): string {
  if (bytes === null) return '(null)';
  if (!isUtf8(bytes)) {
    const start = bytes.toString('hex', 0, SHOWN_BYTES).replace(/..(?=.)/g, '$& ');
    return `(${bytes.length} bytes) ${start}${bytes.length > SHOWN_BYTES ? ' …' : ''}`;
  }
  const text = bytes.toString('utf8', 0, LOOKED_AT).replace(/\s+/g, ' ').trim();
  return bytes.length > LOOKED_AT ? `${text.replace(/\ufffd$/, '')}…` : text;
}
