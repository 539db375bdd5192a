import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { fitMessages, fitNames } from '../../src/protocol/v2/pages.ts';
import {
  failureFrame,
  goodbyeFrame,
  type Message,
  SERVER_OPCODES,
  type ServerFrame,
} from '../../src/protocol/v2/replies.ts';
import {
  MAX_BODY_BYTES,
  REPLY_TYPES,
  REQUEST_OPCODES,
  type Request,
} from '../../src/protocol/v2/requests.ts';
import { ID_A, ID_B, RECEIPT, REQUESTS, SERVER_FRAMES, TOKEN } from './v2-vectors.ts';

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function frameOf(bytes: Buffer) {
  const decoder = new FrameDecoder({ maxPayload: 1_048_576, versions: [1, 2] });
  decoder.push(bytes);
  const frame = decoder.next();
  if (frame === undefined) throw new Error('not a whole frame');
  expect(decoder.hasPartial).toBe(false);
  return frame;
}

/** A frame of version 2 whose payload is `value`, whether or not the protocol allows it. */
function frameWith(opcode: number, value: Record<string, unknown>) {
  return { version: 2, opcode, payload: Buffer.from(encodeCbor(value)) };
}

describe('requests', () => {
  test.each(REQUESTS)('%s', (_name, value, hex) => {
    expect(v2.encodeRequest(value).toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(v2.decodeRequest(frameOf(bytesOf(hex)))).toEqual(value);
  });

  test('names and patterns are lower-cased by both sides', () => {
    const names = { username: 'Bob', to: 'Bob', after: 'Bob', pattern: 'B**', names: ['Bob'], name: 'Bob' };
    const send = { ...names, id: ID_A, body: 'Hi' };
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.send, send))).toMatchObject({ to: 'bob', body: 'Hi' });
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.login, names))).toEqual({
      type: 'login',
      username: 'bob',
    });
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.list, names))).toMatchObject({
      after: 'bob',
      pattern: 'b*',
    });
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.status, names))).toEqual({
      type: 'status',
      names: ['bob'],
    });
    expect(v2.encodeRequest({ type: 'create', username: 'Bob' })).toEqual(
      v2.encodeRequest({ type: 'create', username: 'bob' }),
    );
  });

  test('passwords and bodies stay as they are, byte order mark included', () => {
    const password = ' \ufeffPäss\u0000 ';
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.login, { username: 'a', password }))).toMatchObject({
      password,
    });
    const body = `\ufeff${'é'.repeat(20)}\ufffd`;
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.send, { id: ID_A, to: 'a', body }))).toMatchObject({
      body,
    });
  });

  test('unknown keys are ignored, whatever they hold; `type` is one of them', () => {
    const unknown = { type: 'delete', more: [{ deep: [null, -1, true] }], ['__proto__']: 1, constructor: 2 };
    expect(v2.decodeRequest(frameWith(REQUEST_OPCODES.logout, unknown))).toEqual({ type: 'logout' });
  });

  test.each([
    ['logout', REQUEST_OPCODES.logout],
    ['delete', REQUEST_OPCODES.delete],
    ['list', REQUEST_OPCODES.list],
    ['retrieve', REQUEST_OPCODES.retrieve],
    ['ping', REQUEST_OPCODES.ping],
    ['block', REQUEST_OPCODES.block],
  ])('%s may have an empty payload', (type, opcode) => {
    expect(v2.decodeRequest({ version: 2, opcode, payload: Buffer.alloc(0) })).toEqual({ type });
  });

  test('properties that are undefined are left out', () => {
    const login: Request = { type: 'login', username: 'a', password: undefined, takeover: undefined };
    expect(v2.encodeRequest(login)).toEqual(v2.encodeRequest({ type: 'login', username: 'a' }));
  });

  test('what is decoded does not keep the bytes it came from', () => {
    const bytes = v2.encodeRequest({ type: 'send', id: Buffer.from(ID_A), to: 'bob', body: 'hi' });
    const value = v2.decodeRequest(frameOf(bytes));
    bytes.fill(0);
    expect(value).toEqual({ type: 'send', id: ID_A, to: 'bob', body: 'hi' });
  });

  test('the longest body fits into a request with everything else at its longest', () => {
    const send: Request = {
      type: 'send',
      id: ID_A,
      to: 'b'.repeat(32),
      body: 'x'.repeat(MAX_BODY_BYTES),
      contentType: 'y'.repeat(100),
    };
    expect(v2.decodeRequest(frameOf(v2.encodeRequest(send)))).toEqual(send);
  });

  test.each<[string, Request, string]>([
    ['a bad name', { type: 'login', username: 'no one' }, 'INVALID_USERNAME'],
    ['an empty body', { type: 'send', id: ID_A, to: 'bob', body: '' }, 'BAD_REQUEST'],
    [
      'a body that is too long',
      { type: 'send', id: ID_A, to: 'bob', body: 'x'.repeat(MAX_BODY_BYTES + 1) },
      'BAD_REQUEST',
    ],
    ['an id that is too short', { type: 'send', id: TOKEN.subarray(17), to: 'b', body: 'x' }, 'BAD_REQUEST'],
    ['two credentials', { type: 'login', username: 'a', password: 'p', token: TOKEN }, 'BAD_REQUEST'],
    ['an empty ack', { type: 'ack' }, 'BAD_REQUEST'],
    ['half a block', { type: 'block', name: 'bob' }, 'BAD_REQUEST'],
  ])('a client does not send %s', (_name, value, code) => {
    expect(() => v2.encodeRequest(value)).toThrow(expect.objectContaining({ name: 'ProtocolError', code }));
  });
});

