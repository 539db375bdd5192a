import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClientError } from '../../../src/client/errors.ts';
import { type ClientOptions, DEFAULT_OPTIONS } from '../../../src/client/state.ts';
import { Client, type ClientEvent } from '../../../src/client/v1/client.ts';
import { encodeFrame } from '../../../src/protocol/frame.ts';
import { agreeable, TestServer } from './test-server.ts';

let server: TestServer;
let client: Client;
let events: ClientEvent[];

const QUICK: Partial<ClientOptions> = {
  requestTimeoutMs: 5_000,
  reconnect: { firstMs: 20, maxMs: 100 },
  relogin: { firstMs: 20, maxMs: 40, tries: 3 },
};

async function connect(options: Partial<ClientOptions> = {}): Promise<void> {
  const servers = [{ host: '127.0.0.1', port: server.port }];
  client = new Client({ ...DEFAULT_OPTIONS, ...QUICK, ...options, servers }, (event) => events.push(event));
  client.start();
  await until(() => client.state.link.kind === 'online');
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 });
}

function told<Type extends ClientEvent['type']>(type: Type): Extract<ClientEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<ClientEvent, { type: Type }> => event.type === type);
}

async function failure(promise: Promise<unknown>): Promise<ClientError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof ClientError)) throw new Error(`no ClientError but ${String(outcome)}`);
  return outcome;
}

beforeEach(async () => {
  server = await TestServer.listen();
  events = [];
});

afterEach(async () => {
  await client.close();
  await server.close();
});

describe('requests', () => {
  test('create logs in, and the state says so', async () => {
    await connect();
    await client.create('Alice');
    expect(client.state).toMatchObject({ link: { kind: 'online' }, account: 'alice' });
    expect(server.requests).toEqual([{ type: 'create', name: 'alice' }]);
  });

  test('list, retrieve and send give what the server said', async () => {
    await connect();
    server.behave = (request, peer) => {
      if (request.type === 'list') return { type: 'listed', names: ['al', 'bob'] };
      if (request.type === 'retrieve') return { type: 'retrieved', entries: [{ sender: 'bob', body: 'yo' }] };
      return agreeable(request, peer);
    };
    const [names, entries, sent] = await Promise.all([
      client.list('*b'),
      client.retrieve(),
      client.send('bob', 'hi'),
    ]);
    expect(names).toEqual(['al', 'bob']);
    expect(entries).toEqual([{ sender: 'bob', body: 'yo' }]);
    expect(sent).toBe('delivered to bob');
  });

  test('a refusal carries the text of the server', async () => {
    await connect();
    server.behave = () => ({ type: 'failure', text: 'That username is taken.' });
    expect(await failure(client.create('bob'))).toMatchObject({
      code: 'REFUSED',
      message: 'That username is taken.',
    });
    expect(client.state.account).toBeNull();
  });

  test('what a server would refuse is not sent', async () => {
    await connect();
    expect(await failure(client.login('no one'))).toMatchObject({ code: 'INVALID', nothingSent: true });
    expect(await failure(client.send('bob', ''))).toMatchObject({ code: 'INVALID' });
    expect(await failure(client.send('bob', 'x'.repeat(5_000)))).toMatchObject({ code: 'INVALID' });
    await client.login('bob');
    expect(await client.send('bob', 'x'.repeat(5_000))).toBe('delivered to bob');
    expect(await failure(client.send('bob', 'x'.repeat(70_000)))).toMatchObject({ code: 'INVALID' });
    expect(server.requests).toHaveLength(2);
  });

  test('pushes between replies reach the listener and disturb no reply', async () => {
    await connect();
    await client.login('al');
    server.behave = (request, peer) => {
      if (request.type !== 'send') return agreeable(request, peer);
      const push = { type: 'message', sender: 'bob', body: `before ${request.body}` } as const;
      peer.send(push, { type: 'sent', text: request.body }, { ...push, body: `after ${request.body}` });
      return null;
    };
    const texts = await Promise.all(['1', '2', '3'].map((body) => client.send('bob', body)));
    expect(texts).toEqual(['1', '2', '3']);
    expect(told('message').map((event) => event.body)).toEqual(
      ['1', '2', '3']
        .flatMap((body) => (body === '3' ? [`before ${body}`] : [`before ${body}`, `after ${body}`]))
        .concat('after 3'),
    );
  });

  test('frames that come byte by byte are understood', async () => {
    await connect();
    server.behave = (_request, peer) => {
      for (const byte of encodeFrame(1, 0x51, 'al; bob')) peer.socket.write(Uint8Array.of(byte));
      return null;
    };
    expect(await client.list('')).toEqual(['al', 'bob']);
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
    const servers = [{ host: '127.0.0.1', port: server.port }];
    client = new Client({ ...DEFAULT_OPTIONS, servers }, (event) => events.push(event));
    expect(await failure(client.send('bob', 'hi'))).toMatchObject({ code: 'OFFLINE', nothingSent: true });
  });
});

