import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect, type Milena } from '../../src/client/index.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { fail, QUICK, until } from './harness.ts';
import { agreeable, TestServer } from './test-server.ts';

let server: TestServer;
let me: Milena | undefined;

beforeEach(async () => {
  server = await TestServer.listen();
});
afterEach(async () => {
  await me?.close();
  await server.close();
});

test('a login again that has no answer is tried on another connection: on its own it may be carried out', async () => {
  const { behave } = server;
  let isSlow = false;
  let late: Request | undefined;
  let isCarriedOut = false;
  server.behave = (request, peer) => {
    if (request.type !== 'login' || !isSlow || server.peers.length > 2) return behave(request, peer);
    if (late === undefined) {
      late = request;
      return null;
    }
    // Carried out later than anybody waits; whoever asks once more there is logged in already.
    const answer = isCarriedOut ? null : agreeable(late, peer);
    isCarriedOut = true;
    if (answer !== null) peer.send(answer);
    return fail('ALREADY_LOGGED_IN');
  };
  me = await connect({
    server: `127.0.0.1:${server.port}`,
    user: 'alice',
    password: 'secret',
    times: { ...QUICK, requestTimeoutMs: 500, relogin: { firstMs: 20, maxMs: 40, tries: 9 } },
  });
  let end: unknown = 'none';
  void me.closed.then((error) => {
    end = error;
  });
  isSlow = true;
  server.peer.socket.destroy();
  await until(() => (server.peers.length > 2 && me?.state.account === 'alice') || end !== 'none');
  expect(end).toBe('none');
  expect(server.peers).toHaveLength(3);
});
