/** Messages: what became of them, what is unread, what other programs wrote. Version 2. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import {
  agreeable,
  externalMessage,
  messageFrom,
  sentFor,
  sessionOf,
  TestServer,
} from '../../client/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

async function openLoggedIn(options: ScreenOptions = {}): Promise<void> {
  screen = new TestScreen(server.port, options);
  await screen.logIn();
}

function fail(code: 'MAILBOX_FULL' | 'RATE_LIMITED' | 'BLOCKED'): ServerFrame {
  return { type: 'failure', code, message: `It was ${code}.`, retryAfterMs: 100 };
}

/** The test says what becomes of messages. */
function keepSends(): void {
  server.behave = (request, peer) => (request.type === 'send' ? null : agreeable(request, peer));
}

beforeEach(async () => {
  server = await TestServer.listen();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

describe('ticks', () => {
  test('on its way, stored, delivered', async () => {
    await openLoggedIn();
    keepSends();
    screen.keys('/msg bob hello', KEY.enter);
    await screen.shows(/│ \d\d:\d\d {2}me {3}hello +…$/m, /^ bob › *$/m);
    await screen.until(() => expect(server.asked('send')).toHaveLength(1));
    const [sent] = server.asked('send');
    if (sent === undefined) throw new Error('nothing was sent');
    expect(sent).toMatchObject({ to: 'bob', body: 'hello' });
    server.peer.send(sentFor(sent));
    await screen.shows(/me {3}hello +✓$/m);
    server.peer.send({ type: 'delivered', ids: [sent.id] });
    await screen.shows(/me {3}hello +✓✓$/m);
    expect(screen.messagesOf('bob')).toHaveLength(1);
  });

  test('waiting without a connection, and sent by itself with the next one', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    const { port } = server;
    await server.close();
    await screen.shows(/alice, not logged in .*(no connection|connecting)/, /! The connection to .* is lost/);
    screen.keys('are you there?', KEY.enter);
    await screen.shows(/are you there\? +⧖$/m, /^ bob › *$/m);
    screen.keys('half a tho');
    server = await TestServer.listen(port);
    await screen.shows(/· Connected again\./, /· Logged in again as alice\./, /are you there\? +✓$/m);
    await screen.inputIs(' bob › half a tho');
    expect(server.asked('send')).toHaveLength(1);
    // What the client has said stays in its conversation, and the draft with it.
    screen.keys(KEY.ctrl('u'), '/msg carol', KEY.enter);
    await screen.until(() => expect(screen.text).not.toMatch(/Connected again/));
    screen.keys('/close', KEY.enter);
    await screen.inputIs(' ›');
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/· Connected again\./, /are you there\? +✓$/m);
  });

  test.each([
    ['refused', fail('MAILBOX_FULL'), /✗$/m, /✗ not sent: It was MAILBOX_FULL\. Try again in 1 s\./],
    ['blocked', fail('BLOCKED'), /✗$/m, /✗ not sent: It was BLOCKED\./],
  ] as const)('%s, with the reason under it', async (_, answer, tick, reason) => {
    await openLoggedIn();
    server.behave = (request, peer) => (request.type === 'send' ? answer : agreeable(request, peer));
    screen.keys('/msg carol hi', KEY.enter);
    await screen.shows(tick, reason);
  });

  test('a server that wants them slower is told, and they go by themselves', async () => {
    await openLoggedIn();
    let refuse = true;
    server.behave = (request, peer) =>
      request.type === 'send' && refuse ? fail('RATE_LIMITED') : agreeable(request, peer);
    screen.keys('/msg bob', KEY.enter);
    screen.keys('hi', KEY.enter);
    await screen.shows(/hi +⧖$/m, /· It was RATE_LIMITED\. Your messages wait \(⧖\) and go by themselves/);
    refuse = false;
    await screen.shows(/hi +✓$/m);
  });

  test('a time-out is told, with the question what next; the message stays and is sent once', async () => {
    await openLoggedIn({ client: { requestTimeoutMs: 200 } });
    keepSends();
    screen.keys('/msg bob', KEY.enter);
    screen.keys('hi', KEY.enter);
    await screen.shows(
      /hi +⧖$/m,
      /! No answer within 0.2 s.* waits \(⧖\) and cannot arrive twice\. What next\?/,
    );
    const [sent] = server.asked('send');
    if (sent === undefined) throw new Error('nothing was sent');
    server.peer.send(sentFor(sent));
    await screen.shows(/hi +✓$/m);
    expect(server.asked('send')).toHaveLength(1);
  });
});

