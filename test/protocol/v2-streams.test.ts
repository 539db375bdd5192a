/* The vectors of version 2 as streams, and payloads whose keys come in any order. */
import { describe, expect, test } from 'vitest';
import { type Frame, FrameDecoder } from '../../src/protocol/frame.ts';
import { decodeCbor, REQUEST_LIMITS } from '../../src/protocol/v2/cbor-reader.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { rounds, SEED } from '../fuzz/fuzzing.ts';
import { randomMap, writePlain } from './plain-cbor.ts';
import { REQUESTS, SERVER_FRAMES } from './v2-vectors.ts';

function framesOf(pieces: readonly Buffer[]): Frame[] {
  const decoder = new FrameDecoder({ maxPayload: 65_536, versions: [2] });
  const frames: Frame[] = [];
  for (const piece of pieces) {
    decoder.push(piece);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  }
  expect(decoder.hasPartial).toBe(false);
  return frames;
}

function singleBytes(stream: Buffer): Buffer[] {
  return Array.from(stream, (byte) => Buffer.of(byte));
}

describe(`version 2, every vector`, () => {
  const requests = REQUESTS.map(([, value]) => value);
  const serverFrames = SERVER_FRAMES.map(([, value]) => value);
  const up = Buffer.concat(requests.map(v2.encodeRequest));
  const down = Buffer.concat(serverFrames.map(v2.encodeServerFrame));

  test('comes whole', () => {
    expect(framesOf([up]).map(v2.decodeRequest)).toEqual(requests);
    expect(framesOf([down]).map(v2.decodeServerFrame)).toEqual(serverFrames);
  });

  test('comes byte by byte', () => {
    expect(framesOf(singleBytes(up)).map(v2.decodeRequest)).toEqual(requests);
    expect(framesOf(singleBytes(down)).map(v2.decodeServerFrame)).toEqual(serverFrames);
  });

  test('is refused wherever its payload is cut short', () => {
    for (const { version, opcode, payload } of framesOf([up])) {
      for (let end = 1; end < payload.length; end++) {
        const cut = { version, opcode, payload: payload.subarray(0, end) };
        expect(() => v2.decodeRequest(cut)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
      }
    }
    for (const { version, opcode, payload } of framesOf([down])) {
      for (let end = 0; end < payload.length; end++) {
        const cut = { version, opcode, payload: payload.subarray(0, end) };
        expect(() => v2.decodeServerFrame(cut)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }));
      }
    }
  });
});

test(`equal values become equal bytes, whatever the order of their keys (seed ${SEED})`, () => {
  rounds((random) => {
    const value = randomMap(random, 3);
    const [one, other] = [writePlain(random, value), writePlain(random, value)];
    const canonical = Buffer.from(encodeCbor(value));
    expect(canonical.length).toBe(one.length);
    expect(Buffer.from(encodeCbor(decodeCbor(one, REQUEST_LIMITS)))).toEqual(canonical);
    expect(Buffer.from(encodeCbor(decodeCbor(other, REQUEST_LIMITS)))).toEqual(canonical);
  });
});
