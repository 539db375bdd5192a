/* The library as programs use it: one account over as many connections as that takes. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  Client,
  ClientError,
  type ClientEvent,
  type ConnectOptions,
  connect,
  DEFAULT_OPTIONS,
  MemoryMessageStore,
  type Milena,
  type ReceivedMessage,
} from '../../src/client/index.ts';
import { withSignal } from '../../src/client/with-signal.ts';
import { fail, failure, QUICK, unless, until } from './harness.ts';
import { agreeable, messageFrom, sessionOf, TestServer, tokenOf, WELCOME } from './test-server.ts';

let server: TestServer;
const open: Milena[] = [];
const events: ClientEvent[] = [];

beforeEach(async () => {
  server = await TestServer.listen();
  events.length = 0;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await server.close();
});

async function alice(options: Partial<ConnectOptions> = {}): Promise<Milena> {
  const me = await connect({
    server: `127.0.0.1:${server.port}`,
    user: 'Alice',
    password: 'secret',
    times: { ...QUICK, relogin: { firstMs: 20, maxMs: 40, tries: Number.POSITIVE_INFINITY } },
    onEvent: (event) => events.push(event),
    ...options,
  });
  open.push(me);
  return me;
}

/** What a server says that has all that there is. */
function welcoming(...features: string[]): void {
  const { behave } = server;
  server.behave = (request, peer) =>
    request.type === 'hello' && WELCOME.type === 'welcome' ? { ...WELCOME, features } : behave(request, peer);
}

