/** A small seeded generator (mulberry32): a failing fuzz run is repeated by its seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Uniform integer from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) bytes[at] = this.below(256);
    return bytes;
  }

  text(maxLength: number): string {
    let text = '';
    for (let left = this.below(maxLength + 1); left > 0; left--) text += this.pick(PIECES);
    return text;
  }

  username(): string {
    const length = this.below(32);
    let rest = '';
    while (rest.length < length) rest += REST.charAt(this.below(REST.length));
    return FIRST.charAt(this.below(FIRST.length)) + rest;
  }
}

const FIRST = 'abcdefghijklmnopqrstuvwxyz0123456789';
const REST = `${FIRST}_-`;
const PIECES = [
  'a',
  'Z',
  ' ',
  ':',
  ': ',
  '; ',
  '\n',
  '\n\n',
  '\r',
  '\r\n',
  '\u2028',
  '\ufeff',
  '\u0000',
  'é',
].concat(['漢', '👩‍👩‍👧', '\u202e', '\u001b[2J', 'bob: ', '\u200b']);

/** Cuts bytes at random places; some pieces are one byte, some are most of it. */
export function randomCuts(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = 1 + random.below(random.pick([1, 2, 7, 100, bytes.length]));
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
