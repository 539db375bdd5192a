/*
 * UUIDs as text and as 16 bytes. Every message has some, on each of its ways, so nothing is made in between.
 */

/** Characters of the text, and where each byte's two digits begin. */
const LENGTH = 36;
const DIGITS_AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DASHES_AT = [8, 13, 18, 23];
const DASH = 0x2d;

const DIGITS = Buffer.from('0123456789abcdef');
const NO_DIGIT = 0xff;
/** What a character is worth, by its code. */
const VALUES = new Uint8Array(128).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  VALUES[digit.charCodeAt(0)] = value;
  VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The 16 bytes of a UUID; null for any other text. */
export function uuidBytes(text: string): Buffer | null {
  const bytes = Buffer.allocUnsafe(DIGITS_AT.length);
  return putUuid(bytes, 0, text) ? bytes : null;
}

/** Writes the 16 bytes of a UUID where there is room for them; false for any other text, whatever was written. */
export function putUuid(target: Uint8Array, at: number, text: string): boolean {
  if (text.length !== LENGTH) return false;
  for (const dash of DASHES_AT) if (text.charCodeAt(dash) !== DASH) return false;
  for (let index = 0; index < DIGITS_AT.length; index++) {
    const digits = DIGITS_AT[index] ?? 0;
    const high = digitOf(text.charCodeAt(digits));
    const low = digitOf(text.charCodeAt(digits + 1));
    if (high === NO_DIGIT || low === NO_DIGIT) return false;
    target[at + index] = (high << 4) | low;
  }
  return true;
}

function digitOf(code: number): number {
  return code < VALUES.length ? (VALUES[code] ?? NO_DIGIT) : NO_DIGIT;
}

/** The text that is being made. */
const written = Buffer.alloc(LENGTH, '-');

/** 16 bytes as a UUID in lower case. */
export function uuidText(bytes: Uint8Array): string {
  for (let index = 0; index < DIGITS_AT.length; index++) {
    const digits = DIGITS_AT[index] ?? 0;
    const byte = bytes[index] ?? 0;
    written[digits] = DIGITS[byte >> 4] ?? 0;
    written[digits + 1] = DIGITS[byte & 0x0f] ?? 0;
  }
  return written.toString('latin1');
}
