/*
 * UUIDs are 16 bytes wherever this program thinks of them: text is for Kafka's headers and requests, for logs and people.
 * Every message has some, so nothing is made in between.
 */
import { randomUUID } from 'node:crypto';

const BYTES = 16;
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

/** A random one (version 4). */
export function newUuid(): Uint8Array {
  return demandUuid(randomUUID());
}

/** The 16 bytes of a UUID; null for any other text. */
export function uuidBytes(text: string): Uint8Array | null {
  if (text.length !== LENGTH) return null;
  for (const dash of DASHES_AT) if (text.charCodeAt(dash) !== DASH) return null;
  const bytes = new Uint8Array(BYTES);
  for (let index = 0; index < BYTES; index++) {
    const digits = DIGITS_AT[index] ?? 0;
    const high = VALUES[text.charCodeAt(digits)] ?? NO_DIGIT;
    const low = VALUES[text.charCodeAt(digits + 1)] ?? NO_DIGIT;
    if (high === NO_DIGIT || low === NO_DIGIT) return null;
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

/** The same of what can be nothing else. @throws RangeError for any other text */
export function demandUuid(text: string): Uint8Array {
  const bytes = uuidBytes(text);
  if (bytes === null) throw new RangeError(`${text} is no UUID`);
  return bytes;
}

/** The text that is being made. */
const written = Buffer.alloc(LENGTH, '-');

/** 16 bytes as a UUID in lower case. */
export function uuidText(bytes: Uint8Array): string {
  for (let index = 0; index < BYTES; index++) {
    const digits = DIGITS_AT[index] ?? 0;
    const byte = bytes[index] ?? 0;
    written[digits] = DIGITS[byte >> 4] ?? 0;
    written[digits + 1] = DIGITS[byte & 0x0f] ?? 0;
  }
  return written.toString('latin1');
}

/** What stands for the 16 bytes in a Map: a string of as many characters, one for each. */
export function uuidKey(bytes: Uint8Array): string {
  // As arguments and not as a list: nothing else is made.
  // biome-ignore format: four a line
  return String.fromCharCode(
    bytes[0] ?? 0, bytes[1] ?? 0, bytes[2] ?? 0, bytes[3] ?? 0,
    bytes[4] ?? 0, bytes[5] ?? 0, bytes[6] ?? 0, bytes[7] ?? 0,
    bytes[8] ?? 0, bytes[9] ?? 0, bytes[10] ?? 0, bytes[11] ?? 0,
    bytes[12] ?? 0, bytes[13] ?? 0, bytes[14] ?? 0, bytes[15] ?? 0,
  );
}

/** The 16 bytes that stand in a string, one character for each. @param at of the first one */
export function uuidOfKey(text: string, at = 0): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  for (let index = 0; index < BYTES; index++) bytes[index] = text.charCodeAt(at + index);
  return bytes;
}

/** Whether both are the same. */
export function sameUuid(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  for (let index = 0; index < BYTES; index++) if (one[index] !== other[index]) return false;
  return true;
}