describe('server frames', () => {
  test.each(SERVER_FRAMES)('%s', (_name, value, hex) => {
    expect(v2.encodeServerFrame(value).toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(v2.decodeServerFrame(frameOf(bytesOf(hex)))).toEqual(value);
  });

  test('there is a vector for every opcode that clients in the world may know', () => {
    const rooms = [0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0x94, 0xa4, 0xb4, 0xf4];
    const requests = [
      0x10,
      0x20,
      0x30,
      0x40,
      0x50,
      0x60,
      0x70,
      0x80,
      0x90,
      0xa0,
      0xb0,
      0xd0,
      0xe0,
      0xf0,
      0xc4,
      0xd4,
      0xe4,
      ...rooms,
    ];
    const replies = [
      0x11,
      0x21,
      0x22,
      0x31,
      0x41,
      0x51,
      0x61,
      0x71,
      0x81,
      0xa1,
      0xb1,
      0xd1,
      0xe1,
      0xf1,
      0xc5,
      0xd5,
      0xe5,
      ...rooms.map((opcode) => opcode + 1),
    ];
    const pushes = [0x62, 0x66, 0x72, 0x92, 0xb2, 0xc2, 0xc6, 0xe6];
    const tested = [...REQUESTS, ...SERVER_FRAMES].map(([, , hex]) => bytesOf(hex)[5]);
    expect(new Set(tested)).toEqual(new Set([...requests, ...replies, ...pushes]));
  });

  test('no opcode means two things', () => {
    const opcodes = [...Object.values(REQUEST_OPCODES), ...Object.values(SERVER_OPCODES)];
    expect(new Set(opcodes).size).toBe(opcodes.length);
  });

  test('a reply has the opcode of its request, and one', () => {
    for (const [type, reply] of Object.entries(REPLY_TYPES)) {
      if (reply !== null) {
        expect(SERVER_OPCODES[reply]).toBe(REQUEST_OPCODES[type as Request['type']] + 1);
      }
    }
  });

  test('an error becomes a failure with everything it knows', () => {
    const error = new ProtocolError('HAS_UNDELIVERED', 'no', { undelivered: 3 });
    const failure: ServerFrame = {
      type: 'failure',
      code: 'HAS_UNDELIVERED',
      message: 'no',
      undelivered: 3,
      request: REQUEST_OPCODES.delete,
    };
    expect(failureFrame(error, { opcode: REQUEST_OPCODES.delete })).toEqual(v2.encodeServerFrame(failure));
    expect(v2.decodeServerFrame(frameOf(failureFrame(new ProtocolError('BUSY', 'no'))))).toEqual({
      type: 'failure',
      code: 'BUSY',
      message: 'no',
    });
    expect(
      v2.decodeServerFrame(frameOf(failureFrame(new ProtocolError('BUSY', 'no'), { id: ID_B }))),
    ).toEqual({
      type: 'failure',
      code: 'BUSY',
      message: 'no',
      id: ID_B,
    });
  });

  test('an error becomes a goodbye', () => {
    const error = new ProtocolError('SHUTTING_DOWN', 'no', { retryAfterMs: 5 });
    const goodbye = { type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'no', retryAfterMs: 5 };
    expect(v2.decodeServerFrame(frameOf(goodbyeFrame(error)))).toEqual(goodbye);
  });

  test('a code that this client does not know means INTERNAL', () => {
    for (const code of ['TOMORROW', '__proto__', 'toString', '']) {
      const failure = frameWith(SERVER_OPCODES.failure, { code, message: 'no' });
      expect(v2.decodeServerFrame(failure)).toMatchObject({ code: 'INTERNAL' });
    }
  });

  test('an external message has no sender, whatever stands in it', () => {
    const external = { seq: 1, verified: false, external: 'bob', body: 'x', sentAt: 1 };
    const forged = { ...external, from: 'bob', fromIncarnation: ID_A };
    expect(v2.decodeServerFrame(frameWith(SERVER_OPCODES.message, forged))).toEqual({
      type: 'message',
      ...external,
    });
  });

  test('what the protocol has no room for is a fault of the server, not a reply', () => {
    const sent: ServerFrame = {
      type: 'sent',
      id: ID_A,
      acceptedAt: -1,
      receipt: RECEIPT,
      recipientLoggedIn: true,
    };
    expect(() => v2.encodeServerFrame(sent)).toThrow(TypeError);
    const names = Array.from({ length: 60_000 }, (_, index) => `${'n'.repeat(20)}${index}`);
    expect(() => v2.encodeServerFrame({ type: 'blocked', blocked: names })).toThrow(RangeError);
  });
});

describe('pages', () => {
  const message: Message = { seq: 1, verified: false, external: '', body: 'x'.repeat(60_000), sentAt: 1 };

  test('as many messages as fit into 1 MiB, and they really do', () => {
    const messages = Array.from({ length: 40 }, (_, seq) => ({ ...message, seq }));
    const count = fitMessages(messages);
    expect(count).toBe(17);
    const page = (end: number) =>
      v2.encodeServerFrame({ type: 'retrieved', messages: messages.slice(0, end), more: true });
    expect(page(count).length).toBeLessThanOrEqual(1_048_576 + 6);
    expect(() => page(count + 1)).toThrow(RangeError);
  });

  test('a message over the limit goes alone rather than never', () => {
    expect(fitMessages([message, message], 10)).toBe(1);
    expect(fitMessages([])).toBe(0);
  });

  test('no more than 1,000 messages or names', () => {
    const small: Message = { ...message, body: '' };
    expect(fitMessages(Array.from({ length: 1_200 }, () => small))).toBe(1_000);
    expect(fitNames(Array.from({ length: 1_200 }, () => 'bob'))).toBe(1_000);
  });

  test('names are counted in bytes', () => {
    expect(fitNames(['alice', 'bob', 'c'], 32 + 6 + 4)).toBe(2);
    expect(fitNames(['alice', 'bob', 'c'], 32 + 6 + 3)).toBe(1);
    expect(fitNames([])).toBe(0);
  });

  test('the fullest page can be read', () => {
    const full: Message = {
      seq: 1,
      verified: true,
      id: ID_A,
      from: 'a',
      fromIncarnation: ID_B,
      body: '',
      sentAt: 1,
      contentType: 'text/plain',
    };
    const retrieved: ServerFrame = {
      type: 'retrieved',
      messages: Array.from({ length: 1_000 }, () => full),
      more: true,
    };
    expect(v2.decodeServerFrame(frameOf(v2.encodeServerFrame(retrieved)))).toEqual(retrieved);
  });

  test('the fullest requests can be read', () => {
    const requests: Request[] = [
      { type: 'ack', ranges: Array.from({ length: 256 }, (_, at) => [at, at + 2 ** 40] as const) },
      { type: 'receipts', receipts: Array.from({ length: 500 }, () => new Uint8Array(64)) },
      { type: 'status', names: Array.from({ length: 200 }, () => 'n'.repeat(32)) },
    ];
    for (const value of requests) expect(v2.decodeRequest(frameOf(v2.encodeRequest(value)))).toEqual(value);
  });
});
