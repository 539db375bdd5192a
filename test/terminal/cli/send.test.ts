/* `milena send` on a server that does what real ones do rarely; as a process where it is about the process. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ProtocolErrorCode } from '../../../src/protocol/errors.ts';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import { fail, unless } from '../../client/harness.ts';
import { agreeable, sentFor, TestServer, WELCOME } from '../../client/test-server.ts';
import { CommandHere } from './command-here.ts';
import { type CommandOptions, type Done, milena, RunningCommand } from './running-command.ts';
import { sentShape, shaped } from './shapes.ts';

let server: TestServer;
let folder: string;

beforeEach(async () => {
  server = await TestServer.listen();
  folder = mkdtempSync(join(tmpdir(), 'milena-send-'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function settings(more: Record<string, string> = {}): Record<string, string> {
  return {
    MILENA_SERVER: `127.0.0.1:${server.port}`,
    MILENA_USER: 'alice',
    MILENA_PASSWORD: 'secret',
    MILENA_DATA_DIR: join(folder, 'data'),
    ...more,
  };
}

function start(args: readonly string[], more: Record<string, string> = {}): CommandHere {
  return new CommandHere(args, settings(more));
}

function run(args: readonly string[], more: Record<string, string> = {}): Promise<Done> {
  return start(args, more).done();
}

function send(...args: string[]): Promise<Done> {
  return run(['send', ...args]);
}

/** As a process. */
function program(args: readonly string[], options: CommandOptions = {}): Promise<Done> {
  return milena(args, { ...options, settings: settings(options.settings) });
}

/** Bodies of the sends that came in, with the id of each. */
function received(): { body: string; id: string }[] {
  return server.asked('send').map(({ body, id }) => ({ body, id: Buffer.from(id).toString('hex') }));
}

async function waitFor(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

test('sends, logs out, and says nothing', async () => {
  expect(await program(['send', 'bob', 'hi', 'there'])).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(server.requests.map(({ type }) => type)).toEqual(['login', 'send', 'logout']);
  expect(server.asked('login')[0]).toMatchObject({ username: 'alice', password: 'secret', deliver: 'live' });
  expect(server.asked('send')[0]).toMatchObject({ to: 'bob', body: 'hi there' });
});

test('takes the text from standard input', async () => {
  const done = await program(['send', 'bob', '-', '--json'], { input: 'two\nlines\n' });
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(shaped(sentShape, done.stdout)).toEqual([
    expect.objectContaining({ id: received()[0]?.id, to: 'bob', state: 'stored', kept: false, reason: null }),
  ]);
  expect(received()[0]?.body).toBe('two\nlines');
});

describe('what is refused', () => {
  test.each<[ProtocolErrorCode, number]>([
    ['NO_SUCH_USER', 67],
    ['BLOCKED', 77],
    ['MAILBOX_FULL', 75],
    ['TOO_LARGE', 65],
    ['BAD_REQUEST', 70],
  ])('with %s ends with %d and is not kept', async (code, exit) => {
    server.behave = unless('send', () => fail(code));
    const done = await send('bob', 'hi', '--json');
    expect(done).toMatchObject({ code: exit, stderr: `milena: Not sent: that was ${code}\n` });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'refused', kept: false }]);
    server.behave = agreeable;
    await send('bob', 'another');
    expect(received().map(({ body }) => body)).toEqual(['hi', 'another']);
  });

  test('by the login sends nothing: 77', async () => {
    server.behave = unless('login', () => fail('BAD_CREDENTIALS'));
    expect(await send('bob', 'hi')).toMatchObject({
      code: 77,
      stderr: 'milena: Not sent: that was BAD_CREDENTIALS\n',
    });
    expect(received()).toEqual([]);
  });

  test('by a smaller limit than usual is found out before the login: 65', async () => {
    const limits = { ...(WELCOME.type === 'welcome' ? WELCOME.limits : never()), bodyBytes: 10 };
    server.behave = unless('hello', () => ({ ...WELCOME, limits }) as ServerFrame);
    const done = await send('bob', 'eleven byte');
    expect(done).toMatchObject({ code: 65, stderr: expect.stringMatching(/11 bytes, where 10 are allowed/) });
    expect(server.requests).toEqual([]);
  });

  test('for being too much is sent again when the server has room', async () => {
    let tries = 0;
    server.behave = unless('send', (request) => {
      tries += 1;
      if (request.type !== 'send' || tries < 3)
        return fail(tries === 1 ? 'RATE_LIMITED' : 'BUSY', { retryAfterMs: 20 });
      return sentFor(request);
    });
    expect(await send('bob', 'hi')).toMatchObject({ code: 0, stderr: '' });
    expect(new Set(received().map(({ id }) => id)).size).toBe(1);
    expect(received()).toHaveLength(3);
  });

  test('for being too much until the time is over may be sent anew: 75', async () => {
    server.behave = unless('send', () => fail('RATE_LIMITED', { retryAfterMs: 60_000 }));
    const done = await send('bob', 'hi', '--json', '--timeout', '20');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/Not sent: that was RATE_LIMITED/),
    });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'refused', kept: false }]);
    server.behave = agreeable;
    await run(['retrieve']);
    expect(received()).toHaveLength(1);
  });
});

