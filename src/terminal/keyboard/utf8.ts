/** Characters of UTF-8, byte by byte. */
export class Utf8 {
  #bytes: number[] = [];
  #length = 0;

  /** Whether the beginning of a character is there, and no end. */
  get hasPart(): boolean {
    return this.#bytes.length > 0;
  }

  /** Whether the byte is the next one of what is there. */
  goesOnWith(byte: number): boolean {
    return this.hasPart && byte >= 0x80 && byte < 0xc0;
  }

  /**
   * @param byte 0x80 or more: any where nothing is there, otherwise one that goes on with it
   * @returns the character; U+FFFD for what is none, but U+0080 to U+009F for such a byte alone, which is a control; null:
   *   more of it comes
   */
  push(byte: number): string | null {
    if (!this.hasPart) this.#length = lengthOf(byte);
    this.#bytes.push(byte);
    if (this.#bytes.length < this.#length) return null;
    const text = Buffer.from(this.#bytes).toString();
    this.#bytes = [];
    return this.#length === 1 && byte < 0xa0 ? String.fromCharCode(byte) : text;
  }

  /** Half a character is none, and no beginning of the next one. */
  drop(): void {
    this.#bytes = [];
  }
}

/** Of a character by its first byte; 1 also for what begins none. */
function lengthOf(byte: number): number {
  if (byte >= 0xf5 || byte < 0xc2) return 1;
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
}
