/** What is read and what is not, in the chat without a terminal. Version 2. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import { agreeable, messageFrom, sentFor, TestServer, WELCOME } from '../../client/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

async function openLoggedIn(options: ScreenOptions = {}): Promise<void> {
  screen = new TestScreen(server.port, options);
  await screen.logIn();
}

let seq = 0;

/** Sends numbered messages, and waits until the history has them. */
async function come(from: string, first: number, last: number): Promise<void> {
  for (let count = first; count <= last; count++)
    server.peer.send(messageFrom(from, ++seq, `number ${count}`));
  await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: seq }));
}

const numbers = (name: string) => screen.messagesOf(name).map((text) => Number(text.replace('number ', '')));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

beforeEach(async () => {
  seq = 0;
  server = await TestServer.listen();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

describe('a conversation with more unread than the window has rows', () => {
  test('opens at the first, is read screenful by screenful with Alt+A, which then goes to the next', async () => {
    await openLoggedIn();
    await come('bob', 1, 40);
    await come('carol', 1, 1);
    screen.keys(KEY.alt('a'));
    await screen.shows(/─ 40 new ─.*\n.*bob {2}number 1\n/, /↓ \d+ new below · Alt\+A/);
    const first = numbers('bob');
    expect(first).toEqual(range(1, first.length));
    expect(first.length).toBeGreaterThan(12);
    await screen.until(() => expect(screen.list).toEqual(['carol 1', `▸ bob ${40 - first.length}`]));
    expect(screen.titles.at(-1)).toBe('(2) milena · alice');
    screen.keys(KEY.alt('a'));
    await screen.until(() => expect(numbers('bob')).toContain(first.length + 1));
    // Some of what came before stays in sight.
    expect(numbers('bob')[0]).toBe(first.length - 1);
    const left = 40 - Math.max(...numbers('bob'));
    await screen.until(() => expect(screen.list).toEqual(['carol 1', `▸ bob ${left}`]));
    screen.keys(KEY.alt('a'));
    await screen.shows(/number 40\n/, /^▸. bob +│/m);
    expect(screen.text).not.toMatch(/below|above/);
    screen.keys(KEY.alt('a'));
    await screen.inputIs(' carol ›');
    await screen.until(() => expect(screen.titles.at(-1)).toBe('milena · alice'));
    screen.keys(KEY.alt('a'));
    await screen.shows(/· Nothing is unread\./);
  });

  test('says at its end how many are above, where Alt+P goes, and nothing is read on the way over them', async () => {
    await openLoggedIn();
    await come('bob', 1, 60);
    screen.keys('/msg bob', KEY.enter, KEY.alt('>'));
    await screen.shows(/number 60\n/, /↑ \d+ new above · Alt\+P/);
    const above = Number(/↑ (\d+) new above/.exec(screen.text)?.[1]);
    const read = 60 - Number(/^▸ bob (\d+)$/.exec(screen.list[0] ?? '')?.[1]);
    // What was seen of the beginning is read; and the words stand over a message.
    expect(above).toBe((numbers('bob')[0] ?? 0) - 2 - read);
    expect(above).toBeGreaterThan(20);
    screen.keys('I answer', KEY.enter);
    await screen.shows(/me {3}I answer/, /new above/);
    screen.keys(KEY.alt('p'));
    await screen.shows(/↓ \d+ new below · Alt\+A/);
    expect(screen.text).not.toMatch(/above/);
  });

  test('/read ends it, and Alt+P still goes to where it began', async () => {
    await openLoggedIn();
    await come('bob', 1, 60);
    screen.keys('/msg bob', KEY.enter, '/read', KEY.enter);
    await screen.shows(/number 60\n/, /^▸. bob +│/m);
    expect(screen.text).not.toMatch(/above/);
    screen.keys(KEY.alt('p'));
    await screen.shows(/─ 60 new ─.*\n.*bob {2}number 1\n/);
  });
});

describe('without the focus', () => {
  test('what comes stays unread though it is in sight, below a line, until the focus is back', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    await come('bob', 1, 1);
    await screen.shows(/bob {2}number 1/, /^▸. bob +│/m);
    screen.chat.take([{ type: 'focus', isFocused: false }]);
    await come('bob', 2, 3);
    await screen.shows(/number 1\n.*─ 2 new ─.*\n.*number 2\n.*number 3\n/, /^▸. bob +2 │/m);
    expect(screen.titles.at(-1)).toBe('(1) milena · alice');
    expect(screen.rung).toEqual(['bob: number 2', 'bob: number 3']);
    screen.chat.take([{ type: 'focus', isFocused: true }]);
    await screen.shows(/^▸. bob +│/m, /─ 2 new ─/);
    expect(screen.titles.at(-1)).toBe('milena · alice');
    // Another time the line is another one.
    screen.chat.take([{ type: 'focus', isFocused: false }]);
    await come('bob', 4, 4);
    await screen.shows(/number 3\n.*─ 1 new ─.*\n.*number 4\n/);
  });

  test('a key says that somebody is there', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    await screen.inputIs(' bob ›');
    screen.chat.take([{ type: 'focus', isFocused: false }]);
    await come('bob', 1, 1);
    await screen.shows(/^▸. bob +1 │/m);
    screen.keys('x');
    await screen.shows(/^▸. bob +│/m);
  });
});