describe('time-outs', () => {
  test('a late reply is taken as the reply of its own request, never of the next one', async () => {
    await connect({ requestTimeoutMs: 300 });
    server.behave = () => null;
    expect(await failure(client.send('bob', 'first'))).toMatchObject({ code: 'TIMEOUT', nothingSent: false });
    server.behave = (request, peer) => {
      if (request.type !== 'send') return agreeable(request, peer);
      peer.send({ type: 'sent', text: 'late: first' }, { type: 'sent', text: 'second' });
      return null;
    };
    expect(await client.send('bob', 'second')).toBe('second');
    expect(told('late-reply')).toEqual([
      {
        type: 'late-reply',
        request: { type: 'send', to: 'bob', body: 'first' },
        reply: { type: 'sent', text: 'late: first' },
      },
    ]);
    expect(server.requests).toHaveLength(2);
  });

  test('a late login is a login all the same', async () => {
    await connect({ requestTimeoutMs: 300 });
    server.behave = () => null;
    expect((await failure(client.login('al'))).code).toBe('TIMEOUT');
    expect(client.state.account).toBeNull();
    server.peer.send({ type: 'logged-in', token: 't' });
    await until(() => client.state.account === 'al');
  });

  test('a server that answers nothing at all is given up after a while', async () => {
    await connect({ requestTimeoutMs: 150, deadAfterMs: 450 });
    server.behave = () => null;
    expect((await failure(client.list(''))).code).toBe('TIMEOUT');
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(/unanswered for 0\.?\d* s/);
    await until(() => told('connected').length === 2);
    expect(server.requests).toHaveLength(1);
  });

  test('an end that says nothing is not taken for a Milena server', async () => {
    server.greet = false;
    const servers = [{ host: '127.0.0.1', port: server.port }];
    const options = { ...DEFAULT_OPTIONS, ...QUICK, requestTimeoutMs: 200, servers };
    client = new Client(options, (event) => events.push(event));
    client.start();
    await until(() => told('disconnected').length > 0);
    expect(told('disconnected')[0]?.reason).toMatch(/greeting/);
    expect(told('connected')).toEqual([]);
  });
});

describe('reconnect', () => {
  test('is told, logs in again to the same account, and repeats no request', async () => {
    await connect();
    await client.create('al');
    server.behave = () => null;
    const lost = failure(client.send('bob', 'hi'));
    await until(() => server.requests.length === 2);
    server.behave = agreeable;
    server.peer.socket.destroy();
    expect(await lost).toMatchObject({ code: 'DISCONNECTED', nothingSent: false });
    await until(() => told('login-restored').length === 1);
    expect(client.state).toMatchObject({ link: { kind: 'online' }, account: 'al' });
    expect(told('connected').map((event) => event.again)).toEqual([false, true]);
    expect(server.requests.map((request) => request.type)).toEqual(['create', 'send', 'login']);
  });

  test('comes back to a server that was away', async () => {
    await connect();
    const { port } = server;
    await server.close();
    await until(() => told('disconnected').length >= 3);
    expect(told('disconnected').at(-1)?.reason).toBe('nobody listens there');
    // 20 ms, doubled each time, of which at least half is waited; never more than 100.
    expect(told('disconnected')[2]?.retryInMs).toBeGreaterThanOrEqual(40);
    expect(told('disconnected').every((event) => event.retryInMs <= 100)).toBe(true);
    server = await TestServer.listen(port);
    await until(() => client.state.link.kind === 'online');
  });

  test('a refused login is tried again a few times, each time told', async () => {
    await connect();
    await client.login('al');
    let refusals = 2;
    server.behave = (request, peer) => {
      refusals -= 1;
      return refusals >= 0 ? { type: 'failure', text: 'already logged in' } : agreeable(request, peer);
    };
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    expect(told('login-not-restored').map((event) => event.reason)).toEqual([
      'already logged in',
      'already logged in',
    ]);
  });

  test('and given up in the end', async () => {
    await connect();
    await client.login('al');
    server.behave = () => ({ type: 'failure', text: 'no' });
    server.peer.socket.destroy();
    await until(() => told('login-not-restored').at(-1)?.retryInMs === null);
    expect(told('login-not-restored')).toHaveLength(3);
    expect(client.state).toMatchObject({ link: { kind: 'online' }, account: null });
  });

  test("the person's own login ends the tries", async () => {
    await connect({ relogin: { firstMs: 1, maxMs: 1, tries: 1_000 } });
    await client.login('al');
    server.behave = (request, peer) =>
      request.type === 'login' && request.name === 'al'
        ? { type: 'failure', text: 'no' }
        : agreeable(request, peer);
    server.peer.socket.destroy();
    await until(() => told('login-not-restored').length >= 2);
    await client.login('bob');
    const before = server.requests.length;
    // Many times longer than the pause between two tries.
    for (let count = 0; count < 100; count++) await client.list('x');
    expect(client.state.account).toBe('bob');
    expect(server.requests.slice(before).every((request) => request.type === 'list')).toBe(true);
  });

  test('the last words of a server are told', async () => {
    await connect();
    server.peer.send({ type: 'failure', text: 'The server is shutting down.' });
    server.peer.socket.end();
    await until(() => told('disconnected').length === 1);
    expect(told('server-text')).toEqual([{ type: 'server-text', text: 'The server is shutting down.' }]);
  });
});

