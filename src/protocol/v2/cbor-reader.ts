/*
 * Reads what cbor-heads.ts allows and nothing else. One pass without tokens, since requests are the most frequent thing that
 * a frontend reads, and no more of a payload is looked at than the limits allow.
 */
import { isUtf8 } from 'node:buffer';
import { ARRAY, BYTES, FALSE, MAP, NEGATIVE, NULL, TEXT, TRUE, UNSIGNED } from './cbor-heads.ts';

/** What one payload may make its reader do, whatever its size in bytes. */
export interface CborLimits {
  /** Maps and arrays within each other, the payload's own map included. */
  readonly depth: number;
  /** Values, keys, arrays and maps altogether. */
  readonly items: number;
  /** Keys in one map: looking for doubles and copying is dear where keys are many. */
  readonly keys: number;
}

/** Why bytes are no payload. The message is safe to show and short, whatever the bytes were. */
export class CborError extends Error {
  override readonly name = 'CborError';
}

/** The fullest request, an ack of 256 ranges, has 773 items; the rest is room for keys that are not known yet. */
export const REQUEST_LIMITS: CborLimits = { depth: 8, items: 1_024, keys: 64 };
/** The fullest reply, a page of 1,000 messages, has some 17,000. */
export const REPLY_LIMITS: CborLimits = { depth: 8, items: 32_768, keys: 64 };

const NOTHING = Buffer.alloc(0);
const NO_LIMITS: CborLimits = { depth: 0, items: 0, keys: 0 };

/** What is being read: one for all, since nothing waits while something is being read. */
let payload: Buffer = NOTHING;
let limits = NO_LIMITS;
let at = 0;
/** Items that are announced or read. */
let items = 0;

/**
 * The payload's map, as a plain object. Byte strings are copies, so that nothing decoded keeps a read buffer alive.
 * @throws CborError for anything else, after a time that is linear in the payload and bounded by `bounds`
 */
export function decodeCbor(bytes: Uint8Array, bounds: CborLimits): Readonly<Record<string, unknown>> {
  payload = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  limits = bounds;
  at = 0;
  items = 1;
  try {
    if (items > limits.items) throw tooMany();
    const head = payload[at++];
    if (head === undefined) throw endsWithin();
    if (head >> 5 !== MAP) throw new CborError('the payload is not a map');
    const map = readMap(readNumber(head), 1);
    if (at < payload.length) throw new CborError('something stands behind the map');
    return map;
  } finally {
    payload = NOTHING;
  }
}

/** @param depth of the array or map that this item would be */
function readItem(depth: number): unknown {
  const head = payload[at++];
  if (head === undefined) throw endsWithin();
  const major = head >> 5;
  if (major > MAP) return readSimple(head);
  const info = head & 0x1f;
  const number = info < 24 ? info : readNumber(head);
  switch (major) {
    case UNSIGNED:
      return number;
    case NEGATIVE:
      return negative(number);
    case BYTES:
      return readBytes(number);
    case TEXT:
      return readText(number);
    case ARRAY:
      return readArray(number, depth);
    default:
      return readMap(number, depth);
  }
}

function readMap(keys: number, depth: number): Record<string, unknown> {
  if (keys > limits.keys) throw new CborError(`a map has more than ${limits.keys} keys`);
  enter(2 * keys, depth);
  const map: Record<string, unknown> = {};
  for (let count = 0; count < keys; count++) {
    const key = readKey();
    // What is inherited is no double. No value is undefined, so few keys have to be looked for properly.
    if (map[key] !== undefined && Object.hasOwn(map, key)) {
      throw new CborError('a map has the same key twice');
    }
    const value = readItem(depth + 1);
    if (key === '__proto__') define(map, key, value);
    else map[key] = value;
  }
  return map;
}

/** An assignment would set the map's prototype instead. */
function define(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true });
}

function readArray(length: number, depth: number): unknown[] {
  enter(length, depth);
  // Made at its length: one that grows takes room for 17 items at its first.
  const array = new Array<unknown>(length);
  for (let index = 0; index < length; index++) array[index] = readItem(depth + 1);
  return array;
}