async function take(me: Milena, count: number): Promise<ReceivedMessage[]> {
  const taken: ReceivedMessage[] = [];
  for await (const message of me.messages()) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

describe('a password that cannot be had', () => {
  test('for a login again is why it ends', async () => {
    let asked = 0;
    welcoming('resume', 'resume-asks');
    const me = await alice({
      login: { token: tokenOf('alice') },
      password: async () => {
        asked += 1;
        throw new Error('the vault is shut');
      },
    });
    expect(asked).toBe(0);
    server.behave = unless('login', () => fail('BAD_CREDENTIALS'));
    server.peer.socket.destroy();
    expect(await me.closed).toMatchObject({ code: 'CLOSED', message: /the vault is shut/ });
    expect(asked).toBe(1);
  });
});

describe('a promise that a signal ends', () => {
  test('may be settled before it is awaited, and lets the signal go', async () => {
    const { signal } = new AbortController();
    const adds = vi.spyOn(signal, 'addEventListener');
    const settled = withSignal<number>(signal, ({ resolve }) => {
      resolve(1);
      return () => expect.fail('it is settled');
    });
    expect(await settled).toBe(1);
    expect(adds).not.toHaveBeenCalled();
  });
});

describe('sending', () => {
  test('resolves when it is stored, and tells then what became of it', async () => {
    const me = await alice();
    const sent = await me.send('bob', 'hi');
    expect(sent).toMatchObject({ to: 'bob', recipientLoggedIn: true, acceptedAt: expect.any(Number) });
    expect(server.asked('send')).toMatchObject([
      { to: 'bob', body: 'hi', id: new Uint8Array(Buffer.from(sent.id, 'hex')) },
    ]);
    server.peer.send({ type: 'delivered', ids: [Buffer.from(sent.id, 'hex')] });
    expect(await sent.delivered).toBe('delivered');
    const lost = await me.send('bob', 'hi');
    server.peer.send({ type: 'delivered', ids: [], undeliverable: [Buffer.from(lost.id, 'hex')] });
    expect(await lost.delivered).toBe('undeliverable');
  });

  test('is refused with the code of the server, and goes on with the next one', async () => {
    const me = await alice();
    server.behave = unless('send', (request, peer) =>
      request.type === 'send' && request.to === 'eve' ? fail('BLOCKED') : agreeable(request, peer),
    );
    const error = await failure(me.send('eve', 'hi'));
    expect(error).toMatchObject({
      code: 'REFUSED',
      refusal: { code: 'BLOCKED' },
      message: 'that was BLOCKED',
    });
    await me.send('bob', 'hi');
    expect(await failure(me.send('not a name', 'hi'))).toMatchObject({ code: 'INVALID', nothingSent: true });
    expect(await failure(me.send('bob', ''))).toMatchObject({ code: 'INVALID' });
  });

  test('outlives a connection that is lost before the answer, under one id', async () => {
    const me = await alice();
    server.behave = unless('send', (request, peer) => {
      if (server.asked('send').length > 1) return agreeable(request, peer);
      peer.socket.destroy();
      return null;
    });
    const sent = await me.send('bob', 'hi');
    expect(server.asked('send').map(({ id }) => Buffer.from(id).toString('hex'))).toEqual([sent.id, sent.id]);
    expect(server.asked('login').at(-1)).toMatchObject({ token: tokenOf('alice') });
  });

  test('is taken back by its signal before it goes out, and may arrive afterwards', async () => {
    const me = await alice();
    server.behave = unless('send', () => null);
    const [first, second] = [new AbortController(), new AbortController()];
    const onItsWay = failure(me.send('bob', '1', { signal: first.signal }));
    const behindIt = failure(me.send('bob', '2', { signal: second.signal }));
    await until(() => server.asked('send').length === 1);
    second.abort(new Error('thought better of it'));
    expect(await behindIt).toMatchObject({ code: 'ABORTED', nothingSent: true, cause: second.signal.reason });
    first.abort();
    expect(await onItsWay).toMatchObject({ code: 'ABORTED', nothingSent: false });
    expect(await failure(me.send('bob', '3', { signal: first.signal }))).toMatchObject({ nothingSent: true });
    expect(server.asked('send').map(({ body }) => body)).toEqual(['1']);
  });

  test('under one id is one message: while it is on its way no other takes its place', async () => {
    const me = await alice();
    const id = '0123456789abcdef0123456789abcdef';
    server.behave = unless('send', () => null);
    const waits = me.send('bob', 'hi', { id });
    await until(() => server.asked('send').length === 1);
    expect(await failure(me.send('bob', 'hi', { id }))).toMatchObject({ code: 'INVALID', nothingSent: true });
    expect(server.asked('send')).toHaveLength(1);
    server.behave = agreeable;
    server.peer.socket.destroy();
    expect(await waits).toMatchObject({ id });
    const again = await me.send('bob', 'hi', { id });
    expect(again.id).toBe(id);
    server.peer.send({ type: 'delivered', ids: [Buffer.from(id, 'hex')] });
    expect(await again.delivered).toBe('delivered');
  });

  test('that is closed meanwhile says whether it may arrive; delivery is not known then', async () => {
    const me = await alice();
    const stored = await me.send('bob', 'stored');
    server.behave = unless('send', () => null);
    const [sent, waits] = [failure(me.send('bob', '1')), failure(me.send('bob', '2'))];
    await until(() => server.asked('send').length === 2);
    await me.close();
    expect(await sent).toMatchObject({ code: 'CLOSED', nothingSent: false });
    expect(await waits).toMatchObject({ code: 'CLOSED', nothingSent: true });
    expect(await stored.delivered).toBe('unknown');
    expect(await failure(me.send('bob', '3'))).toMatchObject({ code: 'CLOSED' });
  });

  test('only, goes beside other logins, and comes back by the password after a lost connection', async () => {
    welcoming('deliver-none');
    const me = await alice({ deliver: 'none' });
    server.behave = unless('login', (request) => {
      if (request.type !== 'login') return null;
      const {
        inbox: _,
        token: __,
        tokenExpiresAt: ___,
        undelivered: ____,
        ...session
      } = sessionOf('logged-in', 'alice');
      return session;
    });
    welcoming('deliver-none');
    server.peer.socket.destroy();
    await until(() => server.asked('login').length > 1);
    await me.send('bob', 'hi');
    expect(server.asked('login')).toMatchObject([
      { deliver: 'none', password: 'secret' },
      { deliver: 'none', token: tokenOf('alice') },
    ]);
    server.peer.socket.destroy();
    await until(() => server.asked('login').length > 2);
    await me.send('bob', 'hi');
    expect(server.asked('login').at(-1)).toMatchObject({ deliver: 'none' });
  });
});

describe('messages', () => {
  test('come in their order, each once, and are acknowledged by whoever reads them', async () => {
    const me = await alice();
    server.peer.send(
      messageFrom('bob', 0, 'one'),
      messageFrom('bob', 0, 'one'),
      messageFrom('bob', 1, 'two'),
    );
    const [one, two] = await take(me, 2);
    expect([one, two]).toMatchObject([
      { body: 'one', from: 'bob', verified: true },
      { body: 'two', seq: 1 },
    ]);
    two?.ack();
    await until(() => server.asked('ack').length === 1);
    expect(server.asked('ack')).toMatchObject([{ ranges: [[1, 1]] }]);
    one?.ack();
    one?.ack();
    await until(() => server.asked('ack').length === 2);
    expect(server.asked('ack')[1]).toMatchObject({ upTo: 0 });
  });

  test('let the server wait for who does not read, and lose nothing', async () => {
    const me = await alice();
    const body = 'x'.repeat(60_000);
    const { socket } = server.peer;
    let pushed = 0;
    // Until what is in between is full as well: some thousand times sixty thousand.
    for (; pushed < 4_000 && socket.writableLength < 64 * 1024 * 1024; pushed++) {
      server.peer.send(messageFrom('bob', pushed, `${pushed} ${body}`));
    }
    await vi.waitFor(() => expect(socket.writableLength).toBeGreaterThan(0), { timeout: 20_000 });
    const all = await take(me, pushed);
    expect(all.map((message) => message.seq)).toEqual(Array.from({ length: pushed }, (_, at) => at));
  });

  test('end with the connection, or by a signal', async () => {
    const me = await alice();
    const stop = new AbortController();
    const stopped = failure(
      (async () => {
        for await (const _ of me.messages({ signal: stop.signal }));
      })(),
    );
    stop.abort();
    expect(await stopped).toMatchObject({ code: 'ABORTED' });
    const ended = take(me, 1);
    await me.close();
    expect(await ended).toEqual([]);
    expect(await me.closed).toBeNull();
  });

  test('of which some are queued end with the signal all the same; the rest is for the next reader', async () => {
    const me = await alice();
    server.peer.send(...['one', 'two', 'three'].map((body, seq) => messageFrom('bob', seq, body)));
    await until(() => events.filter(({ type }) => type === 'message').length === 3);
    const stop = new AbortController();
    const read: string[] = [];
    const stopped = failure(
      (async () => {
        for await (const { body } of me.messages({ signal: stop.signal })) {
          read.push(body);
          stop.abort();
        }
      })(),
    );
    expect(await stopped).toMatchObject({ code: 'ABORTED', cause: stop.signal.reason });
    expect(read).toEqual(['one']);
    expect((await take(me, 2)).map(({ body }) => body)).toEqual(['two', 'three']);
  });

  test('that are retrieved and not acknowledged are on the next page again, to the end', async () => {
    const me = await alice({ deliver: 'live' });
    const waiting = ['one', 'two', 'three'].map((body, seq) => messageFrom('bob', seq, body));
    server.behave = unless('retrieve', (request) => {
      const acknowledged = server.asked('ack').flatMap(({ ranges = [] }) => ranges);
      const left = waiting.flatMap((frame) =>
        frame.type === 'message' &&
        !acknowledged.some(([first, last]) => frame.seq >= first && frame.seq <= last)
          ? [frame]
          : [],
      );
      const { limit = 1_000 } = request.type === 'retrieve' ? request : {};
      return { type: 'retrieved', messages: left.slice(0, limit), more: left.length > limit };
    });
    const first = await me.retrieve(1);
    expect(first).toMatchObject({ messages: [{ body: 'one' }], more: true });
    const again = await me.retrieve(2);
    expect(again).toMatchObject({ messages: [{ body: 'one' }, { body: 'two' }], more: true });
    // It is one message, however often it is given.
    expect(again.messages[0]?.key).toBe(first.messages[0]?.key);
    // Nobody got what an aborted page had in it.
    const stop = new AbortController();
    const given = failure(me.retrieve(3, { signal: stop.signal }));
    stop.abort();
    await given;
    await until(() => events.filter(({ type }) => type === 'message').length === 3);
    const bodies: string[] = [];
    for (let more = true; more; ) {
      const page = await me.retrieve(1);
      for (const message of page.messages) {
        bodies.push(message.body);
        message.ack();
      }
      more = page.more;
    }
    expect(bodies).toEqual(['one', 'two', 'three']);
    expect((await me.retrieve(1_000)).messages).toEqual([]);
    expect(await failure(me.retrieve(1_001))).toMatchObject({ code: 'INVALID' });
  });

  test('of which one was acknowledged do not come again over a store, the others do', async () => {
    const store = new MemoryMessageStore();
    const first = await alice({ store });
    const messages = [messageFrom('bob', 0, 'one'), messageFrom('bob', 1, 'two')];
    server.peer.send(...messages);
    (await take(first, 2))[0]?.ack();
    await first.close();
    const second = await alice({ store });
    server.peer.send(...messages);
    expect((await take(second, 1)).map(({ body }) => body)).toEqual(['two']);
  });
});

test('a store has what was not answered: it goes again with the next login, once', async () => {
  const store = new MemoryMessageStore();
  const first = await alice({ store });
  server.behave = unless('send', () => null);
  const lost = failure(first.send('bob', 'hi'));
  await until(() => server.asked('send').length === 1);
  await first.close();
  expect((await lost).nothingSent).toBe(false);
  server.behave = agreeable;
  await alice({ store });
  await until(() => server.asked('send').length === 2);
  const [one, two] = server.asked('send');
  expect(two).toEqual(one);
  await until(() => store.unsettled().every(({ receipt }) => receipt !== null));
});

test('what waits in a store at the end goes with the next login, and what was taken back does not', async () => {
  const store = new MemoryMessageStore();
  const first = await alice({ store });
  server.behave = unless('send', () => fail('RATE_LIMITED', { retryAfterMs: 60_000 }));
  const waits = failure(first.send('bob', 'waits'));
  await until(() => server.asked('send').length === 1);
  const stop = new AbortController();
  const takenBack = failure(first.send('bob', 'taken back', { signal: stop.signal }));
  stop.abort();
  expect(await takenBack).toMatchObject({ code: 'ABORTED', nothingSent: true });
  await first.logout();
  expect(await waits).toMatchObject({ code: 'CLOSED', nothingSent: false });
  expect(store.unsettled()).toMatchObject([{ body: 'waits', state: { kind: 'waiting' } }]);
  server.behave = agreeable;
  server.requests.length = 0;
  const second = await alice({ store });
  await until(() => server.asked('send').length === 1);
  await second.send('bob', 'next');
  expect(server.asked('send').map(({ body }) => body)).toEqual(['waits', 'next']);
});

describe('the login', () => {
  test('that is refused ends connecting, with the code', async () => {
    server.behave = unless('login', () => fail('BAD_CREDENTIALS'));
    expect(await failure(alice())).toMatchObject({ code: 'REFUSED', refusal: { code: 'BAD_CREDENTIALS' } });
  });

  test('of another program is waited for a moment, and taken over if that was said', async () => {
    server.behave = unless('login', (request, peer) =>
      server.asked('login').length < 3 ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer),
    );
    await alice();
    expect(server.asked('login').map(({ takeover }) => takeover)).toEqual([undefined, undefined, undefined]);
    await alice({ takeover: true });
    expect(server.asked('login').at(-1)).toMatchObject({ takeover: true });
  });

  test('by somebody else ends it, with the reason', async () => {
    const me = await alice();
    const ended = failure(take(me, 1));
    server.peer.send({ type: 'goodbye', code: 'REPLACED', reason: 'Somebody logged in elsewhere.' });
    expect(await me.closed).toMatchObject({ refusal: { code: 'REPLACED' } });
    expect(await ended).toMatchObject({ code: 'REFUSED', message: 'Somebody logged in elsewhere.' });
    expect(await failure(me.send('bob', 'hi'))).toMatchObject({ refusal: { code: 'REPLACED' } });
  });

  test('by somebody else as soon as it is logged in is why there is no login', async () => {
    server.behave = unless('login', (_, peer) => {
      const goodbye = { type: 'goodbye', code: 'REPLACED', reason: 'Somebody logged in elsewhere.' } as const;
      peer.send(sessionOf('logged-in', 'alice'), goodbye);
      return null;
    });
    expect(await failure(alice())).toMatchObject({
      message: 'Somebody logged in elsewhere.',
      refusal: { code: 'REPLACED' },
    });
  });

  test('of an earlier process is gone on with; the password is asked for only where it is of no use', async () => {
    welcoming('resume-asks');
    const password = vi.fn(async () => 'secret');
    const login = { token: tokenOf('earlier') };
    await alice({ login, password });
    expect(server.asked('login')).toMatchObject([{ token: login.token, takeover: false }]);
    expect(password).not.toHaveBeenCalled();
    server.behave = unless('login', (request, peer) =>
      request.type === 'login' && request.token !== undefined
        ? fail('BAD_CREDENTIALS')
        : agreeable(request, peer),
    );
    welcoming('resume-asks');
    const me = await alice({ login, password });
    expect(password).toHaveBeenCalledTimes(1);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'login-not-restored', code: 'BAD_CREDENTIALS' }),
    );
    expect(me.login?.token).toEqual(tokenOf('alice'));
  });

  test('comes back by the password where its token is not good any more', async () => {
    const me = await alice();
    server.behave = unless('login', (request, peer) =>
      request.type === 'login' && request.token !== undefined
        ? fail('BAD_CREDENTIALS')
        : agreeable(request, peer),
    );
    server.peer.socket.destroy();
    await until(
      () => server.asked('login').at(-1)?.password === 'secret' && server.asked('login').length > 2,
    );
    await me.send('bob', 'hi');
  });

  test('is a new account where that was said', async () => {
    await alice({ create: { invite: 'x1' } });
    expect(server.requests).toMatchObject([
      { type: 'create', username: 'alice', password: 'secret', invite: 'x1' },
    ]);
  });

  test('ends with the scope, unless it is kept', async () => {
    {
      await using me = await alice();
      expect(me.state.account).toBe('alice');
    }
    expect(server.requests.at(-1)?.type).toBe('logout');
    {
      await using me = await alice({ logins: { keep: () => undefined, forget: () => undefined } });
      expect(me.state.account).toBe('alice');
    }
    expect(server.requests.at(-1)?.type).toBe('login');
  });
});