test('/who says what is unread, by the same count as the list', async () => {
  await openLoggedIn();
  await come('bob', 1, 3);
  server.behave = (request, peer) =>
    request.type === 'status'
      ? { type: 'status', loggedIn: ['bob'] }
      : request.type === 'list'
        ? { type: 'listed', names: request.pattern === 'nobody' ? [] : [request.pattern ?? ''], more: false }
        : agreeable(request, peer);
  screen.keys('/who bob carol nobody', KEY.enter);
  await screen.shows(/· bob ● logged in, 3 unread; carol ○ away; nobody \? no such account/, /^ 1 bob +3 │/m);
});

test('notices stay in the conversation where they were shown', async () => {
  await openLoggedIn();
  server.behave = (request, peer) =>
    request.type === 'list' && request.pattern === 'a*'
      ? { type: 'listed', names: ['al', 'anna'], more: false }
      : agreeable(request, peer);
  screen.keys('/msg bob', KEY.enter, '/list a*', KEY.enter);
  await screen.shows(/2 accounts: al; anna/);
  screen.keys('/dance', KEY.enter);
  await screen.shows(/There is no command \/dance/);
  screen.keys(KEY.ctrl('u'), '/msg carol', KEY.enter);
  await screen.inputIs(' carol ›');
  await screen.until(() => expect(screen.text).not.toMatch(/accounts|dance/));
  await come('bob', 1, 1);
  screen.keys('/msg bob', KEY.enter);
  await screen.shows(
    /· {2}2 accounts: al; anna\n.*! {2}There is no command \/dance[\s\S]*─ 1 new ─.*\n.*bob {2}number 1/,
  );
});

describe('what concerns one', () => {
  test('stands out, is counted apart, and is in one view with all that is unread', async () => {
    await openLoggedIn({ highlight: ['db-3'] });
    server.peer.send(
      messageFrom('bob', 1, 'planning, alicework'),
      messageFrom('carol', 2, 'DB-3 is down'),
      messageFrom('dave', 3, 'ask @Alice!'),
      messageFrom('dave', 4, 'thanks'),
    );
    await screen.until(() => expect(screen.list).toEqual(['dave !2', 'carol !1', 'bob 1']));
    screen.keys('/msg carol', KEY.enter);
    await screen.until(() => expect(screen.list).toEqual(['dave !2', '▸ carol', 'bob 1']));
    screen.keys(KEY.alt('m'));
    await screen.shows(/ Activity: 3 unread \(●\), 2 with your name or words \(!\)/);
    expect(screen.text).toMatch(
      /● \d\d:\d\d {2}dave +thanks *\n.*! \d\d:\d\d {2}dave +ask @Alice! *\n.*! \d\d:\d\d {2}carol +DB-3 is down *\n.*● \d\d:\d\d {2}bob +planning/,
    );
    screen.keys(KEY.down, KEY.down, KEY.down, KEY.enter);
    await screen.inputIs(' bob ›');
    screen.keys('/msg dave', KEY.enter, '/activity', KEY.enter);
    await screen.shows(/ Activity: 0 unread \(●\), 2 with your name or words \(!\)/);
  });

  test('a level for each conversation says what rings and what is counted, also after another start', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'milena-unread-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    await openLoggedIn({ directory });
    screen.keys('/msg bob', KEY.enter, '/notify highlights', KEY.enter);
    await screen.shows(/with bob is heard for your name and your words only/);
    await screen.close();
    screen = new TestScreen(server.port, { directory });
    await screen.shows(/● online/, /^ password of alice › *$/m);
    screen.keys('secret', KEY.enter);
    await screen.shows(/Logged in as alice/);
    screen.keys('/msg carol', KEY.enter);
    await screen.inputIs(' carol ›');
    await come('bob', 1, 1);
    await screen.until(() => expect(screen.list).toContain('bob ! 1'));
    expect(screen.titles.at(-1)).toBe('milena · alice');
    expect(screen.rung).toEqual([]);
    server.peer.send(messageFrom('bob', 2, 'alice?'));
    await screen.until(() => expect(screen.rung).toEqual(['bob: alice?']));
    await screen.until(() => expect(screen.titles.at(-1)).toBe('(1) milena · alice'));
    screen.keys('/msg bob', KEY.enter, '/notify', KEY.enter);
    await screen.shows(/with bob is heard for your name/);
    screen.keys('/notify nothing', KEY.enter);
    await screen.shows(/with bob is muted: no bell/);
    screen.keys('/notify all', KEY.enter);
    await screen.shows(/with bob is heard: bell and count for every message/);
    screen.keys('/notify loud', KEY.enter);
    await screen.shows(/Usage: \/notify all\|highlights\|nothing/);
  });
});

