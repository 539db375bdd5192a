/* A login that is not answered, and one that cannot be: it ends, and says what may have become of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type Milena } from '../../src/client/index.ts';
import { fail, failure, QUICK, unless, until } from './harness.ts';
import { agreeable, TestServer } from './test-server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await TestServer.listen();
});
afterEach(() => server.close());

function alice(options: Partial<ConnectOptions> = {}): Promise<Milena> {
  return connect({
    server: `127.0.0.1:${server.port}`,
    user: 'alice',
    password: 'secret',
    times: { ...QUICK, requestTimeoutMs: 30_000, deadAfterMs: 30_000 },
    ...options,
  });
}

const silent = () => unless('login', () => null);

describe('a signal', () => {
  test.each(['login', 'create'] as const)(
    'ends a %s that is not answered, at once, and says that it may have been carried out',
    async (request) => {
      server.behave = unless(request, () => null);
      const stop = new AbortController();
      const ended = failure(alice({ signal: stop.signal, create: request === 'create' }));
      await until(() => server.asked(request).length === 1);
      stop.abort(new Error('enough'));
      expect(await ended).toMatchObject({ code: 'ABORTED', nothingSent: false, message: /enough/ });
      await until(() => server.peer.socket.destroyed || server.peer.socket.readableEnded);
    },
  );

  test('in the moment of the answer leaves no half of a login behind', async () => {
    const stop = new AbortController();
    server.behave = silent();
    const ended = failure(
      alice({
        signal: stop.signal,
        onEvent: ({ type }) => {
          if (type === 'logged-in') stop.abort();
        },
      }),
    );
    await until(() => server.asked('login').length === 1);
    server.behave = agreeable;
    const [login] = server.asked('login');
    if (login !== undefined) server.peer.send(agreeable(login, server.peer) as never);
    expect(await ended).toMatchObject({ code: 'ABORTED', nothingSent: false });
  });

  test('ends the wait for a password, of which the server has heard nothing', async () => {
    const stop = new AbortController();
    const asked = Promise.withResolvers<void>();
    const password = () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    };
    const ended = failure(alice({ signal: stop.signal, password }));
    await asked.promise;
    stop.abort();
    expect(await ended).toMatchObject({ code: 'ABORTED', nothingSent: true });
    expect(server.asked('login')).toEqual([]);
  });
});

describe('a server that closes at each login', () => {
  const closing = () => {
    server.behave = unless('login', (_, peer) => {
      peer.socket.destroy();
      return null;
    });
  };

  test('is tried once, not for ever', async () => {
    closing();
    expect(await failure(alice())).toMatchObject({ code: 'DISCONNECTED' });
    expect(server.asked('login')).toHaveLength(1);
  });

  test('is tried for as long as was asked for, where that was', async () => {
    closing();
    const ended = failure(alice({ waitForServer: true, loginTimeoutMs: 300 }));
    expect(await ended).toMatchObject({ code: 'DISCONNECTED' });
    expect(server.asked('login').length).toBeGreaterThan(1);
  });
});

test('a server that wants to be left alone for weeks is not asked without a pause', async () => {
  server.behave = unless('login', () => ({ ...fail('BUSY'), retryAfterMs: 4_294_967_295 }) as never);
  expect(await failure(alice())).toMatchObject({ code: 'REFUSED', refusal: { code: 'BUSY' } });
  expect(server.asked('login')).toHaveLength(1);
});
