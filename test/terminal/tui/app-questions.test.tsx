/** Questions about accounts when things come in between: accounts that are gone, invites, half a password. Version 2. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ProtocolErrorCode } from '../../../src/protocol/errors.ts';
import { fail, unless } from '../../client/harness.ts';
import {
  agreeable,
  type Behaviour,
  idOf,
  messageFrom,
  sessionOf,
  TestServer,
} from '../../client/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

function open(options: ScreenOptions = {}): void {
  screen = new TestScreen(server.port, options);
}

/** A server that was wiped: without accounts, and a login is as wrong as anywhere. */
const EMPTY: Behaviour = (request, peer) => {
  if (request.type === 'create') {
    return { ...sessionOf('created', request.username), incarnation: idOf('after the flood') };
  }
  if (request.type === 'list') return { type: 'listed', names: [], more: false };
  return request.type === 'login' ? fail('BAD_CREDENTIALS') : agreeable(request, peer);
};

beforeEach(async () => {
  server = await TestServer.listen();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

describe('an account that is gone', () => {
  const GONE = /! There is no account alice here \(any more\)\. Type yes to make it/;

  test('is not asked for its password, and made anew after a yes; what was said stays', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'milena-gone-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    open({ directory });
    await screen.logIn();
    server.peer.send(messageFrom('bob', 1, 'before the flood'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}before the flood/);
    await screen.close();
    server.behave = EMPTY;
    open({ directory });
    await screen.shows(GONE, /^ make alice\? › *$/m);
    screen.keys('yes', KEY.enter, 'secret', KEY.enter, 'secret', KEY.enter);
    await screen.shows(/Account alice is made; you are logged in\./);
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}before the flood/);
    expect(server.asked('create')).toMatchObject([{ username: 'alice', password: 'secret' }]);
  });

  test('never sent what waited, and says so; only what went out is not confirmed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'milena-gone-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    server.behave = unless('send', () => null);
    open({ directory });
    await screen.logIn();
    screen.keys('/msg bob', KEY.enter, 'went out', KEY.enter);
    await screen.until(() => expect(server.asked('send')).toHaveLength(1));
    const { port } = server;
    await server.close();
    await screen.shows(/! The connection to .* is lost/);
    screen.keys('stayed here', KEY.enter);
    await screen.shows(/went out +⧖$/m, /stayed here +⧖$/m);
    await screen.close();
    server = await TestServer.listen(port);
    server.behave = EMPTY;
    open({ directory });
    await screen.shows(GONE);
    screen.keys('yes', KEY.enter, 'secret', KEY.enter, 'secret', KEY.enter);
    await screen.shows(/Account alice is made/);
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/went out +\?$/m, /\? not confirmed/, /stayed here +✗$/m, /✗ not sent: the account/);
    expect(server.asked('send')).toEqual([]);
  });

  const NONE_YET = /· {2}There is no account alice yet\./;

  test('is said to be none yet where nothing of it is here; asks for another name after a no', async () => {
    server.behave = EMPTY;
    open({ user: 'alice' });
    await screen.shows(NONE_YET);
    expect(screen.text).not.toMatch(/any more|history on this machine/);
    screen.keys('no', KEY.enter);
    await screen.inputIs(' your name ›');
    expect(screen.text).not.toMatch(/Nothing was done/);
  });

  test('is found out when there is a connection; of half a password nothing is seen', async () => {
    const { port } = server;
    await server.close();
    open({ user: 'alice' });
    await screen.shows(/^ password of alice › *$/m);
    screen.keys('hünt');
    await screen.inputIs(' password of alice › ••••');
    server = await TestServer.listen(port);
    server.behave = EMPTY;
    await screen.shows(NONE_YET, /^ password of alice › *$/m, /this question has ended/);
    screen.keys('er2');
    await screen.inputIs(' password of alice › •••');
    expect(screen.text).not.toContain('make alice?');
    screen.keys(KEY.enter);
    // It was no answer, and what comes next can be read.
    await screen.inputIs(' make alice? ›');
    expect(screen.text).not.toMatch(/Nothing was done/);
    screen.keys('no');
    await screen.inputIs(' make alice? › no');
    screen.keys(KEY.enter);
    await screen.inputIs(' your name ›');
    expect(screen.frames.join('\n')).not.toMatch(/hün|er2/);
  });

  test.each(['/login alice\r', '/login alice\rsecret\r'])(
    'by %j: proposed to be made, or left',
    async (typed) => {
      server.behave = EMPTY;
      open();
      await screen.shows(/● online/);
      screen.keys(KEY.escape);
      await screen.inputIs(' ›');
      screen.keys(typed);
      await screen.shows(NONE_YET, /^ make alice\? › *$/m);
      screen.keys(KEY.escape);
      await screen.shows(/Nothing was done/, /^ › *$/m);
    },
  );

  test('since the connection was lost: said, with the command that makes it', async () => {
    open();
    await screen.logIn();
    server.behave = EMPTY;
    server.peer.socket.destroy();
    await screen.shows(
      /Not logged in again as alice/,
      /There is no account alice here \(any more\)\. \/create alice/,
    );
  });

  test('is no conclusion from a server that cannot say', async () => {
    server.behave = unless('list', () => fail('UNAVAILABLE'));
    open({ user: 'alice' });
    await screen.shows(/● online/);
    await screen.until(() => expect(server.asked('list')).not.toEqual([]));
    screen.keys('secret', KEY.enter);
    await screen.shows(/Logged in as alice/);
    expect(screen.text).not.toMatch(/any more/);
  });
});

