import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import {
  decodeServerFrame,
  encodeServerFrame,
  failureFrame,
  type ServerFrame,
} from '../../src/protocol/v1/replies.ts';
import { decodeRequest, encodeRequest, type Request } from '../../src/protocol/v1/requests.ts';

function frameOf(hex: string) {
  const decoder = new FrameDecoder({ maxPayload: 1_048_576 });
  decoder.push(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const frame = decoder.next();
  if (frame === undefined) throw new Error(`not a whole frame: ${hex}`);
  expect(decoder.hasPartial).toBe(false);
  return frame;
}

function hexOf(frame: Buffer): string {
  return frame.toString('hex');
}

// version, size, opcode, payload; written by hand from the table of the protocol.
const REQUESTS: [string, Request, string][] = [
  ['create', { type: 'create', name: 'alice' }, '01 00000005 10 616c696365'],
  ['login', { type: 'login', name: 'bob' }, '01 00000003 20 626f62'],
  ['logout', { type: 'logout' }, '01 00000000 30'],
  ['delete', { type: 'delete' }, '01 00000000 40'],
  ['list of all', { type: 'list', pattern: '' }, '01 00000000 50'],
  ['list of some', { type: 'list', pattern: 'a*?' }, '01 00000003 50 612a3f'],
  ['retrieve', { type: 'retrieve' }, '01 00000000 60'],
  ['send', { type: 'send', to: 'bob', body: 'hé' }, '01 0000000a 70 00000003 626f62 68c3a9'],
];

const SERVER_FRAMES: [string, ServerFrame, string][] = [
  ['created', { type: 'created', token: 't1' }, '01 00000002 11 7431'],
  ['logged in', { type: 'logged-in', token: 't2' }, '01 00000002 21 7432'],
  ['listed, none', { type: 'listed', names: [] }, '01 00000000 51'],
  ['listed, one', { type: 'listed', names: ['bob'] }, '01 00000003 51 626f62'],
  ['listed, two', { type: 'listed', names: ['al', 'bob'] }, '01 00000007 51 616c 3b20 626f62'],
  ['retrieved, none', { type: 'retrieved', entries: [] }, '01 00000000 61'],
  [
    'retrieved, two',
    {
      type: 'retrieved',
      entries: [
        { sender: 'al', body: 'hi' },
        { sender: 'bob', body: 'yo' },
      ],
    },
    '01 0000000f 61 616c 3a20 6869 0a0a 626f62 3a20 796f',
  ],
  ['sent', { type: 'sent', text: 'queued' }, '01 00000006 71 717565756564'],
  ['failure', { type: 'failure', text: 'no' }, '01 00000002 22 6e6f'],
  ['message', { type: 'message', sender: 'al', body: 'hi' }, '01 00000008 72 00000002 616c 6869'],
];

describe('requests', () => {
  test.each(REQUESTS)('%s', (_name, value, hex) => {
    expect(decodeRequest(frameOf(hex))).toEqual(value);
    expect(hexOf(encodeRequest(value))).toBe(hex.replaceAll(' ', ''));
  });

  test('a send with the one-byte name length of the specification', () => {
    expect(decodeRequest(frameOf('01 00000006 70 03 626f62 6869'))).toEqual({
      type: 'send',
      to: 'bob',
      body: 'hi',
    });
  });

  test('names and patterns are lower-cased on entry', () => {
    expect(decodeRequest(frameOf('01 00000003 20 424f62'))).toEqual({ type: 'login', name: 'bob' });
    expect(decodeRequest(frameOf('01 00000002 50 422a'))).toEqual({ type: 'list', pattern: 'b*' });
    expect(decodeRequest(frameOf('01 00000005 70 03 424f62 41'))).toEqual({
      type: 'send',
      to: 'bob',
      body: 'A',
    });
  });

  test('a byte order mark in a body stays', () => {
    expect(decodeRequest(frameOf('01 00000006 70 01 62 efbbbf 61'))).toMatchObject({ body: '\ufeffa' });
  });

  test.each([
    ['an empty name', '01 00000000 10', 'INVALID_USERNAME'],
    ['a bad name', '01 00000002 20 2d61', 'INVALID_USERNAME'],
    ['a name that is not UTF-8', '01 00000001 10 ff', 'BAD_REQUEST'],
    ['an overlong form in a name', '01 00000002 10 c1a1', 'BAD_REQUEST'],
    ['a logout with a payload', '01 00000001 30 61', 'BAD_REQUEST'],
    ['a delete with a payload', '01 00000001 40 61', 'BAD_REQUEST'],
    ['a retrieve with a payload', '01 00000001 60 61', 'BAD_REQUEST'],
    ['a pattern that is not UTF-8', '01 00000002 50 2aff', 'BAD_REQUEST'],
    ['a pattern that no name can match', '01 00000001 50 2e', 'BAD_REQUEST'],
    ['an empty send', '01 00000000 70', 'BAD_REQUEST'],
    ['a send with half a length', '01 00000002 70 0000', 'BAD_REQUEST'],
    ['a send with a four-byte length of 0', '01 00000005 70 00000000 61', 'INVALID_USERNAME'],
    ['a send cut within the name', '01 00000003 70 05 6162', 'BAD_REQUEST'],
    ['a send that promises 16 MiB of name', '01 00000006 70 00ffffff 6162', 'BAD_REQUEST'],
    ['a send without a body', '01 00000004 70 03 626f62', 'BAD_REQUEST'],
    ['a send to a name that is not UTF-8', '01 00000003 70 01 ff 61', 'BAD_REQUEST'],
    ['a send to a bad name', '01 00000003 70 01 2e 61', 'INVALID_USERNAME'],
    ['a body that is not UTF-8', '01 00000003 70 01 62 ff', 'BAD_REQUEST'],
    ['a body with a surrogate in UTF-8', '01 00000005 70 01 62 eda080', 'BAD_REQUEST'],
    ['an unknown opcode', '01 00000000 07', 'BAD_REQUEST'],
    ['a reply as a request', '01 00000001 11 61', 'BAD_REQUEST'],
    ['an opcode of version 2', '01 00000000 80', 'BAD_REQUEST'],
  ])('refuses %s', (_name, hex, code) => {
    expect(() => decodeRequest(frameOf(hex))).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code, fatal: false }),
    );
  });

  test('a client does not send what a server would refuse', () => {
    expect(() => encodeRequest({ type: 'send', to: 'bob', body: '' })).toThrow(ProtocolError);
    expect(() => encodeRequest({ type: 'login', name: 'no one' })).toThrow(ProtocolError);
    expect(() => encodeRequest({ type: 'list', pattern: '[' })).toThrow(ProtocolError);
  });
});

