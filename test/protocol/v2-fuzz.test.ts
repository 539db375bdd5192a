import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { FrameDecoder, HEADER_BYTES } from '../../src/protocol/frame.ts';
import * as v1 from '../../src/protocol/v1/requests.ts';
import { CborError, decodeCbor, encodeCbor, REQUEST_LIMITS } from '../../src/protocol/v2/cbor.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { Message, ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { mutate, orRefusal, ROUNDS, rounds, SEED } from './fuzzing.ts';
import { NotPlain, type Plain, randomMap, randomPlain, readPlain, writePlain } from './plain-cbor.ts';
import { type Random, randomCuts } from './random.ts';
import { REQUESTS, SERVER_FRAMES } from './v2-vectors.ts';

const MAX_PAYLOAD = 65_536;

function bytes(random: Random, length: number): Uint8Array {
  return new Uint8Array(random.bytes(length));
}

function number(random: Random): number {
  return Math.floor(random.fraction() * 2 ** random.below(54));
}

function many<Item>(random: Random, bound: number, make: () => Item): Item[] {
  return Array.from({ length: random.below(bound) }, make);
}

/** `fields`, each there or not. */
function some<Fields extends object>(random: Random, fields: Fields): Partial<Fields> {
  const kept: Partial<Fields> = { ...fields };
  for (const key of Object.keys(fields)) if (random.below(2) === 0) Reflect.deleteProperty(kept, key);
  return kept;
}

function randomRequest(random: Random): Request {
  const username = random.username();
  const password = random.text(20) || 'p';
  const first = number(random);
  const names = many(random, 5, () => random.username());
  const ranges = [[first, Math.min(first + random.below(9), Number.MAX_SAFE_INTEGER)] as const];
  return random.pick<Request>([
    { type: 'hello', client: username, ...some(random, { features: names }) },
    { type: 'create', username, ...some(random, { password, displayName: username }) },
    { type: 'login', username, ...some(random, { password, takeover: true, deliver: 'live' as const }) },
    { type: 'login', username, token: bytes(random, 32), ...some(random, { deliver: 'all' as const }) },
    { type: 'logout' },
    { type: 'delete', ...some(random, { password, force: false }) },
    { type: 'list', ...some(random, { pattern: 'a*', after: username, limit: 1 + random.below(1_000) }) },
    { type: 'retrieve', ...some(random, { limit: 1 + random.below(1_000) }) },
    {
      type: 'send',
      id: bytes(random, 16),
      to: username,
      body: random.text(400) || 'x',
      ...some(random, { contentType: 'text/plain' }),
    },
    { type: 'ack', upTo: first, ...some(random, { ranges }) },
    { type: 'ack', ranges, ...some(random, { upTo: first }) },
    { type: 'status', names },
    { type: 'ping' },
    { type: 'password', new: password, ...some(random, { old: password }) },
    { type: 'receipts', receipts: many(random, 5, () => bytes(random, 1 + random.below(64))) },
    { type: 'block', name: username, blocked: false },
  ]);
}

function randomMessage(random: Random): Message {
  const content = {
    seq: number(random),
    body: random.text(40),
    sentAt: number(random),
    ...some(random, { contentType: 'text/plain' }),
  };
  return random.pick<Message>([
    {
      ...content,
      verified: true,
      id: bytes(random, 16),
      from: random.username(),
      fromIncarnation: bytes(random, 16),
    },
    { ...content, verified: false, external: random.text(9), ...some(random, { id: bytes(random, 16) }) },
  ]);
}

function randomServerFrame(random: Random): ServerFrame {
  const [, sample] = random.pick(SERVER_FRAMES);
  return random.pick<ServerFrame>([
    sample,
    { type: 'message', ...randomMessage(random) },
    { type: 'retrieved', messages: many(random, 5, () => randomMessage(random)), more: true },
    {
      type: 'delivered',
      ids: many(random, 5, () => bytes(random, 16)),
      ...some(random, { undeliverable: many(random, 5, () => bytes(random, 16)) }),
    },
    {
      type: 'failure',
      code: 'BUSY',
      message: random.text(20),
      ...some(random, { retryAfterMs: number(random), id: bytes(random, 16), request: random.below(256) }),
    },
  ]);
}

