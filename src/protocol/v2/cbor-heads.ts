/*
 * payload := one CBOR map (RFC 8949) whose keys are text
 *
 * Of CBOR only: integers from -2^53+1 to 2^53-1, byte and text strings, arrays, maps, true, false, null. Definite
 * lengths, every head in its shortest form, text that is UTF-8, no key twice in a map, nothing behind the map.
 *
 * What reading and writing it share. An item begins with its head: three bits of major type and a number in its
 * shortest form, which is an integer's value, a string's bytes, an array's items or a map's keys.
 */

export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;

/** Whole items. */
export const FALSE = 0xf4;
export const TRUE = 0xf5;
export const NULL = 0xf6;

/** The longest head. */
export const MAX_HEAD_BYTES = 9;

/** @param value an integer from 0 to 2^53 - 1 */
export function headBytes(value: number): number {
  if (value < 24) return 1;
  if (value < 2 ** 8) return 2;
  if (value < 2 ** 16) return 3;
  return value < 2 ** 32 ? 5 : 9;
}

/**
 * Writes a head where there is room for it; returns where it ends.
 * @param value an integer from 0 to 2^53 - 1
 */
export function putHead(target: Buffer, at: number, major: number, value: number): number {
  const type = major << 5;
  if (value < 24) {
    target[at] = type | value;
    return at + 1;
  }
  if (value < 2 ** 8) {
    target[at] = type | 24;
    target[at + 1] = value;
    return at + 2;
  }
  if (value < 2 ** 16) {
    target[at] = type | 25;
    return target.writeUInt16BE(value, at + 1);
  }
  if (value < 2 ** 32) {
    target[at] = type | 26;
    return target.writeUInt32BE(value, at + 1);
  }
  target[at] = type | 27;
  return target.writeUInt32BE(value % 2 ** 32, target.writeUInt32BE(Math.floor(value / 2 ** 32), at + 1));
}