describe('a server that makes accounts by invitation', () => {
  const BY_INVITE: Behaviour = (request, peer) =>
    request.type === 'create' && request.invite !== 'right'
      ? fail('REGISTRATION_CLOSED')
      : EMPTY(request, peer);

  beforeEach(() => {
    server.behave = BY_INVITE;
  });

  test('is given the invite of the start', async () => {
    open({ account: { invite: 'right' } });
    await screen.shows(/● online/);
    screen.keys('alice\r', 'yes\r', 'secret\r', 'secret\r');
    await screen.shows(/Account alice is made/);
    expect(server.asked('create')).toEqual([
      { type: 'create', username: 'alice', password: 'secret', invite: 'right' },
    ]);
  });

  test('is asked for, and the password is not asked for again', async () => {
    open({ account: { serverFlags: '--server 127.0.0.1:99' } });
    await screen.shows(/● online/);
    screen.keys('/create alice\rsecret\rsecret\r');
    await screen.shows(
      /! that was REGISTRATION_CLOSED/,
      /If you have an invite/,
      /give it at the start: milena --server 127\.0\.0\.1:99 --invite INVITE/,
      /^ invite › *$/m,
    );
    screen.keys(' right \r');
    await screen.shows(/Account alice is made/);
    expect(server.asked('create')).toMatchObject([
      { password: 'secret' },
      { password: 'secret', invite: 'right' },
    ]);
  });

  test.each([
    ['at the start', 'wrong', ''],
    ['when asked', null, 'wrong\r'],
  ])(
    'that was given %s and does not help is not asked for again, but another one may be',
    async (_, invite, typed) => {
      open({ account: { invite } });
      await screen.shows(/● online/);
      screen.keys(`/create alice\rsecret\rsecret\r${typed}`);
      await screen.shows(/! that was REGISTRATION_CLOSED/, /If you have another invite: \/create alice/);
      await screen.inputIs(' ›');
      expect(server.asked('create').at(-1)).toMatchObject({ invite: 'wrong' });
      screen.keys('/create alice\rsecret\rsecret\r');
      await screen.inputIs(' invite ›');
      screen.keys('right\r');
      await screen.shows(/Account alice is made/);
    },
  );

  test('is left with Escape', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys('/create alice\rsecret\rsecret\r');
    await screen.inputIs(' invite ›');
    screen.keys(KEY.escape);
    await screen.shows(/Nothing was done/, /^ › *$/m);
  });
});