interface Cut {
  readonly version: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

function framesOf(pieces: readonly Buffer[]): Cut[] {
  const decoder = new FrameDecoder({ maxPayload: MAX_PAYLOAD, versions: [1, 2] });
  const frames: Cut[] = [];
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

/** What the codec's CBOR layer makes of a payload, or null where it refuses it. */
function decoded(payload: Buffer): unknown {
  try {
    return decodeCbor(payload, REQUEST_LIMITS);
  } catch (error) {
    if (error instanceof CborError) return null;
    throw error;
  }
}

/** The same by the plain reader. */
function expected(payload: Buffer): Plain {
  try {
    return readPlain(payload, REQUEST_LIMITS);
  } catch (error) {
    if (error instanceof NotPlain) return null;
    throw error;
  }
}

/** The map of a payload, some of its values replaced by anything. */
function withOtherFields(random: Random, payload: Buffer): Record<string, unknown> {
  const map: Record<string, unknown> = { ...decodeCbor(payload, REQUEST_LIMITS) };
  for (const key of Object.keys(map)) if (random.below(2) === 0) map[key] = randomPlain(random, 3);
  return map;
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

describe(`version 2, fuzz, seed ${SEED}`, () => {
  test('valid requests come out as they went in, whatever the cuts, version 1 between them', () => {
    rounds((random) => {
      const values = Array.from({ length: 1 + random.below(6) }, () => randomRequest(random));
      const old: v1.Request = { type: 'login', name: random.username() };
      const stream = Buffer.concat(
        values.flatMap((value) => [v2.encodeRequest(value), v1.encodeRequest(old)]),
      );
      const frames = framesOf(randomCuts(random, stream));
      expect(frames.filter((frame) => frame.version === 2).map(v2.decodeRequest)).toEqual(values);
      expect(frames.filter((frame) => frame.version === 1).map(v1.decodeRequest)).toEqual(
        values.map(() => old),
      );
    });
  });

  test('valid server frames come out as they went in, whatever the cuts', () => {
    rounds((random) => {
      const values = Array.from({ length: 1 + random.below(6) }, () => randomServerFrame(random));
      const stream = Buffer.concat(values.map(v2.encodeServerFrame));
      expect(framesOf(randomCuts(random, stream)).map(v2.decodeServerFrame)).toEqual(values);
    });
  });

  test('a spoilt payload is read or refused exactly as the description says', () => {
    rounds((random) => {
      const valid = random.pick([
        v2.encodeRequest(randomRequest(random)).subarray(HEADER_BYTES),
        writePlain(random, randomMap(random, random.below(10)), random.pick([0, 10, 30, 100])),
      ]);
      const payload = random.below(3) > 0 ? valid : mutate(random, valid);
      expect(decoded(payload)).toEqual(expected(payload));
    });
  });

  test('a spoilt request is decoded or refused, and what is decoded can be sent again', () => {
    rounds((random) => {
      const frame = v2.encodeRequest(randomRequest(random));
      const opcode = random.below(8) === 0 ? random.below(256) : frame.readUInt8(5);
      const payload = mutate(random, frame.subarray(HEADER_BYTES));
      const value = orRefusal(() => v2.decodeRequest({ version: 2, opcode, payload }));
      if (value === undefined) return;
      const again = v2.encodeRequest(value);
      expect(again.readUInt8(5)).toBe(opcode);
      const same = v2.decodeRequest({ version: 2, opcode, payload: again.subarray(HEADER_BYTES) });
      expect(same).toEqual(value);
    });
  });

  test('fields of any kind are decoded or refused, on either side', () => {
    rounds((random) => {
      const request = v2.encodeRequest(randomRequest(random));
      const reply = v2.encodeServerFrame(randomServerFrame(random));
      const decoders = [[request, v2.decodeRequest] as const, [reply, v2.decodeServerFrame] as const];
      for (const [frame, decode] of decoders) {
        const payload = Buffer.from(encodeCbor(withOtherFields(random, frame.subarray(HEADER_BYTES))));
        orRefusal(() => decode({ version: 2, opcode: frame.readUInt8(5), payload }));
      }
    });
  });

  test('a hostile server cannot make the client throw anything else', () => {
    rounds((random) => {
      const frame = v2.encodeServerFrame(randomServerFrame(random));
      const opcode = random.below(8) === 0 ? random.below(256) : frame.readUInt8(5);
      const payload = random.pick([
        mutate(random, frame.subarray(HEADER_BYTES)),
        random.bytes(random.below(60)),
      ]);
      const value = orRefusal(() => v2.decodeServerFrame({ version: 2, opcode, payload }));
      if (value !== undefined) expect(v2.encodeServerFrame(value).readUInt8(5)).toBe(opcode);
    });
  });

  test('equal values become equal bytes, whatever the order of their keys', () => {
    rounds((random) => {
      const value = randomMap(random, 3);
      const [one, other] = [writePlain(random, value), writePlain(random, value)];
      const canonical = Buffer.from(encodeCbor(value));
      expect(canonical.length).toBe(one.length);
      expect(Buffer.from(encodeCbor(decodeCbor(one, REQUEST_LIMITS)))).toEqual(canonical);
      expect(Buffer.from(encodeCbor(decodeCbor(other, REQUEST_LIMITS)))).toEqual(canonical);
    });
  });

  test.skipIf(ROUNDS < 200)(
    'the spoilt requests are refused often enough, and accepted often enough, to say something',
    () => {
      let refused = 0;
      let accepted = 0;
      rounds((random) => {
        const frame = v2.encodeRequest(randomRequest(random));
        const payload = mutate(random, frame.subarray(HEADER_BYTES));
        try {
          v2.decodeRequest({ version: 2, opcode: frame.readUInt8(5), payload });
          accepted += 1;
        } catch (error) {
          if (error instanceof ProtocolError) refused += 1;
        }
      });
      expect(Math.min(refused, accepted) / (refused + accepted)).toBeGreaterThan(0.03);
    },
  );
});
