/** People remembered: the last ones that somebody has begun to write to. */
const MOST = 64;
/** One in a commit's metadata: 36 bits of an incarnation, which are random, in base64url. */
const TAG_CHARACTERS = 6;

/** Characters that they take in a commit's metadata, at most. */
export const MAX_CORRESPONDENTS_CHARACTERS = MOST * TAG_CHARACTERS;

/**
 * Whom somebody has written to: these are no strangers to an inbox. Known by incarnation, so another life of a name is a
 * stranger again. A name among them by chance, or made for it, needs some 2^30 accounts.
 *
 *     text = *tag, the one that was written to last at the end
 */
export class Correspondents {
  #tags: string[];

  /** @param text as `encode` made it; whatever else is there is none */
  constructor(text = '') {
    this.#tags = /^[\w-]*$/.test(text) ? (text.match(/.{6}/g) ?? []).slice(-MOST) : [];
  }

  /** @param incarnation a UUID */
  has(incarnation: string): boolean {
    return this.#tags.length > 0 && this.#tags.includes(tagOf(incarnation));
  }

  /**
   * Whoever is among the later half already stays where they are: a conversation changes nothing with each message.
   * @returns whether anything changed
   */
  add(incarnation: string): boolean {
    const tag = tagOf(incarnation);
    const at = this.#tags.indexOf(tag);
    if (at >= 0 && at >= this.#tags.length - MOST / 2) return false;
    if (at >= 0) this.#tags.splice(at, 1);
    this.#tags.push(tag);
    if (this.#tags.length > MOST) this.#tags.shift();
    return true;
  }

  encode(): string {
    return this.#tags.join('');
  }
}

/** The first nine hexadecimal digits. */
function tagOf(incarnation: string): string {
  const digits = incarnation.replaceAll('-', '').slice(0, 9);
  return Buffer.from(digits.padEnd(10, '0'), 'hex').toString('base64url').slice(0, TAG_CHARACTERS);
}
