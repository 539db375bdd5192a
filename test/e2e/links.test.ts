/** Addresses that are opened, texts that are copied, and the messages alone: the built client in a terminal. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { inFull, share } from '../size.ts';
import {
  answerPassword,
  CLIENT,
  type ClientTerminalOptions,
  closeClients,
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

const ALT = { l: '\u001bl', o: '\u001bo', y: '\u001by' };
const NO_DESKTOP = { DISPLAY: '', WAYLAND_DISPLAY: '', WSL_DISTRO_NAME: '', SSH_CONNECTION: 'x' };
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

interface Place {
  readonly terminal: TestTerminal;
  readonly user: string;
  readonly friend: Friend;
  readonly data: string;
}

/** Somebody to whom a friend has written, in the open conversation. */
async function withMessages(
  bodies: readonly string[],
  { env = NO_DESKTOP, ...options }: ClientTerminalOptions = {},
): Promise<Place> {
  const [user, data] = [person('anna'), options.data ?? ownFolder()];
  const terminal = await openAs(user, port, { ...options, env, data });
  const friend = await Friend.create(person('ben'), frontend.address);
  onTestFinished(() => friend.close());
  for (const body of bodies) friend.write(user, body);
  friend.write(user, 'that was all');
  terminal.type(`/msg ${friend.name}\r`);
  await terminal.shows(new RegExp(`^ ${friend.name} › *$`, 'm'));
  terminal.type('\u001b>');
  await terminal.shows(/that was all/);
  return { terminal, user, friend, data };
}

/** A program that leaves a file with what it was called with, and the setting that names it. */
function opener(): { folder: string; env: Record<string, string>; called: () => string[] } {
  const folder = ownFolder();
  const [program, file] = [join(folder, 'my opener'), join(folder, 'called')];
  const script = `#!/bin/sh
printf '%s\\n' "$#" "$@" "$(printenv MILENA_PASSWORD || echo no secret)" "$(tty)" > "${file}.new"
mv "${file}.new" "${file}"
`;
  writeFileSync(program, script, { mode: 0o755 });
  const env = { ...NO_DESKTOP, MILENA_OPEN: `'${program}' --new {url}`, MILENA_PASSWORD: 'hunter2' };
  const called = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);
  return { folder, env, called };
}

/** Waits until the client says it, over however many rows. */
async function says(terminal: TestTerminal, pattern: RegExp): Promise<void> {
  await terminal.until(() => {
    const rows = terminal.rows.map((row) => row.replace(/^[^│]*│/u, ''));
    expect(rows.join(' ').replace(/\s+/gu, ' ')).toMatch(pattern);
  });
}

/** The texts that the terminal was asked to copy. */
function copied(terminal: TestTerminal): string[] {
  return Array.from(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    terminal.output.matchAll(/\u001b\]52;c;([A-Za-z0-9+/=]*)\u0007/g),
    ([, text = '']) => Buffer.from(text, 'base64').toString(),
  );
}

