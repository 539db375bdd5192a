/* What becomes of a request, whatever the server makes of it. */
import { describe, expect, test } from 'vitest';
import { v2 } from '../../src/protocol/v2/codec.ts';
import {
  client,
  clientForEachTest,
  connect,
  connectAs,
  events,
  fail,
  failure,
  makeClient,
  restart,
  server,
  told,
  unless,
  until,
} from './harness.ts';
import { agreeable, messageFrom, sentFor, sessionOf } from './test-server.ts';

clientForEachTest();

test('frames that come byte by byte are understood', async () => {
  await connect();
  server.behave = unless('list', (_request, peer) => {
    const frame = v2.encodeServerFrame({ type: 'listed', names: ['al', 'bob'], more: false });
    for (const byte of frame) peer.socket.write(Uint8Array.of(byte));
    return null;
  });
  expect((await client.list('')).names).toEqual(['al', 'bob']);
});

test('pushes between replies reach the listener and disturb no reply', async () => {
  await connectAs('al');
  let seq = 0;
  server.behave = unless('list', (request, peer) => {
    const name = request.type === 'list' ? (request.pattern ?? '') : '';
    const push = (body: string) => messageFrom('bob', ++seq, body);
    peer.send(push(`before ${name}`), { type: 'listed', names: [name], more: false }, push(`after ${name}`));
    return null;
  });
  const lists = await Promise.all(['a', 'b', 'c'].map((name) => client.list(name)));
  expect(lists.map(({ names }) => names)).toEqual([['a'], ['b'], ['c']]);
  await until(() => told('message').length === 6);
  expect(told('message').map(({ message }) => message.body)).toEqual(
    ['a', 'b', 'c'].flatMap((name) => [`before ${name}`, `after ${name}`]),
  );
});

test('more unanswered requests than the bound are refused at once', async () => {
  await connect();
  server.behave = () => null;
  const waiting = Array.from({ length: 16 }, () => failure(client.list('')));
  expect(await failure(client.list(''))).toMatchObject({ code: 'BUSY', nothingSent: true });
  await until(() => server.requests.length === 16);
  server.peer.socket.destroy();
  for (const error of await Promise.all(waiting)) expect(error.code).toBe('DISCONNECTED');
});

test('without a connection nothing is sent', async () => {
  makeClient();
  expect(await failure(client.list(''))).toMatchObject({ code: 'OFFLINE', nothingSent: true });
});

describe('an answer that comes late', () => {
  test('is that of its own request, never of the next one', async () => {
    await connect({ requestTimeoutMs: 300 });
    server.behave = unless('list', () => null);
    expect(await failure(client.list('first'))).toMatchObject({ code: 'TIMEOUT', nothingSent: false });
    server.behave = unless('list', (_request, peer) => {
      peer.send({ type: 'listed', names: ['first'], more: false });
      return { type: 'listed', names: ['second'], more: false };
    });
    expect((await client.list('second')).names).toEqual(['second']);
    expect(told('late-reply')).toMatchObject([
      { request: { pattern: 'first' }, reply: { names: ['first'] } },
    ]);
    expect(server.requests).toHaveLength(2);
  });

  test('makes a login of a login all the same', async () => {
    await connect({ requestTimeoutMs: 300 });
    server.behave = unless('login', () => null);
    expect((await failure(client.login('al', 'secret'))).code).toBe('TIMEOUT');
    expect(client.state.account).toBeNull();
    server.peer.send(sessionOf('logged-in', 'al'));
    await until(() => client.state.account === 'al');
  });

  test('never: the connection is given up after a while, and nothing is asked twice', async () => {
    await connect({ requestTimeoutMs: 150, deadAfterMs: 450 });
    server.behave = unless('list', () => null);
    expect((await failure(client.list(''))).code).toBe('TIMEOUT');
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(/unanswered for 0\.?\d* s/);
    await until(() => told('connected').length === 2);
    expect(server.requests).toHaveLength(1);
  });
});

describe('after a reconnect', () => {
  test('comes the login again, and no request that had no answer', async () => {
    await connectAs('al');
    server.behave = () => null;
    const lost = failure(client.list(''));
    await until(() => server.asked('list').length === 1);
    server.behave = agreeable;
    server.peer.socket.destroy();
    expect(await lost).toMatchObject({ code: 'DISCONNECTED', nothingSent: false });
    await until(() => told('login-restored').length === 1);
    expect(client.state).toMatchObject({ link: { kind: 'online' }, account: 'al' });
    expect(told('connected').map(({ again }) => again)).toEqual([false, true]);
    expect(server.requests.map(({ type }) => type)).toEqual(['login', 'list', 'login']);
  });

  test('to a server that was away the pauses grow, up to their bound', async () => {
    await connect();
    await server.close();
    await until(() => told('disconnected').length >= 3);
    expect(told('disconnected').at(-1)?.reason).toBe('nobody listens there');
    // 20 ms, doubled each time, of which at least half is waited; never more than 100.
    expect(told('disconnected')[2]?.retryInMs).toBeGreaterThanOrEqual(40);
    expect(told('disconnected').every(({ retryInMs }) => retryInMs <= 100)).toBe(true);
    await restart();
    await until(() => client.state.link.kind === 'online');
  });

  test('a login that may yet succeed is given up in the end', async () => {
    await connectAs('al');
    server.behave = unless('login', () => fail('UNAVAILABLE'));
    server.peer.socket.destroy();
    await until(() => told('login-not-restored').at(-1)?.retryInMs === null);
    expect(told('login-not-restored')).toHaveLength(3);
    expect(client.state).toMatchObject({ link: { kind: 'online' }, account: null });
  });

  test("the person's own login ends the tries", async () => {
    await connectAs('al', { relogin: { firstMs: 1, maxMs: 1, tries: 1_000 } });
    server.behave = (request, peer) =>
      request.type === 'login' && request.username === 'al' ? fail('UNAVAILABLE') : agreeable(request, peer);
    server.peer.socket.destroy();
    await until(() => told('login-not-restored').length >= 2);
    await client.login('bob', 'secret');
    const before = server.requests.length;
    // Many times longer than the pause between two tries.
    for (let count = 0; count < 100; count++) await client.list('x');
    expect(client.state.account).toBe('bob');
    expect(server.requests.slice(before).every(({ type }) => type === 'list')).toBe(true);
  });
});

test('the answer to a send may come in one piece with the word that it was delivered', async () => {
  await connectAs('al');
  server.behave = unless('send', (request, peer) => {
    if (request.type === 'send') peer.send(sentFor(request), { type: 'delivered', ids: [request.id] });
    return null;
  });
  const { id } = client.send('bob', 'hi');
  await until(() =>
    events.some((event) => event.type === 'outgoing' && event.entry.state.kind === 'delivered'),
  );
  expect(
    told('outgoing')
      .filter(({ entry }) => entry.id === id)
      .map(({ entry }) => entry.state.kind),
  ).toEqual(['stored', 'delivered']);
});