describe('a server', () => {
  test('that is not there ends connecting, or is waited for', async () => {
    const { port } = server;
    await server.close();
    expect(await failure(alice())).toMatchObject({ code: 'OFFLINE', message: /nobody listens there/ });
    const waiting = alice({ server: `127.0.0.1:${port}`, waitForServer: true });
    await until(() => events.filter(({ type }) => type === 'disconnected').length > 2);
    server = await TestServer.listen(port);
    expect((await waiting).state.account).toBe('alice');
  });

  test('is waited for until the signal comes', async () => {
    server.behave = () => null;
    const stop = new AbortController();
    const stopped = failure(alice({ signal: stop.signal }));
    await until(() => server.peers.length === 1);
    stop.abort();
    expect(await stopped).toMatchObject({ code: 'ABORTED', cause: stop.signal.reason });
    expect(await failure(alice({ signal: stop.signal }))).toMatchObject({ code: 'ABORTED' });
  });

  test('that is lost makes way for the next of the list', async () => {
    const second = await TestServer.listen();
    onTestFinished(() => second.close());
    const me = await alice({ server: [`127.0.0.1:${server.port}`, `127.0.0.1:${second.port}`] });
    await server.close();
    await me.send('bob', 'hi');
    expect(second.asked('send')).toHaveLength(1);
    server = await TestServer.listen();
  });

  test.each([
    [{ server: 'nowhere' }, /names no servers/],
    [{ server: [] }, /names no servers/],
    [{ server: 'example.org:1' }, /example.org is another machine/],
  ])('%j is none', async (options, message) => {
    const error = await failure(alice(options));
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringMatching(message) });
  });
});