describe('logout and delete', () => {
  test('logout ends the connection and makes a new one without a word', async () => {
    await connect();
    await client.login('al');
    await client.logout();
    await until(() => server.peers.length === 2 && client.state.link.kind === 'online');
    expect(client.state.account).toBeNull();
    expect(told('disconnected')).toEqual([]);
    expect(told('connected')).toHaveLength(1);
    expect(server.requests.map((request) => request.type)).toEqual(['login', 'logout']);
  });

  test('a delete is believed after the name is gone', async () => {
    await connect();
    await client.create('al');
    await client.delete();
    expect(client.state.account).toBeNull();
    expect(server.requests.slice(1)).toEqual([{ type: 'delete' }, { type: 'list', pattern: 'al' }]);
    expect(told('disconnected')).toEqual([]);
  });

  test('a connection that ends for another reason is no confirmation', async () => {
    await connect();
    await client.create('al');
    server.behave = (request, peer) =>
      request.type === 'list' ? { type: 'listed', names: ['al'] } : agreeable(request, peer);
    const error = await failure(client.delete());
    expect(error).toMatchObject({ code: 'DISCONNECTED' });
    expect(error.message).toMatch(/al still exists/);
  });

  test('a refused delete leaves one logged in', async () => {
    await connect();
    await client.create('al');
    server.behave = () => ({
      type: 'failure',
      text: 'The account holds 2 undelivered messages: retrieve first.',
    });
    expect(await failure(client.delete())).toMatchObject({ code: 'REFUSED' });
    expect(client.state).toMatchObject({ link: { kind: 'online' }, account: 'al' });
  });
});

describe('hostile servers', () => {
  const hostile: [string, Buffer, RegExp][] = [
    ['another version', encodeFrame(7, 0x51, ''), /Version 7/],
    ['no protocol at all', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), /protocol/],
    ['4 GiB', Buffer.from('01ffffffff61', 'hex'), /too large/],
    ['an unknown opcode', encodeFrame(1, 0x99, ''), /opcode 0x99/],
    ['the answer to another request', encodeFrame(1, 0x71, 'sent'), /answers no list request/],
    ['text that is not UTF-8', encodeFrame(1, 0x51, Buffer.from([0xff])), /UTF-8/],
    ['a message cut short', encodeFrame(1, 0x72, Buffer.from([0, 0, 1, 0])), /cut short/],
  ];

  test.each(hostile)('%s ends the connection and is told', async (_name, bytes, reason) => {
    await connect();
    server.behave = (_request, peer) => {
      peer.socket.write(bytes);
      return null;
    };
    expect(await failure(client.list(''))).toMatchObject({ code: 'DISCONNECTED' });
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(reason);
    server.behave = agreeable;
    await until(() => client.state.link.kind === 'online');
    expect(await client.list('')).toEqual([]);
  });

  test('an answer to nothing ends the connection', async () => {
    await connect();
    server.peer.send({ type: 'sent', text: 'x' });
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch(/answers nothing/);
  });
});
