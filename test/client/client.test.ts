import { describe, expect, test } from 'vitest';
import { ClientError } from '../../src/client/errors.ts';
import type { ProtocolErrorCode } from '../../src/protocol/errors.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import {
  client,
  clientForEachTest,
  connect,
  connectAs,
  fail,
  failure,
  makeClient,
  restart,
  server,
  shown,
  statesOf,
  timeByTurns,
  told,
  unless,
  until,
} from './harness.ts';
import { agreeable, externalMessage, idOf, messageFrom, sentFor, tokenOf, WELCOME } from './test-server.ts';

clientForEachTest();

describe('identity', () => {
  test('create and login send the password, or none', async () => {
    await connect();
    await client.create('Alice', 'secret');
    expect(client.state).toMatchObject({ account: 'alice', wanted: 'alice' });
    expect(client.isOpen).toBe(false);
    await client.logout();
    await until(() => client.state.link.kind === 'online' && server.peers.length === 2);
    await client.login('alice', null);
    expect(client.isOpen).toBe(true);
    expect(server.requests).toEqual([
      { type: 'create', username: 'alice', password: 'secret' },
      { type: 'logout' },
      { type: 'login', username: 'alice', deliver: 'all' },
    ]);
  });

  test('a password is the same however its letters were composed', async () => {
    await connect();
    await client.login('al', 'u\u0308ber');
    expect(server.asked('login')[0]?.password).toBe('\u00fcber');
  });

  test('logged in elsewhere: refused with its code, and taken over when told to', async () => {
    await connect();
    server.behave = unless('login', (request, peer) =>
      request.type === 'login' && request.takeover ? agreeable(request, peer) : fail('ALREADY_LOGGED_IN'),
    );
    const error = await failure(client.login('al', 'secret'));
    expect(error).toMatchObject({ code: 'REFUSED', refusal: { code: 'ALREADY_LOGGED_IN' } });
    expect(client.state.account).toBeNull();
    await client.login('al', 'secret', true);
    expect(client.state.account).toBe('al');
  });

  test('after a reconnect the token logs in, and no password goes out again', async () => {
    await connectAs('al');
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    expect(server.asked('login')[1]).toEqual({
      type: 'login',
      username: 'al',
      token: tokenOf('al'),
      deliver: 'all',
    });
    expect(client.isOpen).toBe(false);
  });

  test('a changed password gives a new token', async () => {
    await connectAs('al');
    await client.changePassword('secret', 'better');
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    expect(server.asked('login')[1]?.token).toEqual(tokenOf('better'));
  });

  test('a token that is no longer good is told and not tried again', async () => {
    await connectAs('al');
    server.behave = unless('login', () => fail('BAD_CREDENTIALS'));
    server.peer.socket.destroy();
    await until(() => told('login-not-restored').length === 1);
    expect(told('login-not-restored')[0]).toMatchObject({
      reason: 'that was BAD_CREDENTIALS',
      retryInMs: null,
    });
    expect(client.state).toMatchObject({ account: null, wanted: null, link: { kind: 'online' } });
    expect(server.asked('login')).toHaveLength(2);
  });

  test('a server that is busy is tried again, as late as it asks', async () => {
    await connectAs('al');
    let refusals = 2;
    server.behave = unless('login', (request, peer) => {
      refusals -= 1;
      return refusals >= 0 ? fail('BUSY', { retryAfterMs: 60 }) : agreeable(request, peer);
    });
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    expect(told('login-not-restored').map(({ retryInMs }) => retryInMs)).toEqual([60, 60]);
  });

  test('replaced: told, connected again, and no fight for the account', async () => {
    await connectAs('al');
    server.peer.send({ type: 'goodbye', code: 'REPLACED', reason: 'Somebody logged in elsewhere.' });
    await until(() => server.peers.length === 2 && client.state.link.kind === 'online');
    expect(told('replaced')).toEqual([
      { type: 'replaced', name: 'al', reason: 'Somebody logged in elsewhere.' },
    ]);
    // Any login of its own would have been sent before this request.
    await client.list('');
    expect(server.asked('login')).toHaveLength(1);
    expect(client.state).toMatchObject({ account: null, wanted: null });
    expect(told('disconnected')).toEqual([]);
    const entry = client.send('bob', 'later');
    expect(entry.state.kind).toBe('waiting');
    await client.login('al', 'secret', true);
    await until(() => statesOf(entry.id).at(-1) === 'stored');
  });

  test('a goodbye at each greeting is tried again with pauses only', async () => {
    server.behave = (request, peer) => {
      if (request.type !== 'hello') return null;
      peer.send({ type: 'goodbye', code: 'REPLACED', reason: 'Go away.' });
      return WELCOME;
    };
    makeClient();
    client.start();
    await until(() => told('disconnected').length >= 3);
    expect(told('disconnected').map(({ reason }) => reason)).toContain('Go away');
    expect(told('disconnected')[2]?.retryInMs).toBeGreaterThanOrEqual(40);
  });

  test('delete: refused with the number, done with force, and a new connection afterwards', async () => {
    await connectAs('al');
    server.behave = unless('delete', (request) =>
      request.type === 'delete' && request.force
        ? { type: 'deleted', undelivered: 3 }
        : fail('HAS_UNDELIVERED', { undelivered: 3 }),
    );
    const error = await failure(client.delete('secret'));
    expect(error.refusal).toMatchObject({ code: 'HAS_UNDELIVERED', undelivered: 3 });
    expect(client.state.account).toBe('al');
    expect(await client.delete('secret', true)).toBe(3);
    expect(server.asked('delete')[1]).toEqual({ type: 'delete', password: 'secret', force: true });
    await until(() => server.peers.length === 2 && client.state.link.kind === 'online');
    expect(client.state).toMatchObject({ account: null, wanted: null });
    expect(told('disconnected')).toEqual([]);
  });
});

