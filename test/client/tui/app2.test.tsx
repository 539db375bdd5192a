import { render } from 'ink-testing-library';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { App } from '../../../src/client/tui/app.tsx';
import { Chat } from '../../../src/client/tui/chat.ts';
import { Face2 } from '../../../src/client/tui/face2.ts';
import { type Client2Options, DEFAULT_OPTIONS_2 } from '../../../src/client/v2/events.ts';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import {
  agreeable,
  externalMessage,
  messageFrom,
  sentFor,
  sessionOf,
  TestServer2,
} from '../v2/test-server.ts';

let server: TestServer2;
let chat: Chat;
let screen: ReturnType<typeof render>;
let quits: number;

// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with one
const COLOURS = /\u001b\[[\d;]*m/g;

function rows(): string[] {
  return (screen.lastFrame() ?? '').replace(COLOURS, '').split('\n');
}

async function shows(...patterns: RegExp[]): Promise<void> {
  await until(() => patterns.forEach((pattern) => void expect(rows().join('\n')).toMatch(pattern)));
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 });
}

/** Keys as a terminal sends them, one after the other. */
function keys(...pressed: string[]): void {
  for (const key of pressed) screen.stdin.write(key);
}

/** The input line: the last row but one. */
function input(): string | undefined {
  return rows().at(-2);
}

function open(options: Partial<Client2Options> = {}): void {
  const address = { host: '127.0.0.1', port: server.port };
  const quick = { reconnect: { firstMs: 20, maxMs: 100 }, relogin: { firstMs: 20, maxMs: 50, tries: 3 } };
  const all = { ...DEFAULT_OPTIONS_2, ...quick, ...options, address };
  quits = 0;
  chat = new Chat(
    (display) => new Face2(all, display),
    address,
    { columns: 80, rows: 24 },
    () => {
      quits += 1;
    },
  );
  screen = render(<App chat={chat} />);
  Object.defineProperty(screen.stdout, 'columns', { value: 80, configurable: true });
  Object.defineProperty(screen.stdout, 'rows', { value: 24, configurable: true });
  screen.stdout.emit('resize');
  chat.start();
}

async function openLoggedIn(options: Partial<Client2Options> = {}, password = 'secret'): Promise<void> {
  open(options);
  await shows(/Connected to/);
  keys('/login alice', '\r', password, '\r');
  await shows(/milena · alice .*● online/);
}

function fail(code: 'ALREADY_LOGGED_IN' | 'HAS_UNDELIVERED' | 'MAILBOX_FULL' | 'RATE_LIMITED'): ServerFrame {
  return { type: 'failure', code, message: `It was ${code}.`, undelivered: 3, retryAfterMs: 100 };
}

beforeEach(async () => {
  server = await TestServer2.listen();
});

afterEach(async () => {
  screen.unmount();
  await chat.close();
  await server.close();
});

describe('passwords', () => {
  test('are dots while they are typed, and nowhere afterwards', async () => {
    open();
    await shows(/Connected to/);
    keys('/login alice', '\r', 'hünter2!', '\u007f');
    await until(() => expect(input()).toBe('password of alice › •••••••'));
    keys('\r');
    await shows(/· Logged in as alice\./);
    expect(server.asked('login')).toEqual([
      { type: 'login', username: 'alice', password: 'hünter2', deliver: 'all' },
    ]);
    keys('\u001b[A');
    await until(() => expect(input()).toBe('› /login alice'));
    expect(screen.frames.join('\n')).not.toMatch(/hünter|hunter/);
    expect(JSON.stringify(chat.getScreen())).not.toMatch(/hünter/);
  });

  test('typed where others ask for them, they are neither used nor kept', async () => {
    open();
    await shows(/Connected to/);
    keys('/login alice hunter2', '\r');
    await shows(/! No password on this line/);
    keys('\u001b[A', 'x');
    await until(() => expect(input()).toBe('› x'));
    expect(server.requests).toEqual([]);
  });

  test('create asks twice, also for one who types ahead; nothing lands in a message', async () => {
    open();
    await shows(/Connected to/);
    keys('/create alice\rsecret\rsecrte\r');
    await shows(/! The two passwords differ/);
    expect(server.requests).toEqual([]);
    keys('/create alice\rsecret\rsecret\r');
    await shows(/· Account alice is made; you are logged in\./);
    expect(server.requests).toEqual([{ type: 'create', username: 'alice', password: 'secret' }]);
  });

  test('none makes an open account; Escape leaves', async () => {
    open();
    await shows(/Connected to/);
    keys('/create alice', '\r', '\u001b');
    await shows(/· Nothing was done\./);
    keys('/create alice', '\r', '\r');
    await shows(/Account alice is made/);
    expect(server.requests).toEqual([{ type: 'create', username: 'alice' }]);
  });

  test('are changed after the old one and twice the new one', async () => {
    await openLoggedIn();
    keys('/passwd\rsecret\rbetter\rbetter\r');
    await shows(/· The password is changed\./);
    expect(server.asked('password')).toEqual([{ type: 'password', old: 'secret', new: 'better' }]);
  });

  test('what was being written is there again behind the question', async () => {
    await openLoggedIn();
    let elsewhere = true;
    server.behave = (request, peer) =>
      request.type === 'login' && elsewhere ? fail('ALREADY_LOGGED_IN') : agreeable(request, peer);
    keys('/logout', '\r');
    await shows(/Logged out/, /● online/);
    keys('/login alice', '\r', 'secret', '\r', 'half a tho');
    await shows(/! alice is logged in elsewhere\. Type yes to take over/, /^take over\? ›/m);
    elsewhere = false;
    keys('yes', '\r');
    await shows(/milena · alice /, /^› half a tho$/m);
    expect(input()).toMatch(/^› half a tho/);
    expect(server.asked('login').at(-1)).toMatchObject({ password: 'secret', takeover: true });
  });
});

