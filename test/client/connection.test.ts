import { describe, expect, test, vi } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import { Random } from '../protocol/random.ts';
import {
  client,
  clientForEachTest,
  connect,
  connectAs,
  failure,
  makeClient,
  server,
  shown,
  timeByTurns,
  told,
  unless,
  until,
} from './harness.ts';
import { agreeable, externalMessage, idOf, messageFrom, sentFor, WELCOME } from './test-server.ts';

clientForEachTest();

describe('the connection', () => {
  test('a ping is answered, many at once by one', async () => {
    await connectAs('al');
    server.behave = unless('ping', () => null);
    for (let count = 0; count < 100; count++) server.peer.send({ type: 'ping' });
    server.peer.send(messageFrom('bob', 1, 'x'));
    await until(() => server.asked('ack').length === 1);
    expect(server.asked('ping')).toHaveLength(1);
    server.behave = agreeable;
    server.peer.send({ type: 'pong', time: 0 }, messageFrom('bob', 2, 'x'));
    await until(() => server.asked('ack').length === 2);
    server.peer.send({ type: 'ping' });
    await until(() => server.asked('ping').length === 2);
  });

  test('a pong that comes late makes way for the next ping', async () => {
    timeByTurns();
    await connectAs('al', { requestTimeoutMs: 150 });
    server.behave = () => null;
    server.peer.send({ type: 'ping' });
    await until(() => server.asked('ping').length === 1);
    // Asked behind the ping, so that has timed out, too.
    expect(await failure(client.list(''))).toMatchObject({ code: 'TIMEOUT' });
    server.peer.send({ type: 'pong', time: 0 }, { type: 'listed', names: [], more: false }, { type: 'ping' });
    await until(() => server.asked('ping').length === 2);
    expect(told('disconnected')).toEqual([]);
  });

  test('a server that is silent is pinged, and given up when it stays so', async () => {
    timeByTurns();
    server.behave = (request, peer) =>
      request.type === 'hello' && WELCOME.type === 'welcome'
        ? { ...WELCOME, limits: { ...WELCOME.limits, pingAfterMs: 30 } }
        : agreeable(request, peer);
    await connect({ minHeartbeatMs: 10, requestTimeoutMs: 100, deadAfterMs: 200 });
    await until(() => server.asked('ping').length >= 2);
    expect(told('disconnected')).toEqual([]);
    server.behave = (request) => (request.type === 'hello' ? WELCOME : null);
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(/unanswered/);
    expect(told('late-reply')).toEqual([]);
  });

  test('a login by password keeps its place in the line where the server lets it wait, however long it takes', async () => {
    timeByTurns();
    await connect({ requestTimeoutMs: 50, deadAfterMs: 100, deadInLineAfterMs: 60_000 });
    server.behave = () => null;
    expect(await failure(client.login('al', 'correct horse'))).toMatchObject({ code: 'TIMEOUT' });
    // Asked behind it, which ends the connection no more than it does, and long after both would have.
    for (let i = 0; i < 6; i++) expect(await failure(client.list(''))).toMatchObject({ code: 'TIMEOUT' });
    expect(told('disconnected')).toEqual([]);
    server.behave = agreeable;
    const answered = server.requests.filter(({ type }) => type === 'login' || type === 'list');
    expect(answered.map(({ type }) => type)).toEqual(['login', ...Array.from({ length: 6 }, () => 'list')]);
    for (const request of answered) {
      const reply = agreeable(request, server.peer);
      if (reply !== null) server.peer.send(reply);
    }
    await until(() => client.state.account === 'al');
    expect(told('disconnected')).toEqual([]);
  });

  test('what is asked behind a login that waited has its own time from then on', async () => {
    timeByTurns();
    await connect({ requestTimeoutMs: 50, deadAfterMs: 100, deadInLineAfterMs: 60_000 });
    server.behave = () => null;
    expect(await failure(client.login('al', 'correct horse'))).toMatchObject({ code: 'TIMEOUT' });
    for (let i = 0; i < 3; i++) expect(await failure(client.list(''))).toMatchObject({ code: 'TIMEOUT' });
    const [login] = server.asked('login');
    const reply = login === undefined ? null : agreeable(login, server.peer);
    if (reply !== null) server.peer.send(reply);
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(/unanswered for 0.1 s/);
  });

  test('a goodbye is the reason that is told; it comes back by itself, not before it may', async () => {
    await connectAs('al');
    const goodbye = {
      type: 'goodbye',
      code: 'SHUTTING_DOWN',
      reason: 'Back soon.',
      retryAfterMs: 150,
    } as const;
    server.peer.send(goodbye);
    await until(() => told('disconnected').length === 1);
    // What is left of the time when it is told.
    expect(told('disconnected')[0]).toMatchObject({ type: 'disconnected', reason: 'Back soon' });
    expect(told('disconnected')[0]?.retryInMs).toBeLessThanOrEqual(150);
    expect(told('disconnected')[0]?.retryInMs).toBeGreaterThan(0);
    await until(() => told('login-restored').length === 1);
  });

  test('a server of version 1 is recognised', async () => {
    server.behave = (_request, peer) => {
      peer.socket.write(encodeFrame(1, 0x22, 'That version of the protocol is not spoken here.'));
      return null;
    };
    makeClient();
    client.start();
    await until(() => told('disconnected').length > 0);
    expect(told('disconnected')[0]?.reason).toMatch(
      /version 1 of the protocol only, and this client version 2/,
    );
  });

  const map = (hex: string) => Buffer.from(hex, 'hex');
  test.each<[string, Buffer, RegExp]>([
    ['another version', encodeFrame(7, 0x51, ''), /Version 7/],
    ['no protocol at all', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), /protocol/],
    ['4 GiB', Buffer.from('02ffffffff61', 'hex'), /too large/],
    ['an unknown opcode', encodeFrame(2, 0x99, map('a0')), /opcode 0x99/],
    ['an answer without its fields', encodeFrame(2, 0x51, map('a0')), /wrong listed/],
    ['no CBOR', encodeFrame(2, 0x51, map('ff')), /cannot be read/],
    ['nesting without end', encodeFrame(2, 0x51, map(`a16178${'81'.repeat(5_000)}80`)), /cannot be read/],
    ['an array of 2^53', encodeFrame(2, 0x51, map('a1656e616d65739b001fffffffffffff')), /cannot be read/],
    ['a key twice', encodeFrame(2, 0x51, map('a2616100616100')), /cannot be read/],
    [
      'the answer to another request',
      v2.encodeServerFrame({ type: 'logged-out' }),
      /answers no list request/,
    ],
  ])('%s ends the connection and is told', async (_name, bytes, reason) => {
    await connectAs('al');
    server.behave = unless('list', (_request, peer) => {
      peer.socket.write(bytes);
      return null;
    });
    expect(await failure(client.list(''))).toMatchObject({ code: 'DISCONNECTED' });
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(reason);
    await until(() => told('login-restored').length === 1);
  });

  test('whatever bytes a server sends, the client lives on', async () => {
    const first = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
    await connectAs('al', { reconnect: { firstMs: 1, maxMs: 1 } });
    const frames: ServerFrame[] = [
      messageFrom('bob', 1, 'x'),
      externalMessage('bob', 2, 'x'),
      { type: 'delivered', ids: [idOf('a')] },
      { type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'bye', retryAfterMs: 1 },
      { type: 'failure', code: 'INTERNAL', message: 'oops' },
      { type: 'listed', names: ['al'], more: false },
      { type: 'ping' },
    ];
    for (let seed = first; seed < first + 60; seed++) {
      const random = new Random(seed);
      const bytes = Buffer.concat(Array.from({ length: 3 }, () => v2.encodeServerFrame(random.pick(frames))));
      for (let count = random.below(4); count >= 0; count--)
        bytes[random.below(bytes.length)] = random.below(256);
      const { peer } = server;
      peer.socket.end(bytes);
      await vi.waitFor(
        () => {
          expect(server.peer, `seed ${seed}`).not.toBe(peer);
          expect(client.state, `seed ${seed}`).toMatchObject({ link: { kind: 'online' }, account: 'al' });
        },
        { timeout: 10_000, interval: 2 },
      );
    }
    expect((await client.list('')).names).toEqual([]);
  });

  test('an answer for another message, a message without a login, an answer to nothing', async () => {
    await connect();
    server.peer.send(messageFrom('bob', 1, 'x'));
    await until(() => told('disconnected').length === 1);
    await until(() => client.state.link.kind === 'online');
    server.peer.send({ type: 'pong', time: 0 });
    await until(() => told('disconnected').length === 2);
    await until(() => client.state.link.kind === 'online');
    server.behave = unless('send', (request) =>
      request.type === 'send' ? sentFor({ ...request, id: idOf('other') }) : null,
    );
    await client.login('al', 'secret');
    client.send('bob', 'hi');
    await until(() => told('disconnected').length === 3);
    expect(told('disconnected').map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/a message without a login/),
      expect.stringMatching(/answers nothing/),
      expect.stringMatching(/for another message/),
    ]);
    expect(shown).toEqual([]);
  });
});