describe('other requests', () => {
  test('list, who is there, block', async () => {
    await connectAs('al');
    server.behave = (request, peer) => {
      if (request.type === 'list' && request.pattern === '*b') {
        return { type: 'listed', names: ['al', 'bob'], more: true };
      }
      if (request.type === 'list' && request.pattern === 'dan')
        return { type: 'listed', names: [], more: false };
      if (request.type === 'status') return { type: 'status', loggedIn: ['bob'] };
      return agreeable(request, peer);
    };
    expect(await client.list('*b')).toMatchObject({ names: ['al', 'bob'], more: true });
    expect([...(await client.whoIsThere(['bob', 'cy', 'dan']))]).toEqual([
      ['bob', 'logged-in'],
      ['cy', 'away'],
      ['dan', 'no-such-user'],
    ]);
    expect(await client.block('mallory', true)).toEqual(['mallory']);
    expect(await client.block('mallory', false)).toEqual([]);
    expect(await client.blocked()).toEqual([]);
    expect(server.asked('block').at(-1)).toEqual({ type: 'block' });
  });

  test('a late answer to a person is told, to the client itself not', async () => {
    timeByTurns();
    await connectAs('al', { requestTimeoutMs: 200 });
    server.behave = () => null;
    expect(await failure(client.list(''))).toMatchObject({ code: 'TIMEOUT' });
    const entry = client.send('bob', 'hi');
    await until(() => told('unheard').length === 1);
    expect(statesOf(entry.id)).toEqual(['waiting']);
    const [request] = server.asked('send');
    if (request === undefined) throw new Error('nothing was sent');
    server.peer.send({ type: 'listed', names: ['x'], more: false }, sentFor(request));
    await until(() => statesOf(entry.id).at(-1) === 'stored');
    expect(told('late-reply').map((event) => event.request.type)).toEqual(['list']);
    expect(server.asked('send')).toHaveLength(1);
  });
});