test('leaving with messages that were not sent asks first, where nothing is kept', async () => {
  await openLoggedIn();
  keepSends();
  screen.keys('/msg bob hi', KEY.enter, '/quit', KEY.enter);
  await screen.shows(/! 1 message is not sent yet and would be lost\./, /^ leave\? › *$/m);
  screen.keys('no', KEY.enter);
  await screen.inputIs(' bob ›');
  expect(screen.quits).toBe(0);
  screen.keys('/quit', KEY.enter, 'yes', KEY.enter);
  await screen.until(() => expect(screen.quits).toBe(1));
});

describe('what is unread', () => {
  test('is counted in the list, the header and the title, until it is looked at', async () => {
    await openLoggedIn();
    server.peer.send(
      messageFrom('bob', 1, 'one'),
      messageFrom('carol', 2, 'two'),
      messageFrom('bob', 3, 'x'),
    );
    await screen.shows(/^ milena · alice .*2 conversations unread {3}● online$/m);
    expect(screen.list).toEqual(['bob 2', 'carol 1']);
    await screen.until(() => expect(screen.titles.at(-1)).toBe('(2) milena · alice'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/1 conversation unread/, /^▸. bob +│/m);
    expect(screen.titles.at(-1)).toBe('(1) milena · alice');
    screen.keys('/msg carol', KEY.enter);
    await screen.shows(/^▸. carol +│/m, /^ milena · alice {2}127[\d.:]+ +● online$/m);
    expect(screen.titles.at(-1)).toBe('milena · alice');
  });

  test('begins at a marker when it is opened, until something is said', async () => {
    await openLoggedIn();
    server.peer.send(messageFrom('bob', 1, 'old'));
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/bob {2}old/);
    screen.keys('/msg carol', KEY.enter);
    await screen.shows(/Nothing said yet/);
    server.peer.send(messageFrom('bob', 2, 'new'), messageFrom('bob', 3, 'newer'));
    await screen.shows(/^ [\d ] bob +2 │/m);
    screen.keys(KEY.alt('a'));
    await screen.shows(/old\n.*│ ─+ 2 new ─+ *\n.*bob {2}new\n.*bob {2}newer\n/);
    screen.keys('thanks', KEY.enter);
    await screen.shows(/me {3}thanks/);
    expect(screen.text).not.toMatch(/2 new/);
  });

  test('the same conversation in sight, nothing is', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/^ bob › *$/m);
    server.peer.send(messageFrom('bob', 1, 'hello'));
    await screen.shows(/bob {2}hello/, /^▸. bob +│/m);
    expect(screen.titles.at(-1)).toBe('milena · alice');
  });

  test('what comes while the window is too small or help stands there, until it is in sight', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/^ bob › *$/m);
    screen.resize(19, 6);
    await screen.shows(/^19x6: needs 20x6/);
    server.peer.send(messageFrom('bob', 1, 'hello'));
    await screen.until(() => expect(screen.titles.at(-1)).toBe('(1) milena · alice'));
    screen.resize(80, 24);
    await screen.shows(/bob {2}hello/, /^▸. bob +│/m);
    expect(screen.titles.at(-1)).toBe('milena · alice');
    screen.keys('/help', KEY.enter);
    await screen.shows(/What you can type/);
    server.peer.send(messageFrom('bob', 2, 'and?'));
    await screen.until(() => expect(screen.titles.at(-1)).toBe('(1) milena · alice'));
    screen.keys(KEY.escape);
    await screen.shows(/bob {2}and\?/);
    expect(screen.titles.at(-1)).toBe('milena · alice');
  });

  test('while one reads further up it is counted below, and does not move what is read', async () => {
    await openLoggedIn();
    const numbered = (count: number) => messageFrom('bob', count, `number ${count}`);
    for (let count = 1; count <= 60; count++) server.peer.send(numbered(count));
    await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 60 }));
    screen.keys('/msg bob', KEY.enter, '/read', KEY.enter);
    await screen.shows(/number 60/);
    screen.keys(KEY.pageUp);
    await screen.shows(/number 43\n.*↓ more below\n/);
    const before = screen.messagesOf('bob');
    expect(before).toEqual(Array.from({ length: 18 }, (_, i) => `number ${i + 26}`));
    server.peer.send(numbered(61), numbered(62));
    await screen.shows(/↓ 2 new below · Alt\+A/, /^▸. bob +2 │/m, /1 conversation unread/);
    expect(screen.messagesOf('bob')).toEqual(before);
    screen.keys(KEY.pageDown, KEY.pageDown);
    await screen.shows(/number 62\n/, /^▸. bob +│/m);
    expect(screen.text).not.toMatch(/below/);
  });

  test('Alt+A in the conversation that has it goes there', async () => {
    await openLoggedIn();
    for (let count = 1; count <= 60; count++) server.peer.send(messageFrom('bob', count, `number ${count}`));
    await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 60 }));
    screen.keys('/msg bob', KEY.enter, '/read', KEY.enter);
    await screen.shows(/number 60/);
    screen.keys(KEY.pageUp);
    await screen.shows(/↓ more below/);
    server.peer.send(messageFrom('bob', 61, 'news'));
    await screen.shows(/↓ 1 new below/);
    screen.keys(KEY.alt('a'));
    await screen.shows(/bob {2}news\n/, /^▸. bob +│/m);
    screen.keys(KEY.alt('a'));
    await screen.shows(/Nothing is unread/);
  });
});

