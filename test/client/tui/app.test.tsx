import { render } from 'ink-testing-library';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientOptions, DEFAULT_OPTIONS } from '../../../src/client/state.ts';
import { App } from '../../../src/client/tui/app.tsx';
import { Chat } from '../../../src/client/tui/chat.ts';
import { Face1 } from '../../../src/client/tui/face1.ts';
import { agreeable, TestServer } from '../v1/test-server.ts';

let server: TestServer;
let chat: Chat;
let screen: ReturnType<typeof render>;
let quits: number;

// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with one
const COLOURS = /\u001b\[[\d;]*m/g;

function rows(): string[] {
  return (screen.lastFrame() ?? '').replace(COLOURS, '').split('\n');
}

async function shows(...patterns: RegExp[]): Promise<void> {
  await vi.waitFor(() => patterns.forEach((pattern) => void expect(rows().join('\n')).toMatch(pattern)), {
    timeout: 10_000,
    interval: 5,
  });
}

/** Waits until `check` no longer throws. */
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

function resize(columns: number, height: number): void {
  Object.defineProperty(screen.stdout, 'columns', { value: columns, configurable: true });
  Object.defineProperty(screen.stdout, 'rows', { value: height, configurable: true });
  screen.stdout.emit('resize');
}

function open(options: Partial<ClientOptions> = {}): void {
  const address = { host: '127.0.0.1', port: server.port };
  const quick = { reconnect: { firstMs: 20, maxMs: 100 }, relogin: { firstMs: 20, maxMs: 50, tries: 3 } };
  quits = 0;
  const all = { ...DEFAULT_OPTIONS, ...quick, ...options, address };
  chat = new Chat(
    (display) => new Face1(all, display),
    address,
    { columns: 80, rows: 24 },
    () => {
      quits += 1;
    },
  );
  screen = render(<App chat={chat} />);
  resize(80, 24);
  chat.start();
}

beforeEach(async () => {
  server = await TestServer.listen();
});

afterEach(async () => {
  screen.unmount();
  await chat.close();
  await server.close();
});

async function openLoggedIn(options: Partial<ClientOptions> = {}): Promise<void> {
  open(options);
  await shows(/Connected to/);
  keys('/login alice', '\r');
  await shows(/milena · alice .*● online/);
}

describe('the screen', () => {
  test('fills the terminal exactly: header, messages, input, hint', async () => {
    open();
    await shows(/not logged in .* ● online/, /\/login NAME · \/create NAME · \/help/);
    expect(rows()).toHaveLength(24);
    expect(rows()[0]).toMatch(new RegExp(`^ milena · not logged in +127.0.0.1:${server.port} {2}● online$`));
    expect(rows()[1]).toBe('─'.repeat(80));
    expect(input()).toBe('›');
  });

  test('follows the size of the terminal, and says when it is too small', async () => {
    await openLoggedIn();
    resize(40, 10);
    await until(() => expect(rows()).toHaveLength(10));
    expect(rows()[1]).toBe('─'.repeat(40));
    resize(21, 6);
    await until(() => expect(rows()).toHaveLength(6));
    expect(rows().every((row) => row.length <= 21)).toBe(true);
    resize(19, 6);
    await shows(/^19x6: needs 20x6/);
    resize(80, 24);
    await shows(/milena · alice/);
  });
});

describe('a conversation', () => {
  test('a message is shown with what became of it, and the next text goes to the same person', async () => {
    await openLoggedIn();
    server.behave = (request, peer) =>
      request.type === 'send' && request.body === 'and this'
        ? { type: 'sent', text: 'queued for bob' }
        : agreeable(request, peer);
    keys('/msg bob hello', '\r');
    await shows(/\d\d:\d\d me → bob: hello {2}✓ delivered/, /^bob › ?$/m);
    keys('and this', '\r');
    await shows(/me → bob: and this {2}✓ queued/);
    expect(server.requests.slice(1)).toEqual([
      { type: 'send', to: 'bob', body: 'hello' },
      { type: 'send', to: 'bob', body: 'and this' },
    ]);
  });

  test('a message that arrives does not disturb the line that is being typed', async () => {
    await openLoggedIn();
    keys('/msg bob', '\r', 'half a', '\u001b[D');
    await until(() => expect(input()).toBe('bob › half a'));
    server.peer.send({ type: 'message', sender: 'carol', body: 'surprise' });
    await shows(/\d\d:\d\d carol: surprise/);
    expect(input()).toBe('bob › half a');
    keys('X');
    await until(() => expect(input()).toBe('bob › half Xa'));
    expect(chat.getScreen().to).toBe('bob');
  });

  test('hostile text is made harmless', async () => {
    await openLoggedIn();
    const body = '\u001b[2J\u001b]0;owned\u0007hi\r12:00 bob: \u202eforged\n\n\n\nend';
    server.peer.send({ type: 'message', sender: 'mal\nlory\u001b[31m', body });
    await shows(/mal lory␛\[31m: ␛\[2J␛\]0;owned␇hi\n {6}12:00 bob: forged\n\s*\n {6}end/);
    // Nothing but colours is left.
    expect((screen.lastFrame() ?? '').replace(COLOURS, '')).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test('text without anybody to send it to is refused, and the up key has it', async () => {
    await openLoggedIn();
    keys('hello?', '\r');
    await shows(/! To whom\? \/msg NAME/);
    expect(input()).toBe('›');
    keys('\u001b[A');
    await until(() => expect(input()).toBe('› hello?'));
    expect(server.requests).toHaveLength(1);
  });

  test('somebody who does not exist is not turned to', async () => {
    await openLoggedIn();
    keys('/msg bob hi', '\r');
    await shows(/✓ delivered/);
    server.behave = () => ({ type: 'failure', text: 'There is no user carol.' });
    keys('/msg carol hi', '\r');
    await shows(/me → carol: hi {2}✗ not sent/, /! There is no user carol\./, /^bob › ?$/m);
  });

  test('lists, waiting messages and help', async () => {
    await openLoggedIn();
    server.behave = (request, peer) => {
      if (request.type === 'list') return { type: 'listed', names: ['al', 'bob'] };
      if (request.type === 'retrieve') {
        return { type: 'retrieved', entries: [{ sender: 'bob', body: 'one\ntwo' }] };
      }
      return agreeable(request, peer);
    };
    keys('/list *b', '\r', '/retrieve', '\r', '/help', '\r');
    await shows(/· 2 accounts: al; bob/, / {6}bob: one\n {6}two\n/, /1 message that waited/, /\/quit +leave/);
    expect(server.requests.slice(1)).toEqual([{ type: 'list', pattern: '*b' }, { type: 'retrieve' }]);
  });
});

describe('what goes wrong is told', () => {
  test('a time-out, with the question what next; the late answer, too; nothing is sent again', async () => {
    await openLoggedIn({ requestTimeoutMs: 300 });
    server.behave = () => null;
    keys('/msg bob hello', '\r');
    await shows(/me → bob: hello {2}\? not confirmed/, /! No answer within 0.3 s: .* What next\?/);
    server.peer.send({ type: 'sent', text: 'queued for bob' });
    await shows(/· The answer to the message to bob came late: queued for bob/);
    expect(server.requests.filter((request) => request.type === 'send')).toHaveLength(1);
  });

  test('waiting messages that come late are shown, since they come only once', async () => {
    await openLoggedIn({ requestTimeoutMs: 300 });
    server.behave = () => null;
    keys('/retrieve', '\r');
    await shows(/What next\?/);
    server.peer.send({ type: 'retrieved', entries: [{ sender: 'bob', body: 'precious' }] });
    await shows(/bob: precious/);
  });

  test('a lost connection, the next one, and the login on it', async () => {
    await openLoggedIn();
    keys('/msg bob', '\r', 'half');
    const { port } = server;
    await server.close();
    await shows(/! The connection to 127.0.0.1:\d+ is lost/, /alice, not logged in .*○ offline|◌ connecting/);
    expect(input()).toBe('› half');
    server = await TestServer.listen(port);
    await shows(/· Connected again\./, /· Logged in again as alice\./, /milena · alice .*● online/);
    expect(input()).toBe('bob › half');
  });

  test('what cannot be sent says so, and the up key has it', async () => {
    await openLoggedIn();
    await server.close();
    await shows(/○ offline/);
    keys('/msg bob hello', '\r');
    await shows(/✗ not sent/, /! Not connected/);
    keys('\u001b[A');
    await until(() => expect(input()).toMatch(/› \/msg bob hello$/));
    server = await TestServer.listen();
  });

  test('a server that cannot be reached, once and not for every attempt', async () => {
    open();
    await shows(/Connected/);
    await server.close();
    await shows(/nobody listens there/);
    const told = () => chat.getScreen().lines.filter((line) => /nobody listens/.test(line.text)).length;
    const tries = () => chat.getScreen().link;
    const seen = new Set<unknown>();
    // Each attempt makes a new state: several of them, and still one complaint.
    await vi.waitFor(() => expect(seen.add(tries()).size).toBeGreaterThan(4), {
      interval: 2,
      timeout: 10_000,
    });
    expect(told()).toBe(1);
    server = await TestServer.listen();
  });
});

describe('deleting', () => {
  test('asks, and takes only a yes for one', async () => {
    await openLoggedIn();
    keys('/delete', '\r');
    await shows(/Delete the account alice\?/, /^delete alice\? › ?$/m);
    keys('no', '\r');
    await shows(/alice is kept/);
    keys('/delete', '\r', 'yes', '\r');
    await shows(/The account alice is deleted/, /not logged in/);
    expect(server.requests.map((request) => request.type)).toEqual(['login', 'delete', 'list']);
  });
});

describe('keys', () => {
  test('several in one piece are one after the other', async () => {
    await openLoggedIn();
    keys('/msg bob hi\rsecond\u007f\u007f!\r');
    await shows(/me → bob: hi {2}✓/, /me → bob: seco! {2}✓/);
  });

  test('a paste of lines is one line, and sends nothing', async () => {
    await openLoggedIn();
    keys('\u001b[200~one\rtwo\nthree\u001b[201~');
    await until(() => expect(input()).toBe('› one two three'));
    expect(server.requests).toHaveLength(1);
  });

  test('editing keys reach the input line', async () => {
    await openLoggedIn();
    keys('one two', '\u0001', '>', '\u0005', '<', '\u0017', '\u001bb', '\u000b');
    await until(() => expect(input()).toBe('›'));
    keys('\u001b[A');
    await shows(/^› \/login alice$/m);
  });

  test('Ctrl+C and /quit leave; Ctrl+D only on an empty line', async () => {
    await openLoggedIn();
    keys('ab', '\u0001', '\u0004');
    await until(() => expect(input()).toBe('› b'));
    expect(quits).toBe(0);
    keys('\u0004', '\u0004');
    await until(() => expect(quits).toBe(1));
    keys('\u0003');
    await until(() => expect(quits).toBe(2));
    keys('/quit', '\r');
    await until(() => expect(quits).toBe(3));
  });

  test('paging up holds the place, and counts what is new below', async () => {
    await openLoggedIn();
    const numbered = (count: number) =>
      ({ type: 'message', sender: 'bob', body: `number ${count}` }) as const;
    for (let count = 0; count < 60; count++) server.peer.send(numbered(count));
    await shows(/bob: number 59/);
    keys('\u001b[5~');
    await shows(/bob: number 41\n─+\n/, /↓ more below · PageDown/);
    expect(rows().join()).not.toMatch(/number 42/);
    server.peer.send(numbered(60), numbered(61));
    await shows(/↓ 2 new below/);
    expect(rows().join('\n')).toMatch(/bob: number 41\n─+\n/);
    keys('\u001b[6~', '\u001b[6~');
    await shows(/bob: number 61/, /\/msg NAME TEXT/);
  });
});

test('the stream is bounded in lines and in characters', async () => {
  await openLoggedIn();
  for (let count = 0; count < 2_100; count++) {
    server.peer.send({ type: 'message', sender: 'bob', body: `number ${count}` });
  }
  await shows(/number 2099/);
  expect(chat.getScreen().lines).toHaveLength(2_000);
  for (let count = 0; count < 30; count++) {
    server.peer.send({ type: 'message', sender: 'bob', body: `${count} ${'x'.repeat(120_000)}` });
  }
  server.peer.send({ type: 'message', sender: 'bob', body: 'last' });
  await shows(/bob: last/);
  const held = chat.getScreen().lines.reduce((sum, line) => sum + line.text.length, 0);
  expect(held).toBeLessThanOrEqual(2_000_000);
  expect(chat.getScreen().characters).toBe(held);
});
