/**
 * Whatever could do something to a terminal, or hide there, instead of being shown: control characters (escape sequences
 * begin with them), line and paragraph separators, and format characters such as the marks that turn the direction of
 * writing. Only the two joiners stay, which letters and emoji need.
 */
const UNPRINTABLE = /(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

/** The text as one line that is safe for a terminal: unprintable characters become escapes such as `\n`, `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT[character] ?? escaped(character.codePointAt(0) ?? 0));
}

function escaped(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

/** Longest value that a message repeats, in UTF-16 units. */
const MAX_SHOWN = 100;

/** A value that somebody gave, for a message about it: printable, and its beginning only where it is long. */
export function shown(value: string): string {
  const text = printable(value);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Bytes as Kafka has them, as one printable line. What is not UTF-8 shows as U+FFFD. */
export function printableBytes(bytes: Uint8Array | string | null | undefined): string {
  if (bytes === null || bytes === undefined) return '(null)';
  return printable(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'));
}
