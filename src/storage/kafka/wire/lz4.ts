import { repeat, TooLarge } from './unpacked.ts';
import { WireReader } from './wire-reader.ts';

/*
  LZ4's frame format; numbers are little-endian:
    frame    = magic UINT32 = 0x184d2204  flags  largest block  [content size UINT64]  [dictionary UINT32]  header checksum
               *block  end UINT32 = 0  [content checksum UINT32]
    block    = size UINT32 (its highest bit: not packed)  bytes  [checksum UINT32]
    bytes    = *sequence
    sequence = token  [*length byte]  literals  [distance UINT16  [*length byte]]
  A token has the number of literals in its upper four bits and the length of the match - 4 in the lower ones; 15 goes on in
  length bytes, up to one that is not 255. The last sequence ends with its literals.

  Checksums are not looked at: the batch has one of its own, over all of it, which Kafka has checked.
*/

const MAGIC = 0x184d2204;
const VERSION = 1;
const FLAG = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 } as const;
const NOT_PACKED = 0x80000000;
const LEAST_MATCH = 4;
/** A byte says 255 more at most. */
const MOST_RATIO = 255;

/** @throws TooLarge; RangeError for what is no frame */
export function unpackLz4(packed: Buffer, most: number): Buffer {
  const bytes = new WireReader(packed);
  if (uint32(bytes) !== MAGIC) throw new RangeError('no LZ4 frame');
  const flags = uint8(bytes);
  const largest = (uint8(bytes) >>> 4) & 7;
  if (flags >>> 6 !== VERSION || largest < 4) throw new RangeError('an LZ4 frame of another kind');
  if ((flags & FLAG.dictionary) !== 0) throw new RangeError('an LZ4 frame with a dictionary');
  if ((flags & FLAG.contentSize) !== 0) {
    const low = uint32(bytes);
    if (uint32(bytes) > 0 || low > most) throw new TooLarge(most);
  }
  bytes.skip(1);
  return unpackBlocks(bytes, {
    most,
    largest: 1 << (8 + 2 * largest),
    checked: (flags & FLAG.blockChecksum) !== 0,
  });
}

/** @param frame bytes of all blocks at most, of one block, and whether each has a checksum behind it */
function unpackBlocks(bytes: WireReader, frame: { most: number; largest: number; checked: boolean }): Buffer {
  // What it can become at most, so that few bytes take little memory whatever they say.
  const room = Math.min(frame.most, bytes.left * MOST_RATIO);
  const out = Buffer.allocUnsafe(room);
  let at = 0;
  for (let size = uint32(bytes); size !== 0; size = uint32(bytes)) {
    const block = bytes.bytes(size & ~NOT_PACKED);
    const end = Math.min(room, at + frame.largest);
    if (size >= NOT_PACKED) {
      if (block.length > end - at) throw tooLarge(end, frame.most);
      at += block.copy(out, at);
    } else at = unpackBlock(new WireReader(block), out, { start: at, end, most: frame.most });
    if (frame.checked) bytes.skip(4);
  }
  return out.subarray(0, at);
}

/** @param place where it begins and has to end; and the bytes of all blocks at most. @returns where it ends in `out` */
function unpackBlock(
  bytes: WireReader,
  out: Buffer,
  { start, end, most }: { start: number; end: number; most: number },
): number {
  let at = start;
  while (bytes.left > 0) {
    const token = uint8(bytes);
    const literals = lengthOf(bytes, token >>> 4);
    const from = bytes.at;
    bytes.skip(literals);
    if (literals > end - at) throw tooLarge(end, most);
    bytes.buffer.copy(out, at, from, bytes.at);
    at += literals;
    if (bytes.left === 0) break;
    const distance = uint8(bytes) | (uint8(bytes) << 8);
    const length = lengthOf(bytes, token & 15) + LEAST_MATCH;
    if (distance === 0 || distance > at) throw new RangeError('a match with nothing');
    if (length > end - at) throw tooLarge(end, most);
    repeat(out, at, distance, length);
    at += length;
  }
  return at;
}

/** Of a block that goes past `end`, which may be its own bound and not the one of all of them. */
function tooLarge(end: number, most: number): RangeError {
  return end === most ? new TooLarge(most) : new RangeError('an LZ4 block larger than its frame says');
}

function lengthOf(bytes: WireReader, nibble: number): number {
  if (nibble < 15) return nibble;
  let length = nibble;
  for (;;) {
    const more = uint8(bytes);
    length += more;
    if (more < 255) return length;
  }
}

function uint8(bytes: WireReader): number {
  return bytes.buffer.readUInt8(bytes.at++);
}

function uint32(bytes: WireReader): number {
  const value = bytes.buffer.readUInt32LE(bytes.at);
  bytes.at += 4;
  return value;
}