describe('a send without an answer', () => {
  test('ends with 75, stays in the outbox, and goes again with the next login under its id', async () => {
    server.behave = unless('send', () => null);
    const done = await send('bob', 'important', '--json', '--timeout', '1');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/may be stored or not .*stays in the outbox .*would double it/),
    });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'unsure', kept: true }]);
    server.behave = agreeable;
    expect(await run(['retrieve'])).toMatchObject({ code: 0 });
    const [first, again] = received();
    expect(again).toEqual(first);
    await run(['retrieve']);
    expect(received()).toHaveLength(2);
  });

  test('goes before the next one to the same recipient, and after that to any other', async () => {
    server.behave = unless('send', () => null);
    await send('carol', 'other', '--timeout', '1');
    await send('bob', 'first', '--timeout', '1');
    server.requests.length = 0;
    server.behave = agreeable;
    expect(await send('bob', 'second')).toMatchObject({ code: 0, stderr: '' });
    expect(received().map(({ body }) => body)).toEqual(['first', 'second', 'other']);
  });

  test('is not kept without a history, and says so', async () => {
    server.behave = unless('send', () => null);
    const done = await send('bob', 'hi', '--no-history', '--json', '--timeout', '1');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/not kept: sending it again may double it/),
    });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'unsure', kept: false }]);
  });

  test('that Kafka did not answer is tried again, and kept when the time is over', async () => {
    server.behave = unless('send', () => fail('UNAVAILABLE', { retryAfterMs: 20 }));
    const done = await send('bob', 'hi', '--json', '--timeout', '2');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/may be stored or not \(that was UNAVAILABLE/),
    });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ kept: true }]);
    expect(received().length).toBeGreaterThan(1);
    expect(new Set(received().map(({ id }) => id)).size).toBe(1);
  });

  test('that surely is not stored, and cannot be soon, ends at once with 75 and goes with the next login', async () => {
    server.behave = unless('send', () => fail('UNAVAILABLE', { stored: false }));
    const done = await send('bob', 'hi', '--json');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/^milena: Not sent yet: that was UNAVAILABLE\. It stays in the outbox/),
    });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'waiting', kept: true }]);
    expect(received()).toHaveLength(1);
    const lost = await send('bob', 'hi', '--json', '--no-history');
    expect(lost.stderr).toMatch(/^milena: Not sent yet: .* not kept: send it again after that\.$/m);
    expect(shaped(sentShape, lost.stdout)).toMatchObject([{ state: 'refused', kept: false }]);
    server.requests.length = 0;
    server.behave = agreeable;
    expect(await run(['retrieve'])).toMatchObject({ code: 0 });
    expect(received()).toEqual([expect.objectContaining({ body: 'hi' })]);
  });

  test('is said not to have been answered in the whole time, of which the last try had a rest', async () => {
    const second = await TestServer.listen();
    onTestFinished(() => second.close());
    server.behave = second.behave = unless('send', () => null);
    const MILENA_SERVER = `127.0.0.1:${server.port},127.0.0.1:${second.port}`;
    const done = await run(['send', 'bob', 'hi', '--timeout', '1.5'], { MILENA_SERVER });
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/stored or not \(no answer within 1\.5 s\)/),
    });
  });

  test.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ended by %s says what became of it: %d', async (signal, exit) => {
    server.behave = unless('send', () => null);
    const command = new RunningCommand(['send', 'bob', 'hi'], { settings: settings() });
    await waitFor(() => expect(received()).toHaveLength(1));
    expect(await command.kill(signal)).toBe(exit);
    expect(command.stderr).toMatch(/may be stored or not/);
  });

  test('over a connection that is lost goes again over the next one, by the token and under its id', async () => {
    server.behave = unless('send', (request, peer) => {
      if (server.asked('send').length > 1) return agreeable(request, peer);
      peer.socket.destroy();
      return null;
    });
    expect(await send('bob', 'hi')).toMatchObject({ code: 0, stderr: '' });
    const [first, again] = received();
    expect(again).toEqual(first);
    const [byPassword, byToken] = server.asked('login');
    expect(byPassword?.password).toBe('secret');
    expect(byToken).toMatchObject({ token: expect.anything() });
    expect(byToken?.password).toBeUndefined();
  });
});

