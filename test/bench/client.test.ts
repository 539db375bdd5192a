import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ClientEvents, LoadClient } from '../../bench/load/client.ts';
import { fillTemplate, sendTemplate, timeOf } from '../../bench/load/wire.ts';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { Random } from '../protocol/random.ts';
import { certificateFolder, makeCertificate } from '../server/certificate.ts';

const RUN = 5;
const ID = Buffer.alloc(16, 1);
const MESSAGES = 300;

/** What a server reads on one connection. */
class Peer {
  readonly socket: Socket;
  readonly requests: Request[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder({ maxPayload: 1 << 20, versions: [2] });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame; frame = decoder.next())
        this.requests.push(v2.decodeRequest({ ...frame, payload: Buffer.from(frame.payload) }));
    });
  }

  send(...frames: ServerFrame[]): void {
    this.socket.write(Buffer.concat(frames.map(v2.encodeServerFrame)));
  }

  /** The highest number that was acknowledged. */
  get upTo(): number {
    return Math.max(-1, ...this.requests.map((one) => (one.type === 'ack' ? (one.upTo ?? -1) : -1)));
  }

  get times(): number[] {
    return this.requests.flatMap((one) => (one.type === 'send' ? Number(one.body.slice(4, 20)) : []));
  }
}

/** What clients are told. */
class Told implements ClientEvents {
  /** Times in the messages that arrived. */
  readonly arrived: number[] = [];
  readonly answers: { timeUs: number; code: unknown }[] = [];
  readonly lost: number[] = [];

  onMessage(chunk: Buffer, bodyAt: number): void {
    this.arrived.push(timeOf(chunk, bodyAt, RUN));
  }

  onAnswer(_client: LoadClient, timeUs: number, failure: Buffer | null): void {
    const code = failure === null ? null : /BUSY|BLOCKED/.exec(failure.toString('latin1'))?.[0];
    this.answers.push({ timeUs, code });
  }

  onLost(_client: LoadClient, unanswered: number): void {
    this.lost.push(unanswered);
  }
}

async function listen(tls: boolean): Promise<{ port: number; peers: Peer[] }> {
  const peers: Peer[] = [];
  const take = (socket: Socket) => peers.push(new Peer(socket.setNoDelay(true)));
  const server = tls ? await tlsServer(take) : createServer(take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const peer of peers) peer.socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, peers };
}

async function tlsServer(take: (socket: Socket) => void): Promise<Server> {
  const files = await certificateFolder();
  await makeCertificate(files, 'localhost');
  return createTlsServer({ cert: await readFile(files.certFile), key: await readFile(files.keyFile) }, take);
}

/** Clients that are connected, with the server's ends of their connections. */
async function party(count: number, tls = false) {
  const { port, peers } = await listen(tls);
  const address = { host: '127.0.0.1', port };
  const told = new Told();
  const clients: LoadClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = new LoadClient(`load-${i}`, i, 2, told);
    await client.connect(address, tls);
    await vi.waitFor(() => expect(peers).toHaveLength(i + 1));
    client.isOnline = true;
    clients.push(client);
  }
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  return { told, clients, peers, address };
}

function bodyOf(timeUs: number): string {
  return `L00${RUN}${String(timeUs).padStart(16, '0')}`.padEnd(60, 'x');
}

function message(seq: number, timeUs: number): ServerFrame {
  return {
    ...{ type: 'message', verified: true, seq, id: ID, body: bodyOf(timeUs), from: 'anna' },
    ...{ fromIncarnation: ID, sentAt: 1_700_000_000_000, contentType: 'text/plain' },
  };
}

/** Writes the streams in turn, cut at random places that have nothing to do with their frames. */
async function drip(peers: readonly Peer[], streams: readonly Buffer[], random: Random): Promise<void> {
  const at = streams.map(() => 0);
  for (let left = streams.length; left > 0; ) {
    for (const [i, stream] of streams.entries()) {
      const from = at[i] ?? 0;
      if (from >= stream.length) continue;
      const to = from + 1 + random.below(random.pick([4, 40, 400, 4_000]));
      at[i] = to;
      peers[i]?.socket.write(stream.subarray(from, to));
      if (to >= stream.length) left--;
    }
    await turn();
  }
}

function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new RangeError('there is none');
  return item;
}

