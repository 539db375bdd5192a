/* What a connection may rely on, whatever carries its bytes: the same tests for TCP, TLS and the pair in memory. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SocketTransport } from '../../src/server/net/socket-transport.ts';
import type { Transport } from '../../src/server/net/transport.ts';
import { eventually } from '../contracts/cluster.ts';
import { certificateFolder, makeCertificate } from './certificate.ts';
import { MemoryTransport } from './memory-transport.ts';

type Pair = readonly [Transport, Transport];

/** Both ends of one socket. */
async function socketPair(server: Server, event: string, dial: (port: number) => Socket): Promise<Pair> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const accepted = once(server, event);
  const client = dial(typeof address === 'object' ? (address?.port ?? 0) : 0);
  const [socket]: Socket[] = await accepted;
  if (socket === undefined) throw new Error('no connection');
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const remote = { address: '192.0.2.1', port: 7 };
  return [new SocketTransport(socket, remote, 1_000), new SocketTransport(client, remote, 1_000)];
}

const PAIRS: Readonly<Record<string, () => Promise<Pair>>> = {
  TCP: () =>
    socketPair(createServer({ allowHalfOpen: true, pauseOnConnect: true }), 'connection', (port) =>
      connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
    ),
  TLS: async () => {
    const files = await certificateFolder();
    await makeCertificate(files, 'localhost');
    const cert = readFileSync(files.certFile);
    const server = createTlsServer({ cert, key: readFileSync(files.keyFile), allowHalfOpen: true });
    return socketPair(server, 'secureConnection', (port) =>
      // What its types do not know is handed on to the socket below.
      connectTls(port, '127.0.0.1', { ca: cert, allowHalfOpen: true } as ConnectionOptions),
    );
  },
  memory: async () => MemoryTransport.pair({ address: '192.0.2.1', port: 7 }),
};

/** Listens, and notes what it hears. */
function listen(transport: Transport) {
  const chunks: Buffer[] = [];
  const heard = { text: () => Buffer.concat(chunks).toString(), length: 0, ended: 0, closed: 0 };
  transport.listen({
    received: (bytes) => {
      chunks.push(bytes);
      heard.length += bytes.length;
    },
    ended: () => {
      heard.ended += 1;
    },
    closed: () => {
      heard.closed += 1;
    },
  });
  return heard;
}

describe.each(Object.entries(PAIRS))('%s', (_, open) => {
  it('says where the other end is', async () => {
    const [near] = await open();
    expect(near.remote).toEqual({ address: '192.0.2.1', port: 7 });
  });

  it('brings bytes both ways, in order, also those from before somebody listened', async () => {
    const [near, far] = await open();
    const farHeard = listen(far);
    for (const word of ['one ', 'two ', 'three']) near.write(Buffer.from(word));
    far.write(Buffer.from('up'));
    await eventually(() => expect(farHeard.text()).toBe('one two three'));
    const nearHeard = listen(near);
    near.resume();
    await eventually(() => expect(nearHeard.text()).toBe('up'));
  });

  it('keeps what nobody takes, counts it, and tells when it is gone', async () => {
    const [near, far] = await open();
    const heard = listen(far);
    listen(near);
    near.resume();
    far.pause();
    const written: (Error | null | undefined)[] = [];
    // More than two kernels keep to themselves.
    const bytes = Buffer.alloc(16 * 1024 * 1024, 'x');
    near.write(bytes, (error) => written.push(error));
    expect(near.unsentBytes).toBeGreaterThan(0);
    near.write(Buffer.from('.'), (error) => written.push(error));
    expect(written).toEqual([]);
    far.resume();
    await eventually(() => expect(heard.length).toBe(bytes.length + 1));
    await eventually(() => expect(written.map((error) => error ?? null)).toEqual([null, null]));
    expect(near.unsentBytes).toBe(0);
  });

  it('lets one side go on when the other has ended, and closes when both have', async () => {
    const [near, far] = await open();
    const [nearHeard, farHeard] = [listen(near), listen(far)];
    near.resume();
    near.write(Buffer.from('last'));
    near.end();
    expect(near.isWritable).toBe(false);
    await eventually(() => expect([farHeard.text(), farHeard.ended]).toEqual(['last', 1]));
    far.write(Buffer.from('still here'));
    await eventually(() => expect(nearHeard.text()).toBe('still here'));
    expect([nearHeard.closed, farHeard.closed]).toEqual([0, 0]);
    far.end();
    await near.closed;
    await far.closed;
    await eventually(() => expect([nearHeard.closed, farHeard.closed]).toEqual([1, 1]));
    // Who has ended is not told that the other one has: there is nothing left to do.
    expect(nearHeard.ended).toBe(0);
  });

  it('is over for both sides when one breaks it off, and never says then that something was taken', async () => {
    const [near, far] = await open();
    const [nearHeard, farHeard] = [listen(near), listen(far)];
    far.pause();
    const taken: string[] = [];
    near.write(Buffer.alloc(16 * 1024 * 1024), (error) => taken.push(error ? 'lost' : 'taken'));
    near.destroy();
    expect(near.isWritable).toBe(false);
    await eventually(() => expect(nearHeard.closed).toBe(1));
    far.resume();
    // A network does not always know the one from the other.
    await eventually(() => expect(farHeard.ended + farHeard.closed).toBeGreaterThan(0));
    await eventually(() => expect(taken).toEqual(['lost']));
  });

  it('closes by itself where nothing moves, if asked to', async () => {
    const [near, far] = await open();
    const heard = listen(near);
    listen(far);
    near.closeIfIdle(30);
    near.closeIfIdle(0);
    const [other] = await open();
    const otherHeard = listen(other);
    other.closeIfIdle(60);
    await eventually(() => expect(otherHeard.closed).toBe(1));
    expect(heard.closed).toBe(0);
    near.closeIfIdle(1);
    await eventually(() => expect(heard.closed).toBe(1));
  });
});
