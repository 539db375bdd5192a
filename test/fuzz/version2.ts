/* Frames of version 2, on both sides, and its CBOR against a plain reader. */
import { ProtocolError } from '../../src/protocol/errors.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { CborError, decodeCbor, REQUEST_LIMITS } from '../../src/protocol/v2/cbor-reader.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { Message, ServerFrame } from '../../src/protocol/v2/replies.ts';
import { REQUEST_OPCODES, type Request } from '../../src/protocol/v2/requests.ts';
import {
  NotPlain,
  type Plain,
  randomMap,
  randomPlain,
  readPlain,
  writePlain,
} from '../protocol/plain-cbor.ts';
import type { Random } from '../protocol/random.ts';
import { SERVER_FRAMES } from '../protocol/v2-vectors.ts';
import { demand, demandSame, either, mutate, type Target } from './fuzzing.ts';
import { frameOf, judgeFrame, judgeStream, madeOf, type Side } from './streams.ts';
import { requests1 } from './version1.ts';

const requests2: Side<Request> = {
  encode: v2.encodeRequest,
  decode: v2.decodeRequest,
  make: (random) => {
    const username = random.username();
    const password = random.text(20) || 'p';
    const first = number(random);
    const names = () => many(random, 5, () => random.username());
    const ranges = () => [[first, Math.min(first + random.below(9), Number.MAX_SAFE_INTEGER)] as const];
    return either<Request>(random, [
      () => ({ type: 'hello', client: username, ...some(random, { features: names() }) }),
      () => ({ type: 'create', username, ...some(random, { password, displayName: username }) }),
      () => ({
        ...{ type: 'login', username },
        ...some(random, { password, takeover: true, deliver: 'live' as const }),
      }),
      () => ({
        ...{ type: 'login', username, token: bytes(random, 32) },
        ...some(random, { deliver: 'all' as const }),
      }),
      () => ({ type: 'logout' }),
      () => ({ type: 'delete', ...some(random, { password, force: false }) }),
      () => ({
        type: 'list',
        ...some(random, { pattern: 'a*', after: username, limit: 1 + random.below(1_000) }),
      }),
      () => ({ type: 'retrieve', ...some(random, { limit: 1 + random.below(1_000) }) }),
      () => ({
        ...{
          type: 'send',
          id: bytes(random, 16),
          to: username,
          body: random.text(random.pick([9, 400])) || 'x',
        },
        ...some(random, { contentType: 'text/plain' }),
      }),
      () => ({ type: 'ack', upTo: first, ...some(random, { ranges: ranges() }) }),
      () => ({ type: 'ack', ranges: ranges(), ...some(random, { upTo: first }) }),
      () => ({ type: 'status', names: names() }),
      () => ({ type: 'ping' }),
      () => ({ type: 'password', new: password, ...some(random, { old: password }) }),
      () => ({ type: 'receipts', receipts: many(random, 5, () => bytes(random, 1 + random.below(64))) }),
      () => ({ type: 'block', name: username, blocked: false }),
    ]);
  },
};

const serverFrames2: Side<ServerFrame> = {
  encode: v2.encodeServerFrame,
  decode: v2.decodeServerFrame,
  make: (random) =>
    either<ServerFrame>(random, [
      () => random.pick(SERVER_FRAMES)[1],
      () => ({ type: 'message', ...message(random) }),
      () => ({ type: 'retrieved', messages: many(random, 5, () => message(random)), more: true }),
      () => ({
        ...{ type: 'delivered', ids: many(random, 5, () => bytes(random, 16)) },
        ...some(random, { undeliverable: many(random, 5, () => bytes(random, 16)) }),
      }),
      () => ({
        ...{ type: 'failure', code: 'BUSY', message: random.text(20) },
        ...some(random, { retryAfterMs: number(random), id: bytes(random, 16), request: random.below(256) }),
      }),
    ]),
};

function message(random: Random): Message {
  const content = {
    ...{ seq: number(random), body: random.text(40), sentAt: number(random) },
    ...some(random, { contentType: 'text/plain' }),
  };
  if (random.below(2) === 0) {
    return {
      ...{ ...content, verified: true, id: bytes(random, 16) },
      ...{ from: random.username(), fromIncarnation: bytes(random, 16) },
    };
  }
  const external = random.text(9);
  return { ...content, verified: false, external, ...some(random, { id: bytes(random, 16) }) };
}

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

/** Of one frame so many others are made: making it costs more than reading them. */
const VARIANTS = 4;

export const version2: Target = {
  name: 'version2',
  unit: 'frames',
  judge: (random) => {
    const isUp = random.below(2) === 0;
    // A client may speak both versions on one connection.
    const make = () => {
      if (!isUp) return madeOf(serverFrames2, random);
      return random.below(5) === 0 ? madeOf(requests1, random) : madeOf(requests2, random);
    };
    const frames = judgeStream(random, [1, 2], Array.from({ length: 1 + random.below(4) }, make));
    const { opcode, payload } = frameOf(v2.encodeRequest(requests2.make(random)));
    const reply = frameOf(v2.encodeServerFrame(serverFrames2.make(random)));
    for (let times = 0; times < VARIANTS; times++) {
      judgeRequest({ version: 2, opcode, payload: strangePayload(random, payload) });
      judgeRequest(nearlyRight(random));
      judgeFrame(serverFrames2, { ...reply, payload: strangePayload(random, reply.payload) });
    }
    return frames + 3 * VARIANTS;
  },
};