describe('sending', () => {
  test('one after the other to the same person, stored, then delivered', async () => {
    await connectAs('al');
    server.behave = (request, peer) => (/send|ping/.test(request.type) ? null : agreeable(request, peer));
    const [one, two] = [client.send('bob', '1'), client.send('bob', '2')];
    await until(() => server.asked('send').length === 1);
    // Its answer would come behind a second message.
    server.peer.send({ type: 'ping' });
    await until(() => server.asked('ping').length === 1);
    expect(server.asked('send')).toHaveLength(1);
    server.behave = agreeable;
    const [request] = server.asked('send');
    if (request === undefined) throw new Error('nothing was sent');
    server.peer.send(sentFor(request), { type: 'pong', time: 0 });
    await until(() => statesOf(two.id).at(-1) === 'stored');
    const ids = server.asked('send').map(({ id }) => id);
    server.peer.send({ type: 'delivered', ids: [idOf('nonsense'), ...ids.toReversed()] });
    await until(() => statesOf(one.id).at(-1) === 'delivered');
    expect([statesOf(one.id), statesOf(two.id)]).toEqual([
      ['stored', 'delivered'],
      ['stored', 'delivered'],
    ]);
  });

  test('without a connection it waits, and goes with the next one under the same id', async () => {
    await connectAs('al');
    server.behave = unless('send', () => null);
    const entry = client.send('bob', 'hi');
    await until(() => server.asked('send').length === 1);
    const [first] = server.asked('send');
    await server.close();
    await until(() => statesOf(entry.id).at(-1) === 'waiting');
    const later = client.send('bob', 'me too');
    expect(later.state.kind).toBe('waiting');
    await restart();
    await until(() => statesOf(later.id).at(-1) === 'stored');
    expect(server.asked('send').map(({ body }) => body)).toEqual(['hi', 'me too']);
    expect(server.asked('send')[0]?.id).toEqual(first?.id);
  });

  test('what was stored before a reconnect is asked for until it is known', async () => {
    await connectAs('al');
    const entry = client.send('bob', 'hi');
    await until(() => statesOf(entry.id).at(-1) === 'stored');
    let rounds = 3;
    server.behave = unless('receipts', () => {
      rounds -= 1;
      return { type: 'fates', fates: [rounds > 0 ? 'waiting' : 'undeliverable'] };
    });
    server.peer.socket.destroy();
    await until(() => statesOf(entry.id).at(-1) === 'undeliverable');
    const [sent] = server.asked('send');
    if (sent === undefined) throw new Error('nothing was sent');
    expect(server.asked('receipts')).toHaveLength(3);
    expect(server.asked('receipts')[0]?.receipts[0]).toEqual(
      new Uint8Array(Buffer.concat([Buffer.from('for '), sent.id])),
    );
  });

  test('a server without room is told once, and the messages go later in their order', async () => {
    await connectAs('al');
    let refusals = 2;
    server.behave = unless('send', (request, peer) => {
      refusals -= 1;
      return refusals >= 0 ? fail('RATE_LIMITED', { retryAfterMs: 80 }) : agreeable(request, peer);
    });
    const entries = [client.send('bob', '1'), client.send('cy', '2'), client.send('bob', '3')];
    await until(() => entries.every(({ id }) => statesOf(id).at(-1) === 'stored'));
    expect(told('held').filter(({ again }) => !again)).toMatchObject([
      { type: 'held', reason: 'that was RATE_LIMITED', retryInMs: 80, refusal: { code: 'RATE_LIMITED' } },
    ]);
    expect(server.asked('send').map(({ body }) => body)).toEqual(['1', '2', '1', '2', '3']);
    expect(entries.map(({ id }) => statesOf(id))).toEqual([
      ['waiting', 'on-its-way', 'stored'],
      ['waiting', 'on-its-way', 'stored'],
      ['waiting', 'on-its-way', 'stored'],
    ]);
  });

  test.each<[ProtocolErrorCode, RegExp, { retryAfterMs?: number }]>([
    ['MAILBOX_FULL', /^that was MAILBOX_FULL Try again in 3 s\.$/, { retryAfterMs: 2_500 }],
    ['NO_SUCH_USER', /^that was NO_SUCH_USER$/, {}],
    ['BLOCKED', /^that was BLOCKED$/, {}],
  ])('%s refuses the message, and the next one goes', async (code, reason, more) => {
    await connectAs('al');
    server.behave = unless('send', (request, peer) =>
      request.type === 'send' && request.body === '1' ? fail(code, more) : agreeable(request, peer),
    );
    const [one, two] = [client.send('bob', '1'), client.send('bob', '2')];
    await until(() => statesOf(two.id).at(-1) === 'stored');
    const state = told('outgoing').find(({ entry }) => entry.id === one.id)?.entry.state;
    expect(state).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(reason),
      refusal: { code },
    });
  });

  test('a server that has forgotten the login is left, and the message goes on the next connection', async () => {
    await connectAs('al');
    server.behave = unless('send', (request, peer) =>
      server.peers.length === 1 ? fail('NOT_LOGGED_IN') : agreeable(request, peer),
    );
    const entry = client.send('bob', 'hi');
    await until(() => statesOf(entry.id).at(-1) === 'stored');
    expect(server.peers).toHaveLength(2);
  });

  test('a message that the server stumbles over each time does not stand in the way for ever', async () => {
    await connectAs('al');
    server.behave = unless('send', (request, peer) =>
      request.type === 'send' && request.body === '1' ? fail('INTERNAL') : agreeable(request, peer),
    );
    const [one, two] = [client.send('bob', '1'), client.send('bob', '2')];
    await until(() => statesOf(two.id).at(-1) === 'stored');
    expect(statesOf(one.id).at(-1)).toBe('unsure');
    expect(server.asked('send').filter(({ body }) => body === '1').length).toBeGreaterThan(2);
    expect(told('held').filter(({ again }) => !again)).toHaveLength(1);
  });

  test('another account never sends what waited for the first', async () => {
    await connectAs('al');
    server.behave = unless('login', () => fail('BAD_CREDENTIALS'));
    server.peer.socket.destroy();
    await until(() => told('login-not-restored').length === 1);
    const entry = client.send('bob', 'from al');
    server.behave = agreeable;
    await client.login('eve', 'secret');
    await client.list('');
    expect(server.asked('send')).toEqual([]);
    expect(statesOf(entry.id)).toEqual(['refused']);
  });

  test('what cannot be sent is not taken', async () => {
    await connect();
    expect(() => client.send('bob', 'hi')).toThrow('Not logged in');
    await client.login('al', 'secret');
    expect(() => client.send('bob', '')).toThrow('empty');
    expect(() => client.send('bob', 'x'.repeat(66_000))).toThrow('too long');
    expect(() => client.send('no one', 'x')).toThrow(ClientError);
    const entry = client.send('bob', 'x'.repeat(65_000));
    await until(() => statesOf(entry.id).at(-1) === 'stored');
  });
});

