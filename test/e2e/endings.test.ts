/** However the client ends: the terminal is as it was, where there is time for that, and nothing is lost. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { History } from '../../src/terminal/history/history.ts';
import { inFull, share } from '../size.ts';
import {
  answerPassword,
  type ClientTerminalOptions,
  closeClients,
  create,
  openClient,
  openServerHere,
  ownFolder,
  person,
  removeFolders,
  type ServerHere,
} from './client-terminal.ts';
import { Door } from './door.ts';
import { Friend } from './friend.ts';
import { built } from './running-frontend.ts';
import { effectsOf, type TestTerminal } from './terminal.ts';

/** What a shell knows of its terminal before, and whether it is the same afterwards. */
const SHELL = {
  before: `was=$(stty -g); printf '\\033]2;the shell\\007'; echo 'said before'`,
  after: `echo "code $code"; [ "$(stty -g)" = "$was" ] && echo 'lines as before'`,
};
let frontend: ServerHere;
let door: Door;
let ben: Friend;
let cat: Friend;

beforeAll(async () => {
  await built();
  frontend = await openServerHere();
  door = await Door.open(frontend.address);
  [ben, cat] = await Promise.all([
    Friend.create(person('ben'), frontend.address),
    Friend.create(person('cat'), frontend.address),
  ]);
});

afterEach(closeClients);

afterAll(async () => {
  door?.shut();
  await Promise.all([ben?.close(), cat?.close()]);
  await frontend?.remove();
  removeFolders();
});

/** A module that is loaded before the client, and breaks it when it is told to. */
function sabotage(folder: string, code: string): ClientTerminalOptions {
  const file = join(folder, 'sabotage.mjs');
  writeFileSync(file, code);
  return { data: folder, env: { NODE_OPTIONS: `--import=file://${file}` } };
}

const THROWS = `process.on('SIGUSR2', () => { throw new Error('boom'); });`;
const REJECTS = `process.on('SIGUSR2', () => { Promise.reject(new Error('boom')); });`;
/** The next time that the screen is drawn, the component that draws it throws. */
const COMPONENT_THROWS = `
  const { map } = Array.prototype;
  let isBroken = false;
  process.on('SIGUSR2', () => { isBroken = true; });
  Array.prototype.map = function (...all) {
    if (isBroken && String(all[0]).includes('RowOnScreen')) throw new Error('boom');
    return map.apply(this, all);
  };`;

/** Somebody with one message that was not read, one that waits, and one that is half written. */
async function inTheMiddle(user: string, options: ClientTerminalOptions): Promise<TestTerminal> {
  const terminal = openClient(door.port, { ...SHELL, ...options });
  await create(terminal, user);
  ben.write(user, 'read already');
  await terminal.shows(/1 conversation unread/);
  terminal.type(`/msg ${ben.name}\r`);
  await terminal.shows(/read already/);
  cat.write(user, 'not read yet');
  await terminal.shows(/1 conversation unread/);
  terminal.type(`for ${user}\r`);
  await terminal.shows(new RegExp(`for ${user} +✓✓$`, 'm'));
  door.shut();
  await terminal.shows(/not logged in/);
  terminal.type(`waits for ${user}\rhalf a tho`);
  await terminal.shows(new RegExp(`waits for ${user} +⧖$`, 'm'), /› half a tho$/m);
  return terminal;
}

/** Waits until what is half written is on the disk: it is put there shortly after the last key. */
async function draftIsKept(terminal: TestTerminal, user: string, folder: string): Promise<void> {
  const server = `127.0.0.1:${door.port}`;
  await terminal.until(() => {
    const history = History.open({ directory: folder, server, account: user });
    try {
      expect(history.conversation({ kind: 'user', name: ben.name })?.draft).toBe('half a tho');
    } finally {
      history.close();
    }
  });
}

function expectRestored(terminal: TestTerminal): void {
  const { state } = terminal;
  expect(state).toMatchObject({ title: 'the shell', alternateScreen: false, cursor: true });
  expect(state.modes).toMatchObject({
    bracketedPasteMode: false,
    wraparoundMode: true,
    synchronizedOutputMode: false,
    applicationCursorKeysMode: false,
    mouseTrackingMode: 'none',
    sendFocusMode: false,
  });
  // What the keyboard was told (Kitty's protocol), it was told to forget.
  const keyboard = effectsOf(terminal.output).filter((effect) => /^CSI [<>=].*u$/.test(effect));
  expect(keyboard.filter((effect) => effect.includes('>'))).toHaveLength(
    keyboard.filter((effect) => effect.includes('<')).length,
  );
  expect(terminal.text).toMatch(/^said before$/m);
  expect(terminal.text).not.toMatch(/milena ·/);
}

