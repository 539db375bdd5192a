/*
 * The fields that payloads are made of. Bounds of texts count UTF-8 bytes, which every language can count alike.
 */
import { isProtocolErrorCode, type ProtocolErrorCode } from '../errors.ts';
import {
  isRoom,
  isUsername,
  parseAddressee,
  parseDevice,
  parsePattern,
  parseRoom,
  parseUsername,
} from '../names.ts';
import { array, check, oneOf, refined, type Schema, string, transformed } from './schema.ts';

/** What a schema gives, for reading only. */
export type Immutable<Value> = Value extends string | number | boolean | undefined | Uint8Array
  ? Value
  : { readonly [Key in keyof Value]: Immutable<Value[Key]> };

/** A message's id, an incarnation, a topic's id. */
export const ID_BYTES = 16;
/** A session's token. */
const TOKEN_BYTES = 32;
/** Longest receipt. */
export const MAX_RECEIPT_BYTES = 64;
/** Longest password. */
const MAX_PASSWORD_BYTES = 1_024;

/** An integer from 0 to 2^53 - 1. */
export const count: Schema<number> = check(isCount, 'expected a whole number from 0 to 2^53 - 1');
/** Milliseconds since 1970-01-01T00:00Z. */
export const time = count;
/** A duration. */
export const milliseconds = count;
/** Place of a message in its inbox: rises from message to message, with gaps. */
export const seq = count;

export const id = byteString(ID_BYTES, ID_BYTES);
export const token = byteString(TOKEN_BYTES, TOKEN_BYTES);
/** At most so many bytes, perhaps none. */
export function bytes(max: number): Schema<Uint8Array> {
  return byteString(0, max);
}
/** Opaque to clients. */
export const receipt = byteString(1, MAX_RECEIPT_BYTES);

export const password = text(1, MAX_PASSWORD_BYTES);

/** As somebody typed it; lower-cased on both sides. Throws ProtocolError `INVALID_USERNAME` through the schema. */
export const username = transformed(string, parseUsername);
/** The same of a device's name. Throws ProtocolError `INVALID_DEVICE` through the schema. */
export const device = transformed(string, parseDevice);
/** As it is stored. */
export const storedDevice = refined(string, isUsername, "expected a device's name");
export const storedUsername = refined(string, isUsername, 'expected a username');
export function storedUsernames(max = Number.POSITIVE_INFINITY): Schema<string[]> {
  return array(storedUsername, 0, max);
}
/** As somebody typed it; lower-cased on both sides. Throws ProtocolError `INVALID_ROOM` through the schema. */
export const room = transformed(string, parseRoom);
/** Either of both. Throws ProtocolError `INVALID_USERNAME` through the schema. */
export const recipient = transformed(string, parseAddressee);
/** As it is stored. */
export const storedRoom = refined(string, isRoom, 'expected a room');
export const policy = oneOf(['open', 'invited']);
/** Text of at most `max` bytes, perhaps none, without control characters. */
export function line(max: number): Schema<string> {
  return refined(text(0, max), isPrintable, 'expected text without control characters');
}
/** Throws ProtocolError `BAD_REQUEST` through the schema. */
export const pattern = transformed(string, parsePattern);

/** Codes that this side does not know, a later version's, mean to it what INTERNAL means. */
export const errorCode = transformed(
  string,
  (code): ProtocolErrorCode => (isProtocolErrorCode(code) ? code : 'INTERNAL'),
);

/** A whole number from `min` to `max`. */
export function number(min: number, max: number): Schema<number> {
  return check(
    (value) => isCount(value) && value >= min && value <= max,
    `expected a whole number from ${min} to ${max}`,
  );
}

/** Text of `min` to `max` bytes. */
export function text(min: number, max: number): Schema<string> {
  return check((value) => isText(value, min, max), `expected text of ${min} to ${max} bytes`);
}

/** Text of 1 to `max` bytes without control characters: it may stand in a log or a header. */
export function label(max: number): Schema<string> {
  return refined(text(1, max), isPrintable, 'expected text without control characters');
}

function byteString(min: number, max: number): Schema<Uint8Array> {
  return check((value) => isBytes(value, min, max), `expected ${bytesText(min, max)}`);
}

/** At most `most` of them. */
export function byteStrings(min: number, max: number, most: number): Schema<Uint8Array[]> {
  return check(
    (value) => Array.isArray(value) && value.length <= most && value.every((item) => isBytes(item, min, max)),
    `expected a list of at most ${most} times ${bytesText(min, max)}`,
  );
}

export function isBytes(value: unknown, min: number, max: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= min && value.length <= max;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function isText(value: unknown, min: number, max: number): value is string {
  if (typeof value !== 'string') return false;
  // A UTF-16 unit takes one to three bytes, so most texts need no count.
  if (value.length >= min && 3 * value.length <= max) return true;
  const bytes = Buffer.byteLength(value);
  return bytes >= min && bytes <= max;
}

export function isLabel(value: unknown, max: number): value is string {
  return isText(value, 1, max) && isPrintable(value);
}

function isPrintable(value: string): boolean {
  return !/\p{Cc}/u.test(value);
}

function bytesText(min: number, max: number): string {
  return min === max ? `${min} bytes` : `${min} to ${max} bytes`;
}
