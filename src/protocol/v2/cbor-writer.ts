/*
 * Writes what cbor-heads.ts allows, deterministically (RFC 8949, 4.2.1), some three times as fast as a library for all of
 * CBOR: frames are the most frequent thing that a frontend makes.
 */
import {
  ARRAY,
  BYTES,
  FALSE,
  headBytes,
  MAP,
  MAX_HEAD_BYTES,
  NEGATIVE,
  NULL,
  putHead,
  TEXT,
  TRUE,
  UNSIGNED,
} from './cbor-heads.ts';
import { ID_BYTES } from './fields.ts';

/** One buffer for all, since nothing waits while something is being written. What grew beyond this is not kept. */
const KEPT_BYTES = 16 * 1024;
const kept = Buffer.allocUnsafeSlow(KEPT_BYTES);
let buffer = kept;
let at = 0;

/**
 * A payload's map, deterministic: equal values become equal bytes, keys are in the order of their encoding. Properties that are
 * undefined are left out.
 * @throws TypeError for what has no place in a payload
 */
export function encodeCbor(value: Readonly<Record<string, unknown>>): Buffer {
  buffer = kept;
  at = 0;
  writeMap(value);
  const bytes = Buffer.allocUnsafe(at);
  buffer.copy(bytes, 0, 0, at);
  buffer = kept;
  return bytes;
}

/** What may stand in a map whose fields are known beforehand, and how it is written. */
interface RowValues {
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  /** A text that is UTF-8 already. */
  readonly utf8: Uint8Array;
  readonly text: string;
  readonly count: number;
  readonly boolean: boolean;
  readonly ids: readonly Uint8Array[];
}

/** A field of such a map. */
export interface RowField<Kind extends keyof RowValues = keyof RowValues> {
  readonly kind: Kind;
  /** Its key, as it is written. */
  readonly key: Uint8Array;
}

/** A value for each field, null where it is absent. */
export type RowOf<Fields extends readonly RowField[]> = {
  readonly [Index in keyof Fields]: RowValues[Fields[Index]['kind']] | null;
};

const ID_HEAD = (BYTES << 5) | ID_BYTES;

export function rowField<Kind extends keyof RowValues>(name: string, kind: Kind): RowField<Kind> {
  // Between the head of a map of one key and its value.
  return { kind, key: encodeCbor({ [name]: null }).subarray(1, -1) };
}

/**
 * A map without an object for it, and without a call for each field: some are made for every message.
 * @param fields at most 23, in the order of their keys' encoding
 * @returns a view of what the next payload is written over
 * @throws TypeError for what has no place in a payload
 */
export function writeRow<const Fields extends readonly RowField[]>(
  fields: Fields,
  values: RowOf<Fields>,
): Buffer {
  buffer = kept;
  at = 1;
  let present = 0;
  for (let index = 0; index < fields.length; index++) {
    const value: RowValues[keyof RowValues] | null | undefined = values[index];
    const field = fields[index];
    if (field === undefined || value === null || value === undefined) continue;
    const { key, kind } = field;
    present += 1;
    const room = key.length + MAX_HEAD_BYTES + ID_BYTES;
    if (at + room > buffer.length) grow(room);
    for (let byte = 0; byte < key.length; byte++) buffer[at++] = key[byte] ?? 0;
    if (typeof value === 'boolean') buffer[at++] = value ? TRUE : FALSE;
    else if (typeof value === 'string') writeText(value);
    else if (typeof value === 'number') {
      if (!Number.isSafeInteger(value) || value < 0) throw noPlace(`${value}`);
      at = putHead(buffer, at, UNSIGNED, value);
    } else if (!(value instanceof Uint8Array)) writeIds(value);
    else if (kind !== 'id') {
      at = putHead(buffer, at, kind === 'utf8' ? TEXT : BYTES, value.length);
      writeRaw(value);
    } else {
      if (value.length !== ID_BYTES) throw noPlace(`an id of ${value.length} bytes`);
      buffer[at++] = ID_HEAD;
      for (let byte = 0; byte < ID_BYTES; byte++) buffer[at++] = value[byte] ?? 0;
    }
  }
  buffer[0] = (MAP << 5) | present;
  const row = buffer.subarray(0, at);
  buffer = kept;
  return row;
}

