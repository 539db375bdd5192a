/** A client and a server that forgets nothing, over connections that are cut at any byte in either direction. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { Client } from '../../src/client/client.ts';
import { DEFAULT_OPTIONS } from '../../src/client/events.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request, RequestOf } from '../../src/protocol/v2/requests.ts';
import { Random } from '../protocol/random.ts';
import { agreeable, type Peer, sentFor, sessionOf, TestServer } from './test-server.ts';

type Push = Extract<ServerFrame, { type: 'message' }>;

/** Forwards bytes in pieces of its choice, and cuts each connection after a number of bytes of its choice. */
class Cutter {
  readonly #random: Random;
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  cutting = true;
  cuts = 0;

  constructor(random: Random, target: number) {
    this.#random = random;
    this.#target = target;
    this.#server = createServer((client) => this.#forward(client));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(client: Socket): void {
    const server = connect({ host: '127.0.0.1', port: this.#target });
    const both = [client, server];
    let left = this.cutting ? this.#random.below(1_500) : Number.POSITIVE_INFINITY;
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const [from, to] of [both, both.toReversed()] as [Socket, Socket][]) {
      this.#sockets.add(from);
      from.on('error', end);
      from.on('close', end);
      from.on('data', (chunk) => {
        const passing = Math.min(left, chunk.length);
        const middle = this.#random.below(passing + 1);
        to.write(chunk.subarray(0, middle));
        to.write(chunk.subarray(middle, passing));
        left -= passing;
        if (passing === chunk.length) return;
        this.cuts += 1;
        // Everything before the cut arrives, nothing behind it does.
        to.end(() => end());
      });
    }
  }
}

/** What a real server does with messages, in memory: stores each id once, redelivers what was not acknowledged. */
class PostOffice {
  readonly stored: { readonly to: string; readonly id: string; readonly body: string }[] = [];
  readonly inbox: Push[] = [];
  readonly acknowledged = new Set<number>();
  /** The one logged-in connection. */
  holder: Peer | undefined;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A message for the client; some are stored twice, as when their sender had to repeat them. */
  arrive(count: number): void {
    const id = new Uint8Array(16).fill(count);
    const common = { type: 'message', sentAt: 0, body: `for you ${count}` } as const;
    for (let copy = 0; copy < 1 + this.#random.below(2); copy++) {
      const seq = (this.inbox.at(-1)?.seq ?? 0) + 1 + this.#random.below(3);
      const from = { from: 'bob', fromIncarnation: new Uint8Array(16) };
      const push: Push = { ...common, seq, verified: true, id, ...from };
      this.inbox.push(push);
      this.holder?.send(push);
    }
  }

  readonly behave = (request: Request, peer: Peer): ServerFrame | null => {
    switch (request.type) {
      case 'login':
        return this.#login(peer);
      case 'send':
        return this.#store(request, peer);
      case 'ack':
        this.#acknowledge(request);
        return null;
      default:
        return agreeable(request, peer);
    }
  };

  #login(peer: Peer): null {
    this.holder = peer;
    peer.send(sessionOf('logged-in', 'al'), ...this.inbox.filter(({ seq }) => !this.acknowledged.has(seq)));
    return null;
  }

  #store(request: RequestOf<'send'>, peer: Peer): ServerFrame | null {
    if (this.#random.below(6) === 0) {
      return {
        type: 'failure',
        code: 'BUSY',
        message: 'busy',
        retryAfterMs: 5,
        id: request.id,
        request: 0x70,
      };
    }
    const id = Buffer.from(request.id).toString('hex');
    if (!this.stored.some((message) => message.id === id)) {
      this.stored.push({ to: request.to, id, body: request.body });
    }
    const delivered: ServerFrame = { type: 'delivered', ids: [request.id] };
    if (this.#random.below(3) === 0) peer.send(delivered);
    peer.send(sentFor(request));
    if (this.#random.below(2) === 0) peer.send(delivered);
    return null;
  }

  #acknowledge({ upTo = -1, ranges = [] }: RequestOf<'ack'>): void {
    for (const { seq } of this.inbox) {
      if (seq <= upTo || ranges.some(([a, b]) => a <= seq && seq <= b)) this.acknowledged.add(seq);
    }
  }
}

test('nothing is lost, doubled or out of order, wherever connections are cut', async () => {
  const first = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
  for (let seed = first; seed < first + 4; seed++) await play(seed);
});

async function play(seed: number): Promise<void> {
  const random = new Random(seed);
  const office = new PostOffice(random);
  const server = await TestServer.listen();
  server.behave = office.behave;
  const cutter = new Cutter(random, server.port);
  const port = await cutter.listen();
  const shown: string[] = [];
  const fates = new Map<string, string>();
  const quick = { firstMs: 1, maxMs: 5 };
  const options = {
    ...DEFAULT_OPTIONS,
    servers: [{ host: '127.0.0.1', port }],
    reconnect: quick,
    relogin: { ...quick, tries: 1_000 },
    fates: quick,
    held: quick,
    ackDelayMs: 1,
  };
  const client = new Client(options, (event) => {
    if (event.type === 'outgoing') fates.set(event.entry.id, event.entry.state.kind);
    if (event.type !== 'message') return;
    shown.push(event.message.body);
    client.shown(event.inbox, event.message);
  });
  const until = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 2 });
  try {
    cutter.cutting = false;
    client.start();
    await until(() => expect(client.state.link.kind).toBe('online'));
    await client.login('al', 'secret');
    cutter.cutting = true;
    server.peer.socket.destroy();
    const sent = new Map<string, string[]>();
    for (let count = 0; count < 60; count++) {
      const to = random.pick(['bob', 'cy', 'dan']);
      sent.set(to, [...(sent.get(to) ?? []), `${count}`]);
      fates.set(client.send(to, `${count}`).id, 'new');
      office.arrive(count);
      const cuts = cutter.cuts;
      // Now and then the rest comes on another connection.
      if (random.below(5) === 0) await until(() => expect(cutter.cuts + shown.length).toBeGreaterThan(cuts));
    }
    await until(() => expect(cutter.cuts).toBeGreaterThan(10));
    cutter.cutting = false;
    await until(() => expect(client.unanswered).toBe(0));
    // On this connection some were never told to be delivered: only by asking it comes out.
    server.peer.socket.destroy();
    await until(() => expect(new Set(fates.values()), `seed ${seed}`).toEqual(new Set(['delivered'])));
    await until(() => expect(office.acknowledged.size, `seed ${seed}`).toBe(office.inbox.length));
    expect(shown, `seed ${seed}`).toEqual(Array.from({ length: 60 }, (_, count) => `for you ${count}`));
    for (const [to, bodies] of sent) {
      const stored = office.stored.filter((message) => message.to === to).map(({ body }) => body);
      expect(stored, `seed ${seed}`).toEqual(bodies);
    }
  } finally {
    await client.close();
    await cutter.close();
    await server.close();
  }
}