describe('addresses', () => {
  test('are chosen whole, and opened as one argument without a shell, a terminal or a secret', async () => {
    const { folder, env, called } = opener();
    const evil = `https://evil.example/$(touch\${IFS}${folder}/x);'&|*?`;
    const { terminal } = await withMessages([`see ${evil} ok`, 'and https://two.example/ then'], { env });
    terminal.send(ALT.o);
    await terminal.shows(
      /^ 2 addresses, the newest first/m,
      /^ {2}1 .* https:\/\/two\.example\/$/m,
      /^ {2}2 /m,
    );
    expect(terminal.text.replace(/\s/g, '')).toContain(evil.replace(/[?]$/, ''));
    terminal.send('\u001b[B');
    await terminal.until(() =>
      expect(terminal.inverseRows.some((row) => /evil/.test(terminal.rows[row] ?? ''))).toBe(true),
    );
    expect(called()).toEqual([]);
    terminal.send('\r');
    await terminal.until(() =>
      expect(called()).toEqual(['2', '--new', evil.replace(/[?]$/, ''), 'no secret', 'not a tty']),
    );
    expect(existsSync(join(folder, 'x'))).toBe(false);
    await terminal.shows(/Opening https:\/\/evil/);
  });

  inFull('are opened by their number, and a failure is told once', async () => {
    const env = { ...NO_DESKTOP, MILENA_OPEN: 'sh -c "exit 3"' };
    const { terminal } = await withMessages(['https://one.example https://two.example'], { env });
    // Nothing that nobody has seen.
    terminal.type('/open 2\r');
    await terminal.shows(/^ 2 addresses, the newest first/m);
    terminal.send('\u001b');
    await terminal.shows(/│/);
    terminal.type('/open 2\r');
    await says(
      terminal,
      /Opening https:\/\/one\.example .*The address could not be opened: sh ends with 3\./,
    );
    terminal.type('/open 3\r');
    await says(terminal, /There are only 2 addresses in the list/);
  });

  test('are copied where nothing opens them, after one question for good', async () => {
    const data = ownFolder();
    const { terminal, friend } = await withMessages(['http://user@evil.example/x'], { data });
    terminal.send(ALT.o);
    await terminal.shows(/^ 1 address,/m, /leads to evil\.example/, /Enter copies/);
    terminal.send('\r');
    await says(terminal, /Nothing here opens addresses/);
    await terminal.shows(/^ write to the clipboard\? › *$/m);
    expect(copied(terminal)).toEqual([]);
    terminal.type('yes\r');
    await terminal.until(() => expect(copied(terminal)).toEqual(['http://user@evil.example/x']));
    await terminal.shows(/Copied the address/);
    terminal.type('\u0003');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    const again = openClient(port, { data, env: NO_DESKTOP });
    await answerPassword(again);
    await again.shows(/ben/);
    again.type('\u001b1');
    await again.shows(/that was all/, new RegExp(`^ ${friend.name} › *$`, 'm'));
    again.send(ALT.y);
    await again.until(() => expect(copied(again)).toEqual(['that was all']));
  });

  inFull('are printed in lines by --plain, and opened by their number', async () => {
    const { env, called } = opener();
    const { terminal, friend, data } = await withMessages(['https://one.example and https://two.example']);
    terminal.type('\u0003');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    const plain = openClient(port, { data, args: '--plain', env: { ...env, MILENA_CLIPBOARD: 'on' } });
    await plain.shows(/password of \S+:/);
    plain.type(`${PASSWORD}\r`);
    await plain.shows(/Logged in as/);
    plain.type(`/msg ${friend.name}\r/open\r`);
    await plain.shows(/^2 addresses, newest first, \/open NUMBER opens one:$/m);
    await plain.shows(/^1\. https:\/\/two\.example\n2\. https:\/\/one\.example$/m);
    plain.type('/open 2\r');
    await plain.until(() => expect(called().slice(0, 3)).toEqual(['2', '--new', 'https://one.example']));
    plain.type('/copy\r');
    await plain.until(() => expect(copied(plain)).toEqual(['that was all']));
  });

  inFull('ten thousand of them in a message stop nobody', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `http://a.b/${index}`).join(' ');
    const { terminal } = await withMessages([
      many,
      `https://x.example/${'.'.repeat(60_000)}a`,
      'http://z.example',
    ]);
    terminal.send(ALT.o);
    await terminal.shows(/^ \d+ addresses, the newest first/m, /http:\/\/z\.example/);
    terminal.send('\u001b[6~\u001b[6~');
    await terminal.shows(/http:\/\/a\.b\//);
    terminal.send('\u001b');
    await terminal.shows(/│ +\d\d:\d\d {2}ben/);
  });
});

describe('what is copied', () => {
  test('is the last code block, as it was sent, without what acts on a terminal', async () => {
    const code = 'if x:\n\tprint("ü 🙂")\n    # \u001b[201~ \u0007\u202e';
    const { terminal } = await withMessages([`look:\n\`\`\`python\n${code}\n\`\`\`\nthere`, 'and no code'], {
      env: { ...NO_DESKTOP, MILENA_CLIPBOARD: 'on' },
    });
    terminal.type('/copy\r');
    await terminal.until(() => expect(copied(terminal)).toEqual(['if x:\n\tprint("ü 🙂")\n    # [201~ ']));
    await says(terminal, /Copied the last code block, 3 lines/);
  });

  inFull('is nothing where the setting is off', async () => {
    const { terminal } = await withMessages([], { env: { ...NO_DESKTOP, MILENA_CLIPBOARD: 'off' } });
    terminal.send(ALT.y);
    await says(terminal, /Nothing is copied: the setting "clipboard" is off/);
    expect(terminal.output).not.toContain('\u001b]52');
  });
});