describe('receiving', () => {
  test('each message once; shown ones are acknowledged together', async () => {
    await connectAs('al');
    server.peer.send(
      messageFrom('bob', 3, 'one'),
      messageFrom('bob', 5, 'two'),
      externalMessage('bob', 6, 'ext'),
    );
    await until(() => server.asked('ack').length === 1);
    expect(shown).toEqual(['one', 'two', 'ext']);
    expect(server.asked('ack')).toEqual([{ type: 'ack', upTo: 6 }]);
  });

  test('a message that comes again is not shown again, but acknowledged again', async () => {
    await connectAs('al');
    server.peer.send(messageFrom('bob', 3, 'one'));
    await until(() => server.asked('ack').length === 1);
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    server.peer.send(
      messageFrom('bob', 3, 'one'),
      messageFrom('bob', 4, 'two'),
      messageFrom('bob', 9, '', 'bob 4'),
    );
    await until(() => server.asked('ack').length === 2);
    expect(shown).toEqual(['one', 'two']);
    expect(server.asked('ack')[1]).toEqual({ type: 'ack', upTo: 9 });
  });

  test('what is not shown is not acknowledged, even when it comes again', async () => {
    makeClient({}, (event) => {
      const later = event.type === 'message' && event.message.body === 'later';
      if (event.type === 'message' && !later) client.shown(event.inbox, event.message);
    });
    client.start();
    await until(() => client.state.link.kind === 'online');
    await client.login('al', 'secret');
    server.peer.send(messageFrom('bob', 1, 'a'), messageFrom('bob', 2, 'later'), messageFrom('bob', 3, 'c'));
    await until(() => server.asked('ack').length === 1);
    expect(server.asked('ack')[0]).toEqual({ type: 'ack', upTo: 1, ranges: [[3, 3]] });
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    server.peer.send(messageFrom('bob', 2, 'later'), messageFrom('bob', 4, 'd'));
    await until(() => server.asked('ack').length === 2);
    expect(server.asked('ack')[1]).toEqual({ type: 'ack', ranges: [[4, 4]] });
    const [, late] = told('message');
    if (late === undefined) throw new Error('no message');
    client.shown(late.inbox, late.message);
    await until(() => server.asked('ack').length === 3);
    expect(server.asked('ack')[2]).toEqual({ type: 'ack', upTo: 2 });
    expect(told('message').map(({ message }) => message.body)).toEqual(['a', 'later', 'c', 'd']);
  });

  test('retrieve shows what did not come by itself', async () => {
    await connectAs('al');
    server.peer.send(messageFrom('bob', 1, 'one'));
    await until(() => shown.length === 1);
    server.behave = unless('retrieve', () => {
      const page = [messageFrom('bob', 1, 'one'), messageFrom('bob', 2, 'two')];
      const messages = page.flatMap((frame) => (frame.type === 'message' ? [frame] : []));
      return { type: 'retrieved', messages, more: true };
    });
    expect(await client.retrieve()).toMatchObject({ messages: [{ body: 'two' }], more: true });
    expect(shown).toEqual(['one', 'two']);
    await until(() => server.asked('ack').at(-1)?.upTo === 2);
  });

  test('a refused acknowledgement takes no other request for its own', async () => {
    await connectAs('al');
    server.behave = (request, peer) => {
      if (request.type !== 'ack') return request.type === 'list' ? null : agreeable(request, peer);
      peer.send({ ...fail('BAD_REQUEST'), request: 0x90 } as ServerFrame);
      return { type: 'listed', names: ['bob'], more: false };
    };
    const list = client.list('');
    server.peer.send(messageFrom('bob', 1, 'one'));
    expect((await list).names).toEqual(['bob']);
    expect(told('server-text')).toEqual([{ type: 'server-text', text: 'that was BAD_REQUEST' }]);
  });
});