describe('--wait-delivered', () => {
  function push(frame: ServerFrame): void {
    server.peer.send(frame);
  }

  test.each(['before', 'after'])('ends when the recipient has it, told %s the answer', async (when) => {
    server.behave = unless('send', (request, peer) => {
      if (request.type !== 'send') return null;
      const delivered: ServerFrame = { type: 'delivered', ids: [request.id] };
      peer.send(...(when === 'before' ? [delivered, sentFor(request)] : [sentFor(request), delivered]));
      return null;
    });
    const done = await send('bob', 'hi', '--wait-delivered', '--json');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'delivered', reason: null }]);
  });

  test('ends with 67 if nobody will ever read it', async () => {
    const command = start(['send', 'bob', 'hi', '--wait-delivered', '--json']);
    await waitFor(() => expect(received()).toHaveLength(1));
    const id = server.asked('send')[0]?.id ?? never();
    push({ type: 'delivered', ids: [], undeliverable: [id] });
    expect(await command.exited).toBe(67);
    expect(shaped(sentShape, command.stdout)).toMatchObject([{ state: 'undeliverable' }]);
  });

  test('ends with 75 when the time is over, and says that it is stored', async () => {
    const done = await send('bob', 'hi', '--wait-delivered', '--json', '--timeout', '1');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/^milena: Stored, but not delivered to bob within 1 s/),
    });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'stored', kept: false }]);
  });

  test('asks after a lost connection, and does not send again', async () => {
    const command = start(['send', 'bob', 'hi', '--wait-delivered', '--json']);
    await waitFor(() => expect(received()).toHaveLength(1));
    let asked = 0;
    server.behave = unless('receipts', () => {
      asked += 1;
      return { type: 'fates', fates: [asked < 2 ? 'waiting' : 'delivered'] };
    });
    server.peer.socket.destroy();
    expect(await command.exited).toBe(0);
    expect(shaped(sentShape, command.stdout)).toMatchObject([{ state: 'delivered' }]);
    expect(received()).toHaveLength(1);
    expect(asked).toBe(2);
  });
});

describe('an account that is logged in elsewhere', () => {
  test('is waited for a moment: two commands meet easily', async () => {
    let tries = 0;
    server.behave = unless('login', (request, peer) => {
      tries += 1;
      return tries < 3 ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer);
    });
    expect(await send('bob', 'hi')).toMatchObject({ code: 0, stderr: '' });
  });

  test('is left alone, with the reason: 75', async () => {
    server.behave = unless('login', () => fail('ALREADY_LOGGED_IN'));
    const done = await send('bob', 'hi');
    expect(done).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/alice is logged in elsewhere.*--takeover.*another account for scripts/),
    });
    expect(received()).toEqual([]);
    expect(server.asked('login').some(({ takeover }) => takeover === true)).toBe(false);
  });

  test('by its own login, which was lost with its server before the answer, is waited for', async () => {
    const second = await TestServer.listen();
    onTestFinished(() => second.close());
    server.behave = unless('login', (_, peer) => {
      peer.socket.destroy();
      return null;
    });
    // As long as the lease of the server that died: more refusals than a login without that outlives.
    second.behave = unless('login', (request, peer) =>
      second.asked('login').length < 8 ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer),
    );
    const MILENA_SERVER = `127.0.0.1:${server.port},127.0.0.1:${second.port}`;
    const done = await run(['send', 'bob', 'hi'], { MILENA_SERVER });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(second.asked('send')).toHaveLength(1);
    expect(second.asked('login').some(({ takeover }) => takeover === true)).toBe(false);
  });

  test('is taken over if that was said', async () => {
    expect(await send('bob', 'hi', '--takeover')).toMatchObject({ code: 0 });
    expect(server.asked('login')[0]?.takeover).toBe(true);
  });
});

