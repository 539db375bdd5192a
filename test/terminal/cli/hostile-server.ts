import { createServer, type Server, type Socket } from 'node:net';
import { encodeFrame, FrameDecoder, MAX_PAYLOAD } from '../../../src/protocol/frame.ts';
import { v2 } from '../../../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import type { Request } from '../../../src/protocol/v2/requests.ts';
import { fail } from '../../client/harness.ts';
import { agreeable, externalMessage, Peer, sentFor, sessionOf, WELCOME } from '../../client/test-server.ts';

/** What is done on a connection: at its beginning, and with each request; what it answers is sent. */
export interface Malice {
  readonly begins?: (socket: Socket) => void;
  readonly answers?: (request: Request, socket: Socket) => ServerFrame | 'nothing';
}

/** A server that does what no server should, on a real socket. */
export class HostileServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(server: Server, sockets: ReadonlySet<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  static async listen({ begins, answers }: Malice): Promise<HostileServer> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      begins?.(socket);
      if (answers === undefined) return;
      const decoder = new FrameDecoder({ maxPayload: MAX_PAYLOAD, versions: [2] });
      socket.on('data', (chunk) => {
        decoder.push(chunk);
        for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
          const reply = answers(v2.decodeRequest(frame), socket);
          if (reply !== 'nothing') socket.write(v2.encodeServerFrame(reply));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return new HostileServer(server, sockets, address.port);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const flooded = new WeakSet<Socket>();

/**
 * Writes without end, as fast as it is read; once for each socket, however often it is asked for.
 * @param next the bytes of one turn, some dozens of KiB at least
 */
function flood(socket: Socket, next: () => Buffer): void {
  if (flooded.has(socket)) return;
  flooded.add(socket);
  const write = () => {
    while (!socket.destroyed && socket.write(next()));
  };
  // Not at once: a kernel that takes all of it would let nobody else have a turn here.
  socket.on('drain', () => setImmediate(write));
  write();
}

/** Frames of rising numbers, one turn of a flood. */
function frames(count: number, make: (number: number) => ServerFrame): () => Buffer {
  let number = 0;
  return () =>
    Buffer.concat(
      Array.from({ length: count }, () => {
        number += 1;
        return v2.encodeServerFrame(make(number));
      }),
    );
}

/**
 * Agrees to a hello, a login, and the question whether there is an account of one name, which the chat asks before it;
 * floods behind the login's answer, or instead of that to a create or a list of names.
 */
function afterLogin(malice: (socket: Socket, request: Request) => void): Malice {
  return {
    answers: (request, socket) => {
      const asksForOne = request.type === 'list' && !/[*?]/.test(request.pattern ?? '*');
      if (request.type === 'hello' || request.type === 'login' || asksForOne) {
        const isLogin = request.type === 'login';
        const reply = agreeable(request, new Peer(socket));
        // A flood begins behind the answer, without waiting for another request.
        if (isLogin) setImmediate(() => malice(socket, request));
        return reply ?? 'nothing';
      }
      if (request.type === 'create' || request.type === 'list') malice(socket, request);
      return 'nothing';
    },
  };
}

function instead(type: Request['type'], answer: (request: Request, turn: number) => ServerFrame): Malice {
  let turn = 0;
  return {
    answers: (request, socket) => {
      if (request.type !== type) return agreeable(request, new Peer(socket)) ?? 'nothing';
      turn += 1;
      return answer(request, turn);
    },
  };
}

const LARGE = 'x'.repeat(1024 * 1024 - 200);
const BYTES = Buffer.from(v2.encodeServerFrame(WELCOME));

/** Names without end, in byte order. */
function names(turn: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${String(turn * 10_000 + index).padStart(12, '0')}`);
}

function pageOf(turn: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    seq: turn * 10_000 + index,
    body: 'hello',
    sentAt: 0,
    verified: false as const,
    external: 'p',
  }));
}

const WRONG: ServerFrame = { type: 'pong', time: 0 };

/** Every kind of malice, by its name. */
export const MALICE: Readonly<Record<string, () => Malice>> = {
  'says nothing': () => ({}),
  'answers half a frame': () => ({ begins: (socket) => void socket.write(BYTES.subarray(0, 20)) }),
  'answers a byte at a time': () => ({
    begins: (socket) => {
      let at = 0;
      const timer = setInterval(
        () => socket.write(BYTES.subarray(at++ % BYTES.length, (at % BYTES.length) + 1)),
        500,
      );
      socket.on('close', () => clearInterval(timer));
    },
  }),
  'promises a frame that has no end': () => ({
    begins: (socket) => {
      const header = encodeFrame(2, 0x81, '');
      header.writeUInt32BE(2 * 1024 * 1024, 1);
      socket.write(header);
    },
  }),
  'floods before it greets': () => ({
    begins: (socket) =>
      flood(
        socket,
        frames(1_000, () => ({ type: 'ping' })),
      ),
  }),
  'floods with what is no frame': () => ({
    begins: (socket) => flood(socket, () => Buffer.alloc(65_536, 7)),
  }),
  'pings without end': () =>
    afterLogin((socket) =>
      flood(
        socket,
        frames(5_000, () => ({ type: 'ping' })),
      ),
    ),
  'pushes small messages without end': () =>
    afterLogin((socket) =>
      flood(
        socket,
        frames(1_000, (seq) => externalMessage('p', seq, 'hello')),
      ),
    ),
  'pushes messages of a MiB without end': () =>
    afterLogin((socket) =>
      flood(
        socket,
        frames(1, (seq) => externalMessage('p', seq, LARGE)),
      ),
    ),
  'tells of deliveries without end': () =>
    afterLogin((socket) =>
      flood(
        socket,
        frames(1, () => ({
          type: 'delivered',
          ids: Array.from({ length: 1_000 }, () => new Uint8Array(16)),
        })),
      ),
    ),
  'answers what nobody asked': () =>
    afterLogin((socket) =>
      flood(
        socket,
        frames(5_000, () => WRONG),
      ),
    ),
  'fails acknowledgements without end': () =>
    afterLogin((socket) =>
      flood(
        socket,
        frames(
          100,
          () => ({ ...fail('INTERNAL'), request: 0x90, message: 'y'.repeat(10_000) }) as ServerFrame,
        ),
      ),
    ),
  'answers nothing after the login': () => afterLogin(() => undefined),
  'hangs up at each login': () => ({
    answers: (request, socket) => {
      if (request.type === 'hello') return WELCOME;
      socket.destroy();
      return 'nothing';
    },
  }),
  'says goodbye for a year': () => ({
    answers: (request) =>
      request.type === 'hello'
        ? WELCOME
        : { type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'Later.', retryAfterMs: 31_536_000_000 },
  }),
  'is always busy': () => ({
    answers: (request) => (request.type === 'hello' ? WELCOME : fail('BUSY', { retryAfterMs: 1 })),
  }),
  'lets in and is always busy': () => ({
    answers: (request, socket) =>
      request.type === 'hello' || request.type === 'login'
        ? (agreeable(request, new Peer(socket)) ?? 'nothing')
        : fail('RATE_LIMITED', { retryAfterMs: 1 }),
  }),
  'lets in somebody else': () => instead('login', () => sessionOf('logged-in', 'mallory')),
  'lists without end': () =>
    instead('list', (_, turn) => ({ type: 'listed', names: names(turn, 1_000), more: true })),
  'lists the same page again': () =>
    instead('list', () => ({ type: 'listed', names: names(1, 10), more: true })),
  'lists nothing and has more': () => instead('list', () => ({ type: 'listed', names: [], more: true })),
  'retrieves without end': () =>
    instead('retrieve', (_, turn) => ({ type: 'retrieved', messages: pageOf(turn, 100), more: true })),
  'retrieves the same page again': () =>
    instead('retrieve', () => ({ type: 'retrieved', messages: pageOf(1, 100), more: true })),
  'retrieves nothing and has more': () =>
    instead('retrieve', () => ({ type: 'retrieved', messages: [], more: true })),
  'confirms another message': () =>
    instead('send', (request) =>
      request.type === 'send' ? sentFor({ ...request, id: new Uint8Array(16) }) : WRONG,
    ),
  'tells a state of somebody else': () =>
    instead('status', () => ({ type: 'status', loggedIn: ['mallory'] })),
  'answers each request with another’s answer': () => ({
    answers: (request) => (request.type === 'hello' ? WELCOME : WRONG),
  }),
};