describe('the messages alone', () => {
  const LONG = `https://example.org/${'a-long-way/'.repeat(20)}end`;

  async function shown(options: ClientTerminalOptions = {}): Promise<Place> {
    const place = await withMessages([`${LONG}`, 'def f():\n\treturn "\u001b[31m"\n    done'], options);
    place.terminal.send(ALT.l);
    await place.terminal.shows(/^Any key goes back\.$/m);
    return place;
  }

  test('are lines that the terminal has wrapped, and the mouse is its own', async () => {
    const { terminal, friend } = await shown();
    await terminal.until(() => {
      expect(terminal.state.modes).toMatchObject({ wraparoundMode: true, mouseTrackingMode: 'none' });
      expect(terminal.lines.some((line) => line.endsWith(`${friend.name} ${LONG}`))).toBe(true);
    });
    expect(terminal.text).not.toMatch(/[│─┬]|● online/);
    const at = terminal.rows.indexOf('def f():');
    expect(terminal.rows[at + 1]).toMatch(/^ +return "␛\[31m"$/);
    expect(terminal.rows[at + 2]).toBe('    done');
    terminal.send('\u001b');
    await terminal.shows(/● online/, new RegExp(`^ ${friend.name} › *$`, 'm'));
    await terminal.until(() => {
      expect(terminal.state.modes).toMatchObject({ wraparoundMode: false, mouseTrackingMode: 'vt200' });
      expect(terminal.state.cursor).toBe(true);
    });
  });

  test('stay as they are when more comes, which is unread then', async () => {
    const { terminal, friend, user } = await shown();
    const before = terminal.text;
    friend.write(user, 'while you were selecting');
    await terminal.until(() => expect(terminal.state.rings).toBeGreaterThan(0));
    await terminal.settled();
    expect(terminal.text).toBe(before);
    await terminal.until(() => expect(terminal.state.title).toMatch(/^\(1\)/));
    terminal.send('x');
    await terminal.shows(/while you were selecting/, /1 new/, new RegExp(`^ ${friend.name} › x$`, 'm'));
    await terminal.until(() => expect(terminal.state.title).toMatch(/^milena/));
  });

  inFull('follow the size, and Enter sends nothing', async () => {
    const { terminal, friend } = await shown();
    for (const [columns, rows] of [
      [40, 30],
      [132, 20],
      [20, 6],
    ] as const) {
      terminal.resize(columns, rows);
      await terminal.until(() => {
        expect(terminal.text).toContain('Any key goes back.');
        expect(terminal.text).not.toMatch(/[│─┬]/);
      });
    }
    terminal.resize(80, 24);
    await terminal.until(() => expect(terminal.lines.some((line) => line.endsWith(LONG))).toBe(true));
    terminal.send('\r');
    await terminal.shows(new RegExp(`^ ${friend.name} › *$`, 'm'), /● online/);
    expect(terminal.text).not.toMatch(/^.* me {2}/m);
  });

  test.each(share(['\u0003', 'SIGTERM'] as const, 2, 1))(
    '%j ends the program, and the terminal is as it was',
    async (end) => {
      const { terminal } = await shown();
      const before = 'Any key';
      if (end === 'SIGTERM') terminal.signal(end);
      else terminal.send(end);
      await terminal.until(() => expect(terminal.exitCode).toBe(end === 'SIGTERM' ? 143 : 0));
      // What was written last is read after the end is known.
      await terminal.until(() => {
        expect(terminal.state).toMatchObject({ alternateScreen: false, cursor: true });
        expect(terminal.state.modes).toMatchObject({
          bracketedPasteMode: false,
          wraparoundMode: true,
          mouseTrackingMode: 'none',
          sendFocusMode: false,
        });
        expect(terminal.text).not.toContain(before);
      });
    },
  );

  inFull('are left for the shell by Ctrl+Z, and kept where the shell stops the program itself', async () => {
    const [user, data] = [person('anna'), ownFolder()];
    const first = await openAs(user, port, { data });
    const friend = await Friend.create(person('ben'), frontend.address);
    onTestFinished(() => friend.close());
    friend.write(user, LONG);
    await first.shows(/ben/);
    first.type('\u0003');
    await first.until(() => expect(first.exitCode).toBe(0));
    const terminal = openClient(port, { data, before: 'PS1="$ " bash --norc --noprofile -i; exit 0' });
    await terminal.shows(/^\$/);
    terminal.send(`"${process.execPath}" "${CLIENT}" --server 127.0.0.1:${port}\r`);
    await answerPassword(terminal);
    await terminal.shows(/● online/, /ben/);
    terminal.type('\u001b1');
    await terminal.shows(/example\.org/);
    terminal.send(ALT.l);
    await terminal.shows(/Any key goes back/);
    terminal.send('\u001a');
    await terminal.shows(/Stopped/);
    await terminal.until(() => {
      expect(terminal.state).toMatchObject({ alternateScreen: false, cursor: true });
      expect(terminal.state.modes).toMatchObject({ wraparoundMode: true, mouseTrackingMode: 'none' });
    });
    terminal.send('fg\r');
    await terminal.shows(/● online/, /example\.org/);
    let before = terminal.output.length;
    // By somebody else, and without being told before.
    terminal.send(ALT.l);
    await terminal.shows(/^Any key goes back/m);
    const jobs = execFileSync('ps', ['-o', 'pid=', '--ppid', String(terminal.pid)], { encoding: 'utf8' });
    for (const signal of ['SIGTSTP', 'SIGSTOP'] as const) {
      // What the terminal answers is for nobody else.
      await terminal.settled();
      process.kill(Number(jobs.trim()), signal);
      await terminal.until(() => expect(terminal.output.slice(before)).toMatch(/Stopped/));
      before = terminal.output.length;
      // Stopped by force it has left everything as it was, for the shell as well.
      terminal.send('clear; echo clean\r');
      await terminal.until(() => expect(terminal.rows[0]).toBe('clean'));
      terminal.send('fg\r');
      await terminal.shows(/^Any key goes back/m);
      await terminal.until(() => {
        expect(terminal.text).not.toMatch(/[│─┬]/);
        expect(terminal.state).toMatchObject({ alternateScreen: true });
        expect(terminal.state.modes).toMatchObject({ wraparoundMode: true, mouseTrackingMode: 'none' });
      });
      before = terminal.output.length;
    }
    terminal.send('\u001b');
    await terminal.shows(/● online/, /example\.org/);
    await terminal.until(() =>
      expect(terminal.state.modes).toMatchObject({ wraparoundMode: false, mouseTrackingMode: 'vt200' }),
    );
  });
});
