import { putLast } from '../../../util/bounded-map.ts';

/** People remembered: the last ones that somebody has begun to write to. */
const MOST = 64;
/** One in a commit's metadata: 36 bits of an incarnation, which are random, in base64url. */
const TAG_CHARACTERS = 6;
/** Bytes that have them, and what is left over of those. */
const HEAD_BYTES = 5;
const SPARE_BITS = 4;

/** Characters that they take in a commit's metadata, at most. */
export const MAX_CORRESPONDENTS_CHARACTERS = MOST * TAG_CHARACTERS;

/**
 * Whom somebody has written to: these are no strangers to an inbox. Known by incarnation, so another life of a name is a
 * stranger again. A name among them by chance, or made for it, needs some 2^30 accounts.
 *
 *     text = *tag, the one that was written to last at the end
 */
export class Correspondents {
  /** The longest ago first, each with its number among all that were ever put here. */
  readonly #numbers = new Map<number, number>();
  #last = 0;

  /** @param text as `encode` made it; whatever else is there is none */
  constructor(text = '') {
    const tags = /^[\w-]*$/.test(text) ? (text.match(/.{6}/g) ?? []) : [];
    for (const tag of tags.slice(-MOST)) this.#put(headOf(Buffer.from(`${tag}A`, 'base64url')));
  }

  /** @param incarnation 16 bytes */
  has(incarnation: Uint8Array): boolean {
    return this.#numbers.size > 0 && this.#numbers.has(headOf(incarnation));
  }

  /**
   * Whoever is among the later half already stays where they are: a conversation changes nothing with each message.
   * @returns whether anything changed
   */
  add(incarnation: Uint8Array): boolean {
    const head = headOf(incarnation);
    if ((this.#numbers.get(head) ?? 0) > Math.max(0, this.#last - MOST / 2)) return false;
    this.#put(head);
    return true;
  }

  /** All that are in any of these. */
  static union(all: readonly Correspondents[]): Correspondents {
    const [first = new Correspondents(), ...more] = all;
    for (const other of more) for (const head of other.#numbers.keys()) first.#put(head);
    return first;
  }

  encode(): string {
    const bytes = Buffer.alloc(HEAD_BYTES);
    let text = '';
    for (const head of this.#numbers.keys()) {
      bytes.writeUIntBE(head * 2 ** SPARE_BITS, 0, HEAD_BYTES);
      text += bytes.toString('base64url').slice(0, TAG_CHARACTERS);
    }
    return text;
  }

  #put(head: number): void {
    putLast(this.#numbers, head, ++this.#last, MOST);
  }
}

/** The first 36 bits. */
function headOf(bytes: Uint8Array): number {
  let head = 0;
  for (let index = 0; index < HEAD_BYTES; index++) head = head * 256 + (bytes[index] ?? 0);
  return Math.floor(head / 2 ** SPARE_BITS);
}
