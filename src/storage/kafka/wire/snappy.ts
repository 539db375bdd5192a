import { repeat, TooLarge } from './unpacked.ts';
import { WireReader } from './wire-reader.ts';

/*
  Snappy, as it comes in Kafka's batches: one block, or a stream of the Java library (xerial) of many.
    stream  = 82 "SNAPPY" 00  version INT32  compatible INT32  *(length INT32  block)
    block   = unpacked length UVARINT  *element
    element = tag; its lowest two bits say what it is:
      0  literal: length - 1 in the other six bits; 60 to 63 there: in the 1 to 4 bytes that follow, lowest first
      1  copy of 4 to 11 bytes (bits 2 to 4), distance in bits 5 to 7 and one byte
      2  copy of 1 to 64 bytes, distance in two bytes, lowest first
      3  the same with four bytes
*/

const STREAM_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const STREAM_HEADER_BYTES = 16;
/** Literals shorter than this have their length in the tag. */
const LONG_LITERAL = 60;

/** @throws TooLarge; RangeError for what is no snappy */
export function unpackSnappy(packed: Buffer, most: number): Buffer {
  const blocks = blocksOf(packed);
  let size = 0;
  for (const block of blocks) size += new WireReader(block).uvarint();
  if (size > most) throw new TooLarge(most);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const block of blocks) at = unpackBlock(block, out, at);
  return out;
}

/** Streams may be strung together, as files of them can be. */
function blocksOf(packed: Buffer): Buffer[] {
  if (!isStreamHeader(packed, 0)) return [packed];
  const blocks: Buffer[] = [];
  const bytes = new WireReader(packed);
  while (bytes.left > 0) {
    if (isStreamHeader(packed, bytes.at)) bytes.skip(STREAM_HEADER_BYTES);
    else blocks.push(bytes.bytes(bytes.int32()));
  }
  return blocks;
}

function isStreamHeader(packed: Buffer, at: number): boolean {
  return packed.subarray(at, at + STREAM_MAGIC.length).equals(STREAM_MAGIC);
}

/** @returns where it ends in `out` */
function unpackBlock(block: Buffer, out: Buffer, start: number): number {
  const bytes = new WireReader(block);
  const end = start + bytes.uvarint();
  let at = start;
  while (bytes.left > 0) {
    const tag = block.readUInt8(bytes.at++);
    const kind = tag & 3;
    if (kind === 0) {
      const length = literalLength(bytes, tag >>> 2);
      const from = bytes.at;
      bytes.skip(length);
      if (length > end - at) throw new RangeError('more than the block says');
      block.copy(out, at, from, bytes.at);
      at += length;
      continue;
    }
    let length = (tag >>> 2) + 1;
    let distance: number;
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | block.readUInt8(bytes.at++);
    } else {
      const width = kind === 2 ? 2 : 4;
      distance = block.readUIntLE(bytes.at, width);
      bytes.at += width;
    }
    if (distance === 0 || distance > at - start || length > end - at)
      throw new RangeError('a copy of nothing');
    repeat(out, at, distance, length);
    at += length;
  }
  // What was never written must not be read: it is some other buffer's memory.
  if (at !== end) throw new RangeError('less than the block says');
  return end;
}

function literalLength(bytes: WireReader, lengthOrWidth: number): number {
  if (lengthOrWidth < LONG_LITERAL) return lengthOrWidth + 1;
  const width = lengthOrWidth - LONG_LITERAL + 1;
  const length = bytes.buffer.readUIntLE(bytes.at, width) + 1;
  bytes.at += width;
  return length;
}
