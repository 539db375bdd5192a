/*
 * Protocol 2's CBOR read by cborg, a library that shares no code with our reader, and by the rules that cborg does not
 * know: what our reader is compared with.
 */
import { isUtf8 } from 'node:buffer';
import { decode, type Token, Tokenizer, Type } from 'cborg';
import type { CborLimits } from '../../src/protocol/v2/cbor-reader.ts';

/** The payload's map; null where it is none. */
export function decodeByCborg(
  payload: Uint8Array,
  limits: CborLimits,
): Readonly<Record<string, unknown>> | null {
  // A plain array over the same bytes: slices of it are copies.
  const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.length);
  try {
    const value: unknown = decode(bytes, { ...DECODING, tokenizer: new StrictTokenizer(bytes, limits) });
    return isMap(value) ? value : null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    if (error instanceof Error && error.message.startsWith('CBOR decode error')) return null;
    throw error;
  }
}

class Refusal extends Error {}

const DECODING = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
};

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
 * cborg's tokenizer with what cborg lets pass: it replaces what is not UTF-8, takes 1.0 for 1, and recurses as deep as
 * it is told.
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
    if (head >= HALF_FLOAT && head <= DOUBLE_FLOAT) throw new Refusal('a float');
    this.#items += 1;
    if (this.#items > this.#limits.items) throw new Refusal('too many items');
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
    if (keys > this.#limits.keys) throw new Refusal('too many keys');
    this.#enter(2 * keys);
  }

  #enter(items: number): void {
    if (items > this.data.length - this.pos()) throw new Refusal('more items than bytes');
    if (items === 0) return;
    this.#open.push(items);
    if (this.#open.length > this.#limits.depth) throw new Refusal('too deep');
  }
}

/** `item` is head and text of a text string. */
function checkText(token: Token, item: Uint8Array, head: number): void {
  const info = head & 0x1f;
  const text = item.subarray(info < 24 ? 1 : 1 + 2 ** (info - 24));
  if (!isUtf8(text)) throw new Refusal('not UTF-8');
  if (text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf) token.value = utf8.decode(text);
}
