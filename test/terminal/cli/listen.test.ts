/* `milena listen` and `milena retrieve`: what they print, acknowledge, and outlive; as processes where those are killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hex } from '../../../src/client/seen.ts';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import { KeptLogins } from '../../../src/terminal/kept-logins.ts';
import { fail, unless } from '../../client/harness.ts';
import {
  agreeable,
  externalMessage,
  idOf,
  messageFrom,
  sessionOf,
  TestServer,
  tokenOf,
  WELCOME,
} from '../../client/test-server.ts';
import { CommandHere, endCommands } from './command-here.ts';
import { milena, RunningCommand } from './running-command.ts';
import { messageShape, shaped } from './shapes.ts';

let server: TestServer;
let folder: string;

beforeEach(async () => {
  server = await TestServer.listen();
  folder = mkdtempSync(join(tmpdir(), 'milena-listen-'));
});
afterEach(async () => {
  const ended = endCommands();
  await server.close();
  await ended;
  rmSync(folder, { recursive: true });
});

function settings(): Record<string, string> {
  return {
    MILENA_SERVER: `127.0.0.1:${server.port}`,
    MILENA_USER: 'alice',
    MILENA_PASSWORD: 'secret',
    MILENA_DATA_DIR: join(folder, 'data'),
  };
}

function start(...args: string[]): CommandHere {
  return new CommandHere(args, settings());
}

/** As a process. */
function program(...args: string[]): RunningCommand {
  return new RunningCommand(args, { settings: settings() });
}

/** A command that listens and is logged in. */
async function listening(...args: string[]): Promise<CommandHere> {
  const command = start('listen', ...args);
  await command.printed(/Listening as alice/);
  return command;
}

/** The same as a process. */
async function listeningProgram(...args: string[]): Promise<RunningCommand> {
  const command = program('listen', ...args);
  await command.printed(/Listening as alice/);
  return command;
}

/** The places of all messages that were acknowledged, of those up to `last`. */
function acknowledged(last = 100): number[] {
  const all = new Set<number>();
  for (const { upTo = -1, ranges = [] } of server.asked('ack')) {
    for (const [from, to] of [[0, upTo] as const, ...ranges]) {
      for (let seq = from; seq <= Math.min(to, last); seq++) all.add(seq);
    }
  }
  return [...all].sort((one, other) => one - other);
}

