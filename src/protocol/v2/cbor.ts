/*
 * payload := one CBOR map (RFC 8949) whose keys are text
 *
 * Of CBOR only: integers from -2^53+1 to 2^53-1, byte and text strings, arrays, maps, true, false, null. Definite
 * lengths, every head in its shortest form, text that is UTF-8, no key twice in a map, nothing behind the map.
 */
import { isUtf8 } from 'node:buffer';
import { decode, rfc8949EncodeOptions, type Token, Tokenizer, Type } from 'cborg';
import { encodedLength } from 'cborg/length';
import { writeCbor } from './cbor-writer.ts';

/** What one payload may make its reader do, whatever its size in bytes. */
export interface CborLimits {
  /** Maps and arrays within each other, the payload's own map included. */
  readonly depth: number;
  /** Values, keys, arrays and maps altogether. */
  readonly items: number;
  /** Keys in one map: looking for doubles and copying is dear where keys are many. */
  readonly keys: number;
}

/** The fullest request, an ack of 256 ranges, has 773 items; the rest is room for keys that are not known yet. */
export const REQUEST_LIMITS: CborLimits = { depth: 8, items: 1_024, keys: 64 };
/** The fullest reply, a page of 1,000 messages, has some 17,000. */
export const REPLY_LIMITS: CborLimits = { depth: 8, items: 32_768, keys: 64 };

/** Why bytes are no payload. The message is safe to show and short, whatever the bytes were. */
export class CborError extends Error {
  override readonly name = 'CborError';
}

/**
 * The payload's map, as a plain object.
 * @throws CborError for anything else, after a time that is linear in the payload and bounded by `limits`
 */
export function decodeCbor(payload: Uint8Array, limits: CborLimits): Readonly<Record<string, unknown>> {
  const value = decodeItem(payload, limits);
  if (!isMap(value)) throw new CborError('the payload is not a map');
  return value;
}

/**
 * Deterministic (RFC 8949, 4.2.1): equal values become equal bytes, keys are in the order of their encoding.
 * Properties that are undefined are left out.
 */
export function encodeCbor(value: Readonly<Record<string, unknown>>): Uint8Array {
  return writeCbor(value);
}

/** Length of `encodeCbor(value)` in bytes. */
export function cborLength(value: Readonly<Record<string, unknown>> | string): number {
  return encodedLength(value, ENCODING);
}

const ENCODING = { ...rfc8949EncodeOptions, ignoreUndefinedProperties: true };

const DECODING = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
};

function decodeItem(payload: Uint8Array, limits: CborLimits): unknown {
  // A plain array over the same bytes: slices of it are copies, so nothing decoded keeps a read buffer alive.
  const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.length);
  try {
    return decode(bytes, { ...DECODING, tokenizer: new StrictTokenizer(bytes, limits) });
  } catch (error) {
    if (error instanceof CborError) throw error;
    throw new CborError(reason(error));
  }
}

/** What cborg says without what the bytes said: it repeats a doubled key, however long. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'it is malformed';
  const text = error.message.replace(/^CBOR decode error: /, '');
  return text.startsWith('found repeat map key') ? 'a map has the same key twice' : text.slice(0, 100);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

const MAJOR_TEXT = 3;
const HALF_FLOAT = 0xf9;
const DOUBLE_FLOAT = 0xfb;

// A leading U+FEFF is part of what somebody wrote and stays; cborg's own decoder drops it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * cborg's tokenizer with what cborg lets pass: it replaces what is not UTF-8, takes 1.0 for 1, and recurses as
 * deep as it is told. An array is refused before it grows if there are too few bytes left for what it promises.
 */
class StrictTokenizer extends Tokenizer {
  readonly #limits: CborLimits;
  #items = 0;
  /** How many items of each open array or map have not begun, innermost last. */
  readonly #open: number[] = [];

  constructor(data: Uint8Array, limits: CborLimits) {
    super(data, DECODING);
    this.#limits = limits;
  }

  override next(): Token {
    const start = this.pos();
    const head = this.data[start] ?? 0;
    if (head >= HALF_FLOAT && head <= DOUBLE_FLOAT) throw new CborError('floats are not used here');
    this.#items += 1;
    if (this.#items > this.#limits.items) throw new CborError(`it has more than ${this.#limits.items} items`);
    this.#begin();
    const token = super.next();
    if (Type.equals(token.type, Type.array)) this.#enter(token.value);
    else if (Type.equals(token.type, Type.map)) this.#enterMap(token.value);
    else if (head >> 5 === MAJOR_TEXT) checkText(token, this.data.subarray(start, this.pos()), head);
    return token;
  }

  /** The next item begins: what wants no more has ended, and what is open now has one less to come. */
  #begin(): void {
    while (this.#open.at(-1) === 0) this.#open.pop();
    const last = this.#open.length - 1;
    const wanted = this.#open[last];
    if (wanted !== undefined) this.#open[last] = wanted - 1;
  }

  #enterMap(keys: number): void {
    if (keys > this.#limits.keys) throw new CborError(`a map has more than ${this.#limits.keys} keys`);
    this.#enter(2 * keys);
  }

  #enter(items: number): void {
    if (items > this.data.length - this.pos())
      throw new CborError('an array or map ends before its last item');
    if (items === 0) return;
    this.#open.push(items);
    if (this.#open.length > this.#limits.depth) {
      throw new CborError(`it nests deeper than ${this.#limits.depth}`);
    }
  }
}

/** `item` is head and text of a text string. */
function checkText(token: Token, item: Uint8Array, head: number): void {
  const info = head & 0x1f;
  const text = item.subarray(info < 24 ? 1 : 1 + 2 ** (info - 24));
  if (!isUtf8(text)) throw new CborError('a text is not valid UTF-8');
  if (text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf) token.value = utf8.decode(text);
}
