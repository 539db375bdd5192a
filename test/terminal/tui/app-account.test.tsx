/** Who one is: the first start, passwords, being logged in elsewhere, leaving. Version 2. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import { unless } from '../../client/harness.ts';
import { agreeable, messageFrom, sessionOf, TestServer } from '../../client/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

const REPLACED: ServerFrame = {
  type: 'goodbye',
  code: 'REPLACED',
  reason: 'Somebody logged in to this account elsewhere.',
};

function open(options: ScreenOptions = {}): void {
  screen = new TestScreen(server.port, options);
}

async function openLoggedIn(options: ScreenOptions = {}): Promise<void> {
  open(options);
  await screen.logIn();
}

/** A server without accounts. */
const EMPTY = unless('list', () => ({ type: 'listed', names: [], more: false }));

function fail(
  code: 'REGISTRATION_CLOSED' | 'ALREADY_LOGGED_IN' | 'HAS_UNDELIVERED' | 'BAD_CREDENTIALS' | 'WEAK_PASSWORD',
): ServerFrame {
  return { type: 'failure', code, message: `It was ${code}.`, undelivered: 3 };
}

beforeEach(async () => {
  server = await TestServer.listen();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

describe('the first start asks for a name', () => {
  beforeEach(() => {
    server.behave = EMPTY;
  });

  test('that nobody has: makes the account after a yes and a password typed twice', async () => {
    open();
    await screen.shows(/Enter a name below/, / your name › *$/m, /● online/);
    screen.keys('alice', KEY.enter);
    await screen.shows(/There is no account alice yet\. Type yes/, /^ make alice\? › *$/m);
    screen.keys('yes', KEY.enter);
    await screen.inputIs(' password for alice ›');
    screen.keys('bluehorse', KEY.enter);
    await screen.inputIs(' the same again ›');
    screen.keys('bluehorse', KEY.enter);
    await screen.shows(/Account alice is made; you are logged in\./, /^ milena · alice .*● online/);
    expect(server.requests).toEqual([
      expect.objectContaining({ type: 'list', pattern: 'alice' }),
      { type: 'create', username: 'alice', password: 'bluehorse' },
    ]);
  });

  test('that is somebody: asks for the password', async () => {
    server.behave = (request, peer) =>
      request.type === 'list' ? { type: 'listed', names: ['alice'], more: false } : agreeable(request, peer);
    open();
    await screen.shows(/● online/);
    screen.keys(' Alice ', KEY.enter);
    await screen.inputIs(' password of alice ›');
    screen.keys('secret', KEY.enter);
    await screen.shows(/Logged in as alice\./);
    expect(server.asked('login')).toEqual([
      { type: 'login', username: 'alice', password: 'secret', deliver: 'all' },
    ]);
  });

  test('again, after a no, after what is no name and after nothing', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys('alice', KEY.enter);
    await screen.shows(/^ make alice\? ›/m);
    screen.keys('no', KEY.enter);
    await screen.inputIs(' your name ›');
    screen.keys('what is this', KEY.enter);
    await screen.shows(/! A username has 1 to 32/, /^ your name › *$/m);
    screen.keys(KEY.enter);
    screen.keys('bo');
    await screen.inputIs(' your name › bo');
    expect(server.asked('create')).toEqual([]);
  });

  test('Escape looks around first, and says what there is to do', async () => {
    open();
    await screen.shows(/● online/, /Enter a name below/);
    screen.keys(KEY.escape);
    await screen.inputIs(' ›');
    await screen.shows(/\/create NAME makes an account, \/login NAME enters one/);
    expect(screen.text).not.toMatch(/Enter a name below/);
    screen.keys('hello?', KEY.enter);
    await screen.shows(/! A username has 1 to 32/);
    await screen.inputIs(' your name ›');
  });

  test('a name that is entered after Escape is one all the same: of the password behind it nothing is seen', async () => {
    server.behave = (request, peer) =>
      request.type === 'list' ? { type: 'listed', names: ['alice'], more: false } : agreeable(request, peer);
    open();
    await screen.shows(/● online/);
    screen.keys(KEY.escape);
    await screen.inputIs(' ›');
    screen.keys('alice', KEY.enter, 'purple otter', KEY.enter);
    await screen.shows(/Logged in as alice\./);
    expect(server.asked('login')).toMatchObject([{ username: 'alice', password: 'purple otter' }]);
    expect(screen.frames.join('\n')).not.toContain('purple');
  });

  test('a command is none', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys('/help', KEY.enter);
    await screen.shows(/What you can type/, /^ › *$/m);
  });

  test('while the server cannot be reached: said, and asked again', async () => {
    await server.close();
    open();
    await screen.shows(/cannot reach 127\.0\.0\.1:\d+/, /! No connection to/, /^ your name ›/m);
    screen.keys('alice', KEY.enter);
    await screen.shows(/! Not connected to the server/, /^ your name › *$/m);
    server = await TestServer.listen(server.port);
    server.behave = EMPTY;
    await screen.shows(/● online/, /Enter a name below/);
    screen.keys('alice', KEY.enter);
    await screen.shows(/^ make alice\? ›/m);
  });
});