describe('a clock that is wrong here', () => {
  test.each([
    ['two hours slow', -2 * 3_600_000],
    ['ten minutes ahead', 600_000],
  ])('%s: own lines have the server’s time, and no day begins twice', async (_, offBy) => {
    // The server's clock: just past the midnight of wherever this runs.
    const midnight = new Date(2026, 10, 22, 0, 3).getTime();
    const shift = midnight - Date.now() + offBy;
    const real = Date.now;
    Date.now = () => real() + shift;
    onTestFinished(() => {
      Date.now = real;
    });
    const serverNow = () => Date.now() - offBy;
    const sendAt = (count: number, text: string) =>
      server.peer.send({ ...messageFrom('bob', count, text), sentAt: serverNow() } as ServerFrame);
    server.behave = (request, peer) => {
      if (request.type === 'hello') return { ...WELCOME, time: serverNow() } as ServerFrame;
      if (request.type !== 'send') return agreeable(request, peer);
      return { ...sentFor(request), acceptedAt: serverNow() } as ServerFrame;
    };
    await openLoggedIn();
    await screen.shows(
      offBy < 0 ? /This machine's clock is 2 h slow/ : /This machine's clock is 10 min fast/,
    );
    screen.keys('/msg bob', KEY.enter);
    sendAt(1, 'one');
    await screen.shows(/bob {2}one/);
    screen.keys('two', KEY.enter);
    await screen.shows(/two +✓$/m);
    sendAt(2, 'three');
    await screen.shows(/bob {2}three/);
    const clock = '00:0[3-9]';
    expect(screen.text).toMatch(
      new RegExp(
        `│ +Today\\n.*${clock} {2}bob {2}one *\\n.*${clock} {2}me {3}two +✓ *\\n.*${clock} {2}bob {2}three`,
      ),
    );
    expect(screen.text.match(/Today|Yesterday/g)).toHaveLength(1);
  });
});

test('a user called me is not taken for oneself', async () => {
  await openLoggedIn();
  await come('me', 1, 1);
  screen.keys('/msg me hello', KEY.enter);
  await screen.shows(/│ \d\d:\d\d {2}@me {2}number 1\n/, /│ \d\d:\d\d {2}me {3}hello +✓$/m);
  screen.keys('/search number', KEY.enter);
  await screen.shows(/1 of 1 with number/, /\d\d:\d\d {2}@me +number 1/);
  screen.keys(KEY.enter);
  await screen.until(() => expect(screen.text).not.toMatch(/1 of 1 with number/));
  await screen.shows(/│ \d\d:\d\d {2}@me {2}number 1\n/, /│ \d\d:\d\d {2}me {3}hello +✓$/m);
  screen.keys('/search hello', KEY.enter);
  await screen.shows(/\d\d:\d\d {2}me → @me +hello/);
});

test('a text under its name has no row that looks like another message', async () => {
  await openLoggedIn({ columns: 40, rows: 20 });
  screen.keys('/msg bob', KEY.enter);
  server.peer.send(messageFrom('bob', 1, 'hi\n12:00 me\nI agree'));
  await screen.shows(/ I agree/);
  const row = screen.rows.findIndex((text) => / bob$/.test(text));
  expect(screen.rows.slice(row + 1, row + 4)).toEqual(['   hi', '   12:00 me', '   I agree']);
});