/** Refuses before anything grows. An empty array or map may lie at any depth. */
function enter(length: number, depth: number): void {
  if (length > payload.length - at) throw new CborError('an array or map ends before its last item');
  if (length > 0 && depth > limits.depth) throw new CborError(`it nests deeper than ${limits.depth}`);
  items += length;
  if (items > limits.items) throw tooMany();
}

/**
 * Keys that were read lately, since the same few come again and again: comparing bytes is much cheaper than making a
 * string. Each is ASCII and has one place only, so a client with odd keys makes others slower and nothing else.
 */
const KEPT_KEYS = 256;
const MAX_KEPT_LENGTH = 24;
const keptKeys: string[] = Array.from({ length: KEPT_KEYS }, () => '');

function readKey(): string {
  const head = payload[at++];
  if (head === undefined) throw endsWithin();
  if (head >> 5 !== TEXT) throw new CborError('a key is not text');
  const info = head & 0x1f;
  const length = info < 24 ? info : readNumber(head);
  if (length === 0 || length > MAX_KEPT_LENGTH || length > payload.length - at) return readText(length);
  const first = payload[at] ?? 0;
  const last = payload[at + length - 1] ?? 0;
  const place = (31 * first + 7 * last + length) & (KEPT_KEYS - 1);
  const kept = keptKeys[place] ?? '';
  let same = 0;
  while (same < length && kept.charCodeAt(same) === payload[at + same]) same += 1;
  if (same === length && same === kept.length) {
    at += length;
    return kept;
  }
  const key = readText(length);
  if (key.length === length) keptKeys[place] = key;
  return key;
}

function readText(length: number): string {
  const start = take(length);
  const text = payload.toString('utf8', start, at);
  // Whatever is no UTF-8 is read as U+FFFD, which somebody may also have written.
  if (text.includes('\ufffd') && !isUtf8(payload.subarray(start, at))) {
    throw new CborError('a text is not valid UTF-8');
  }
  return text;
}

function readBytes(length: number): Uint8Array {
  const start = take(length);
  const copy = new Uint8Array(length);
  if (length > 64) copy.set(payload.subarray(start, at));
  else for (let index = 0; index < length; index++) copy[index] = payload[start + index] ?? 0;
  return copy;
}

function negative(value: number): number {
  if (value === Number.MAX_SAFE_INTEGER) throw outOfRange();
  return -1 - value;
}

function readSimple(head: number): boolean | null {
  if (head === FALSE) return false;
  if (head === TRUE) return true;
  if (head === NULL) return null;
  if (head === 0xf9 || head === 0xfa || head === 0xfb) throw new CborError('floats are not used here');
  if (head >> 5 === 6) throw new CborError('tags are not used here');
  throw new CborError('a simple value is not true, false or null');
}

/** What does not fit into less than 1, 2, 4 or 8 bytes behind the head's first. */
const LEAST = [24, 2 ** 8, 2 ** 16, 2 ** 32];

/** The number that belongs to a head, refused unless that was its shortest form. Who reads many looks for a short one itself. */
function readNumber(head: number): number {
  const info = head & 0x1f;
  if (info < 24) return info;
  if (info > 27) throw new CborError('a length is indefinite or reserved');
  const width = 1 << (info - 24);
  const start = take(width);
  let value = 0;
  for (let index = start; index < at; index++) value = value * 256 + (payload[index] ?? 0);
  if (value < (LEAST[info - 24] ?? 0)) {
    throw new CborError('an integer or a length is not in its shortest form');
  }
  if (value > Number.MAX_SAFE_INTEGER) throw outOfRange();
  return value;
}

/** Steps over bytes that must be there; returns where they begin. */
function take(length: number): number {
  const start = at;
  if (length > payload.length - start) throw endsWithin();
  at = start + length;
  return start;
}

function endsWithin(): CborError {
  return new CborError('it ends within an item');
}

function tooMany(): CborError {
  return new CborError(`it has more than ${limits.items} items`);
}

function outOfRange(): CborError {
  return new CborError('an integer is too large');
}