describe('passwords', () => {
  test('are dots while they are typed, and nowhere afterwards', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys(KEY.escape);
    await screen.inputIs(' ›');
    screen.keys('/login alice', KEY.enter, 'hünter2!', KEY.backspace);
    await screen.inputIs(' password of alice › •••••••');
    screen.keys(KEY.enter);
    await screen.shows(/Logged in as alice\./);
    expect(server.asked('login')).toMatchObject([{ username: 'alice', password: 'hünter2' }]);
    screen.keys(KEY.up);
    await screen.inputIs(' › /login alice');
    screen.keys(KEY.up, '\u001f', '\u001f', KEY.ctrl('y'));
    expect(JSON.stringify(screen.chat.screen)).not.toMatch(/ünter/);
    expect(screen.frames.join('\n')).not.toMatch(/ünter/);
  });

  test('that were cut or left are nowhere either', async () => {
    await openLoggedIn();
    screen.keys('/passwd', KEY.enter, 'hünter2', KEY.ctrl('u'), KEY.escape);
    await screen.shows(/Nothing was done\./);
    screen.keys(KEY.ctrl('y'), '\u001f', KEY.up, 'x');
    await screen.inputIs(' › /passwdx');
    expect(JSON.stringify(screen.chat.screen)).not.toMatch(/ünter/);
    expect(screen.frames.join('\n')).not.toMatch(/ünter/);
  });

  test('pasted with the line break behind them, they are without it', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys('/login alice', KEY.enter);
    screen.paste('hunter2\r\n');
    await screen.inputIs(' password of alice › •••••••');
    screen.keys(KEY.altEnter, KEY.enter);
    await screen.shows(/Logged in as alice/);
    expect(server.asked('login')).toMatchObject([{ password: 'hunter2' }]);
  });

  test.each([['/login alice hunter2'], ['/create alice hunter2'], ['/passwd hunter2'], [' /LOGIN alice x']])(
    'typed where others ask for them, as in %s, are neither used nor kept',
    async (line) => {
      open();
      await screen.shows(/● online/);
      screen.keys(line, KEY.enter);
      await screen.shows(/! No password on this line/);
      screen.keys(KEY.up, 'x');
      await screen.inputIs(' › x');
      expect(server.requests).toEqual([]);
    },
  );

  test('create asks twice, also for one who types ahead; nothing lands in a message', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys('/create alice\rbluehorse\rbluehrose\rblue');
    await screen.shows(/! The two passwords differ/);
    await screen.inputIs(' password for alice › ••••');
    expect(server.requests).toEqual([]);
    screen.keys('horse\rbluehorse\r');
    await screen.shows(/Account alice is made; you are logged in\./);
    expect(server.requests).toEqual([{ type: 'create', username: 'alice', password: 'bluehorse' }]);
  });

  test('too weak a one is told, and asked for again', async () => {
    server.behave = (request, peer) =>
      request.type === 'create' && request.password !== 'longer'
        ? fail('WEAK_PASSWORD')
        : agreeable(request, peer);
    open();
    await screen.shows(/● online/);
    screen.keys('/create alice\ra\ra\r');
    await screen.shows(/! It was WEAK_PASSWORD/, /^ password for alice › *$/m);
    screen.keys('longer\rlonger\r');
    await screen.shows(/Account alice is made/);
  });

  test('none makes an open account; Escape leaves', async () => {
    open();
    await screen.shows(/● online/);
    screen.keys('/create alice', KEY.enter, KEY.escape);
    await screen.shows(/Nothing was done\./);
    screen.keys('/create alice', KEY.enter, KEY.enter);
    await screen.shows(/Account alice is made/);
    expect(server.requests).toEqual([{ type: 'create', username: 'alice' }]);
  });

  test('are changed after the old one and twice the new one', async () => {
    await openLoggedIn();
    screen.keys('/passwd\rsecret\rbetter\rbetter\r');
    await screen.shows(/The password is changed\./);
    expect(server.asked('password')).toEqual([{ type: 'password', old: 'secret', new: 'better' }]);
  });
});

