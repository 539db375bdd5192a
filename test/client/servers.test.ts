/* Two servers of one list, and what the client does when one of them does not do. */
import { connect as connectSocket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ServerConnection } from '../../src/client/connection.ts';
import { DEFAULT_OPTIONS } from '../../src/client/events.ts';
import {
  clientForEachTest,
  connect,
  connectAs,
  events,
  fail,
  makeClient,
  server,
  client as theClient,
  timeByTurns,
  told,
  unless,
  until,
} from './harness.ts';
import { agreeable, messageFrom, TestServer } from './test-server.ts';

clientForEachTest();

let other: TestServer;

beforeEach(async () => {
  other = await TestServer.listen();
});
afterEach(() => other.close());

const both = () => ({
  servers: [server, other].map(({ port }) => ({ host: '127.0.0.1', port })),
  reconnect: { firstMs: 60_000, maxMs: 60_000 },
  stableAfterMs: 0,
});

function serverNow(): string {
  const { link } = theClient.state;
  return link.kind === 'online' ? link.server : link.kind;
}

test('a connection that is lost is made again to the other one, at once, by the token', async () => {
  await connectAs('al', both());
  const entry = theClient.send('bob', 'before');
  await until(() => told('outgoing').some((event) => event.entry.state.kind === 'stored'));
  server.behave = unless('send', () => null);
  const late = theClient.send('bob', 'in between');
  await until(() => server.asked('send').length === 2);
  await server.close();
  await until(() => told('login-restored').length === 1);
  expect(serverNow()).toBe(`127.0.0.1:${other.port}`);
  expect(other.asked('login')[0]).toMatchObject({ username: 'al', token: expect.anything() });
  await until(() => other.asked('send').length === 1);
  const ids = [...server.asked('send'), ...other.asked('send')].map(({ id }) =>
    Buffer.from(id).toString('hex'),
  );
  expect(ids).toEqual([entry.id, late.id, late.id]);
  expect(told('disconnected')).toMatchObject([{ retryInMs: 0 }]);
  expect(told('connected')).toMatchObject([{ again: false }, { again: true }]);
});

test('what was received on one and not acknowledged is shown once when the other pushes it again', async () => {
  await connectAs('al', { ...both(), ackDelayMs: 60_000 });
  server.peer.send(messageFrom('bob', 1, 'hello'));
  await until(() => told('message').length === 1);
  other.behave = (request, peer) => {
    if (request.type !== 'login') return agreeable(request, peer);
    setImmediate(() => peer.send(messageFrom('bob', 1, 'hello'), messageFrom('bob', 2, 'again')));
    return agreeable(request, peer);
  };
  await server.close();
  await until(() => told('message').length === 2);
  expect(told('message').map(({ message }) => message.body)).toEqual(['hello', 'again']);
});

test('a server that shuts down is left alone for the time it wants, the other one is not', async () => {
  await connectAs('al', both());
  server.peer.send({ type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'Later.', retryAfterMs: 60_000 });
  await until(() => told('login-restored').length === 1);
  expect(serverNow()).toBe(`127.0.0.1:${other.port}`);
  const { length } = server.peers;
  other.peer.send({ type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'Later.', retryAfterMs: 60_000 });
  await until(() => told('disconnected').length === 3);
  expect(server.peers).toHaveLength(length);
  expect(told('disconnected').at(-1)?.retryInMs).toBeGreaterThan(50_000);
});

test('a logout connects to the same one again', async () => {
  await connectAs('al', both());
  await theClient.logout();
  await until(() => theClient.state.link.kind === 'online');
  expect([serverNow(), other.peers.length]).toEqual([`127.0.0.1:${server.port}`, 0]);
});

