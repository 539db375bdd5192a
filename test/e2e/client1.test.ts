/** The client with version 1 of the protocol: the built program in a real terminal, the real frontend, a real Kafka. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/client/state.ts';
import { Client } from '../../src/client/v1/client.ts';
import {
  CLIENT,
  closeClients,
  NARROW,
  openClient,
  person,
  removeFolders,
  startFrontend,
  WIDE,
} from './client-terminal.ts';
import { built, type RunningFrontend } from './running-frontend.ts';
import { scriptEnvironment } from './script.ts';
import type { TestTerminal } from './terminal.ts';

let frontend: RunningFrontend;

beforeAll(async () => {
  await built();
  frontend = await startFrontend();
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  await frontend.remove();
});

async function openAs(user: string, size = WIDE): Promise<TestTerminal> {
  const terminal = openClient(frontend.address.port, { size, args: '--protocol 1' });
  await terminal.shows(/Connected to/, /● online/);
  terminal.type(`/create ${user}\r`);
  await terminal.shows(new RegExp(`^ milena · ${user} .*● online`));
  return terminal;
}

/** Somebody without a screen, whose texts are not made safe on their way out. */
async function withClient(user: string, act: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ ...DEFAULT_OPTIONS, servers: [frontend.address] }, () => undefined);
  client.start();
  await vi.waitFor(() => expect(client.state.link.kind).toBe('online'), { timeout: 20_000 });
  await client.create(user);
  await act(client);
  await client.close();
}

describe('two people', () => {
  test('chat, and what arrives does not disturb what is being typed', async () => {
    const [anna, bert] = [person('anna'), person('bert')];
    const left = await openAs(anna);
    const right = await openAs(bert, NARROW);
    left.type(`/msg ${bert} are we still on for lunch?\r`);
    await right.shows(/1 conversation unread/);
    await left.shows(/me +are we still on for lunch\? +✓✓$/m);
    right.type(`/msg ${anna}\r`);
    await right.shows(
      new RegExp(`^ \\d\\d:\\d\\d {2}${anna} {2}are we still on for lunch\\?$`, 'm'),
      new RegExp(`^ ${anna} › *$`, 'm'),
    );
    right.type('yes, at 12:');
    await right.shows(new RegExp(`^ ${anna} › yes, at 12:$`, 'm'));
    left.type('hello?\r');
    await right.shows(new RegExp(`${anna} {2}hello\\?$`, 'm'), new RegExp(`^ ${anna} › yes, at 12:$`, 'm'));
    await right.until(() =>
      expect(right.cursor).toEqual({ row: 18, column: anna.length + '  › yes, at 12:'.length }),
    );
    right.type('30\r');
    await left.shows(new RegExp(`${bert} {2}yes, at 12:30$`, 'm'));
  });

  test('one away: queued, retrieved after the login, and gone then', async () => {
    const [anna, bert] = [person('anna'), person('bert')];
    const left = await openAs(anna);
    const right = await openAs(bert);
    right.type('/logout\r');
    await right.shows(/Logged out/, /not logged in .*● online/);
    left.type(`/msg ${bert} for later\r`);
    await left.shows(/for later +✓$/m);
    right.type(`/login ${bert}\r`);
    await right.shows(/Logged in as/);
    right.type('/retrieve\r');
    await right.shows(/1 message that waited/, new RegExp(`^ [\\d ] ${anna} +1 │`, 'm'));
    right.type('/retrieve\r');
    await right.shows(/No undelivered messages/);
    right.type(`/msg ${anna}\r`);
    // Nobody knows when it was sent.
    await right.shows(new RegExp(`│ {8}${anna} {2}for later$`, 'm'));
  });

  test('who is there: a list by wildcard', async () => {
    const tag = person('');
    await openAs(`zoe-${tag}-one`);
    const terminal = await openAs(`zoe-${tag}-two`, { columns: 120, rows: 24 });
    terminal.type(`/list zoe-${tag}-???\r`);
    await terminal.shows(new RegExp(`2 accounts: zoe-${tag}-one; zoe-${tag}-two`));
    terminal.type(`/list *${tag}-on?\r`);
    await terminal.shows(new RegExp(`1 account: zoe-${tag}-one`));
  });
});

test('a hostile message is shown, and does nothing', async () => {
  const [anna, mallory] = [person('anna'), person('mallory')];
  const terminal = await openAs(anna);
  const body = '\u001b[2J\u001b[H\u001b]0;owned\u0007\u009b31mhi\r00:00 bert: \u202egnp.exe\u0000';
  await withClient(mallory, async (client) => {
    await client.send(anna, body);
    await terminal.shows(/1 conversation unread/);
  });
  terminal.type('\u001b1');
  await terminal.shows(
    new RegExp(
      `│ \\d\\d:\\d\\d {2}${mallory} {2}␛\\[2J␛\\[H␛\\]0;owned␇�31mhi\\n +│ +00:00 bert: gnp\\.exe␀$`,
      'm',
    ),
    new RegExp(`^ milena · ${anna}`),
  );
  expect(terminal.output).not.toContain('owned\u0007');
  expect(terminal.output).not.toMatch(/\u202e|\u009b/);
});

test('delete asks first, is refused while messages wait, and takes the name away', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const terminal = await openAs(anna);
  terminal.type('/logout\r');
  await terminal.shows(/Logged out/);
  await withClient(bert, async (client) => expect(await client.send(anna, 'wait')).toMatch(/queued/));
  await terminal.shows(/● online/);
  terminal.type(`/login ${anna}\r`);
  await terminal.shows(/Logged in as/);
  terminal.type('/delete\r');
  await terminal.shows(/Delete the account .*\? Type yes/);
  terminal.type('yes\r');
  await terminal.shows(/! .*1 undelivered message/);
  terminal.type('/retrieve\r');
  await terminal.shows(/1 message that waited/);
  terminal.type('/delete\ryes\r');
  await terminal.shows(new RegExp(`The account ${anna} is deleted`), /not logged in .*● online/);
  terminal.type(`/list ${anna}\r`);
  await terminal.shows(/No accounts match/);
});

test('a frontend that is killed: told, and logged in again when it is back', async () => {
  const user = person('anna');
  const terminal = await openAs(user);
  terminal.type('half a thought');
  const { port } = frontend.address;
  await frontend.kill('SIGKILL');
  await terminal.shows(
    /! {2}The connection to .* is\s+│?\s*lost/,
    new RegExp(`${user}, not logged in .*(no connection|connecting)`),
  );
  frontend = await startFrontend({ MILENA_PORT: String(port) });
  await terminal.shows(/Connected again/, new RegExp(`Logged in again as ${user}`), /^ › half a thought$/m);
});

describe('without a terminal, or asked wrongly', () => {
  test.each([
    ['no terminal', [], /needs a terminal/],
    ['an unknown option', ['--dance'], /no option (called )?"?--dance/],
    ['no port', ['--server', 'here'], /HOST:PORT/],
    ['a port too large', ['--server', 'here:70000'], /HOST:PORT/],
  ])('%s: a sentence, and exit code 64', async (_name, args, text) => {
    const env = scriptEnvironment({});
    const failed = promisify(execFile)(process.execPath, [CLIENT, ...args], { env });
    await expect(failed).rejects.toMatchObject({ code: 64, stderr: expect.stringMatching(text) });
  });

  test('--help and --version', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, '--help']);
    expect(stdout).toMatch(/--server HOST:PORT/);
    const version = await promisify(execFile)(process.execPath, [CLIENT, '--version']);
    expect(version.stdout).toMatch(/^milena \d+\.\d+\.\d+\n$/);
  });
});