describe('a login', () => {
  test('that is refused: said, and asked again until it is right or left', async () => {
    server.behave = (request, peer) =>
      request.type === 'login' && request.password !== 'secret'
        ? fail('BAD_CREDENTIALS')
        : agreeable(request, peer);
    open({ user: 'alice' });
    await screen.shows(/● online/, /^ password of alice › *$/m);
    screen.keys('wrong', KEY.enter);
    await screen.shows(/! It was BAD_CREDENTIALS/, /^ password of alice › *$/m);
    screen.keys(KEY.escape);
    await screen.shows(/Nothing was done/, /^ › *$/m);
    screen.keys('/login alice\rwrong\r');
    await screen.shows(/BAD_CREDENTIALS[\s\S]*BAD_CREDENTIALS/, /^ password of alice › *$/m);
    screen.keys('secret', KEY.enter);
    await screen.shows(/Logged in as alice/);
  });

  test('without a connection: said, and asked again', async () => {
    const { port } = server;
    await server.close();
    open({ user: 'alice', client: { requestTimeoutMs: 100 } });
    await screen.shows(/^ password of alice › *$/m);
    screen.keys('secret', KEY.enter);
    await screen.shows(/! Not connected to the server/, /^ password of alice › *$/m);
    server = await TestServer.listen(port);
    await screen.shows(/● online/);
    screen.keys('secret', KEY.enter);
    await screen.shows(/Logged in as alice/);
  });

  test('without an answer: told, with the question what next, and not given again', async () => {
    server.behave = (request, peer) => (request.type === 'login' ? null : agreeable(request, peer));
    open({ client: { requestTimeoutMs: 200 } });
    await screen.shows(/● online/);
    screen.keys('/login alice\rsecret\r');
    await screen.shows(/logins wait their turn/, /! No answer within 0.2 s.*/, /What next\?/, /^ › *$/m);
    expect(server.asked('login')).toHaveLength(1);
    server.peer.send(sessionOf('logged-in', 'alice'));
    await screen.shows(/^ milena · alice .*● online/);
  });

  test('to an account that is logged in elsewhere: only a yes takes over', async () => {
    server.behave = (request, peer) =>
      request.type === 'login' && !request.takeover ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer);
    open();
    await screen.shows(/● online/);
    screen.keys('/login alice', KEY.enter, 'secret', KEY.enter);
    await screen.shows(/! alice is logged in elsewhere\. Type yes to take over/, /^ take over\? ›/m);
    screen.keys('no', KEY.enter);
    await screen.shows(/Nothing was done/, /not logged in/);
    expect(server.asked('login')).toHaveLength(1);
    screen.keys('/login alice\rsecret\r');
    await screen.shows(/^ take over\? ›/m);
    screen.keys('yes', KEY.enter);
    await screen.shows(/^ milena · alice .*● online/);
    expect(server.asked('login').at(-1)).toMatchObject({ password: 'secret', takeover: true });
  });

  test('what is typed while the server is asked is written afterwards', async () => {
    await openLoggedIn();
    screen.keys('/logout', KEY.enter);
    await screen.shows(/Logged out/, /not logged in .*● online/);
    screen.keys('/login alice', KEY.enter, 'secret', KEY.enter, 'half a tho');
    await screen.shows(/^ milena · alice /);
    await screen.inputIs(' › half a tho');
  });

  test('after a password that was refused it may be another one, and is never shown', async () => {
    await openLoggedIn();
    screen.keys('/logout', KEY.enter);
    await screen.shows(/Logged out/, /not logged in .*● online/);
    server.behave = (request, peer) =>
      request.type === 'login' ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer);
    screen.keys('/login alice', KEY.enter, 'secret', KEY.enter, 'hünter2');
    await screen.shows(/this question has ended/);
    screen.keys(KEY.enter);
    await screen.shows(/^ take over\? › *$/m);
    screen.keys(KEY.escape);
    await screen.inputIs(' ›');
    expect(screen.frames.join('\n')).not.toContain('hünter');
  });

  test('a connection that is lost in the middle of a password takes no part of it into a message', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/^ bob ›/m);
    screen.keys('/passwd', KEY.enter);
    await screen.shows(/^ old password ›/m);
    screen.keys('pw-be');
    server.peer.send(REPLACED);
    await screen.shows(/has ended: nothing will be done/);
    screen.keys('ta-1234', KEY.enter);
    await screen.shows(/^ › *$|^ bob › *$/m);
    expect(screen.frames.join('\n')).not.toContain('1234');
    expect(server.asked('send')).toEqual([]);
  });
});

