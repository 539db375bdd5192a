import type { BrokerClock } from '../wire/broker-clock.ts';
import type { RawRecord } from '../wire/log-batch.ts';
import type { Signer } from './signature.ts';

/** How far the clocks of brokers may be apart; a frontend learns its broker's. */
const CLOCKS_APART_MS = 60_000;

/** What it takes to tell what frontends wrote from what others wrote. */
export class Trust {
  readonly signer: Signer;
  readonly clock: BrokerClock;
  readonly recent = new RecentSignatures();
  /**
   * Whether what no frontend can be shown to have written counts all the same: records without a signature, or with a key
   * that is not known here, or whose signature is of another time. For going over from a version that did not sign.
   */
  readonly acceptsUnsigned: boolean;
  readonly #windowMs: number;

  /** @param sendTimeoutMs how long a record may wait for Kafka after it was signed */
  constructor(signer: Signer, clock: BrokerClock, acceptsUnsigned: boolean, sendTimeoutMs: number) {
    this.signer = signer;
    this.clock = clock;
    this.acceptsUnsigned = acceptsUnsigned;
    this.#windowMs = CLOCKS_APART_MS + sendTimeoutMs;
  }

  /**
   * Whether a record was appended when it was signed, by the broker's own word: else it is a copy of an older one. Where a
   * topic keeps the producers' time, nobody can tell.
   * @param signedAt milliseconds since the epoch; anything else is not fresh
   */
  isFresh(raw: RawRecord, signedAt: number): boolean {
    return raw.hasAppendTime && Math.abs(raw.timestamp - signedAt) <= this.#windowMs;
  }
}

/** Signatures that are remembered, in groups of so many: in each group a new one takes the place of the oldest. 2 MiB. */
const GROUPS = 32_768;
const IN_GROUP = 4;
/** A group lies in one line of the processor's cache: two numbers of four bytes and an offset of eight for each. */
const GROUP_BYTES = 64;
const WORDS = GROUP_BYTES / Uint32Array.BYTES_PER_ELEMENT;
const DOUBLES = GROUP_BYTES / Float64Array.BYTES_PER_ELEMENT;
/** A MAC's last characters, in base64url. */
const MAC_CHARACTERS = 43;
/** Of the MAC that is at the end of a signature: 60 bits, so that two are never taken for one. */
const HALF_CHARACTERS = 5;

/**
 * Where signed messages were found lately, over all inboxes. Every append is signed anew, also a client's second try, so the
 * same signature at a later offset is a copy that somebody made of the record. What is forgotten here is recognised by its
 * time (`Trust`), or by its recipient's client, which knows the id. Numbers in place: a map of strings would cost a message
 * more than its signature does.
 */
export class RecentSignatures {
  readonly #bytes = new ArrayBuffer(GROUPS * GROUP_BYTES);
  /** Of each group: the first halves, the second ones; then the offsets. */
  readonly #halves = new Uint32Array(this.#bytes);
  readonly #offsets = new Float64Array(this.#bytes);
  /** In each group, the place of the oldest. */
  readonly #oldest = new Uint8Array(GROUPS);

  /** Whether a signature was found at a lower offset. Remembers where it was found first. */
  isCopy(signature: string, offset: number): boolean {
    const at = this.#find(signature);
    const known = this.#offsets[at] ?? UNKNOWN;
    if (known !== UNKNOWN && known - 1 < offset) return true;
    this.#offsets[at] = offset + 1;
    return false;
  }

  note(signature: string, offset: number): void {
    this.#offsets[this.#find(signature)] = offset + 1;
  }

  /** Where its offset is (and one more, so that 0 is none); it takes the place of the oldest of its group if it has none. */
  #find(signature: string): number {
    const start = signature.length - MAC_CHARACTERS;
    const first = bitsOf(signature, start);
    const second = bitsOf(signature, start + HALF_CHARACTERS);
    const group = first % GROUPS;
    const firsts = group * WORDS;
    const offsets = group * DOUBLES + IN_GROUP;
    for (let i = 0; i < IN_GROUP; i++) {
      if (this.#halves[firsts + i] === first && this.#halves[firsts + IN_GROUP + i] === second)
        return offsets + i;
    }
    const place = this.#oldest[group] ?? 0;
    this.#oldest[group] = (place + 1) % IN_GROUP;
    this.#halves[firsts + place] = first;
    this.#halves[firsts + IN_GROUP + place] = second;
    this.#offsets[offsets + place] = UNKNOWN;
    return offsets + place;
  }
}

const UNKNOWN = 0;

/** Thirty bits out of five characters of base64url. */
function bitsOf(text: string, at: number): number {
  let bits = 0;
  for (let i = 0; i < HALF_CHARACTERS; i++) {
    const code = text.charCodeAt(at + i);
    // Capitals, small letters, digits, dash, underscore: six bits each.
    if (code >= 97) bits = (bits << 6) | (code - 71);
    else if (code === 95) bits = (bits << 6) | 63;
    else if (code >= 65) bits = (bits << 6) | (code - 65);
    else if (code >= 48) bits = (bits << 6) | (code + 4);
    else bits = (bits << 6) | 62;
  }
  return bits;
}
