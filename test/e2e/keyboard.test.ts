/** What a person and a terminal send, through a real pseudo-terminal to the built client. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { inFull } from '../size.ts';
import { SEQUENCES } from '../terminal/keyboard/sequences.ts';
import {
  closeClients,
  makeAccount,
  openAs,
  openClient,
  openServerHere,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  type ServerHere,
} from './client-terminal.ts';
import { Friend } from './friend.ts';
import { built } from './running-frontend.ts';
import type { TestTerminal } from './terminal.ts';

let frontend: ServerHere;
let port: number;

beforeAll(async () => {
  await built();
  frontend = await openServerHere();
  port = frontend.address.port;
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  await frontend?.remove();
});

/** Somebody with an open conversation. */
async function inConversation(options: Parameters<typeof openAs>[2] = {}): Promise<TestTerminal> {
  const terminal = await openAs(person('anna'), port, options);
  const friend = await arrival('ben');
  terminal.type(`/msg ${friend.name}\r`);
  await terminal.shows(new RegExp(`^ ${friend.name} › *$`, 'm'));
  return terminal;
}

/** Somebody who is there until the end of the test. */
async function arrival(stem: string): Promise<Friend> {
  const friend = await Friend.create(person(stem), frontend.address);
  onTestFinished(() => friend.close());
  return friend;
}

/** What the tty driver is set to, as `stty` shows it. */
function driverOf(terminal: TestTerminal): string {
  const tty = execFileSync('ps', ['-o', 'tty=', '-p', String(terminal.pid)], { encoding: 'utf8' }).trim();
  return execFileSync('stty', ['-a', '-F', `/dev/${tty}`], { encoding: 'utf8' });
}

describe('typed while it starts', () => {
  test('a password is not echoed, and answers', async () => {
    const user = await makeAccount(frontend, person('anna'));
    const terminal = openClient(port, { user });
    await terminal.until(() => expect(driverOf(terminal)).toMatch(/ -echo /));
    // Nothing is drawn yet.
    expect(terminal.output).toBe('');
    terminal.send(`${PASSWORD}\r`);
    await terminal.shows(new RegExp(`^ milena · ${user} .*● online`));
    expect(terminal.output).not.toContain(PASSWORD);
  });

  test('Enter counts that the terminal has made LF of', async () => {
    const user = await makeAccount(frontend, person('anna'));
    const terminal = openClient(port, { user, before: 'stty -echo; echo ready; sleep 1' });
    await terminal.shows(/^ready$/m);
    terminal.send(`${PASSWORD}\r`);
    await terminal.shows(new RegExp(`^ milena · ${user} .*● online`));
  });
});