describe('ticks', () => {
  test('on its way, stored, delivered', async () => {
    await openLoggedIn();
    server.behave = (request, peer) => (request.type === 'send' ? null : agreeable(request, peer));
    keys('/msg bob hello', '\r');
    await shows(/\d\d:\d\d me → bob: hello {2}…$/m);
    await until(() => expect(server.asked('send')).toHaveLength(1));
    const [sent] = server.asked('send');
    if (sent === undefined) throw new Error('nothing was sent');
    server.peer.send(sentFor(sent));
    await shows(/me → bob: hello {2}✓$/m);
    server.peer.send({ type: 'delivered', ids: [sent.id] });
    await shows(/me → bob: hello {2}✓✓$/m);
  });

  test('waiting without a connection, and sent by itself with the next one', async () => {
    await openLoggedIn();
    keys('/msg bob', '\r');
    const { port } = server;
    await server.close();
    await shows(/○ offline|◌ connecting/);
    keys('are you there?', '\r');
    await shows(/me → bob: are you there\? {2}⧖$/m, /^bob › *$/m);
    keys('half a tho');
    server = await TestServer2.listen(port);
    await shows(/· Logged in again as alice\./, /me → bob: are you there\? {2}✓$/m, /^bob › half a tho$/m);
  });

  test('refused, with the reason; and nobody is turned to who cannot be written to', async () => {
    await openLoggedIn();
    keys('/msg bob hi', '\r');
    await shows(/hi {2}✓/);
    server.behave = (request, peer) =>
      request.type === 'send' ? fail('MAILBOX_FULL') : agreeable(request, peer);
    keys('/msg carol hi', '\r');
    await shows(/me → carol: hi {2}✗ It was MAILBOX_FULL\. Try again in 1 s\./, /^bob › *$/m);
  });

  test('a server that wants them slower is told, and they go by themselves', async () => {
    await openLoggedIn();
    let refuse = true;
    server.behave = (request, peer) =>
      request.type === 'send' && refuse ? fail('RATE_LIMITED') : agreeable(request, peer);
    keys('/msg bob hi', '\r');
    await shows(/hi {2}⧖$/m, /· It was RATE_LIMITED\. Your messages wait \(⧖\)/);
    refuse = false;
    await shows(/hi {2}✓$/m);
  });

  test('a time-out is told, with the question what next; the message stays', async () => {
    await openLoggedIn({ requestTimeoutMs: 200 });
    server.behave = (request, peer) => (request.type === 'send' ? null : agreeable(request, peer));
    keys('/msg bob hi', '\r');
    await shows(/hi {2}⧖$/m, /! No answer within 0.2 s/, /What next\?/);
    const [sent] = server.asked('send');
    if (sent === undefined) throw new Error('nothing was sent');
    server.peer.send(sentFor(sent));
    await shows(/hi {2}✓$/m);
    expect(server.asked('send')).toHaveLength(1);
  });

  test('leaving with messages that were not sent asks first', async () => {
    await openLoggedIn();
    server.behave = (request, peer) => (request.type === 'send' ? null : agreeable(request, peer));
    keys('/msg bob hi', '\r', '/quit', '\r');
    await shows(/! 1 message is not sent yet and would be lost/);
    expect(quits).toBe(0);
    keys('yes', '\r');
    await until(() => expect(quits).toBe(1));
  });
});