describe('options that cannot be used', () => {
  const unusable: readonly [what: string, options: Record<string, unknown>, message: RegExp][] = [
    ['no server', { server: undefined }, /names no servers/],
    ['no user', { user: undefined }, /username/],
    ['a user that is no name', { user: 'not a name' }, /username/],
    ['a program without a name', { program: '' }, /^program: .*1 to 64 bytes/],
    ['a program with a long name', { program: 'x'.repeat(5_000) }, /^program: .*1 to 64 bytes/],
    ['a program that is no text', { program: 5 }, /^program: /],
    ['a time that is no number', { loginTimeoutMs: Number.NaN }, /^loginTimeoutMs has to be milliseconds/],
    ['a time of the past', { loginTimeoutMs: -1 }, /^loginTimeoutMs/],
    ['a time that no timer has', { times: { requestTimeoutMs: 2 ** 31 } }, /^times.requestTimeoutMs/],
    ['half a wait', { times: { reconnect: { firstMs: 10 } } }, /^times.reconnect.maxMs/],
    ['no wait', { times: { held: null } }, /^times.held.firstMs/],
    ['tries without a number', { times: { relogin: { firstMs: 1, maxMs: 1, tries: '3' } } }, /relogin.tries/],
    ['a time that nobody knows', { times: { requestTimeOut: 10 } }, /^times.requestTimeOut .*no such time/],
    ['a way of delivery', { deliver: 'some' }, /^deliver has to be all, live or none/],
    ['a password that is none', { password: 5 }, /^password has to be text/],
    ['a token that is none', { login: { token: 'abc' } }, /^login.token has to be bytes/],
  ];

  test.each(unusable)('are refused before anything is connected to: %s', async (_what, options, message) => {
    const error = await failure(alice(options as Partial<ConnectOptions>));
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringMatching(message) });
    expect(server.peers).toEqual([]);
  });

  test('are none of those that are undefined: they are as if they were not given', async () => {
    server.behave = unless('status', () => null);
    const times = { requestTimeoutMs: undefined, deadAfterMs: undefined, ackDelayMs: undefined };
    const me = await alice({ program: undefined, deliver: undefined, loginTimeoutMs: undefined, times });
    const stop = new AbortController();
    // With a time-out that is none it would end at once.
    const asked = failure(me.status(['bob'], { signal: stop.signal }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    expect(await asked).toMatchObject({ code: 'ABORTED' });
  });

  test('nor are arguments: each is an error of the one class, and nothing is sent', async () => {
    const me = await alice();
    const before = server.requests.length;
    const no = 5 as never;
    const names = me.list(no);
    const asked = [
      me.send('bob', no),
      me.send(no, 'hi'),
      me.send(undefined as never, 'hi'),
      me.status(no),
      me.status([no]),
      me.status(['not a name']),
      me.block(no),
      me.unblock('not a name'),
      me.retrieve(Number.NaN),
      me.changePassword(no, 'another'),
      me.changePassword(null, no),
      me.deleteAccount(no),
      names.next(),
    ];
    for (const one of asked) expect(await failure(one)).toMatchObject({ code: 'INVALID', nothingSent: true });
    expect(server.requests.length).toBe(before);
  });
});