/** The next start with the same folder: everything is there, once. */
async function expectNothingLost(user: string, folder: string): Promise<void> {
  await door.listen();
  const terminal = openClient(door.port, { data: folder });
  await terminal.shows(/^ password of /m, new RegExp(`^ [\\d ] ${cat.name} +1 │`, 'm'));
  await answerPassword(terminal);
  await terminal.shows(new RegExp(`^ milena · ${user} .*1 conversation unread {3}● online`));
  terminal.type(`/msg ${ben.name}\r`);
  await terminal.shows(new RegExp(`waits for ${user} +✓✓$`, 'm'), /› half a tho$/m);
  const said = terminal.rows.flatMap((row) => /│ \d\d:\d\d {2}(\S+) +(.*?) *✓*$/u.exec(row)?.slice(1) ?? []);
  expect(said).toEqual([ben.name, 'read already', 'me', `for ${user}`, 'me', `waits for ${user}`]);
  terminal.type('\u001ba');
  await terminal.shows(/─ 1 new ─.*\n.* not read yet$/m);
  expect(terminal.text.match(/not read yet/g)).toHaveLength(1);
  expect(ben.bodies.filter((body) => body.includes(user))).toEqual([`for ${user}`, `waits for ${user}`]);
  terminal.type('\u0003');
  await terminal.until(() => expect(terminal.exitCode).toBe(0));
}

type Ending = (terminal: TestTerminal) => void;
const key =
  (bytes: string): Ending =>
  (terminal) =>
    terminal.type(bytes);
const signal =
  (name: NodeJS.Signals): Ending =>
  (terminal) =>
    terminal.signal(name);

const ENDINGS: [string, number, string | null, Ending][] = [
  ['Ctrl+C', 0, null, key('\u0003')],
  ['SIGINT', 130, null, signal('SIGINT')],
  ['SIGTERM', 143, null, signal('SIGTERM')],
  ['SIGHUP', 129, null, signal('SIGHUP')],
  ['an exception anywhere', 70, THROWS, signal('SIGUSR2')],
  ['a promise that nobody looked at', 70, REJECTS, signal('SIGUSR2')],
  [
    'an exception in a component',
    70,
    COMPONENT_THROWS,
    (terminal) => {
      terminal.signal('SIGUSR2');
      terminal.resize(79, 24);
    },
  ],
];

describe('the terminal is as it was, and nothing is lost', () => {
  test.each(share(ENDINGS, 4, 2))('after %s: exit code %i', async (_, code, breaking, end) => {
    const [user, folder] = [person('ann'), ownFolder()];
    const options = breaking === null ? { data: folder } : sabotage(folder, breaking);
    const terminal = await inTheMiddle(user, options);
    end(terminal);
    await terminal.until(() => expect(terminal.exitCode).toBe(code));
    await terminal.shows(new RegExp(`^code ${code}$`, 'm'), /^lines as before$/m);
    expectRestored(terminal);
    expect(/ended from outside/.test(terminal.text)).toBe(code === 143);
    if (breaking === null) expect(terminal.text).not.toMatch(/Error/);
    else expect(terminal.text).toMatch(/this should not have happened: Error: boom/);
    await expectNothingLost(user, folder);
  });

  inFull('after /quit, with nothing half written', async () => {
    const [user, folder] = [person('ann'), ownFolder()];
    const terminal = await inTheMiddle(user, { data: folder });
    terminal.type('\u0015/quit\r');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    await terminal.shows(/^code 0$/m, /^lines as before$/m);
    expectRestored(terminal);
    await door.listen();
    const again = openClient(door.port, { data: folder });
    await answerPassword(again);
    await again.shows(new RegExp(`^ milena · ${user} .*1 conversation unread {3}● online`));
    again.type(`/msg ${ben.name}\r`);
    await again.shows(new RegExp(`waits for ${user} +✓✓$`, 'm'));
  });
});

test('kill -9 leaves no time for the terminal, and still nothing is lost', async () => {
  const [user, folder] = [person('ann'), ownFolder()];
  const terminal = await inTheMiddle(user, { data: folder });
  await draftIsKept(terminal, user, folder);
  terminal.signal('SIGKILL');
  await terminal.until(() => expect(terminal.exitCode).toBe(137));
  await expectNothingLost(user, folder);
});

test('neither is it when the window is closed', async () => {
  const [user, folder] = [person('ann'), ownFolder()];
  const terminal = await inTheMiddle(user, { data: folder });
  const { pid } = terminal;
  terminal.hangUp();
  await terminal.until(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
  await expectNothingLost(user, folder);
});
