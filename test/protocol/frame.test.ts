import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { allocateFrame, encodeFrame, type Frame, FrameDecoder } from '../../src/protocol/frame.ts';
import { Random, randomCuts } from './random.ts';

function drain(decoder: FrameDecoder): Frame[] {
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}

function decode(pieces: readonly Uint8Array[], maxPayload = 65_536): string[] {
  const decoder = new FrameDecoder({ maxPayload });
  return pieces.flatMap((piece) => {
    decoder.push(piece);
    return drain(decoder).map((frame) => `${frame.version} ${frame.opcode} ${frame.payload.toString('hex')}`);
  });
}

function refusal(act: () => unknown): ProtocolError {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const stream = Buffer.concat([
  encodeFrame(1, 0x10, 'alice'),
  encodeFrame(1, 0x60, ''),
  encodeFrame(1, 0x70, new Uint8Array([3, 98, 111, 98, 104, 105])),
  encodeFrame(1, 0x50, 'x'.repeat(300)),
]);
const expected = ['1 16 616c696365', '1 96 ', '1 112 03626f626869', `1 80 ${'78'.repeat(300)}`];

describe('encodeFrame', () => {
  test('writes version, big-endian size, opcode, payload', () => {
    expect(encodeFrame(1, 0x10, 'alice').toString('hex')).toBe('0100000005' + '10' + '616c696365');
    expect(encodeFrame(2, 0xb0, new Uint8Array(0)).toString('hex')).toBe('0200000000b0');
  });

  test('counts the size in bytes, not characters', () => {
    expect(encodeFrame(1, 0x71, 'é漢').toString('hex')).toBe('010000000571c3a9e6bca2');
  });

  test('makes room for a payload that is written in place', () => {
    const frame = allocateFrame(1, 0x72, 2);
    frame.write('hi', 6);
    expect(frame.equals(encodeFrame(1, 0x72, 'hi'))).toBe(true);
  });
});

describe('FrameDecoder', () => {
  test('reads a stream that comes whole', () => expect(decode([stream])).toEqual(expected));

  test('reads a stream that comes byte by byte', () => {
    expect(decode([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('reads a stream cut in two at every place', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(decode([stream.subarray(0, at), stream.subarray(at)])).toEqual(expected);
    }
  });

  test('reads a stream in random cuts', () => {
    const random = new Random(7);
    for (let round = 0; round < 200; round++) expect(decode(randomCuts(random, stream))).toEqual(expected);
  });

  test('keeps what is pushed before anybody asks', () => {
    const decoder = new FrameDecoder({ maxPayload: 1_000 });
    for (const byte of stream) decoder.push(Uint8Array.of(byte));
    expect(drain(decoder)).toHaveLength(4);
    expect(decoder.heldBytes).toBe(0);
  });

  test('says whether a frame has begun', () => {
    const decoder = new FrameDecoder({ maxPayload: 100 });
    const frame = encodeFrame(1, 0x10, 'bob');
    for (const [index, byte] of frame.entries()) {
      expect(decoder.hasPartial).toBe(index > 0);
      decoder.push(Uint8Array.of(byte));
      expect(decoder.next()?.payload.toString()).toBe(index === frame.length - 1 ? 'bob' : undefined);
    }
    expect(decoder.hasPartial).toBe(false);
  });

  test('knows the version of the latest frame that has begun', () => {
    const decoder = new FrameDecoder({ maxPayload: 100, versions: [1, 2] });
    const grown = (...bytes: number[]) => {
      decoder.push(Uint8Array.from(bytes));
      decoder.next();
      return decoder.version;
    };
    expect(decoder.version).toBeUndefined();
    expect(grown(2)).toBe(2);
    expect(grown(0, 0, 0, 0, 0x60)).toBe(2);
    expect(grown(1, 0, 0, 0, 0, 0x60)).toBe(1);
    expect(grown(2)).toBe(2);
    expect(refusal(() => grown(0xff, 0xff, 0xff, 0xff)).code).toBe('TOO_LARGE');
    expect(decoder.version).toBe(2);
  });

  test('refuses an unknown version at its first byte, for good', () => {
    const decoder = new FrameDecoder({ maxPayload: 100 });
    decoder.push(Buffer.from('G'));
    const error = refusal(() => decoder.next());
    expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', fatal: true });
    decoder.push(encodeFrame(1, 0x60, ''));
    expect(refusal(() => decoder.next())).toBe(error);
    expect(decoder.heldBytes).toBe(0);
  });

  test('refuses an oversized frame at its fifth byte and holds nothing of it', () => {
    const decoder = new FrameDecoder({ maxPayload: 4_096 });
    decoder.push(Uint8Array.of(1, 0, 0, 0x10));
    expect(decoder.next()).toBeUndefined();
    decoder.push(Uint8Array.of(1));
    expect(refusal(() => decoder.next())).toMatchObject({ code: 'TOO_LARGE', fatal: true });
    decoder.push(Buffer.alloc(100_000));
    expect(decoder.heldBytes).toBe(0);
  });

  test('accepts the largest allowed payload and not one byte more', () => {
    expect(decode([encodeFrame(1, 0x70, Buffer.alloc(64))], 64)).toHaveLength(1);
    expect(refusal(() => decode([encodeFrame(1, 0x70, Buffer.alloc(65))], 64)).code).toBe('TOO_LARGE');
  });

  test('gives the good frames in front of a bad one', () => {
    const decoder = new FrameDecoder({ maxPayload: 100 });
    decoder.push(Buffer.concat([encodeFrame(1, 0x60, ''), encodeFrame(9, 0x60, '')]));
    expect(decoder.next()?.opcode).toBe(0x60);
    expect(refusal(() => decoder.next()).code).toBe('UNSUPPORTED_VERSION');
  });

  test('a limit raised between two frames of one chunk counts for the second', () => {
    const decoder = new FrameDecoder({ maxPayload: 8 });
    decoder.push(Buffer.concat([encodeFrame(1, 0x10, 'alice'), encodeFrame(1, 0x70, Buffer.alloc(50))]));
    expect(decoder.next()?.opcode).toBe(0x10);
    decoder.maxPayload = 64;
    expect(decoder.next()?.payload.length).toBe(50);
  });

  test('knows the versions it is told', () => {
    const decoder = new FrameDecoder({ maxPayload: 8, versions: [1, 2] });
    decoder.push(Buffer.concat([encodeFrame(2, 0xb0, ''), encodeFrame(1, 0x60, '')]));
    expect(drain(decoder).map((frame) => frame.version)).toEqual([2, 1]);
  });

  test('a header that promises much costs nothing until bytes come', () => {
    const decoder = new FrameDecoder({ maxPayload: 1_048_576 });
    decoder.push(allocateFrame(1, 0x70, 1_048_576).subarray(0, 7));
    expect(decoder.next()).toBeUndefined();
    expect(decoder.heldBytes).toBeLessThanOrEqual(64);
  });

  test('a partial frame does not keep its chunk', () => {
    const decoder = new FrameDecoder({ maxPayload: 65_536 });
    const frames = Buffer.concat([encodeFrame(1, 0x70, Buffer.alloc(60_000)), encodeFrame(1, 0x10, 'bob')]);
    decoder.push(frames.subarray(0, frames.length - 1));
    expect(drain(decoder)).toHaveLength(1);
    expect(decoder.heldBytes).toBeLessThanOrEqual(64);
  });

  test('copies each byte a bounded number of times, however small the chunks', () => {
    // Byte by byte, a decoder that joins its buffers anew on each push would copy 2^39 bytes here.
    const size = 1_048_576;
    const decoder = new FrameDecoder({ maxPayload: size });
    const frame = allocateFrame(1, 0x61, size).fill(97, 6);
    let frames = 0;
    for (let at = 0; at < frame.length; at++) {
      decoder.push(frame.subarray(at, at + 1));
      if (decoder.next() !== undefined) frames += 1;
    }
    expect(frames).toBe(1);
  });
});