test('a greeting that cannot be said ends in an error, not in silence', async () => {
  const servers = [{ host: '127.0.0.1', port: server.port }];
  const client = new Client({ ...DEFAULT_OPTIONS, ...QUICK, servers, program: '' }, () => undefined);
  onTestFinished(() => client.close());
  client.start();
  expect(await failure(client.connected())).toMatchObject({ code: 'OFFLINE', message: /1 to 64 bytes/ });
});

test('however long a server asks to be let alone, it is tried again within reason, and not at once', async () => {
  const retryAfterMs = 2 ** 32 - 1;
  server.behave = unless('send', () => fail('RATE_LIMITED', { retryAfterMs }));
  const me = await alice();
  const sent = failure(me.send('bob', 'hi'));
  const waits = (type: 'held' | 'disconnected') =>
    events.flatMap((event) => (event.type === type && 'retryInMs' in event ? [event.retryInMs] : []));
  await until(() => waits('held').length > 0);
  server.peer.send({ type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'Later.', retryAfterMs });
  await until(() => waits('disconnected').length > 0);
  // A timer that cannot wait so long would have ended meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(waits('held')).toEqual([300_000]);
  // Less what it has been let alone already.
  const [least = 0, ...others] = waits('disconnected');
  expect(others).toEqual([]);
  expect(least).toBeGreaterThan(240_000);
  expect(least).toBeLessThanOrEqual(300_000);
  expect(server.asked('send')).toHaveLength(1);
  expect(server.peers).toHaveLength(1);
  await me.close();
  await sent;
});