describe('a client of the load generator', () => {
  it.each([false, true])(
    'misses no message that comes in pieces, and acknowledges all (TLS: %s)',
    async (tls) => {
      const random = new Random(11);
      const { told, peers } = await party(4, tls);
      const numbers = Array.from({ length: MESSAGES }, (_, i) => i);
      const streams = peers.map((_, who) =>
        Buffer.concat(numbers.map((i) => v2.encodeServerFrame(message(3 * i, who * MESSAGES + i)))),
      );
      await drip(peers, streams, random);
      await vi.waitFor(() =>
        expect(peers.map((peer) => peer.upTo)).toEqual(peers.map(() => 3 * (MESSAGES - 1))),
      );
      const expected = Array.from({ length: 4 * MESSAGES }, (_, i) => i);
      expect(told.arrived.toSorted((a, b) => a - b)).toEqual(expected);
    },
  );

  it('acknowledges what it reads together with one frame', async () => {
    const { told, peers } = await party(1);
    const peer = only(peers);
    peer.send(...Array.from({ length: 20 }, (_, i) => message(100 + i, i)));
    await vi.waitFor(() => expect(peer.upTo).toBe(119));
    expect(told.arrived).toHaveLength(20);
    expect(peer.requests).toEqual([{ type: 'ack', upTo: 119 }]);
  });

  it('acknowledges what comes from its room there, and what it was told to leave when it may again', async () => {
    const { told, clients, peers } = await party(1);
    const [client, peer] = [only(clients), only(peers)];
    client.room = '#ops';
    client.acknowledges = false;
    const place = { room: '#ops', roomIncarnation: new Uint8Array(16).fill(7) };
    peer.send({ ...message(4, 0), ...place } as ServerFrame, { ...message(5, 1), ...place } as ServerFrame);
    await vi.waitFor(() => expect(told.arrived).toEqual([0, 1]));
    await turn();
    expect(peer.requests).toEqual([]);
    client.acknowledges = true;
    await vi.waitFor(() => expect(peer.requests).toEqual([{ type: 'ack', ...place, upTo: 5 }]));
  });

  it('counts what comes twice, in the wrong place, or behind something that has not come', async () => {
    const { told, clients, peers } = await party(1);
    only(peers).send(...[7, 8, 8, 9, 11].map((seq, i) => message(seq, i)));
    await vi.waitFor(() => expect(told.arrived).toHaveLength(5));
    expect(only(clients).misplaced).toBe(2);
  });

  it('reads nothing while it is told so', async () => {
    const { told, clients, peers } = await party(2);
    const [slow, quick] = clients;
    if (slow === undefined || quick === undefined) throw new RangeError('there are two');
    slow.reads = false;
    for (const peer of peers) peer.send(message(0, 1));
    await sleep(50);
    expect(told.arrived).toHaveLength(1);
    slow.reads = true;
    await vi.waitFor(() => expect(told.arrived).toHaveLength(2));
  });

  it('tells answers in the order of its sends, failures with their payload', async () => {
    const { told, clients, peers } = await party(1);
    const [client, peer] = [only(clients), only(peers)];
    const template = sendTemplate(2, 'anna', 60);
    for (let i = 0; i < 4; i++) client.send(fillTemplate(template, RUN, i, 0, i), i);
    await vi.waitFor(() => expect(peer.times).toEqual([0, 1, 2, 3]));
    const sent = { type: 'sent', id: ID, acceptedAt: 1, receipt: ID, recipientLoggedIn: true } as const;
    const failure = { type: 'failure', message: 'no', request: 0x70 } as const;
    const ofAck = { type: 'failure', code: 'BUSY', message: 'no', request: 0x90 } as const;
    peer.send(sent, { ...failure, code: 'BUSY' }, ofAck, sent, { ...failure, code: 'BLOCKED' });
    await vi.waitFor(() => expect(told.answers).toHaveLength(4));
    const codes = [null, 'BUSY', null, 'BLOCKED'];
    expect(told.answers).toEqual(codes.map((code, timeUs) => ({ timeUs, code })));
    expect(client.unanswered).toBe(0);
  });

  it.each([false, true])('keeps what a slow server has not taken yet as it was (TLS: %s)', async (tls) => {
    const { clients, peers } = await party(1, tls);
    const [client, peer] = [only(clients), only(peers)];
    peer.socket.pause();
    const [large, small] = [sendTemplate(2, 'anna', 60_000), sendTemplate(2, 'anna', 60)];
    for (let i = 0; i < MESSAGES; i++) {
      client.send(fillTemplate(i % 3 === 0 ? large : small, RUN, i, 0, i), i);
      if (i % 2 === 0) await turn();
    }
    peer.socket.resume();
    const expected = Array.from({ length: MESSAGES }, (_, i) => i);
    await vi.waitFor(() => expect(peer.times).toEqual(expected), { timeout: 10_000 });
  });

  it.each(['end', 'destroy'] as const)(
    'tells of a connection that the server ends (%s), and can come back',
    async (how) => {
      const { told, clients, peers, address } = await party(1);
      const [client, peer] = [only(clients), only(peers)];
      client.send(fillTemplate(sendTemplate(2, 'anna', 60), RUN, 1, 0, 0), 1);
      await vi.waitFor(() => expect(peer.times).toEqual([1]));
      // Half a message, which is not the beginning of what comes on the next connection.
      peer.socket.write(v2.encodeServerFrame(message(1, 1)).subarray(0, 50));
      peer.socket[how]();
      await vi.waitFor(() => expect(told.lost).toEqual([1]));
      expect(client.isOnline).toBe(false);
      await client.connect(address, false);
      await vi.waitFor(() => expect(peers).toHaveLength(2));
      peers[1]?.send(message(7, 2));
      await vi.waitFor(() => expect(peers[1]?.upTo).toBe(7));
      expect(told.arrived).toEqual([2]);
    },
  );
});
