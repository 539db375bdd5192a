/*
 * names    := (nothing) | name *("; " name)
 * entries  := (nothing) | entry *(LF LF entry)
 * entry    := sender ": " body         where body has no two line breaks in a row, none first, none last
 */
import { MAX_REPLY_PAYLOAD } from '../frame.ts';

/** One undelivered message, as a retrieve reply carries it. */
export interface RetrievedEntry {
  readonly sender: string;
  readonly body: string;
}

const NAME_SEPARATOR = '; ';
const ENTRY_SEPARATOR = '\n\n';
const SENDER_END = ': ';

/** Everything that some terminal, editor or language takes as the end of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what it looks for
const LINE_BREAK = /\r\n|[\n\v\f\r\u001c-\u001e\u0085\u2028\u2029]/;
/** A line that shows nothing: white space, control and format characters, fillers, the empty braille cell. */
const SHOWS_NOTHING = /^[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

/**
 * A body in the form it takes in a retrieve reply, where a blank line ends an entry: of several lines, those that
 * are empty *or look empty* are left out, and every kind of line break becomes LF. So no body holds a blank line,
 * begins or ends with a line break, or carries a lone CR that would overwrite the sender in front of it. A body of
 * one line stays as it is. What is left of a forged entry stands inside the entry of who wrote it.
 *
 * Escape sequences stay: whoever writes to a terminal has to take them out.
 *
 * Never longer than the body was. A body of blank lines only becomes empty.
 */
export function entryBody(body: string): string {
  if (!LINE_BREAK.test(body)) return body;
  return body
    .split(LINE_BREAK)
    .filter((line) => !SHOWS_NOTHING.test(line))
    .join('\n');
}

/** The text of a retrieve reply. Senders must be usernames or `externalSender` texts. */
export function formatEntries(entries: readonly RetrievedEntry[]): string {
  return entries.map(formatEntry).join(ENTRY_SEPARATOR);
}

/**
 * The entries of a retrieve reply. Text without a sender, which no Milena server sends, becomes an entry with an
 * empty one rather than an error: the server has counted it as delivered, so it must be shown.
 */
export function parseEntries(text: string): RetrievedEntry[] {
  if (text === '') return [];
  return text.split(ENTRY_SEPARATOR).map((entry) => {
    const end = entry.indexOf(SENDER_END);
    if (end < 0) return { sender: '', body: entry };
    return { sender: entry.slice(0, end), body: entry.slice(end + SENDER_END.length) };
  });
}

/**
 * How many entries from the front fit into one reply of at most `limit` bytes; the others stay undelivered for the
 * next one. At least one if there is any, or an entry over the limit would stand in the way for ever (an inbox
 * takes no record over 128 KiB, so with the default limit that cannot happen).
 */
export function fitEntries(entries: readonly RetrievedEntry[], limit: number = MAX_REPLY_PAYLOAD): number {
  const fitting = countFitting(entries, ENTRY_SEPARATOR, limit, formatEntry);
  return fitting === 0 ? Math.min(1, entries.length) : fitting;
}

/** How many names from the front fit into a list reply of at most `limit` bytes. */
export function fitNames(names: readonly string[], limit: number = MAX_REPLY_PAYLOAD): number {
  return countFitting(names, NAME_SEPARATOR, limit, (name) => name);
}

/** The text of a list reply, cut after the last name that fits into `limit` bytes. */
export function formatNames(names: readonly string[], limit: number = MAX_REPLY_PAYLOAD): string {
  return names.slice(0, fitNames(names, limit)).join(NAME_SEPARATOR);
}

/** The names of a list reply. */
export function parseNames(text: string): string[] {
  return text === '' ? [] : text.split(NAME_SEPARATOR);
}

function formatEntry(entry: RetrievedEntry): string {
  return `${entry.sender}${SENDER_END}${entryBody(entry.body)}`;
}

function countFitting<Item>(
  items: readonly Item[],
  separator: string,
  limit: number,
  format: (item: Item) => string,
): number {
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    bytes += Buffer.byteLength(format(item)) + (count === 0 ? 0 : separator.length);
    if (bytes > limit) return count;
    count += 1;
  }
  return count;
}