describe('an account that somebody took over', () => {
  test('is told, and taken back with Alt+R and the password', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter, 'half a tho');
    server.peer.send(REPLACED);
    await screen.shows(
      /! Somebody logged in to this account elsewhere\. You are logged out here\. \/login alice takes it back/,
      /not logged in .*● online/,
    );
    expect(server.asked('login')).toHaveLength(1);
    screen.keys(KEY.alt('r'));
    await screen.inputIs(' password of alice ›');
    screen.keys('secret', KEY.enter);
    await screen.shows(/^ milena · alice .*● online/);
    expect(server.asked('login').at(-1)).toMatchObject({ password: 'secret', takeover: true });
    await screen.inputIs(' bob › half a tho');
    // Nothing is left to take back.
    screen.keys(KEY.alt('r'), '!');
    await screen.inputIs(' bob › half a tho!');
  });

  test('what was written stays with it when somebody else logs in', async () => {
    await openLoggedIn();
    server.peer.send(messageFrom('bob', 1, 'for alice'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}for alice/);
    screen.keys('only alice may say this');
    server.peer.send(REPLACED);
    await screen.shows(/not logged in .*● online/);
    screen.keys(KEY.ctrl('u'), '/login carol', KEY.enter, 'x', KEY.enter);
    await screen.shows(/^ milena · carol .*● online/);
    expect(screen.text).not.toMatch(/for alice|only alice/);
    screen.keys('/msg bob', KEY.enter);
    await screen.inputIs(' bob ›');
    expect(screen.chat.screen.input.text).toBe('');
  });
});

describe('deleting', () => {
  test('takes a yes, the password, and another yes for what nobody would read', async () => {
    await openLoggedIn();
    server.behave = (request, peer) => {
      if (request.type !== 'delete') return agreeable(request, peer);
      return request.force ? { type: 'deleted', undelivered: 3 } : fail('HAS_UNDELIVERED');
    };
    screen.keys('/delete', KEY.enter, 'no', KEY.enter);
    await screen.shows(/Delete the account alice\?/, /alice is kept/);
    screen.keys('/delete\ryes\rsecret\r');
    await screen.shows(/! alice holds 3 undelivered messages/, /^ delete alice and 3 undel/m);
    screen.keys('no', KEY.enter);
    await screen.shows(/alice is kept[\s\S]*alice is kept/);
    screen.keys('/delete\ryes\rsecret\r');
    await screen.shows(/^ delete alice and 3 undel/m);
    screen.keys('yes', KEY.enter);
    await screen.shows(/The account alice is deleted\. Nobody will read 3/, /not logged in/);
    expect(server.asked('delete').at(-1)).toEqual({ type: 'delete', password: 'secret', force: true });
    expect(server.asked('delete')).toHaveLength(3);
  });

  test('a question stays when the account it is about is gone, and does nothing', async () => {
    await openLoggedIn();
    screen.keys('/delete', KEY.enter);
    await screen.shows(/^ delete alice\? ›/m);
    server.peer.send(REPLACED);
    await screen.shows(/has ended: nothing will be done/, /^ delete alice\? ›/m);
    screen.keys('yes', KEY.enter);
    await screen.shows(/alice is kept/, /^ › *$/m);
    expect(server.asked('delete')).toEqual([]);
  });
});

test('Ctrl+C and /quit leave; Ctrl+D only on an empty line, and before that a question', async () => {
  await openLoggedIn();
  screen.keys('ab', KEY.ctrl('a'), KEY.ctrl('d'));
  await screen.inputIs(' › b');
  expect(screen.quits).toBe(0);
  screen.keys(KEY.ctrl('d'), '/passwd', KEY.enter);
  await screen.inputIs(' old password ›');
  screen.keys(KEY.ctrl('d'));
  await screen.shows(/Nothing was done/);
  expect(screen.quits).toBe(0);
  screen.keys(KEY.ctrl('d'));
  await screen.until(() => expect(screen.quits).toBe(1));
  screen.keys(KEY.ctrl('c'));
  await screen.until(() => expect(screen.quits).toBe(2));
  screen.keys('/quit', KEY.enter);
  await screen.until(() => expect(screen.quits).toBe(3));
});
