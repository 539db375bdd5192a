/*
 * payload := one CBOR map (RFC 8949) whose keys are text
 *
 * Of CBOR only: integers from -2^53+1 to 2^53-1, byte and text strings, arrays, maps, true, false, null. Definite
 * lengths, every head in its shortest form, text that is UTF-8, no key twice in a map, nothing behind the map.
 */
import { type CborLimits, readCbor } from './cbor-reader.ts';
import { sizeOf, writeCbor } from './cbor-writer.ts';

export { CborError, type CborLimits } from './cbor-reader.ts';

/** The fullest request, an ack of 256 ranges, has 773 items; the rest is room for keys that are not known yet. */
export const REQUEST_LIMITS: CborLimits = { depth: 8, items: 1_024, keys: 64 };
/** The fullest reply, a page of 1,000 messages, has some 17,000. */
export const REPLY_LIMITS: CborLimits = { depth: 8, items: 32_768, keys: 64 };

/**
 * The payload's map, as a plain object; byte strings are copies.
 * @throws CborError for anything else, after a time that is linear in the payload and bounded by `limits`
 */
export function decodeCbor(payload: Uint8Array, limits: CborLimits): Readonly<Record<string, unknown>> {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return readCbor(bytes, limits);
}

/**
 * Deterministic (RFC 8949, 4.2.1): equal values become equal bytes, keys are in the order of their encoding.
 * Properties that are undefined are left out.
 */
export function encodeCbor(value: Readonly<Record<string, unknown>>): Uint8Array {
  return writeCbor(value);
}

/** Length of `encodeCbor(value)`, or of a text within it, in bytes. */
export function cborLength(value: Readonly<Record<string, unknown>> | string): number {
  return sizeOf(value);
}
