/** Signatures that are remembered, in groups of so many: in each group a new one takes the place of the oldest. 2 MiB. */
const GROUPS = 32_768;
const IN_GROUP = 4;
/** A MAC's last character and those before it, in base64url. */
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
  readonly #first = new Uint32Array(GROUPS * IN_GROUP);
  readonly #second = new Uint32Array(GROUPS * IN_GROUP);
  readonly #offsets = new Float64Array(GROUPS * IN_GROUP).fill(-1);
  /** In each group, the place of the oldest. */
  readonly #oldest = new Uint8Array(GROUPS);

  /** Whether a signature was found at a lower offset. Remembers where it was found first. */
  isCopy(signature: string, offset: number): boolean {
    const at = this.#find(signature);
    const known = this.#offsets[at] ?? -1;
    if (known >= 0 && known < offset) return true;
    this.#offsets[at] = offset;
    return false;
  }

  note(signature: string, offset: number): void {
    this.#offsets[this.#find(signature)] = offset;
  }

  /** Its place, made in place of the oldest of its group if it has none. */
  #find(signature: string): number {
    const start = signature.length - MAC_CHARACTERS;
    const first = bitsOf(signature, start);
    const second = bitsOf(signature, start + HALF_CHARACTERS);
    const group = first % GROUPS;
    for (let i = 0; i < IN_GROUP; i++) {
      const at = group * IN_GROUP + i;
      if (this.#first[at] === first && this.#second[at] === second) return at;
    }
    const place = this.#oldest[group] ?? 0;
    this.#oldest[group] = (place + 1) % IN_GROUP;
    const at = group * IN_GROUP + place;
    this.#first[at] = first;
    this.#second[at] = second;
    this.#offsets[at] = -1;
    return at;
  }
}

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
