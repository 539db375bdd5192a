import { createServer, type Server, type Socket } from 'node:net';
import { FrameDecoder, MAX_PAYLOAD } from '../../../src/protocol/frame.ts';
import { v1 } from '../../../src/protocol/v1/codec.ts';
import type { ServerFrame } from '../../../src/protocol/v1/replies.ts';
import type { Request } from '../../../src/protocol/v1/requests.ts';

/** What to do with a request: answer it, say nothing (null), or anything else by hand on the peer. */
export type Behaviour = (request: Request, peer: Peer) => ServerFrame | null;

/** One client's connection as the server sees it. */
export class Peer {
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(...frames: ServerFrame[]): void {
    this.socket.write(Buffer.concat(frames.map(v1.encodeServerFrame)));
  }
}

/** Agrees to everything, as a server without any other user would. */
export function agreeable(request: Request, peer: Peer): ServerFrame | null {
  switch (request.type) {
    case 'create':
      return { type: 'created', token: 'token' };
    case 'login':
      return { type: 'logged-in', token: 'token' };
    case 'list':
      return { type: 'listed', names: [] };
    case 'retrieve':
      return { type: 'retrieved', entries: [] };
    case 'send':
      return { type: 'sent', text: `delivered to ${request.to}` };
    case 'logout':
    case 'delete':
      peer.socket.end();
      return null;
  }
}

/** A server on a real socket, made of the codec's server side; a test tells it how to behave. */
export class TestServer {
  readonly port: number;
  readonly peers: Peer[] = [];
  /** Every request but the greetings. */
  readonly requests: Request[] = [];
  behave: Behaviour = agreeable;
  greet = true;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async listen(port = 0): Promise<TestServer> {
    const server = createServer();
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

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const peer = new Peer(socket);
    this.peers.push(peer);
    const decoder = new FrameDecoder({ maxPayload: MAX_PAYLOAD });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        const request = v1.decodeRequest(frame);
        if (request.type === 'list' && request.pattern === '?') {
          if (this.greet) peer.send({ type: 'listed', names: [] });
          continue;
        }
        this.requests.push(request);
        const reply = this.behave(request, peer);
        if (reply !== null) peer.send(reply);
      }
    });
  }
}