/** Of the same shape, or of another one; within what CBOR is, and just outside it. */
function strangePayload(random: Random, payload: Buffer): Buffer {
  return either(random, [
    () => mutate(random, payload),
    () => Buffer.from(encodeCbor(withOtherFields(random, payload))),
    () => writePlain(random, randomMap(random, random.below(10)), random.pick([0, 10, 30, 100])),
    () => nested(random),
  ]);
}

/** The map of a payload, some of its values replaced by anything or by another one's, and more of them. */
function withOtherFields(random: Random, payload: Buffer): Record<string, unknown> {
  const map: Record<string, unknown> = payload.length === 0 ? {} : { ...decodeCbor(payload, REQUEST_LIMITS) };
  const keys = Object.keys(map);
  for (const key of keys) {
    if (random.below(3) === 0)
      map[key] = random.below(3) === 0 ? map[random.pick(keys)] : randomPlain(random, 3);
  }
  if (random.below(4) === 0) map[random.pick(['type', '__proto__', 'x'])] = randomPlain(random, 2);
  return map;
}

/** Maps or lists within each other, up to as many as a payload has room for. */
function nested(random: Random): Buffer {
  const depth = random.below(random.pick([10, 10, 10, 100, 3_000]));
  const level = random.pick(['81', 'a16161', '8200']);
  return Buffer.from(`a16161${level.repeat(depth)}${random.pick(['00', ''])}`, 'hex');
}

/** A send or an ack whose fields are of the right kind, most of them. */
function nearlyRight(random: Random): Frame {
  const isSend = random.below(2) === 0;
  const fields = isSend ? anySend(random) : anyAck(random);
  const opcode = isSend ? REQUEST_OPCODES.send : REQUEST_OPCODES.ack;
  return {
    version: 2,
    opcode,
    payload: Buffer.from(encodeCbor({ ...fields, ...rarely(random, 'more', 2) })),
  };
}

function rarely(random: Random, key: string, odds: number): Record<string, unknown> {
  return random.below(odds) === 0 ? { [key]: randomPlain(random, 2) } : {};
}

function anySend(random: Random): Record<string, unknown> {
  const to = random.username();
  return {
    ...{ id: bytes(random, random.below(20) === 0 ? 15 + random.below(3) : 16) },
    ...{ to: random.pick([to, to, to.toUpperCase(), `${to} `]), body: random.text(30) },
    ...some(random, { contentType: random.pick(['text/plain', 'é', random.text(3)]) }),
    ...rarely(random, random.pick(['id', 'to', 'body', 'contentType', 'type']), 4),
  };
}

function anyAck(random: Random): Record<string, unknown> {
  const int = () => random.pick([0, 1, 7, 2 ** 32, Number.MAX_SAFE_INTEGER, random.below(10)]);
  const range = () => {
    const [a, b] = [int(), int()];
    return random.below(8) === 0
      ? random.pick([[a, b], [a], [a, b, b], []])
      : [Math.min(a, b), Math.max(a, b)];
  };
  const ranges = Array.from({ length: random.pick([1, 2, 5, 0]) }, range);
  return { ...some(random, { upTo: int(), ranges }), ...rarely(random, random.pick(['upTo', 'ranges']), 8) };
}

const TYPES = new Map(Object.entries(REQUEST_OPCODES).map(([type, opcode]) => [opcode, type]));

/**
 * A request is read or refused as a plain reader of CBOR and the request's schema say, in the same words; what has a way of its own
 * past the schema, too.
 */
function judgeRequest(frame: Frame): void {
  const { opcode, payload } = frame;
  const map = decoded(payload);
  demandSame(map, expected(payload), payload);
  const found = outcome(() => v2.decodeRequest(frame));
  const type = TYPES.get(opcode);
  if (map === null || type === undefined) {
    demand(typeof found === 'string' || payload.length === 0, () => `accepted: ${payload.toString('hex')}`);
    return;
  }
  const bySchema = outcome(() => v2.encodeRequest({ ...Object(map), type } as Request));
  if (typeof found === 'string') demandSame(found, bySchema, payload);
  else demandSame(v2.encodeRequest(found), bySchema, payload);
}

/** What came of it: a value, or a refusal's code and words. */
function outcome<Value>(act: () => Value): Value | string {
  try {
    return act();
  } catch (error) {
    if (error instanceof ProtocolError && !error.fatal) return `${error.code} ${error.message}`;
    throw error;
  }
}

/** What the codec's CBOR layer makes of a payload, or null where it refuses it. */
function decoded(payload: Buffer): Readonly<Record<string, unknown>> | null {
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
