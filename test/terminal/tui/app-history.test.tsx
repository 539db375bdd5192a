/** What the history on this machine is for: search, export, forgetting, and the next start. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMAND_USAGES, helpRows } from '../../../src/terminal/chat/commands.ts';
import { History } from '../../../src/terminal/history/history.ts';
import { DEFAULT_BINDINGS } from '../../../src/terminal/tui/bindings.ts';
import { usualKeys } from '../../../src/terminal/tui/key-rows.ts';
import { agreeable, messageFrom, sentFor, TestServer } from '../../client/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;
let folder: string;

async function openLoggedIn(options: ScreenOptions = {}): Promise<void> {
  screen = new TestScreen(server.port, options);
  await screen.logIn();
}

/** Ends the client, and starts the next one on the same folder. */
async function startAgain(): Promise<void> {
  await screen.close();
  screen = new TestScreen(server.port, { directory: folder });
}

async function answerPassword(): Promise<void> {
  await screen.shows(/● online/, /^ password of alice › *$/m);
  screen.keys('secret', KEY.enter);
  await screen.shows(/Logged in as alice/);
}

beforeEach(async () => {
  server = await TestServer.listen();
  folder = mkdtempSync(join(tmpdir(), 'milena-screen-'));
});

afterEach(async () => {
  await screen.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('/search', () => {
  test('shows what was found, newest first, and Enter goes to the message', async () => {
    await openLoggedIn();
    for (let count = 1; count <= 300; count++) {
      server.peer.send(messageFrom('bob', count, count % 100 === 7 ? `Needle ${count}` : `straw ${count}`));
    }
    server.peer.send(messageFrom('carol', 301, 'a needle, too'));
    await screen.shows(/carol/);
    screen.keys('/search need', KEY.enter);
    await screen.shows(/ 1 of 4 with need$/m, /^ ↑ ↓ choose · Enter goes there · Esc back$/m);
    const found = screen.rows.slice(3, 7).map((row) => row.replace(/^[^│]*│ \d\d:\d\d {2}/, ''));
    expect(found).toEqual([
      'carol  a needle, too',
      'bob    Needle 207',
      'bob    Needle 107',
      'bob    Needle 7',
    ]);
    screen.keys(KEY.down, KEY.down, KEY.enter);
    await screen.inputIs(' bob ›');
    await screen.shows(
      /bob {2}straw 106\n.*bob {2}Needle 107\n.*bob {2}straw 108\n/,
      /↓ \d+ new below|↓ more below/,
      /^ hit 3 of 4 · Alt\+N older · Alt\+Shift\+N newer · Esc ends it$/m,
    );
    screen.keys(KEY.alt('>'));
    await screen.shows(/bob {2}straw 300\n/);
    expect(screen.text).not.toMatch(/below/);
  });

  test('keys lead from hit to hit, over conversations, until it is ended', async () => {
    await openLoggedIn();
    for (let count = 1; count <= 300; count++) {
      const text = count % 100 === 7 ? `needle ${count}` : `straw ${count}`;
      server.peer.send(messageFrom(count < 200 ? 'bob' : 'carol', count, text));
    }
    await screen.shows(/carol/);
    screen.keys(KEY.alt('n'));
    await screen.shows(/Nothing was looked for: \/search WORDS\./);
    screen.keys('/search need', KEY.enter);
    await screen.shows(/ 1 of 3 with need$/m);
    screen.keys(KEY.enter);
    await screen.shows(/carol {2}needle 207\n/, /^ hit 1 of 3/m);
    screen.keys(KEY.alt('n'));
    await screen.shows(/bob {2}needle 107\n/, /^ hit 2 of 3/m);
    screen.keys(KEY.alt('n'), KEY.alt('n'), KEY.alt('n'));
    await screen.shows(/bob {2}needle 7\n/, /^ hit 3 of 3, the oldest · Alt\+Shift\+N newer · Esc ends it$/m);
    screen.keys(KEY.alt('N'), KEY.alt('N'));
    await screen.shows(/carol {2}needle 207\n/, /^ hit 1 of 3/m);
    screen.keys('/search', KEY.enter);
    await screen.shows(/ 1 of 3 with need$/m);
    screen.keys(KEY.down, KEY.enter);
    await screen.shows(/bob {2}needle 107\n/, /^ hit 2 of 3/m);
    screen.keys(KEY.escape);
    await screen.shows(/bob {2}needle 107\n/, /^ Enter send/m);
    screen.keys(KEY.alt('n'));
    await screen.shows(/bob {2}needle 107\n/, /^ hit 2 of 3/m);
    screen.keys('thanks', KEY.enter);
    await screen.shows(/me {3}thanks/, /^ Enter send/m);
  });

  test('has nothing of what was forgotten', async () => {
    await openLoggedIn();
    server.peer.send(messageFrom('bob', 1, 'a needle'));
    await screen.shows(/bob/);
    screen.keys('/search needle', KEY.enter);
    await screen.shows(/ 1 of 1 with needle/);
    screen.keys(KEY.enter);
    await screen.shows(/^ hit 1 of 1/m);
    screen.keys('/forget', KEY.enter);
    await screen.shows(/forget bob\?/);
    screen.keys('yes', KEY.enter);
    await screen.shows(/1 message with bob forgotten\./);
    screen.keys('/search', KEY.enter);
    await screen.shows(/! Usage: \/search WORDS|· Usage: \/search WORDS/);
  });

  test('of many the newest are shown, and the true number', async () => {
    await openLoggedIn();
    for (let count = 1; count <= 1_500; count++) server.peer.send(messageFrom('bob', count, `disk ${count}`));
    server.peer.send(messageFrom('carol', 1_501, 'that was all'));
    await screen.shows(/carol/);
    screen.keys('/search disk from:bob after:today', KEY.enter);
    await screen.shows(/ 1 of 1,500 with disk from:bob after:today · the newest 200$/m);
    screen.keys(KEY.escape, '/search before:soon', KEY.enter);
    await screen.shows(/! before: takes a day such as/);
    screen.keys(KEY.ctrl('u'), '/search ?!', KEY.enter);
    await screen.shows(/! Letters and digits make words/);
  });

  test('in the conversation that is open; Esc goes back to it', async () => {
    await openLoggedIn();
    for (let count = 1; count <= 60; count++) server.peer.send(messageFrom('bob', count, `number ${count}`));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/number 60\n/);
    screen.keys('/search 3', KEY.enter);
    await screen.shows(/ 1 of 11 with 3$/m);
    screen.keys(KEY.escape);
    await screen.shows(/number 60\n/);
    screen.keys('/search "number 3"', KEY.enter);
    await screen.shows(/ 1 of 1 with "number 3"$/m);
    for (let times = 0; times < 20; times++) screen.keys(KEY.down);
    screen.keys(KEY.enter);
    await screen.shows(/│ \d\d:\d\d {2}bob {2}number 3\n/, /below/);
    screen.keys('/search nobody said this', KEY.enter);
    await screen.shows(/· Nothing that was said has nobody said this\./);
  });

  test('needs an account, but no connection', async () => {
    screen = new TestScreen(server.port);
    await screen.shows(/● online/);
    screen.keys('/search x', KEY.enter);
    await screen.shows(/! Log in first: \/login NAME or \/create NAME/);
    screen.keys(KEY.ctrl('u'), '/login alice\rsecret\r');
    await screen.shows(/Logged in/);
    server.peer.send(messageFrom('bob', 1, 'hello'));
    await screen.shows(/bob/);
    await server.close();
    await screen.shows(/is lost/);
    screen.keys('/search hello', KEY.enter);
    await screen.shows(/ 1 of 1 with hello$/m);
    server = await TestServer.listen(server.port);
  });
});

describe('/export', () => {
  beforeEach(async () => {
    await openLoggedIn();
    server.peer.send(messageFrom('bob', 1, 'one\ntwo'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}one/);
    screen.keys('and three', KEY.enter);
    await screen.shows(/and three +✓$/m);
  });

  test('writes text, readable by its owner alone', async () => {
    const file = join(folder, 'bob.txt');
    screen.keys(`/export ${file}`, KEY.enter);
    await screen.shows(/· 2 messages written to/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/one\n.*two\n.*and three/);
    expect(readdirSync(folder)).toEqual(['bob.txt']);
  });

  test('writes JSON lines where the name says so', async () => {
    const file = join(folder, 'bob.jsonl');
    screen.keys(`/export ${file}`, KEY.enter);
    await screen.shows(/· 2 messages written to/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { body: 'one\ntwo' },
      { body: 'and three' },
    ]);
  });

  test('leaves a file that exists as it is, and says what can be done', async () => {
    const file = join(folder, 'mine.txt');
    writeFileSync(file, 'mine');
    screen.keys(`/export ${file}`, KEY.enter);
    await screen.shows(/! .*mine\.txt: it exists already; \/export FILE takes another name\./);
    await screen.until(() => expect(screen.chat.screen.input.text).toBe(`/export ${file}`));
    expect(readFileSync(file, 'utf8')).toBe('mine');
    screen.keys(KEY.ctrl('u'), `/export ${join(folder, 'no', 'where')}`, KEY.enter);
    await screen.shows(/: there is no such folder\./);
  });

  test('needs a conversation', async () => {
    screen.keys('/logout', KEY.enter);
    await screen.shows(/Logged out/, /not logged in/);
    screen.keys('/export', KEY.enter);
    await screen.shows(/! Open a conversation first: \/msg NAME\./);
  });
});