describe('what terminals send by themselves, or in pieces', () => {
  test('is no text, and Ctrl+C works behind all of it', async () => {
    const terminal = await inConversation();
    terminal.send('half a tho');
    await terminal.shows(/› half a tho$/m);
    const silent = SEQUENCES.filter(([, bytes, events]) => {
      const isAscii = Buffer.from(bytes, 'latin1').every((byte) => byte < 0x80);
      return isAscii && events.every(({ type }) => ['terminal-reply', 'focus'].includes(type));
    });
    expect(silent.length).toBeGreaterThan(20);
    for (const [index, [, bytes]] of silent.entries()) {
      const cut = 1 + (index % (bytes.length - 1));
      terminal.send(bytes.slice(0, cut));
      await sleep(index % 5 === 0 ? 200 : 10);
      terminal.send(bytes.slice(cut));
    }
    terminal.send('ught');
    await terminal.shows(/› half a thought$/m);
    // A paste without an end makes nobody deaf.
    terminal.send('\u001b[200~, pasted');
    await terminal.shows(/› half a thought, pasted$/m);
    terminal.send('\u001b[200~');
    await sleep(50);
    terminal.send('\u0003');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
  });

  test('keys in pieces are keys', async () => {
    const terminal = await inConversation();
    terminal.send('bc');
    for (const byte of '\u001b[1;5D') {
      terminal.send(byte);
      await sleep(100);
    }
    terminal.send('a');
    await terminal.shows(/› abc$/m);
    terminal.send('\u001b');
    await sleep(400);
    terminal.send('[');
    await terminal.shows(/› a\[bc$/m);
  });
});

test('thirty lines at once, without marks, are one draft; nothing of them is sent or carried out', async () => {
  const terminal = await inConversation();
  const lines = Array.from({ length: 30 }, (_, index) => (index === 3 ? '/quit' : `  line ${index}`));
  terminal.send(`${lines.join('\r')}\r`);
  await terminal.shows(/^ ↑ 24 more above · /m, /^ +line 29$/m);
  expect(terminal.text).not.toMatch(/ me /);
  // Enter in the same moment would belong to the paste.
  await sleep(200);
  terminal.send('\r');
  await terminal.shows(/ line 28\n.* {2}line 29/, /✓/);
  expect(terminal.exitCode).toBeUndefined();
});

describe('the mouse', () => {
  test('scrolls, and opens a conversation; the wheel touches nothing that is written', async () => {
    const terminal = await inConversation({ size: { columns: 80, rows: 12 } });
    const carol = await arrival('carol');
    for (let count = 1; count <= 8; count++) {
      terminal.send(`number ${count}`);
      await terminal.shows(new RegExp(`› number ${count}$`, 'm'));
      terminal.send('\r');
      await terminal.shows(new RegExp(`number ${count} +✓`));
    }
    terminal.send('half');
    await terminal.shows(/› half$/m);
    await terminal.until(() =>
      expect(terminal.state.modes).toMatchObject({ mouseTrackingMode: 'vt200', sendFocusMode: true }),
    );
    terminal.send('\u001b[<64;40;5M');
    await terminal.shows(/↓ more below/, /› half$/m);
    await terminal.until(() => expect(terminal.text).not.toMatch(/number 8/));
    terminal.send('\u001b[<65;40;5M');
    await terminal.shows(/number 8/, /› half$/m);
    carol.write(terminal.text.match(/anna[a-z]{6}/)?.[0] ?? '', 'hello');
    await terminal.shows(/^ 2 carol[a-z]{6} +1 │/m);
    terminal.send('\u001b[<0;3;3M\u001b[<0;3;3m');
    await terminal.shows(/^ carol[a-z]{6} › *$/m, /hello/);
  });

  inFull('has its wheel back as it was, where the terminal says late what that is', async () => {
    const terminal = await inConversation({ args: '--no-mouse' });
    // The terminal had it on, and says so late.
    terminal.send('\u001b[?1007;1$y');
    await sleep(50);
    terminal.send('\u0003');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    await terminal.until(() => expect(terminal.output).toContain('\u001b[?1007h'));
  });
});

describe('the file of keys', () => {
  test('gives actions other keys, which the hints and /help keys show', async () => {
    const data = ownFolder();
    mkdirSync(join(data, 'config', 'milena'), { recursive: true });
    writeFileSync(
      join(data, 'config', 'milena', 'keys.conf'),
      '# mine\nnext-unread = alt+n f5\nlist = none\n',
    );
    const terminal = await inConversation({ data, args: '--no-mouse' });
    expect(terminal.state.modes).toMatchObject({ mouseTrackingMode: 'none' });
    expect(terminal.output).toContain('\u001b[?1007l');
    await terminal.shows(/^ Enter send · Alt\+Enter newline · Alt\+N next unread · \/help$/m);
    terminal.type('/help keys\r');
    await terminal.shows(/^ Alt\+N, F5 +what is unread next \(next-unread\)$/m);
    terminal.send('\u001b[B'.repeat(15));
    await terminal.shows(/^ no key +the keys to the list, or back \(list\)$/m);
    terminal.send('\u001b');
    await terminal.shows(/ › *$/m);
    terminal.send('\u001bn');
    await terminal.shows(/Nothing is unread/);
  });

  test('with mistakes is told line by line, before anything else happens', async () => {
    const data = ownFolder();
    mkdirSync(join(data, 'config', 'milena'), { recursive: true });
    const file = join(data, 'config', 'milena', 'keys.conf');
    writeFileSync(file, 'next-unread = alt+\nlits = f5\nyank = x\nundo = ctrl+c\nredo f6\n');
    const terminal = openClient(port, { data, size: { columns: 200, rows: 24 } });
    await terminal.until(() => expect(terminal.exitCode).toBe(64));
    await terminal.shows(
      /keys\.conf:1: next-unread = alt\+: it must be keys such as .* For example: next-unread = alt\+n/,
      /keys\.conf:2: lits = f5: nothing is called lits: is list meant\?/,
      /keys\.conf:3: yank = x: x is text that one types/,
      /keys\.conf:4: undo = ctrl\+c: Ctrl\+C always leaves/,
      /keys\.conf:5: redo f6: it must be a name, = and keys/,
    );
  });
});
