/*
 * Writes what cbor.ts allows, deterministically (RFC 8949, 4.2.1), some three times as fast as a library for all of
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

/** One buffer for all, since nothing waits while something is being written. What grew beyond this is not kept. */
const KEPT_BYTES = 16 * 1024;
const kept = Buffer.allocUnsafeSlow(KEPT_BYTES);
let buffer = kept;
let at = 0;

/**
 * A map with text keys. Properties that are undefined are left out.
 * @throws TypeError for what has no place in a payload
 */
export function writeCbor(value: Readonly<Record<string, unknown>>): Buffer {
  beginWriting();
  writeMap(value);
  const bytes = Buffer.allocUnsafe(at);
  endWriting(bytes, 0);
  return bytes;
}

/**
 * Begins a payload that is written item by item, by who knows its map beforehand (hot-frames.ts). What was not ended
 * because something threw is forgotten.
 */
export function beginWriting(): void {
  buffer = kept;
  at = 0;
}

export function writtenBytes(): number {
  return at;
}

/** Copies what was written to where there is room for it. */
export function endWriting(target: Buffer, targetStart: number): void {
  buffer.copy(target, targetStart, 0, at);
  buffer = kept;
}

export function writeHead(major: number, value: number): void {
  if (at + MAX_HEAD_BYTES > buffer.length) grow(MAX_HEAD_BYTES);
  if (value < 24) buffer[at++] = (major << 5) | value;
  else at = putHead(buffer, at, major, value);
}

export function writeText(text: string): void {
  const length = Buffer.byteLength(text);
  writeHead(TEXT, length);
  if (at + length > buffer.length) grow(length);
  at += buffer.write(text, at);
}

/** A text that is UTF-8 already. */
export function writeUtf8(bytes: Uint8Array): void {
  writeHead(TEXT, bytes.length);
  writeRaw(bytes);
}

export function writeBytes(bytes: Uint8Array): void {
  writeHead(BYTES, bytes.length);
  writeRaw(bytes);
}

/** What is CBOR already, or what a head announced. */
export function writeRaw(bytes: Uint8Array): void {
  const { length } = bytes;
  if (at + length > buffer.length) grow(length);
  if (length > SHORT) buffer.set(bytes, at);
  else for (let index = 0; index < length; index++) buffer[at + index] = bytes[index] ?? 0;
  at += length;
}

/** So few bytes are copied faster one by one than by a call. */
const SHORT = 64;

function writeInteger(value: number): void {
  writeHead(value < 0 ? NEGATIVE : UNSIGNED, magnitude(value));
}

function write(value: unknown): void {
  if (typeof value === 'string') writeText(value);
  else if (typeof value === 'number') writeInteger(value);
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
 * How many bytes a value takes, without writing it.
 * @throws TypeError for what has no place in a payload
 */
export function sizeOf(value: unknown): number {
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
  for (const item of items) bytes += sizeOf(item);
  return bytes;
}

function sizeOfMap(value: object): number {
  let keys = 0;
  let bytes = 0;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    keys += 1;
    bytes += sizeOf(key) + sizeOf(item);
  }
  return headBytes(keys) + bytes;
}
