/** More of a paste is dropped: four times what can be sent. */
export const MAX_PASTE_BYTES = 256 * 1024;
const ESC = 0x1b;
const END = Buffer.from('\u001b[201~');

/** What is pasted between its marks, byte by byte, up to the mark at its end. */
export class Paste {
  #bytes: number[] = [];
  /** How many bytes of the end mark are the last ones that came. */
  #marked = 0;

  /** Whether the mark at the end is complete with this byte. */
  push(byte: number): boolean {
    if (byte === END[this.#marked]) {
      this.#marked += 1;
      return this.#marked === END.length;
    }
    for (const part of END.subarray(0, this.#marked)) this.#keep(part);
    this.#marked = byte === ESC ? 1 : 0;
    if (this.#marked === 0) this.#keep(byte);
    return false;
  }

  /** The text, without what may be the beginning of the mark; the next byte begins another paste. */
  take(): string {
    const text = Buffer.from(this.#bytes).toString();
    this.#bytes = [];
    this.#marked = 0;
    return text;
  }

  #keep(byte: number): void {
    if (this.#bytes.length < MAX_PASTE_BYTES) this.#bytes.push(byte);
  }
}