describe('messages', () => {
  test('an external one is marked and never looks like a user', async () => {
    await openLoggedIn();
    server.peer.send(
      messageFrom('bob', 1, 'from bob'),
      externalMessage('bob', 2, 'not from bob'),
      externalMessage('', 3, 'from nobody'),
      externalMessage('bob: hi\n12:00 carol', 4, 'forged'),
    );
    await shows(
      /\d\d:\d\d bob: from bob$/m,
      /\d\d:\d\d ext bob: not from bob$/m,
      /\d\d:\d\d ext \(no name\): from nobody$/m,
      /\d\d:\d\d ext bob: hi 12:00 carol: forged$/m,
    );
    await until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 4 }));
  });

  test('those of another day say which, whatever time a program has written', async () => {
    await openLoggedIn();
    const at = new Date(2020, 1, 29, 13, 5).getTime();
    server.peer.send(
      { ...messageFrom('bob', 1, 'old'), sentAt: at } as ServerFrame,
      { ...externalMessage('cron', 2, 'never'), sentAt: Number.MAX_SAFE_INTEGER } as ServerFrame,
    );
    await shows(/· Sat 29 Feb 2020\n13:05 bob: old\n {6}ext cron: never/);
  });

  test('waiting ones are announced before they come', async () => {
    open();
    await shows(/Connected to/);
    server.behave = (request, peer) => {
      if (request.type !== 'login') return agreeable(request, peer);
      peer.send(sessionOf('logged-in', 'alice', 1), messageFrom('bob', 1, 'while you were away'));
      return null;
    };
    keys('/login alice', '\r', '\r');
    await shows(/Logged in as alice\. 1 message waited for you\.\n.*bob: while you were away/);
  });

  test('who is there, and who may write', async () => {
    await openLoggedIn();
    server.behave = (request, peer) =>
      request.type === 'status' ? { type: 'status', loggedIn: ['bob'] } : agreeable(request, peer);
    keys('/who bob carol', '\r', '/block mallory', '\r', '/unblock mallory', '\r', '/block', '\r');
    await shows(/bob ● logged in; carol ○ away/, /mallory cannot write to you any more/);
    await shows(/mallory can write to you again/, /You have blocked nobody/);
  });
});

describe('the account', () => {
  test('taken over by somebody else: told, with what takes it back', async () => {
    await openLoggedIn();
    server.peer.send({
      type: 'goodbye',
      code: 'REPLACED',
      reason: 'Somebody logged in to this account elsewhere.',
    });
    await shows(/! Somebody logged in .*\s+\/login alice takes it back/, /not logged in .*● online/);
    expect(server.asked('login')).toHaveLength(1);
  });

  test('a goodbye is told with its reason', async () => {
    await openLoggedIn();
    server.peer.send({ type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'The server is shutting down.' });
    await shows(/is lost: The server is shutting down\.\s+Trying again/, /Logged in again as alice/);
  });

  test('deleted after a yes, the password, and another yes for what nobody would read', async () => {
    await openLoggedIn();
    server.behave = (request, peer) => {
      if (request.type !== 'delete') return agreeable(request, peer);
      return request.force ? { type: 'deleted', undelivered: 3 } : fail('HAS_UNDELIVERED');
    };
    keys('/delete\ryes\rsecret\r');
    await shows(
      /! alice holds 3 undelivered messages that nobody would read\./,
      /^delete alice and 3 undel/m,
    );
    keys('no', '\r');
    await shows(/alice is kept/);
    keys('/delete\ryes\rsecret\r');
    await until(() => expect(server.asked('delete')).toHaveLength(2));
    await shows(/^delete alice and 3 undel/m);
    keys('yes', '\r');
    await shows(/The account alice is deleted\. Nobody will read 3 undelivered messages\./, /not logged in/);
    expect(server.asked('delete').at(-1)).toEqual({ type: 'delete', password: 'secret', force: true });
  });

  test('a question is dropped when the account it is about is gone', async () => {
    await openLoggedIn();
    keys('/delete', '\r');
    await shows(/^delete alice\? ›/m);
    server.peer.send({ type: 'goodbye', code: 'REPLACED', reason: 'Elsewhere.' });
    await shows(/alice is kept/, /^› *$/m);
  });
});
