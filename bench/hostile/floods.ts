import { randomBytes } from 'node:crypto';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { REQUEST_OPCODES, type Request } from '../../src/protocol/v2/requests.ts';

/** One way to be a nuisance: what each connection does, over and over, as fast as it is let. */
export interface Flood {
  /** The next request, as bytes. `i` counts them over all connections. */
  readonly next: (i: number) => Buffer;
  /** Requests written in one go, before anything is read; 1 where each is meant to be answered first. */
  readonly pipelined: number;
  /** Whether the connections are logged in, each to an account of its own. */
  readonly loggedIn?: boolean;
  /** What each connection does once: nothing more after its first request. */
  readonly once?: boolean;
  /** Closes each connection after one write and opens another. */
  readonly reconnects?: boolean;
}

/** Of the accounts of those who are logged in. */
export const PASSWORD = 'a flood of one person';

/** Matches no name, and takes as long to find out as a pattern can make it. */
const PATTERN = '*?a?a?a?a?a*b';

const request2 = (request: Request) => () => v2.encodeRequest(request);
const request1 =
  (opcode: number, payload: string | Uint8Array = '') =>
  () =>
    encodeFrame(1, opcode, payload);
const someone = (i: number) => `flood-${process.pid}-${i}`;
const receipts = Array.from({ length: 500 }, () => randomBytes(40));
const names = Array.from({ length: 200 }, (_, i) => `flooded-${i}`);

/** Every request of both versions that a stranger may send, and every one of who is logged in. */
export const FLOODS: Readonly<Record<string, Flood>> = {
  list: { next: request2({ type: 'list', pattern: PATTERN }), pipelined: 200 },
  'list, version 1': { next: request1(REQUEST_OPCODES.list, PATTERN), pipelined: 200 },
  'list everybody, version 1': { next: request1(REQUEST_OPCODES.list), pipelined: 50 },
  hello: { next: request2({ type: 'hello', client: 'flood' }), pipelined: 200 },
  ping: { next: request2({ type: 'ping' }), pipelined: 500 },
  'unknown opcode': { next: () => encodeFrame(2, 0x07, ''), pipelined: 2_000 },
  'unknown opcode, version 1': { next: () => encodeFrame(1, 0x07, ''), pipelined: 2_000 },
  'not a request': {
    next: () => encodeFrame(2, REQUEST_OPCODES.login, Buffer.from('ffff', 'hex')),
    pipelined: 1_000,
  },
  'nonsense, then gone': { next: () => encodeFrame(2, 0x07, ''), pipelined: 10_000, reconnects: true },
  'not logged in': { next: request2({ type: 'retrieve' }), pipelined: 1_000 },
  'wrong password': {
    next: (i) =>
      v2.encodeRequest({ type: 'login', username: `flooded-${i % 50}`, password: 'a wrong guess' }),
    pipelined: 1,
  },
  'wrong token': {
    next: (i) => v2.encodeRequest({ type: 'login', username: `flooded-${i % 50}`, token: randomBytes(32) }),
    pipelined: 1,
  },
  'wrong token, of accounts': {
    next: (i) => v2.encodeRequest({ type: 'login', username: `flooder-${i % 20}`, token: randomBytes(32) }),
    pipelined: 1,
  },
  'wrong token, many at once': {
    next: (i) => v2.encodeRequest({ type: 'login', username: `flooded-${i % 50}`, token: randomBytes(32) }),
    pipelined: 200,
  },
  'login, version 1': { next: (i) => encodeFrame(1, REQUEST_OPCODES.login, someone(i)), pipelined: 20 },
  create: {
    next: (i) => v2.encodeRequest({ type: 'create', username: someone(i), password: 'a password of length' }),
    pipelined: 1,
    reconnects: true,
  },
  connect: { next: () => Buffer.alloc(0), pipelined: 1, reconnects: true },
  'list once and stay, version 1': { next: request1(REQUEST_OPCODES.list), pipelined: 1, once: true },
  'logged in: ping': { next: request2({ type: 'ping' }), pipelined: 500, loggedIn: true },
  'logged in: list': { next: request2({ type: 'list', pattern: PATTERN }), pipelined: 50, loggedIn: true },
  'logged in: receipts': { next: request2({ type: 'receipts', receipts }), pipelined: 1, loggedIn: true },
  'logged in: status': { next: request2({ type: 'status', names }), pipelined: 4, loggedIn: true },
  'logged in: retrieve': { next: request2({ type: 'retrieve' }), pipelined: 20, loggedIn: true },
  'logged in: block': {
    next: (i) => v2.encodeRequest({ type: 'block', name: `flooded-${i % 2}`, blocked: i % 4 < 2 }),
    pipelined: 1,
    loggedIn: true,
  },
  'logged in: password': {
    next: request2({ type: 'password', old: 'a wrong guess', new: 'another password' }),
    pipelined: 1,
    loggedIn: true,
  },
  'logged in: ack': {
    next: request2({ type: 'ack', ranges: Array.from({ length: 256 }, (_, i) => [2 * i, 2 * i]) }),
    pipelined: 20,
    loggedIn: true,
  },
  'logged in: send to one': {
    next: () =>
      v2.encodeRequest({ type: 'send', id: randomBytes(16), to: 'flooded-0', body: 'x'.repeat(1_000) }),
    pipelined: 64,
    loggedIn: true,
  },
};