async function waitFor(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

function bodies(command: { stdout: string }): string[] {
  return shaped(messageShape, command.stdout).map(({ body }) => body);
}

const CODE = '  f(x):\n\tif x:\n\n\t\treturn\t1';
const CODE_LINES = /Z bob: {3}f\(x\):\n {4}\tif x:\n {4}\n {4}\t\treturn\t1\n$/;

describe('listen with a login that is kept on this machine', () => {
  /** Listens without a password, where the chat has kept its login. */
  function kept(): RunningCommand {
    const { MILENA_PASSWORD: _, ...others } = settings();
    const directory = join(folder, 'data');
    const keeping = {
      ...{ directory, server: `127.0.0.1:${server.port}`, others: [], device: null, tls: undefined },
      staysLoggedIn: true,
    };
    const alice = {
      name: 'alice',
      incarnation: hex(idOf('incarnation of alice')),
      inbox: hex(idOf('inbox of alice')),
      isOpen: false,
      token: tokenOf('alice'),
    };
    new KeptLogins(keeping, 'all', (problem) => expect.fail(problem)).keep(alice, Date.now() + 3_600_000);
    return new RunningCommand(['listen'], { settings: { ...others, MILENA_STAY_LOGGED_IN: 'true' } });
  }

  test('ends, and says why, when it is good no more in the midst: nobody is asked for a password then', async () => {
    const welcome = { ...WELCOME, features: ['resume', 'resume-asks'] } as ServerFrame;
    const greeting: TestServer['behave'] = (request, peer) =>
      request.type === 'hello' ? welcome : agreeable(request, peer);
    server.behave = greeting;
    const command = kept();
    await command.printed(/Listening as alice/);
    server.behave = (request, peer) =>
      request.type === 'login' ? fail('BAD_CREDENTIALS') : greeting(request, peer);
    server.peer.socket.destroy();
    expect(await command.exited).toBe(77);
    expect(command.stderr).toMatch(/Not logged in again as alice: that was BAD_CREDENTIALS/);
    expect(command.stderr).not.toMatch(/There is no password/);
  });

  test('says why a server that is too old does not take it', async () => {
    const { code, stderr } = await kept().done();
    expect(code).toBe(64);
    expect(stderr).toMatch(/This server is too old to say/);
    expect(stderr).toMatch(/There is no password/);
    expect(stderr).not.toMatch(/not good any more/);
    expect(server.asked('login')).toEqual([]);
  });

  test('may be tried later where there was no answer', async () => {
    const welcome = { ...WELCOME, features: ['resume', 'resume-asks'] } as ServerFrame;
    server.behave = (request) => (request.type === 'hello' ? welcome : null);
    const { code, stderr } = await kept().done();
    expect(code).toBe(75);
    expect(stderr).toMatch(/No answer within/);
    expect(stderr).not.toMatch(/not good any more/);
  });
});

describe('listen', () => {
  test('prints what comes, safe for a terminal, and acknowledges it', async () => {
    const command = await listening();
    server.peer.send(
      messageFrom('bob', 0, 'hi'),
      messageFrom('bob', 1, 'two\nlines \u001b[2J\u202e'),
      externalMessage('bob', 2, 'I am not bob'),
      externalMessage('', 3, 'nobody'),
    );
    await waitFor(() => expect(acknowledged(3)).toEqual([0, 1, 2, 3]));
    const lines = command.stdout.replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '').split('\n');
    expect(lines).toEqual([
      'bob: hi',
      'bob: two',
      '    lines ␛[2J',
      'ext bob: I am not bob',
      'ext (no name): nobody',
      '',
    ]);
  });

  test('keeps the tabs and blanks of a text', async () => {
    const command = await listening();
    server.peer.send(messageFrom('bob', 0, CODE));
    await waitFor(() => expect(acknowledged(0)).toEqual([0]));
    expect(command.stdout).toMatch(CODE_LINES);
  });

  test('prints JSON of which every character comes back', async () => {
    const command = await listening('--json');
    const body = 'two\nlines \u001b[2J\u009b\u202e\u{e0041} ü';
    server.peer.send(messageFrom('bob', 0, body), externalMessage('\u202ebob', 1, 'x'));
    await waitFor(() => expect(command.stdout.split('\n')).toHaveLength(3));
    expect(command.stdout).toMatch(/^[\P{C}\n]*$/u);
    expect(shaped(messageShape, command.stdout)).toMatchObject([
      { to: 'alice', from: 'bob', external: null, seq: 0, body },
      { to: 'alice', from: null, external: '\u202ebob', id: null, seq: 1, body: 'x' },
    ]);
  });

  test('ends in order by a signal: what was printed is acknowledged, and the login ends', async () => {
    const command = await listeningProgram();
    server.peer.send(messageFrom('bob', 0, 'hi'));
    await command.printed(/hi/);
    expect(await command.kill('SIGTERM')).toBe(143);
    expect(acknowledged(0)).toEqual([0]);
    expect(server.requests.at(-1)?.type).toBe('logout');
  });

  test('--once acknowledges the first message and leaves the others', async () => {
    server.behave = (request, peer) => {
      if (request.type !== 'login') return agreeable(request, peer);
      peer.send(
        sessionOf('logged-in', 'alice', 2),
        messageFrom('bob', 5, 'first'),
        messageFrom('bob', 6, 'second'),
      );
      return null;
    };
    const done = await start('listen', '--once', '--json').done();
    expect(done.code).toBe(0);
    expect(bodies(done)).toEqual(['first']);
    expect(acknowledged(5)).toContain(5);
    expect(acknowledged(6)).not.toContain(6);
  });

  test('--from leaves the messages of others unacknowledged', async () => {
    const command = await listening('--from', 'Bob', '--json');
    server.peer.send(
      messageFrom('carol', 0, 'other'),
      messageFrom('bob', 1, 'wanted'),
      externalMessage('bob', 2, 'forged'),
      messageFrom('bob', 3, 'wanted, too'),
    );
    await waitFor(() => expect(acknowledged()).toEqual([1, 3]));
    expect(bodies(command)).toEqual(['wanted', 'wanted, too']);
  });

  test('--from says when the others fill the window', async () => {
    const command = await listening('--from', 'bob');
    server.peer.send(...Array.from({ length: 100 }, (_, seq) => messageFrom('carol', seq, 'x')));
    await command.printed(/100 messages from others wait undelivered/);
  });

  test('acknowledges nothing that a gone reader has not taken, and ends with 0', async () => {
    const command = await listeningProgram();
    server.peer.send(messageFrom('bob', 0, 'taken'));
    await command.printed(/taken/);
    command.child.stdout?.destroy();
    await waitFor(() => {
      // The first write after the reader is gone may still find its end of the pipe.
      if (!server.peer.socket.destroyed) server.peer.send(messageFrom('bob', 1, 'not taken'));
      expect(command.child.exitCode).toBe(0);
    });
    expect(acknowledged(1)).toEqual([0]);
  });

  test('acknowledges nothing that a slow reader has not taken yet', async () => {
    const command = await listeningProgram('--json');
    const { stdout } = command.child;
    stdout?.pause();
    // More than a pipe holds.
    const long = 'x'.repeat(60_000);
    server.peer.send(...Array.from({ length: 10 }, (_, seq) => messageFrom('bob', seq, long)));
    await waitFor(() => expect(acknowledged(9)).toContain(0));
    expect(acknowledged(9)).not.toContain(9);
    stdout?.resume();
    await waitFor(() => expect(acknowledged(9)).toHaveLength(10));
    // What the pipe has taken may not be read here yet.
    await waitFor(() => expect(bodies(command)).toHaveLength(10));
  });

  test('killed between printing and acknowledging prints it once, by the history', async () => {
    const message = messageFrom('bob', 0, 'once');
    const killed = await listeningProgram('--json');
    // The server takes no acknowledgement any more, and the message counts as undelivered.
    server.peer.socket.pause();
    server.peer.send(message);
    await killed.printed(/once/);
    await waitFor(async () => {
      const { stdout } = await milena(['search', 'once', '--json'], { settings: settings() });
      expect(stdout).toContain('once');
    });
    await killed.kill('SIGKILL');
    expect(acknowledged()).toEqual([]);
    const next = await listening('--json');
    server.peer.send(message, messageFrom('bob', 1, 'next'));
    await waitFor(() => expect(acknowledged(1)).toEqual([0, 1]));
    expect(bodies(next)).toEqual(['next']);
  });

  test('killed before a reader had taken a message prints it again', async () => {
    const killed = await listeningProgram('--json');
    killed.child.stdout?.pause();
    // More than a pipe holds, so that the last one surely waits for the reader.
    const messages = Array.from({ length: 10 }, (_, seq) =>
      messageFrom('bob', seq, `${'x'.repeat(60_000)} ${seq}`),
    );
    server.peer.send(...messages);
    await waitFor(() => expect(acknowledged(9)).toContain(0));
    killed.child.kill('SIGKILL');
    killed.child.stdout?.resume();
    await killed.exited;
    const next = await listening('--json');
    server.peer.send(...messages);
    await waitFor(() => expect(acknowledged(9)).toHaveLength(10));
    expect(bodies(next).at(-1)).toMatch(/ 9$/);
    expect(bodies(next).some((body) => body.endsWith(' 0'))).toBe(false);
  });

  test('without a history a message that was not acknowledged is printed again', async () => {
    const message = messageFrom('bob', 0, 'again');
    const killed = await listeningProgram('--json', '--no-history');
    server.peer.socket.pause();
    server.peer.send(message);
    await killed.printed(/again/);
    await killed.kill('SIGKILL');
    const next = await listening('--json', '--no-history');
    server.peer.send(message);
    await next.printed(/again/);
  });

  test('comes back by the token after a lost connection, and says so on standard error', async () => {
    const command = await listening('--json');
    server.peer.send(messageFrom('bob', 0, 'before'));
    await waitFor(() => expect(acknowledged(0)).toEqual([0]));
    server.peer.socket.destroy();
    await command.printed(/is lost: .*Trying again/);
    await command.printed(/Connected again, listening as alice/);
    expect(server.asked('login').at(-1)).toMatchObject({ token: expect.anything() });
    // What was shown before is not shown again.
    server.peer.send(messageFrom('bob', 0, 'before'), messageFrom('bob', 1, 'after'));
    await command.printed(/after/);
    expect(bodies(command)).toEqual(['before', 'after']);
  });

  test('logs in by the password when the token is not taken any more', async () => {
    const command = await listening();
    server.behave = (request, peer) =>
      request.type === 'login' && request.token !== undefined
        ? fail('BAD_CREDENTIALS')
        : agreeable(request, peer);
    server.peer.socket.destroy();
    await command.printed(/Connected again/);
    expect(server.asked('login').at(-1)).toMatchObject({ password: 'secret' });
  });

  test('logs in by the password once there is a connection for it', async () => {
    const command = await listening();
    let refused = 0;
    server.behave = (request, peer) => {
      if (request.type !== 'login') return agreeable(request, peer);
      if (request.token !== undefined) return fail('BAD_CREDENTIALS');
      refused += 1;
      // The connection is lost while it logs in, and again while it waits to try once more.
      if (refused === 2) setTimeout(() => peer.socket.destroy(), 10);
      if (refused === 1) peer.socket.destroy();
      return refused < 3 ? fail('BUSY') : agreeable(request, peer);
    };
    server.peer.socket.destroy();
    await command.printed(/Connected again/);
    expect(server.peer.account).toBe('alice');
    server.peer.send(messageFrom('bob', 0, 'hi'));
    await command.printed(/hi/);
  });

  test('does not fight for an account that somebody else took: 75', async () => {
    const command = await listening();
    server.behave = unless('login', () => fail('ALREADY_LOGGED_IN'));
    server.peer.send({ type: 'goodbye', code: 'REPLACED', reason: 'Somebody logged in elsewhere.' });
    expect(await command.exited).toBe(75);
    expect(command.stderr).toMatch(/Somebody logged in elsewhere\./);
  });

  test.each<[string, ServerFrame, number]>([
    ['a wrong password', fail('BAD_CREDENTIALS'), 77],
    ['an account that is logged in elsewhere', fail('ALREADY_LOGGED_IN'), 75],
  ])('ends at once for %s', async (_what, reply, exit) => {
    server.behave = unless('login', () => reply);
    expect(await start('listen').exited).toBe(exit);
  });

  test.each(['listen', 'send', 'create'])(
    '%s ends by a signal while its login is not answered',
    async (name) => {
      server.behave = unless('login', () => null);
      const plain = server.behave;
      server.behave = (request, peer) => (request.type === 'create' ? null : plain(request, peer));
      const args = { listen: [], send: ['bob', 'hi'], create: ['alice'] }[name] ?? [];
      const command = start(name, ...args);
      await waitFor(() => expect([...server.asked('login'), ...server.asked('create')]).toHaveLength(1));
      expect(await command.kill('SIGTERM')).toBe(143);
    },
  );

  test('waits for its own login, which was lost with its server before the answer', async () => {
    const second = await TestServer.listen();
    onTestFinished(() => second.close());
    server.behave = unless('login', (_, peer) => {
      peer.socket.destroy();
      return null;
    });
    // More refusals than a login without that outlives.
    second.behave = unless('login', (request, peer) =>
      second.asked('login').length < 8 ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer),
    );
    const MILENA_SERVER = `127.0.0.1:${server.port},127.0.0.1:${second.port}`;
    const command = new CommandHere(['listen'], { ...settings(), MILENA_SERVER });
    await command.printed(/Listening as alice/);
    expect(second.asked('login').some(({ takeover }) => takeover === true)).toBe(false);
  });

  test('ends at once if there is no server at first: 69', async () => {
    const { port } = server;
    await server.close();
    const done = await start('listen').done();
    expect(done).toMatchObject({ code: 69, stderr: expect.stringMatching(/nobody listens there/) });
    server = await TestServer.listen(port);
  });

  test('sends again what an earlier command has left in the outbox', async () => {
    server.behave = unless('send', () => null);
    await start('send', 'bob', 'left over', '--timeout', '1').exited;
    server.behave = agreeable;
    server.requests.length = 0;
    await listening();
    await waitFor(() => expect(server.asked('send').map(({ body }) => body)).toEqual(['left over']));
  });
});

