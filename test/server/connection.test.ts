import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS, type Limits } from '../../src/server/limits.ts';
import { Connection, InputPool } from '../../src/server/net/connection.ts';
import { SocketTransport } from '../../src/server/net/socket-transport.ts';
import { eventually } from '../contracts/cluster.ts';
import { rawFrame } from './raw-client.ts';

/** Both ends of one connection: ours, and a plain socket. */
async function pair(limits: Partial<Limits> = {}) {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const accepted = once(server, 'connection');
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const failures: string[] = [];
  client.on('error', (error) => failures.push(error.message));
  const [socket]: Socket[] = await accepted;
  if (socket === undefined) throw new Error('no connection');
  const remote = { address: socket.remoteAddress, port: socket.remotePort };
  const all = { ...LIMITS, lingerMs: 500, ...limits };
  const transport = new SocketTransport(socket, remote, all.keepAliveMs);
  const connection = new Connection(transport, [1], all, new InputPool(all.strangersUnreadBytes));
  const heard: string[] = [];
  connection.listen({
    readable: () => heard.push('readable'),
    ended: () => heard.push('ended'),
    writable: () => heard.push('writable'),
    expired: () => heard.push('expired'),
    gone: () => heard.push('gone'),
  });
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  return { connection, socket, client, heard, failures };
}

const opcodes = (connection: Connection): number[] => {
  const taken: number[] = [];
  for (let frame = connection.take(); frame !== undefined; frame = connection.take())
    taken.push(frame.opcode);
  return taken;
};

describe('a connection', () => {
  it.each(['ended', 'gone'])('keeps the frames that came before it was %s', async (event) => {
    const { connection, client, heard } = await pair();
    client.write(
      Buffer.concat([rawFrame(1, 0x10, 'a'), rawFrame(1, 0x30, ''), rawFrame(1, 0x40, '').subarray(0, 3)]),
    );
    await eventually(() => expect(heard).toContain('readable'));
    if (event === 'ended') client.end();
    else client.resetAndDestroy();
    await eventually(() => expect(heard).toContain(event));
    expect(connection.hasEnded).toBe(true);
    expect(opcodes(connection)).toEqual([0x10, 0x30]);
    expect(connection.isCutShort).toBe(true);
  });

  it('stops reading when nobody takes what it has, and goes on when somebody does', async () => {
    const { connection, socket, client, heard } = await pair({ payloadBeforeLogin: 65_536 });
    const count = 300;
    for (let i = 0; i < count; i++) client.write(rawFrame(1, 0x70, 'x'.repeat(60_000)));
    await eventually(() => expect(socket.isPaused()).toBe(true));
    // One read past the bound at most.
    expect(socket.bytesRead).toBeLessThanOrEqual(LIMITS.unreadBytes + 2 * 65_536);
    let taken = 0;
    await eventually(() => {
      taken += opcodes(connection).length;
      expect(taken).toBe(count);
    });
    expect(heard.at(-1)).toBe('readable');
  });

  it('is full above its bound, not full when half of it went out, and tells of both flushes and room', async () => {
    const { connection, client, heard } = await pair({ unsentBytes: 1_000_000 });
    client.pause();
    const frame = rawFrame(1, 0x72, 'y'.repeat(100_000));
    let written = 0;
    let flushed = 0;
    while (!connection.isFull) {
      connection.write(frame, () => {
        flushed += 1;
      });
      written += 1;
      if (written % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(flushed).toBeLessThan(written);
    expect(heard).toEqual([]);
    let received = 0;
    client.on('data', (chunk) => {
      received += chunk.length;
    });
    client.resume();
    await eventually(() => expect(received).toBe(written * frame.length));
    expect(heard).toEqual(['writable']);
    expect(connection.isFull).toBe(false);
    expect(flushed).toBe(written);
  });

  it('never tells of a flush that failed, and is not full when it is gone', async () => {
    const { connection, client, heard } = await pair({ unsentBytes: 1_000 });
    client.pause();
    let last = 'waiting';
    for (let i = 0; i < 200; i++) connection.write(rawFrame(1, 0x72, 'z'.repeat(100_000)));
    connection.write(rawFrame(1, 0x72, 'last'), () => {
      last = 'flushed';
    });
    expect(connection.isFull).toBe(true);
    client.resetAndDestroy();
    await eventually(() => expect(heard).toContain('gone'));
    expect(connection.isFull).toBe(false);
    expect(last).toBe('waiting');
  });

  it('says its last words to a client that is still talking, without breaking the line', async () => {
    const { connection, client, failures } = await pair();
    connection.loggedIn();
    const heard: Buffer[] = [];
    client.on('data', (chunk) => heard.push(chunk));
    client.write('x'.repeat(500_000));
    connection.write(rawFrame(1, 0x22, 'goodbye'));
    connection.finish();
    await once(client, 'end');
    // It was told, and only now stops talking.
    client.write('y'.repeat(500_000));
    client.end();
    await once(client, 'close');
    expect(Buffer.concat(heard)).toEqual(rawFrame(1, 0x22, 'goodbye'));
    expect(failures).toEqual([]);
  });

  it('drops a stranger, told to go, who sends on and on', async () => {
    const { connection, socket, client, heard } = await pair({ lingerMs: 60_000 });
    connection.finish();
    const flood = setInterval(() => client.write('x'.repeat(20_000)), 1);
    onTestFinished(() => clearInterval(flood));
    await eventually(() => expect(heard).toContain('gone'));
    // One read past the bound at most.
    expect(socket.bytesRead).toBeLessThanOrEqual(LIMITS.strangersDiscardedBytes + 65_536);
  });

  it('does not wait for ever for a client that never closes', async () => {
    const { connection, client, heard } = await pair({ lingerMs: 30 });
    connection.finish();
    await eventually(() => expect(heard).toEqual(['gone']));
    client.destroy();
  });

  it('expires no frame whose rest is here and waits for its turn', async () => {
    const { connection, client, heard } = await pair({ partialFrameMs: 400 });
    const frame = rawFrame(1, 0x50, 'abc');
    client.write(frame.subarray(0, 4));
    await eventually(() => expect(heard).toEqual(['readable']));
    expect(connection.take()).toBeUndefined();
    client.write(frame.subarray(4));
    await eventually(() => expect(heard).toEqual(['readable', 'readable']));
    // Another connection with the same deadline, begun later, expires; this one does not.
    const other = await pair({ partialFrameMs: 400 });
    other.client.write(frame.subarray(0, 4));
    await eventually(() => {
      other.connection.take();
      expect(other.heard).toContain('expired');
    });
    expect(heard).toEqual(['readable', 'readable']);
    expect(opcodes(connection)).toEqual([0x50]);
  });
});