describe('/forget', () => {
  test('takes the conversation out after a yes, and only then', async () => {
    await openLoggedIn();
    server.peer.send(messageFrom('bob', 1, 'a secret'), messageFrom('carol', 2, 'none'));
    await screen.until(() => expect(screen.list).toHaveLength(2));
    screen.keys('/msg bob', KEY.enter, '/forget', KEY.enter);
    await screen.inputIs(' forget bob? ›');
    screen.keys('no', KEY.enter);
    await screen.shows(/· Nothing was done\./, /bob {2}a secret/);
    screen.keys('/forget', KEY.enter, 'yes', KEY.enter);
    await screen.until(() => expect(screen.list).toEqual(['carol 1']));
    await screen.inputIs(' ›');
    expect(screen.text).not.toMatch(/a secret/);
    screen.keys('/search secret', KEY.enter);
    await screen.shows(/Nothing that was said has secret/);
    // Somebody who writes again is there again.
    server.peer.send(messageFrom('bob', 3, 'hello again'));
    await screen.until(() => expect(screen.list).toEqual(['bob 1', 'carol 1']));
  });
});

describe('the next start', () => {
  test('shows the last account at once, asks for its password alone, and has everything', async () => {
    await openLoggedIn({ directory: folder });
    server.peer.send(messageFrom('bob', 1, 'read'), messageFrom('bob', 2, 'as well'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}as well/);
    screen.keys('half a tho');
    await screen.inputIs(' bob › half a tho');
    screen.keys(KEY.escape);
    await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 2 }));
    await startAgain();
    await screen.shows(/^ password of alice › *$/m);
    expect(screen.list).toEqual(['bob']);
    await answerPassword();
    screen.keys(KEY.alt('1'));
    await screen.inputIs(' bob › half a tho');
    expect(screen.messagesOf('bob')).toEqual(['read', 'as well']);
    expect(screen.text).not.toMatch(/ new ─/);
    expect(readdirSync(folder).every((file) => (statSync(join(folder, file)).mode & 0o077) === 0)).toBe(true);
    expect(screen.problems).toEqual([]);
  });

  test('sends what waited under the id that it had, and shows what came again once', async () => {
    await openLoggedIn({ directory: folder });
    server.peer.send(messageFrom('bob', 1, 'only once'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}only once/);
    server.behave = (request, peer) => (request.type === 'send' ? null : agreeable(request, peer));
    screen.keys('did it arrive?', KEY.enter);
    await screen.shows(/did it arrive\? +…$/m);
    await screen.until(() => expect(server.asked('send')).toHaveLength(1));
    // It is kept, so there is nothing to ask.
    screen.keys('/quit', KEY.enter);
    await screen.until(() => expect(screen.quits).toBe(1));
    await startAgain();
    server.behave = (request, peer) => {
      if (request.type === 'login') setImmediate(() => peer.send(messageFrom('bob', 1, 'only once')));
      return agreeable(request, peer);
    };
    await answerPassword();
    await screen.until(() => expect(server.asked('send')).toHaveLength(2));
    const [first, second] = server.asked('send');
    if (first === undefined || second === undefined) throw new Error('not sent twice');
    expect(second).toEqual(first);
    screen.keys(KEY.alt('1'));
    await screen.shows(/did it arrive\? +✓$/m);
    await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 1 }));
    expect(screen.text.match(/only once/g)).toHaveLength(1);
    expect(screen.text.match(/did it arrive/g)).toHaveLength(1);
    expect(sentFor(second)).toMatchObject({ id: first.id });
  });

  test('has unread what nobody looked at', async () => {
    await openLoggedIn({ directory: folder });
    server.peer.send(messageFrom('bob', 1, 'one'), messageFrom('bob', 2, 'two'));
    await screen.until(() => expect(screen.list).toEqual(['bob 2']));
    await startAgain();
    await screen.until(() => expect(screen.list).toEqual(['bob 2']));
    expect(screen.titles.at(-1)).toBe('(1) milena');
    await answerPassword();
    await screen.until(() => expect(screen.titles.at(-1)).toBe('(1) milena · alice'));
    screen.keys(KEY.alt('a'));
    await screen.shows(/─ 2 new ─.*\n.*bob {2}one\n.*bob {2}two\n/);
  });

  test('with a file that cannot be used says so, and goes on in memory', async () => {
    await openLoggedIn({ directory: folder });
    await screen.close();
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), 'this is no database at all');
    screen = new TestScreen(server.port, { directory: folder, user: 'alice' });
    await answerPassword();
    expect(screen.problems).toEqual([expect.stringMatching(/messages are kept only as long as it runs\.$/)]);
    screen.keys('/msg bob hello', KEY.enter);
    await screen.shows(/me {3}hello +✓$/m);
    expect(() =>
      History.open({ directory: folder, server: `127.0.0.1:${server.port}`, account: 'alice' }),
    ).toThrow();
  });
});