describe('server frames', () => {
  test.each(SERVER_FRAMES)('%s', (_name, value, hex) => {
    expect(hexOf(encodeServerFrame(value))).toBe(hex.replaceAll(' ', ''));
    expect(decodeServerFrame(frameOf(hex))).toEqual(value);
  });

  test('an error becomes a failure frame with its sentence', () => {
    expect(hexOf(failureFrame(new ProtocolError('BUSY', 'no')))).toBe('0100000002226e6f');
  });

  test('a token is never empty', () => {
    expect(() => encodeServerFrame({ type: 'created', token: '' })).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });

  test.each([
    ['an empty token', '01 00000000 11', 'BAD_FRAME'],
    ['an unknown opcode', '01 00000000 99', 'BAD_FRAME'],
    ['a request', '01 00000000 60', 'BAD_FRAME'],
    ['a message without a length', '01 00000003 72 000000', 'BAD_FRAME'],
    ['a message cut within the name', '01 00000005 72 00000002 61', 'BAD_FRAME'],
    ['a message that promises 4 GiB of name', '01 00000005 72 ffffffff 61', 'BAD_FRAME'],
    ['a text that is not UTF-8', '01 00000001 22 ff', 'BAD_REQUEST'],
  ])('a client refuses %s', (_name, hex, code) => {
    expect(() => decodeServerFrame(frameOf(hex))).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code }),
    );
  });
});
