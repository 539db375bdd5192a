/** Going on with the login that an earlier process had. */
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../src/client/identity.ts';
import { hex } from '../../src/client/seen.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import {
  client,
  clientForEachTest,
  connect,
  fail,
  makeClient,
  restart,
  server,
  told,
  until,
} from './harness.ts';
import { agreeable, type Behaviour, idOf, tokenOf, WELCOME } from './test-server.ts';

clientForEachTest();

const ALICE: Identity = {
  name: 'alice',
  incarnation: hex(idOf('incarnation of alice')),
  inbox: hex(idOf('inbox of alice')),
  isOpen: false,
  token: tokenOf('alice'),
};

/** A server that lets a token ask, and answers logins so. */
function asking(login: Behaviour = agreeable): Behaviour {
  const welcome = { ...WELCOME, features: ['resume', 'resume-asks'] } as ServerFrame;
  return (request, peer) => {
    if (request.type === 'hello') return welcome;
    return request.type === 'login' ? login(request, peer) : agreeable(request, peer);
  };
}

/** What is kept, as the client says it. */
function kept() {
  const files = new Map<string, Uint8Array>();
  const keep = ({ name, token }: Identity) => void (token !== null && files.set(name, token));
  const forget = (name: string) => void files.delete(name);
  return { files, logins: { keep, forget } };
}

describe('a login of an earlier process', () => {
  test('is gone on with by its token, which asks first, and is told as a login', async () => {
    server.behave = asking();
    const { files, logins } = kept();
    await connect({ logins });
    client.resume(ALICE);
    await until(() => client.state.account === 'alice');
    expect(server.asked('login')).toEqual([
      { type: 'login', username: 'alice', token: ALICE.token, takeover: false, deliver: 'all' },
    ]);
    expect(told('logged-in')).toEqual([{ type: 'logged-in', name: 'alice', undelivered: 0, isNew: false }]);
    expect(told('login-restored')).toEqual([]);
    expect(files.get('alice')).toEqual(tokenOf('alice'));
    // After a lost connection it is its own, and takes the account back from the dead one.
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    expect(server.asked('login').at(-1)).not.toHaveProperty('takeover');
  });

  test('waits for a connection, and what is written meanwhile goes out behind it', async () => {
    const { port } = server;
    await server.close();
    makeClient();
    client.start();
    client.resume(ALICE);
    expect(client.state).toMatchObject({ account: null, wanted: 'alice' });
    client.send('bob', 'written offline');
    await restart();
    server.behave = asking();
    expect(server.port).toBe(port);
    await until(() => server.asked('send').length === 1);
    expect(server.requests.map(({ type }) => type).slice(0, 2)).toEqual(['login', 'send']);
  });

  test('of which another program has the account puts nobody out, until that is said', async () => {
    const held: Behaviour = (request, peer) =>
      request.type === 'login' && request.takeover === false
        ? fail('ALREADY_LOGGED_IN')
        : agreeable(request, peer);
    server.behave = asking(held);
    const { files, logins } = kept();
    logins.keep(ALICE);
    await connect({ logins });
    client.resume(ALICE);
    await until(() => told('login-not-restored').length === 1);
    expect(told('login-not-restored')[0]).toMatchObject({ code: 'ALREADY_LOGGED_IN', retryInMs: null });
    expect(client.state).toMatchObject({ account: null, wanted: null });
    expect(files.has('alice')).toBe(true);
    client.resume(ALICE, true);
    await until(() => client.state.account === 'alice');
  });

  test('takes the account over also where that was said before there was a connection', async () => {
    await server.close();
    makeClient();
    client.start();
    client.resume(ALICE, true);
    await restart();
    server.behave = asking();
    await until(() => client.state.account === 'alice');
    expect(server.asked('login')).toHaveLength(1);
    expect(server.asked('login')[0]).not.toHaveProperty('takeover', false);
  });

  test('that is not good any more is forgotten', async () => {
    server.behave = asking(() => fail('BAD_CREDENTIALS'));
    const { files, logins } = kept();
    logins.keep(ALICE);
    await connect({ logins });
    client.resume(ALICE);
    await until(() => told('login-not-restored').length === 1);
    expect(told('login-not-restored')[0]).toMatchObject({ code: 'BAD_CREDENTIALS', retryInMs: null });
    expect(files.size).toBe(0);
  });

  test('is tried again where the refusal says nothing about it', async () => {
    let count = 0;
    server.behave = asking((request, peer) => (count++ < 2 ? fail('BUSY') : agreeable(request, peer)));
    await connect();
    client.resume(ALICE);
    await until(() => client.state.account === 'alice');
    expect(told('login-not-restored')).toHaveLength(2);
    expect(server.asked('login').every(({ takeover }) => takeover === false)).toBe(true);
  });

  test('is not tried where the server would put out whoever is logged in', async () => {
    await connect();
    client.resume(ALICE);
    await until(() => told('login-not-restored').length === 1);
    expect(told('login-not-restored')[0]).toMatchObject({ code: null, retryInMs: null });
    expect(server.asked('login')).toEqual([]);
  });
});

test('a new token is kept, and none behind a logout or a deletion', async () => {
  const { files, logins } = kept();
  await connect({ logins });
  await client.login('alice', 'secret');
  expect(files.get('alice')).toEqual(tokenOf('alice'));
  await client.changePassword('secret', 'another');
  expect(files.get('alice')).toEqual(tokenOf('another'));
  await client.logout();
  expect(files.size).toBe(0);
  await client.login('alice', 'another');
  expect(files.size).toBe(1);
  await client.delete('another');
  expect(files.size).toBe(0);
});