describe('a server that takes the connection and', () => {
  test('says nothing is given up for the other one', async () => {
    timeByTurns();
    server.behave = () => null;
    await connect({ ...both(), requestTimeoutMs: 100 });
    expect(serverNow()).toBe(`127.0.0.1:${other.port}`);
    expect(told('disconnected')).toEqual([]);
  });

  test('is another program is given up for the other one', async () => {
    server.refuse = true;
    await connect(both());
    expect(serverNow()).toBe(`127.0.0.1:${other.port}`);
  });

  test('hangs in the middle is given up for the other one', async () => {
    timeByTurns();
    await connectAs('al', { ...both(), requestTimeoutMs: 50, deadAfterMs: 100 });
    server.behave = () => null;
    theClient.list('').catch(() => undefined);
    await until(() => told('login-restored').length === 1);
    expect(serverNow()).toBe(`127.0.0.1:${other.port}`);
  });

  test('lets nobody in while it shuts down is left for the other one when it hangs up', async () => {
    await connectAs('al', both());
    await server.close();
    await until(() => told('login-restored').length === 1);
    const third = await TestServer.listen(server.port);
    third.behave = (request, peer) => {
      if (request.type !== 'login') return agreeable(request, peer);
      setImmediate(() => peer.socket.end());
      return fail('SHUTTING_DOWN');
    };
    await other.close();
    await until(() => third.asked('login').length > 0);
    await third.close();
    expect(theClient.state.wanted).toBe('al');
  });
});

test('when none answers there is one pause, and a reason that names them all', async () => {
  await Promise.all([server.close(), other.close()]);
  makeClient(both());
  theClient.start();
  await until(() => told('disconnected').length === 1);
  const names = [server, other].map(({ port }) => `127.0.0.1:${port} (nobody listens there)`);
  expect(told('disconnected')[0]).toMatchObject({ reason: names.join(', ') });
  expect(theClient.state.link).toMatchObject({ kind: 'waiting' });
  expect(events.filter(({ type }) => type === 'connected')).toEqual([]);
});

test('two that flap are not tried without pauses', async () => {
  const flapping = (_: unknown, peer: { socket: { destroy: () => void } }) => {
    peer.socket.destroy();
    return null;
  };
  for (const one of [server, other]) one.behave = flapping;
  makeClient({ ...both(), stableAfterMs: 60_000 });
  theClient.start();
  await until(() => theClient.state.link.kind === 'waiting');
  expect([server.peers.length, other.peers.length]).toEqual([1, 1]);
});

describe('who has no room for more', () => {
  test('lets the server wait, loses nothing, and is not taken for dead meanwhile', async () => {
    timeByTurns();
    const { requestTimeoutMs, deadAfterMs } = DEFAULT_OPTIONS;
    await connectAs('al', { requestTimeoutMs, deadAfterMs });
    theClient.read(false);
    const { socket } = server.peer;
    let seq = 0;
    const body = 'x'.repeat(60_000);
    while (!socket.writableNeedDrain || socket.writableLength < 2_000_000) {
      seq += 1;
      server.peer.send(messageFrom('bob', seq, body));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const list = theClient.list('');
    // The server's silence, its pings, the time for an answer and that for a dead line, several times over.
    await vi.advanceTimersByTimeAsync(10 * deadAfterMs);
    expect(told('disconnected')).toEqual([]);
    expect(told('message').length).toBeLessThan(seq);
    theClient.read(true);
    expect(await list).toMatchObject({ names: [] });
    await until(() => told('message').length === seq);
  });

  test('a server that takes nothing is given up before what waits for it fills the memory', async () => {
    server.behave = (_, { socket }) => {
      socket.pause();
      return null;
    };
    const socket = connectSocket(server.port, '127.0.0.1');
    const ended = new Promise<string>((resolve) => {
      const connection = new ServerConnection(
        socket,
        { program: 'test', requestTimeoutMs: 60_000, deadAfterMs: 60_000, deadInLineAfterMs: 60_000 },
        { onPush: () => undefined, onReply: () => undefined, onClosed: resolve },
      );
      void connection.greet().catch(() => undefined);
      const ranges = Array.from({ length: 256 }, (_, at): [number, number] => [2 * at, 2 * at]);
      while (!connection.hasEnded) connection.tell({ type: 'ack', ranges });
      expect(() => connection.tell({ type: 'ack', ranges })).toThrow(/Not connected/);
    });
    expect(await ended).toBe('the server takes nothing any more');
    expect(socket.bytesWritten).toBeLessThan(8 * 1024 * 1024);
    makeClient();
  });
});