test('a name is the same name however it is typed, for every request', async () => {
  const me = await alice();
  server.behave = unless('status', () => ({ type: 'status', loggedIn: ['alice'] }));
  const presence = await me.status(['ALICE', 'Bob', 'alice']);
  // As they were asked for.
  expect([...presence]).toEqual([
    ['ALICE', 'logged-in'],
    ['Bob', 'away'],
    ['alice', 'logged-in'],
  ]);
  server.behave = unless('list', () => ({ type: 'listed', names: [], more: false }));
  expect([...(await me.status(['BOB']))]).toEqual([['BOB', 'no-such-user']]);
  expect((await me.send('BOB', 'hi')).to).toBe('bob');
  expect(await me.block('EVE')).toEqual(['eve']);
});

test('names come page by page; who is there, and who is blocked, is told', async () => {
  const me = await alice();
  const pages: Record<string, string[]> = { '': ['al', 'bob'], bob: ['carol'] };
  server.behave = unless('list', (request) => {
    const after = request.type === 'list' ? (request.after ?? '') : '';
    return { type: 'listed', names: pages[after] ?? [], more: after === '' };
  });
  const names: string[] = [];
  for await (const name of me.list('*')) names.push(name);
  expect(names).toEqual(['al', 'bob', 'carol']);
  expect(server.asked('list').map(({ after }) => after)).toEqual([undefined, 'bob']);
  server.behave = agreeable;
  expect([...(await me.status(['bob']))]).toEqual([['bob', 'away']]);
  expect(await me.block('eve')).toEqual(['eve']);
  expect(await me.unblock('eve')).toEqual([]);
  await me.changePassword('secret', 'another');
  expect(server.asked('password')).toMatchObject([{ old: 'secret', new: 'another' }]);
  expect(await me.deleteAccount('another')).toBe(0);
  expect(await me.closed).toBeNull();
});
