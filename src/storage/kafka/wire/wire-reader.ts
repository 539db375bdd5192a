/** Reads Kafka's binary formats out of one buffer, in place: numbers become numbers, texts and bytes are views. */
export class WireReader {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  get left(): number {
    return this.buffer.length - this.at;
  }

  int16(): number {
    const value = this.buffer.readInt16BE(this.at);
    this.at += 2;
    return value;
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** Exact up to 2^53, as offsets and times are. */
  int64(): number {
    const high = this.buffer.readInt32BE(this.at);
    const low = this.buffer.readUInt32BE(this.at + 4);
    this.at += 8;
    return high * 2 ** 32 + low;
  }

  /** Unsigned, seven bits a byte, lowest first. Of the fifth byte only what fits into 32 bits counts, as in Kafka itself. */
  uvarint(): number {
    // Most are one byte, and looked at without a call.
    let value = this.buffer[this.at] ?? 0xff;
    if (value < 0x80) {
      this.at += 1;
      return value;
    }
    value = this.#byte() & 0x7f;
    for (let shift = 7; shift <= 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError('a number of more than five bytes');
  }

  /** Signed, in zigzag: 0, -1, 1, -2 and so on. */
  varint(): number {
    const zigzag = this.uvarint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** As `varint`, of 64 bits. Exact up to 2^53. */
  varlong(): number {
    let zigzag = 0;
    for (let place = 0, factor = 1; place < 10; place++, factor *= 0x80) {
      const byte = this.#byte();
      zigzag += (byte & 0x7f) * factor;
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
    throw new RangeError('a number of more than ten bytes');
  }

  /** A view of that many bytes. @throws RangeError where there are not so many */
  bytes(length: number): Buffer {
    if (length < 0 || length > this.buffer.length - this.at)
      throw new RangeError(`${length} bytes wanted, ${this.left} left`);
    const view = this.buffer.subarray(this.at, this.at + length);
    this.at += length;
    return view;
  }

  /** That many bytes as characters: names of topics are ASCII. @throws RangeError likewise */
  latin1(length: number): string {
    const { at } = this;
    this.skip(length);
    return this.buffer.toString('latin1', at, this.at);
  }

  skip(length: number): void {
    if (length < 0 || length > this.buffer.length - this.at)
      throw new RangeError(`${length} bytes to skip, ${this.left} left`);
    this.at += length;
  }

  /** UUID as text in Kafka's own requests. */
  uuid(): string {
    const hex = this.buffer.toString('hex', this.at, this.at + 16);
    this.at += 16;
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** Tagged fields: those that a later version of Kafka may add. */
  skipTags(): void {
    // Nearly always there are none.
    if (this.buffer[this.at] === 0) {
      this.at += 1;
      return;
    }
    for (let tags = this.uvarint(); tags > 0; tags--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  #byte(): number {
    const byte = this.buffer[this.at];
    if (byte === undefined) throw new RangeError('the buffer ends within a number');
    this.at += 1;
    return byte;
  }
}