describe('retrieve', () => {
  const WAITING = Array.from({ length: 7 }, (_, seq) => messageFrom('bob', seq, `body ${seq}`));

  /** Gives out what waits, at most three a page, until it is acknowledged. */
  function withMail(waiting: readonly ServerFrame[] = WAITING): void {
    server.behave = (request, peer) => {
      if (request.type !== 'retrieve') return agreeable(request, peer);
      const done = new Set(acknowledged());
      const left = waiting.filter((frame) => frame.type === 'message' && !done.has(frame.seq));
      const limit = Math.min(3, request.limit ?? 3);
      const messages = left.slice(0, limit).map((frame) => {
        if (frame.type !== 'message') throw new Error('no message');
        const { type: _, ...message } = frame;
        return message;
      });
      return { type: 'retrieved', messages, more: left.length > limit };
    };
  }

  test('prints all that waited, page by page, and acknowledges it', async () => {
    withMail();
    const done = await start('retrieve', '--json').done();
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(bodies(done)).toEqual(['body 0', 'body 1', 'body 2', 'body 3', 'body 4', 'body 5', 'body 6']);
    expect(acknowledged()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(server.requests.at(-1)?.type).toBe('logout');
    expect(server.asked('login')[0]?.deliver).toBe('live');
  });

  test('--limit leaves the rest', async () => {
    withMail();
    expect(bodies(await start('retrieve', '--json', '--limit', '4').done())).toHaveLength(4);
    expect(acknowledged()).toEqual([0, 1, 2, 3]);
  });

  test('acknowledges what its reader has taken, and no more', async () => {
    withMail();
    const command = program('retrieve');
    command.child.stdout?.destroy();
    expect(await command.exited).toBe(0);
    expect(acknowledged()).toEqual([]);
  });

  test('prints a message once, also if its acknowledgement was lost', async () => {
    withMail();
    await start('retrieve', '--json', '--limit', '4').exited;
    // The server forgot them.
    server.requests.length = 0;
    expect(bodies(await start('retrieve', '--json').done())).toEqual(['body 4', 'body 5', 'body 6']);
    expect(acknowledged()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('keeps the tabs and blanks of a text', async () => {
    withMail([messageFrom('bob', 0, CODE)]);
    const { stdout } = await start('retrieve').done();
    expect(stdout).toMatch(CODE_LINES);
  });

  test('prints nothing if nothing waits', async () => {
    expect(await start('retrieve').done()).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

test('listen says what of a room was not kept', async () => {
  const command = await listening();
  server.peer.send({ type: 'gap', room: '#ops', messages: 1 }, { type: 'gap', room: '#ops', messages: 3 });
  await command.printed(/3 messages/);
  expect(command.stderr).toContain('milena: In #ops one message was not kept until you were there.\n');
  expect(command.stderr).toContain('milena: In #ops 3 messages were not kept until you were there.\n');
  expect(command.stdout).toBe('');
});

test('listen to one room says nothing of others', async () => {
  const command = await listening('--room', '#ops');
  const notice = { type: 'notice', room: '#soup', text: 'more' } as const;
  server.peer.send({ type: 'gap', room: '#soup', messages: 1 }, notice, {
    type: 'gap',
    room: '#ops',
    messages: 3,
  });
  await command.printed(/In #ops 3 messages/);
  expect(command.stderr).not.toContain('#soup');
});

test('search says in which room something was said', async () => {
  const command = await listening();
  const place = { room: '#ops', roomIncarnation: idOf('life of #ops') };
  server.peer.send({ ...messageFrom('bob', 0, 'lunch for all'), ...place } as ServerFrame);
  server.peer.send(messageFrom('bob', 1, 'lunch for you'));
  await command.printed(/for you/);
  const { stdout } = await milena(['search', 'lunch'], { settings: settings() });
  expect(stdout).toMatch(/^\S+ bob: lunch for you\n\S+ #ops bob: lunch for all\n$/);
});