function writeIds(ids: readonly Uint8Array[]): void {
  const room = MAX_HEAD_BYTES + ids.length * (1 + ID_BYTES);
  if (at + room > buffer.length) grow(room);
  at = putHead(buffer, at, ARRAY, ids.length);
  for (const id of ids) {
    if (id.length !== ID_BYTES) throw noPlace(`an id of ${id.length} bytes`);
    buffer[at++] = ID_HEAD;
    for (let byte = 0; byte < ID_BYTES; byte++) buffer[at++] = id[byte] ?? 0;
  }
}

function writeHead(major: number, value: number): void {
  if (at + MAX_HEAD_BYTES > buffer.length) grow(MAX_HEAD_BYTES);
  at = putHead(buffer, at, major, value);
}

function writeText(text: string): void {
  const length = Buffer.byteLength(text);
  writeHead(TEXT, length);
  if (at + length > buffer.length) grow(length);
  at += buffer.write(text, at);
}

function writeBytes(bytes: Uint8Array): void {
  writeHead(BYTES, bytes.length);
  writeRaw(bytes);
}

/** What a head announced. */
function writeRaw(bytes: Uint8Array): void {
  const { length } = bytes;
  if (at + length > buffer.length) grow(length);
  if (length > SHORT) buffer.set(bytes, at);
  else for (let index = 0; index < length; index++) buffer[at + index] = bytes[index] ?? 0;
  at += length;
}

/** So few bytes are copied faster one by one than by a call. */
const SHORT = 64;

function write(value: unknown): void {
  if (typeof value === 'string') writeText(value);
  else if (typeof value === 'number') writeHead(value < 0 ? NEGATIVE : UNSIGNED, magnitude(value));
  else if (typeof value === 'boolean') writeByte(value ? TRUE : FALSE);
  else if (value === null) writeByte(NULL);
  else if (value instanceof Uint8Array) writeBytes(value);
  else if (Array.isArray(value)) writeArray(value);
  else if (typeof value === 'object') writeMap(value);
  else throw noPlace(typeof value);
}

function writeMap(value: object): void {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(byKey);
  writeHead(MAP, entries.length);
  for (const [key, item] of entries) {
    writeText(key);
    write(item);
  }
}

/** In the order of the keys' encodings: by length, then byte by byte. */
function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a.length === b.length && isPlain(a) && isPlain(b)) return a < b ? -1 : 1;
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Where that is so, characters sort as bytes do. */
function isPlain(key: string): boolean {
  return Buffer.byteLength(key) === key.length;
}

function writeArray(items: readonly unknown[]): void {
  writeHead(ARRAY, items.length);
  for (const item of items) write(item);
}

function writeByte(byte: number): void {
  if (at === buffer.length) grow(1);
  buffer[at++] = byte;
}

/** To be called where there is no room for so many more: looking whether there is takes no call. */
function grow(bytes: number): void {
  const grown = Buffer.allocUnsafe(Math.max(2 * buffer.length, at + bytes));
  buffer.copy(grown, 0, 0, at);
  buffer = grown;
}

/** The number in an integer's head: below 0 it is the distance from -1. */
function magnitude(value: number): number {
  if (!Number.isSafeInteger(value)) throw noPlace(`${value}`);
  return value < 0 ? -1 - value : value;
}

function noPlace(what: string): TypeError {
  return new TypeError(`a payload has no place for ${what}`);
}

/**
 * How many bytes a value takes in a payload, without writing it.
 * @throws TypeError for what has no place in a payload
 */
export function cborLength(value: unknown): number {
  if (typeof value === 'string') return sizeOfString(Buffer.byteLength(value));
  if (typeof value === 'number') return headBytes(magnitude(value));
  if (typeof value === 'boolean' || value === null) return 1;
  if (value instanceof Uint8Array) return sizeOfString(value.length);
  if (Array.isArray(value)) return sizeOfArray(value);
  if (typeof value === 'object') return sizeOfMap(value);
  throw noPlace(typeof value);
}

function sizeOfString(bytes: number): number {
  return headBytes(bytes) + bytes;
}

function sizeOfArray(items: readonly unknown[]): number {
  let bytes = headBytes(items.length);
  for (const item of items) bytes += cborLength(item);
  return bytes;
}

function sizeOfMap(value: object): number {
  let keys = 0;
  let bytes = 0;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    keys += 1;
    bytes += cborLength(key) + cborLength(item);
  }
  return headBytes(keys) + bytes;
}
