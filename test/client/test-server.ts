import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { encodeFrame, FrameDecoder, MAX_PAYLOAD } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request, RequestOf } from '../../src/protocol/v2/requests.ts';

/** What to do with a request: answer it, say nothing (null), or anything else by hand on the peer. */
export type Behaviour = (request: Request, peer: Peer) => ServerFrame | null;

/** One client's connection as the server sees it. */
export class Peer {
  readonly socket: Socket;
  /** Who is logged in. */
  account: string | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(...frames: ServerFrame[]): void {
    this.socket.write(Buffer.concat(frames.map(v2.encodeServerFrame)));
  }
}

/** 16 bytes that are the same for the same text. */
export function idOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest().subarray(0, 16));
}

export function tokenOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

/** A session of that account in its first life. */
export function sessionOf<Type extends 'created' | 'logged-in'>(
  type: Type,
  username: string,
  undelivered = 0,
) {
  return {
    type,
    username,
    incarnation: idOf(`incarnation of ${username}`),
    inbox: idOf(`inbox of ${username}`),
    token: tokenOf(username),
    tokenExpiresAt: Date.now() + 3_600_000,
    undelivered,
    limits: { window: 100, messagesPerSecond: 100 },
  };
}

/** A message from a user. */
export function messageFrom(from: string, seq: number, body: string, id = `${from} ${seq}`): ServerFrame {
  const fromIncarnation = idOf(`incarnation of ${from}`);
  return {
    type: 'message',
    seq,
    body,
    sentAt: Date.now(),
    verified: true,
    id: idOf(id),
    from,
    fromIncarnation,
  };
}

/** A message that some other program wrote. */
export function externalMessage(external: string, seq: number, body: string): ServerFrame {
  return { type: 'message', seq, body, sentAt: Date.now(), verified: false, external };
}

export function sentFor({ id }: RequestOf<'send'>): ServerFrame {
  const receipt = Buffer.concat([Buffer.from('for '), id]);
  return {
    type: 'sent',
    id,
    acceptedAt: Date.now(),
    receipt: new Uint8Array(receipt),
    recipientLoggedIn: true,
  };
}

export const WELCOME: ServerFrame = {
  type: 'welcome',
  server: 'test',
  versions: [1, 2],
  features: [],
  limits: {
    payloadBytes: 65_536,
    payloadBytesBeforeLogin: 4_096,
    bodyBytes: 65_280,
    window: 100,
    pingAfterMs: 30_000,
    closeAfterMs: 60_000,
  },
  time: 0,
};

/** Agrees to everything, as a server without any other user would. */
export function agreeable(request: Request, peer: Peer): ServerFrame | null {
  switch (request.type) {
    case 'hello':
      return WELCOME;
    case 'create':
    case 'login':
      peer.account = request.username;
      return sessionOf(request.type === 'create' ? 'created' : 'logged-in', request.username);
    case 'logout':
      return { type: 'logged-out' };
    case 'delete':
      return { type: 'deleted', undelivered: 0 };
    case 'list': {
      // Whoever is asked for by name is there.
      const { pattern = '' } = request;
      return { type: 'listed', names: pattern === '' || /[*?]/.test(pattern) ? [] : [pattern], more: false };
    }
    case 'retrieve':
      return { type: 'retrieved', messages: [], more: false };
    case 'send':
      return sentFor(request);
    case 'ack':
      return null;
    case 'status':
      return { type: 'status', loggedIn: [] };
    case 'ping':
      return { type: 'pong', time: 0 };
    case 'password':
      return { type: 'password-changed', token: tokenOf(request.new), tokenExpiresAt: Date.now() + 1_000 };
    case 'receipts':
      return { type: 'fates', fates: request.receipts.map(() => 'delivered' as const) };
    case 'block':
      return {
        type: 'blocked',
        blocked: request.blocked && request.name !== undefined ? [request.name] : [],
      };
    default:
      return { type: 'failure', code: 'BAD_REQUEST', message: 'There are no rooms here.' };
  }
}

/** A server of version 2 on a real socket, made of the codec's server side; a test tells it how to behave. */
export class TestServer {
  readonly port: number;
  readonly peers: Peer[] = [];
  /** Every request but hello. */
  readonly requests: Request[] = [];
  behave: Behaviour = agreeable;
  /** Answers anything with a failure of version 1 and the end, as servers answer what they cannot read. */
  refuse = false;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket) =>
      this.accept(socket),
    );
  }

  /** @param server not listening yet; by default one without TLS */
  static async listen(port = 0, server: Server = createServer()): Promise<TestServer> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return new TestServer(server, address.port);
  }

  get peer(): Peer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error('nobody is connected');
    return peer;
  }

  /** The requests of one kind. */
  asked<Type extends Request['type']>(type: Type): RequestOf<Type>[] {
    return this.requests.filter((request): request is RequestOf<Type> => request.type === type);
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  accept(socket: Socket): void {
    const peer = new Peer(socket);
    this.peers.push(peer);
    const decoder = new FrameDecoder({ maxPayload: MAX_PAYLOAD, versions: [2] });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      if (this.refuse) {
        socket.end(encodeFrame(1, 0x22, 'That is not spoken here.'));
        return;
      }
      decoder.push(chunk);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        const request = v2.decodeRequest(frame);
        if (request.type !== 'hello') this.requests.push(request);
        const reply = this.behave(request, peer);
        if (reply !== null) peer.send(reply);
      }
    });
  }
}