describe('no connection', () => {
  test('is told at once: 69, nothing was sent, nothing is kept', async () => {
    const { port } = server;
    await server.close();
    const done = await send('bob', 'hi');
    expect(done).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringMatching(
        /^milena: Not sent: No connection to 127\.0\.0\.1:\d+: nobody listens there\.\n/,
      ),
    });
    server = await TestServer.listen(port);
    await run(['retrieve']);
    expect(received()).toEqual([]);
  });

  test.each([['send', 'bob', 'hi'], ['list'], ['status', 'bob']])(
    'to what says nothing: 69, %s',
    async (...args) => {
      server.behave = () => null;
      const done = await run([...args, '--timeout', '1']);
      expect(done).toMatchObject({
        code: 69,
        stderr: expect.stringMatching(/does not answer as a Milena server.*\n.*milena doctor/),
      });
    },
  );

  test('to a server that speaks only version 1: 69', async () => {
    server.refuse = true;
    expect(await send('bob', 'hi')).toMatchObject({ code: 69, stderr: expect.stringMatching(/version 1/) });
  });

  test('to another machine in plain text: 64', async () => {
    const done = await send('bob', 'hi', '--server', '192.0.2.1:8080');
    expect(done).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/another machine.*--tls, or --insecure/),
    });
  });
});

describe('a password', () => {
  test('comes from a file that only its owner reads', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'from the file\nnot this\n', { mode: 0o600 });
    expect(await send('bob', 'hi', '--password-file', file)).toMatchObject({ code: 0 });
    expect(server.asked('login')[0]?.password).toBe('from the file');
    chmodSync(file, 0o644);
    const done = await send('bob', 'hi', '--password-file', file);
    expect(done).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/Everybody on this machine can read .*chmod 600/),
    });
  });

  test.each([
    ['', /first line is empty/],
    ['\nx', /first line is empty/],
    [Buffer.from([0xff]), /not UTF-8/],
  ])('in a file with %j is none: 64', async (content, text) => {
    const file = join(folder, 'password');
    writeFileSync(file, content, { mode: 0o600 });
    const done = await send('bob', 'hi', '--password-file', file);
    expect(done).toMatchObject({ code: 64, stderr: expect.stringMatching(text) });
  });

  test('is asked for nowhere without a terminal: 64', async () => {
    const done = await program(['send', 'bob', 'hi'], { settings: { MILENA_PASSWORD: '' } });
    expect(done).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/no terminal to ask at: use --password-file/),
    });
  });

  test('is composed as the protocol has it', async () => {
    await run(['send', 'bob', 'hi'], { MILENA_PASSWORD: 'u\u0308ber' });
    expect(server.asked('login')[0]?.password).toBe('\u00fcber');
  });
});

test.each<[string[], RegExp]>([
  [[], /A name is missing/],
  [['bob'], /The text is missing/],
  [['not a name', 'hi'], /"not a name" is no username/],
  [['bob', 'hi', '--timeout', 'soon'], /--timeout "soon"/],
])('wrong usage ends with 64: %j', async (args, text) => {
  expect(await send(...args)).toMatchObject({ code: 64, stderr: expect.stringMatching(text) });
});

test('nobody who could send ends with 64', async () => {
  const done = await run(['send', 'bob', 'hi'], { MILENA_USER: '' });
  expect(done).toMatchObject({ code: 64, stderr: expect.stringMatching(/Which account\? Use --user NAME/) });
});

test('a room that the shell has taken for a comment, with all behind it: told what is missing first', async () => {
  const done = await run(['send'], { MILENA_USER: '' });
  expect(done).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/A name is missing.*in quotes: '#ops'/),
  });
});

function never(): never {
  throw new Error('this cannot be');
}