describe('messages that come', () => {
  test('do not disturb what is being written', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter, 'half a', KEY.left);
    await screen.inputIs(' bob › half a');
    server.peer.send(messageFrom('carol', 1, 'surprise'), messageFrom('bob', 2, 'hello'));
    await screen.shows(/bob {2}hello/, /^ [\d ] carol +1 │/m);
    await screen.inputIs(' bob › half a');
    screen.keys('X');
    await screen.inputIs(' bob › half Xa');
  });

  test('ring, unless the conversation is muted or looked at', async () => {
    await openLoggedIn();
    server.peer.send(messageFrom('bob', 1, 'one'));
    await screen.until(() => expect(screen.rings).toBe(1));
    screen.keys('/msg bob', KEY.enter, '/mute', KEY.enter);
    await screen.shows(/The conversation with bob is muted: no bell, and not in the count/);
    screen.keys('/msg carol', KEY.enter);
    await screen.shows(/^ carol › *$/m);
    server.peer.send(messageFrom('bob', 2, 'two'));
    await screen.shows(/^ [\d ] bob +mute 1 │/m);
    expect(screen.text).not.toMatch(/unread {3}/);
    expect(screen.titles.at(-1)).toBe('milena · alice');
    expect(screen.rings).toBe(1);
    screen.keys('/msg bob', KEY.enter, '/mute', KEY.enter);
    await screen.shows(/The conversation with bob is heard: bell and count for every message\./);
    server.peer.send(messageFrom('bob', 3, 'three'));
    await screen.shows(/bob {2}three/);
    expect(screen.rings).toBe(1);
    screen.chat.take([{ type: 'focus', isFocused: false }]);
    server.peer.send(messageFrom('bob', 4, 'four\n\u001b[2Jlines'));
    await screen.until(() => expect(screen.rung).toEqual(['bob: one', 'bob: four ␛[2Jlines']));
  });

  test('from a program are marked, and in a conversation of their own', async () => {
    await openLoggedIn();
    server.peer.send(
      messageFrom('bob', 1, 'from bob'),
      externalMessage('bob', 2, 'not from bob'),
      externalMessage('', 3, 'from nobody'),
      externalMessage('bob: hi\n12:00 carol', 4, 'forged'),
    );
    await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 4 }));
    await screen.shows(/4 conversations unread/);
    expect(screen.list).toEqual(['bob: …arol ext 1', '(no name) ext 1', 'bob ext 1', 'bob 1']);
    screen.keys('/msg bob', KEY.enter);
    await screen.shows(/│ \d\d:\d\d {2}bob {2}from bob$/m, /^ bob › *$/m);
    screen.keys(KEY.altUp);
    await screen.shows(/│ \d\d:\d\d {2}ext bob {2}not from bob$/m, /^ from a program: no answers/m);
    screen.keys('an answer', KEY.enter);
    await screen.shows(/! A program wrote this, and nobody reads answers to it/, /^ › an answer$/m);
    screen.keys(KEY.ctrl('u'), KEY.altUp);
    await screen.shows(/│ \d\d:\d\d {2}ext \(no name\) {2}from nobody$/m);
    screen.keys(KEY.altUp);
    await screen.shows(/│ \d\d:\d\d {2}ext bob:…0 carol {2}forged$/m);
    expect(server.asked('send')).toEqual([]);
  });

  test('say their day, whatever time a program has written', async () => {
    await openLoggedIn();
    const at = new Date(2020, 1, 29, 13, 5).getTime();
    server.peer.send(
      { ...externalMessage('cron', 1, 'old'), sentAt: at } as ServerFrame,
      { ...externalMessage('cron', 2, 'never'), sentAt: Number.MAX_SAFE_INTEGER } as ServerFrame,
    );
    await screen.shows(/^ [\d ] cron +ext 2 │/m);
    screen.keys(KEY.alt('a'));
    await screen.shows(
      / Sat 29 Feb 2020\n.*─ 2 new ─.*\n.* 13:05 {2}ext cron {2}old\n.*│ {8}ext cron {2}never/,
    );
  });

  test('that waited are announced before they come', async () => {
    screen = new TestScreen(server.port);
    await screen.shows(/● online/);
    server.behave = (request, peer) => {
      if (request.type !== 'login') return agreeable(request, peer);
      peer.send(sessionOf('logged-in', 'alice', 1), messageFrom('bob', 1, 'while you were away'));
      return null;
    };
    screen.keys('/login alice', KEY.enter, KEY.enter);
    await screen.shows(/Logged in as alice\. 1 message waited for you\./, /^ [\d ] bob +1 │/m);
    screen.keys(KEY.alt('a'));
    await screen.shows(/bob {2}while you were away/);
  });

  test('hostile text is made harmless', async () => {
    await openLoggedIn();
    const body = '\u001b[2J\u001b]0;owned\u0007hi\r12:00 bob: \u202eforged\n\n\n\nend';
    server.peer.send(externalMessage('mal\nlory\u001b[31m', 1, body));
    await screen.shows(/^ 1 mal l…\[31m ext 1 │/m);
    screen.keys(KEY.alt('a'));
    await screen.shows(/│ +end$/m);
    const beside = screen.rows.slice(-9, -3).map((row) => row.replace(/^[^│]*│/, ''));
    expect(beside).toEqual([
      expect.stringMatching(/^ \d\d:\d\d {2}ext mal …ry␛\[31m {2}␛\[2J␛\]0;owned␇hi$/),
      `${' '.repeat(26)}12:00 bob: forged`,
      '',
      '',
      '',
      `${' '.repeat(26)}end`,
    ]);
    // Nothing but colours is left.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    const raw = screen.frames.at(-1)?.replace(/\u001b\[[\d;]*m/g, '');
    expect(raw).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});

test('who is there, and who may write', async () => {
  await openLoggedIn();
  server.behave = (request, peer) => {
    if (request.type === 'status') return { type: 'status', loggedIn: ['bob'] };
    if (request.type !== 'list') return agreeable(request, peer);
    if (request.pattern === 'nobody') return { type: 'listed', names: [], more: false };
    return request.pattern === '*b'
      ? { type: 'listed', names: ['al', 'bob'], more: true }
      : agreeable(request, peer);
  };
  screen.keys(
    '/who bob carol nobody bob\r',
    '/block mallory\r',
    '/unblock mallory\r',
    '/block\r',
    '/list *b\r',
  );
  await screen.shows(
    /· bob ● logged in; carol ○ away; nobody \? no such account/,
    /· mallory cannot write to you any more/,
  );
  await screen.shows(/· mallory can write to you again/, /· You have blocked nobody/);
  await screen.shows(/· 2 accounts: al; bob; and 0\+ more: a pattern shows fewer/);
});

test('a goodbye is told with its reason, and the login comes back', async () => {
  await openLoggedIn();
  server.peer.send({ type: 'goodbye', code: 'SHUTTING_DOWN', reason: 'The server is shutting down.' });
  await screen.shows(/is lost: The server is shutting down\. Trying again/, /Logged in again as alice/);
});