describe('a program that looks for the password', () => {
  const WAITING = /Waiting for the password that sh prints; \/login alice asks you for it instead\./;

  /** One that goes on until the file `end` is there. */
  function looking(): { end: string; pid: () => number } {
    const folder = mkdtempSync(join(tmpdir(), 'milena-looking-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [end, pids] = [join(folder, 'end'), join(folder, 'pid')];
    const script = `echo $$ > ${pids}; until [ -e ${end} ]; do sleep 0.05; done; exit 7`;
    open({ user: 'alice', account: { passwordCommand: ['sh', '-c', script] } });
    return { end, pid: () => Number(readFileSync(pids, 'utf8')) };
  }

  const hasEnded = (pid: number) => screen.until(() => expect(() => process.kill(pid, 0)).toThrow());

  test('is told of, and asks when it finds none', async () => {
    const { end } = looking();
    await screen.shows(WAITING, /^ › *$/m);
    writeFileSync(end, '');
    await screen.shows(/The password command sh: it ended with 7/, /^ password of alice › *$/m);
  });

  test('takes no other question away when it fails late', async () => {
    const { end } = looking();
    await screen.shows(WAITING, /● online/);
    screen.keys('/create bob', KEY.enter);
    await screen.inputIs(' password for bob ›');
    writeFileSync(end, '');
    await screen.shows(/The password command sh: it ended with 7/);
    screen.keys('secret', KEY.enter, 'secret', KEY.enter);
    await screen.shows(/Account bob is made/);
  });

  test('is ended by another login', async () => {
    const { pid } = looking();
    await screen.shows(WAITING, /● online/);
    await screen.until(() => expect(pid()).toBeGreaterThan(0));
    screen.keys('/login alice', KEY.enter);
    await screen.inputIs(' password of alice ›');
    await hasEnded(pid());
    expect(screen.text).not.toMatch(/password command/);
  });

  test('is ended with the chat', async () => {
    const { pid } = looking();
    await screen.shows(WAITING);
    await screen.until(() => expect(pid()).toBeGreaterThan(0));
    await screen.close();
    await hasEnded(pid());
  });
});

describe('a password is never to be seen', () => {
  const PASSWORD = 'hünterstadt';

  async function atCreate(): Promise<void> {
    open();
    await screen.shows(/● online/);
    screen.keys('/create alice', KEY.enter);
    await screen.inputIs(' password for alice ›');
  }

  function isNowhere(): void {
    expect(screen.frames.join('\n')).not.toMatch(/ünt/);
    expect(JSON.stringify(screen.chat.screen)).not.toMatch(/ünt/);
  }

  test('when the two differ: it is asked for again', async () => {
    await atCreate();
    screen.keys(PASSWORD, KEY.enter, 'hünte', KEY.enter);
    await screen.shows(/! The two passwords differ/, /^ password for alice › *$/m);
    screen.keys(PASSWORD, KEY.enter, PASSWORD);
    await screen.inputIs(` the same again › ${'•'.repeat(PASSWORD.length)}`);
    screen.keys(KEY.enter);
    await screen.shows(/Account alice is made/);
    isNowhere();
  });

  test('when it was typed a third time, before the server had refused it as too weak', async () => {
    server.behave = (request, peer) => {
      if (request.type !== 'create') return agreeable(request, peer);
      return null;
    };
    await atCreate();
    screen.keys(PASSWORD, KEY.enter, PASSWORD, KEY.enter);
    await screen.until(() => expect(server.asked('create')).toHaveLength(1));
    screen.keys('hünt');
    server.peer.send(fail('WEAK_PASSWORD'));
    await screen.shows(/! that was WEAK_PASSWORD/);
    await screen.inputIs(' password for alice › ••••');
    screen.keys(KEY.escape);
    await screen.inputIs(' ›');
    isNowhere();
  });

  test.each<ProtocolErrorCode>(['USERNAME_TAKEN', 'UNAVAILABLE', 'RATE_LIMITED'])(
    'when it was typed on until a refusal with %s: the rest goes nowhere',
    async (code) => {
      server.behave = (request, peer) => (request.type === 'create' ? null : agreeable(request, peer));
      await atCreate();
      screen.keys(PASSWORD, KEY.enter, PASSWORD, KEY.enter);
      await screen.until(() => expect(server.asked('create')).toHaveLength(1));
      screen.keys('hü');
      server.peer.send(fail(code));
      await screen.shows(new RegExp(`! that was ${code}`), /this question has ended/);
      screen.keys('nterstadt');
      await screen.shows(/› •••••••••$/m);
      screen.keys(KEY.enter);
      await screen.inputIs(' ›');
      screen.keys('/help?');
      await screen.inputIs(' › /help?');
      isNowhere();
      expect(server.asked('send')).toEqual([]);
    },
  );

  test('whatever comes in between: another size, a lost connection, Escape, the end', async () => {
    await atCreate();
    screen.keys('hünt');
    screen.resize(56, 12);
    await screen.inputIs(' password for alice › ••••');
    server.peer.socket.destroy();
    await screen.shows(/Connected again/);
    await screen.inputIs(' password for alice › ••••');
    screen.resize(100, 30);
    screen.keys('erstadt', KEY.enter, 'hünt');
    await screen.inputIs(' the same again › ••••');
    screen.keys(KEY.ctrl('b'), KEY.alt('a'), KEY.tab, KEY.up, KEY.ctrl('w'), KEY.ctrl('y'), '\u001f');
    await screen.until(() => expect(screen.input).toMatch(/the same again › /));
    screen.keys(KEY.escape);
    await screen.shows(/Nothing was done/, /^ › *$/m);
    screen.keys(KEY.ctrl('y'), '\u001f', 'x');
    await screen.inputIs(' › x');
    screen.keys(KEY.ctrl('u'), '/create bob', KEY.enter, 'hünt', KEY.ctrl('c'));
    await screen.until(() => expect(screen.quits).toBe(1));
    // What is being typed at this moment stands in the state, and in no frame.
    expect(screen.frames.join('\n')).not.toMatch(/ünt/);
  });

  test('an empty new one is asked for again, too', async () => {
    open();
    await screen.logIn();
    screen.keys('/passwd\rsecret\r\r');
    await screen.shows(/! A password cannot be empty/, /^ new password › *$/m);
    screen.keys('better\rbetter\r');
    await screen.shows(/The password is changed/);
  });
});
