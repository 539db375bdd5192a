import { constants, gunzipSync, type ZstdOptions, zstdDecompressSync } from 'node:zlib';
import { unpackLz4 } from './lz4.ts';
import { unpackSnappy } from './snappy.ts';
import { TooLarge } from './unpacked.ts';

/**
 * Bytes that a packed batch may become; one that becomes more is stepped over as a whole. Most producers count what goes into
 * a batch before they pack it, and stop at 1 MB; Java's counts what it guesses it to be packed, and text packs to a third or
 * a twelfth. 16 MiB hold the event loop up for 10 to 40 ms (the least of eight tries with each codec, on zeros and on lines of
 * a log, on busy cores), a MiB for some 2; how often that may be is in fetch-pace.ts.
 */
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

/** By the number that a batch's attributes have for it (Kafka's CompressionType). */
const CODECS: ReadonlyMap<number, (packed: Buffer, most: number) => Buffer> = new Map([
  [1, unpackGzip],
  [2, unpackSnappy],
  [3, unpackLz4],
  [4, unpackZstd],
]);

/**
 * The only place where anything that others have packed is unpacked.
 * @param kind the codec's number in Kafka
 * @throws TooLarge for more than `most` bytes, before more than these are made; RangeError for what cannot be unpacked
 */
export function unpack(kind: number, packed: Buffer, most = MAX_UNPACKED_BYTES): Buffer {
  const codec = CODECS.get(kind);
  if (codec === undefined) throw new RangeError(`compression ${kind} is not known`);
  try {
    return codec(packed, most);
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    // What node:zlib throws beyond `maxOutputLength`.
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TooLarge(most);
    }
    throw new RangeError('a batch that cannot be unpacked', { cause: error });
  }
}

/** All members, one behind the other. */
function unpackGzip(packed: Buffer, most: number): Buffer {
  return gunzipSync(packed, { maxOutputLength: most });
}

/**
 * Window of a zstd frame, as a power of two: 8 MiB, what RFC 8878 asks decoders for and encoders not to exceed. The library
 * takes as much memory as a frame claims before it reads any of it.
 */
const MAX_WINDOW_LOG = 23;
/** Frames of one batch; producers make one. Each costs some 10 µs, even when it has nothing in it. */
const MAX_FRAMES = 16;
const SKIPPABLE = 0x184d2a50;

const zstdParams = { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG };

/** All frames, one behind the other; node:zlib stops after one. */
function unpackZstd(packed: Buffer, most: number): Buffer {
  const parts: Buffer[] = [];
  let left = most;
  let frames = 0;
  for (let rest = packed; rest.length > 0; frames++) {
    if (frames === MAX_FRAMES) throw new RangeError('too many zstd frames');
    if ((rest.readUInt32LE(0) & ~15) >>> 0 === SKIPPABLE) {
      rest = rest.subarray(8 + rest.readUInt32LE(4));
      continue;
    }
    // One byte more than there is room for: where nothing more comes, nothing is too much.
    const { buffer, engine } = unpackFrame(rest, left + 1);
    left -= buffer.length;
    if (left < 0) throw new TooLarge(most);
    parts.push(buffer);
    rest = rest.subarray(engine.bytesWritten);
  }
  const [only] = parts;
  return parts.length === 1 && only ? only : Buffer.concat(parts);
}

/** With `info` also how much of the bytes it has read, which the types do not know. */
function unpackFrame(packed: Buffer, most: number): { buffer: Buffer; engine: { bytesWritten: number } } {
  const options: ZstdOptions = { maxOutputLength: most, params: zstdParams, info: true };
  const result: unknown = zstdDecompressSync(packed, options);
  return result as ReturnType<typeof unpackFrame>;
}