test('/help fits 80 columns and 24 rows', async () => {
  await openLoggedIn();
  screen.keys('/help', KEY.enter);
  await screen.shows(/What you can type/);
  const { rows } = screen;
  expect(rows).toHaveLength(24);
  // The first command, the last row of keys, and nothing cut off.
  expect(rows[3]).toMatch(/^ \/msg NAME \[TEXT\] /);
  expect(rows.slice(-5).join('\n')).toMatch(/Ctrl\+C leaves/);
  expect(rows.slice(2, -3).join('\n')).not.toMatch(/…$/m);
  screen.keys(KEY.escape);
  await screen.shows(/Logged in as alice/);
  screen.resize(40, 12);
  await screen.until(() => expect(screen.rows).toHaveLength(12));
  screen.keys('/help', KEY.enter);
  await screen.shows(/What you can type/);
  expect(screen.text).not.toMatch(/Ctrl\+C leaves/);
  for (let times = 0; times < 9; times++) screen.keys(KEY.pageDown);
  await screen.shows(/PageUp PageDown scroll/);
  for (let times = 0; times < 9; times++) screen.keys(KEY.pageUp);
  await screen.shows(/\/msg NAME \[TEXT\]/);
  // On a screen of 40 columns that has room for all of it no row is cut, and not a word is missing.
  screen.resize(40, 60);
  await screen.shows(/\/help keys: all/);
  const shown = screen.rows.slice(3, -3).filter((row) => row !== '');
  expect(shown.filter((row) => row.length > 40)).toEqual([]);
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');
  expect(words(shown.join(' '))).toEqual(
    words(helpRows(COMMAND_USAGES, usualKeys(DEFAULT_BINDINGS)).join(' ')),
  );
});

test('/clear empties the window, and the next message stands there alone', async () => {
  await openLoggedIn();
  screen.keys('/msg bob', KEY.enter, 'before', KEY.enter);
  await screen.shows(/me +before/);
  screen.keys('/clear', KEY.enter);
  await screen.until(() => expect(screen.text).not.toMatch(/before|Nothing said yet/));
  screen.keys('after', KEY.enter);
  await screen.shows(/me +after/);
  expect(screen.text).not.toMatch(/before/);
  screen.keys(KEY.pageUp);
  await screen.shows(/me +before/, /me +after/);
});
