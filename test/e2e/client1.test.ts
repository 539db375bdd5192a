/** The client with version 1 of the protocol: the built program in a real terminal, the real frontend, a real Kafka. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/client/state.ts';
import { Client } from '../../src/client/v1/client.ts';
import { testBrokers } from '../broker/brokers.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT } from './script.ts';
import { TestTerminal } from './terminal.ts';

const CLIENT = join(ROOT, 'dist/client/main.js');
const terminals: TestTerminal[] = [];
let frontend: RunningFrontend;

beforeAll(async () => {
  await built();
  frontend = await startFrontend();
});

afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

afterAll(() => frontend.remove());

function startFrontend(port = 0): Promise<RunningFrontend> {
  return RunningFrontend.start({
    MILENA_KAFKA_BROKERS: testBrokers().join(','),
    MILENA_PORT: String(port),
    // The shortest lease there is: after a kill -9 its users wait that long.
    MILENA_FRONTEND_LEASE_MS: '6000',
  });
}

/** The client in a terminal; when it has left, the shell tells its exit code and the terminal's line settings. */
function openClient(size: { columns: number; rows: number; env?: Record<string, string> }): TestTerminal {
  const command = `"${process.execPath}" "${CLIENT}" --protocol 1 --server 127.0.0.1:${frontend.address.port}; echo "code $?"; stty -a`;
  const terminal = new TestTerminal(command, size);
  terminals.push(terminal);
  return terminal;
}

const WIDE = { columns: 80, rows: 24 };
const NARROW = { columns: 60, rows: 20 };

/** A name that nobody else on the broker has. */
function name(base: string): string {
  return `${base}-${randomBytes(3).toString('hex')}`;
}

async function openAs(user: string, size = WIDE): Promise<TestTerminal> {
  const terminal = openClient(size);
  await terminal.shows(/Connected to/);
  terminal.type(`/create ${user}\r`);
  await terminal.shows(new RegExp(`milena · ${user} .*● online`));
  return terminal;
}

/** Somebody without a screen, whose texts are not made safe on their way out. */
async function withClient(user: string, act: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ ...DEFAULT_OPTIONS, address: frontend.address }, () => undefined);
  client.start();
  await vi.waitFor(() => expect(client.state.link.kind).toBe('online'), { timeout: 20_000 });
  await client.create(user);
  await act(client);
  await client.close();
}

describe('two people', () => {
  test('chat, and what arrives does not disturb what is being typed', async () => {
    const [anna, bert] = [name('anna'), name('bert')];
    const left = await openAs(anna);
    const right = await openAs(bert, NARROW);
    left.type(`/msg ${bert} are we still on for lunch?\r`);
    await right.shows(new RegExp(`\\d\\d:\\d\\d ${anna}: are we still on for`));
    await left.shows(new RegExp(`me → ${bert}: are we still on for lunch\\?\\s+✓ delivered`));

    right.type(`/msg ${anna}\r`);
    await right.shows(new RegExp(`^${anna} › *$`, 'm'));
    right.type('yes, at 12:');
    await right.shows(new RegExp(`^${anna} › yes, at 12:$`, 'm'));
    left.type('hello?\r');
    await right.shows(new RegExp(`${anna}: hello\\?`), new RegExp(`^${anna} › yes, at 12:$`, 'm'));
    await right.until(() =>
      expect(right.cursor).toEqual({ row: 18, column: anna.length + ' › yes, at 12:'.length }),
    );
    right.type('30\r');
    await left.shows(new RegExp(`${bert}: yes, at 12:30`));
  });

  test('one away: queued, retrieved after the login, and gone then', async () => {
    const [anna, bert] = [name('anna'), name('bert')];
    const left = await openAs(anna);
    const right = await openAs(bert);
    right.type('/logout\r');
    await right.shows(/Logged out/, /not logged in .*● online/);
    left.type(`/msg ${bert} for later\r`);
    await left.shows(/for later\s+✓ queued/);
    right.type(`/login ${bert}\r`);
    await right.shows(/Logged in as/);
    right.type('/retrieve\r');
    await right.shows(new RegExp(`${anna}: for later`), /1 message that waited/);
    right.type('/retrieve\r');
    await right.shows(/No undelivered messages/);
  });

  test('who is there: a list by wildcard', async () => {
    const tag = randomBytes(3).toString('hex');
    await openAs(`zoe-${tag}-one`);
    const terminal = await openAs(`zoe-${tag}-two`);
    terminal.type(`/list zoe-${tag}-???\r`);
    await terminal.shows(new RegExp(`2 accounts: zoe-${tag}-one; zoe-${tag}-two`));
    terminal.type(`/list *${tag}-on?\r`);
    await terminal.shows(new RegExp(`1 account: zoe-${tag}-one`));
  });
});

test('a hostile message is shown, and does nothing', async () => {
  const [anna, mallory] = [name('anna'), name('mallory')];
  const terminal = await openAs(anna);
  const body = '\u001b[2J\u001b[H\u001b]0;owned\u0007\u009b31mhi\r00:00 bert: \u202egnp.exe\u0000';
  await withClient(mallory, async (client) => {
    await client.send(anna, body);
    await terminal.shows(
      new RegExp(`${mallory}: ␛\\[2J␛\\[H␛\\]0;owned␇�31mhi\\n {6}00:00 bert: gnp\\.exe␀`),
    );
  });
  await terminal.shows(new RegExp(`^ milena · ${anna}`));
  expect(terminal.output).not.toContain('owned\u0007');
  expect(terminal.output).not.toMatch(/\u202e|\u009b/);
});

test('delete asks first, is refused while messages wait, and takes the name away', async () => {
  const [anna, bert] = [name('anna'), name('bert')];
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
  await terminal.shows(new RegExp(`${bert}: wait`));
  terminal.type('/delete\ryes\r');
  await terminal.shows(new RegExp(`The account ${anna} is deleted`), /not logged in .*● online/);
  terminal.type(`/list ${anna}\r`);
  await terminal.shows(/No accounts match/);
});

test('a frontend that is killed: told, and logged in again when it is back', async () => {
  const user = name('anna');
  const terminal = await openAs(user);
  terminal.type('half a thought');
  const { port } = frontend.address;
  await frontend.kill('SIGKILL');
  await terminal.shows(
    /! The connection to .* is\s+lost/,
    new RegExp(`${user}, not logged in .*(offline|connecting)`),
  );
  frontend = await startFrontend(port);
  await terminal.shows(/Connected again/, new RegExp(`Logged in again as ${user}`), /^› half a thought$/m);
});

describe('the terminal is as it was', () => {
  async function expectRestored(terminal: TestTerminal, code: number): Promise<void> {
    await terminal.shows(new RegExp(`code ${code}\\n`), /[^-]icanon/, /[^-]echo\b/);
    expect(terminal.isOnAlternateScreen).toBe(false);
    expect(terminal.showsCursor).toBe(true);
    expect(terminal.takesPastes).toBe(false);
    expect(terminal.rows.join('\n')).not.toMatch(/milena ·/);
  }

  async function open(env: Record<string, string> = {}): Promise<TestTerminal> {
    // A build server's variable makes a terminal no less of one.
    const terminal = openClient({ ...WIDE, env: { CI: 'true', ...env } });
    await terminal.shows(/Connected to/);
    expect(terminal.isOnAlternateScreen).toBe(true);
    expect(terminal.takesPastes).toBe(true);
    return terminal;
  }

  test('after /quit', async () => {
    const terminal = await open();
    terminal.type('/quit\r');
    await expectRestored(terminal, 0);
  });

  test('after Ctrl+C', async () => {
    const terminal = await open();
    terminal.type('\u0003');
    await expectRestored(terminal, 0);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('after %s', async (signal, code) => {
    const terminal = await open();
    terminal.signal(signal);
    await expectRestored(terminal, code);
  });

  test('after a crash, which is told', async () => {
    const bomb = "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('boom')})";
    const terminal = await open({ NODE_OPTIONS: `--import=${bomb.replaceAll(' ', '%20')}` });
    terminal.signal('SIGUSR2');
    await expectRestored(terminal, 70);
    expect(terminal.rows.join('\n')).toMatch(/this should not have happened: Error: boom/);
  });
});

test('the screen follows the size of the terminal', async () => {
  const terminal = await openAs(name('anna'));
  terminal.type('kept');
  await terminal.shows(/^› kept$/m);
  for (const [columns, rows] of [
    [40, 12],
    [120, 30],
    [20, 6],
  ] as const) {
    terminal.resize(columns, rows);
    await terminal.until(() => {
      expect(terminal.rows[0]).toMatch(columns < 40 ? /^ anna-\S+ ● online$/ : /^ milena · anna-.*● online$/);
      expect(terminal.rows[0]).toHaveLength(columns - 1);
      expect(terminal.rows[rows - 2]).toBe('› kept');
      expect(terminal.rows[rows - 1]).not.toBe('');
    });
  }
  terminal.resize(19, 5);
  await terminal.shows(/^19x5: needs 20x6/);
  terminal.resize(80, 24);
  await terminal.shows(/^› kept$/m);
});

describe('without a terminal, or asked wrongly', () => {
  test.each([
    ['no terminal', [], /needs a terminal/],
    ['an unknown option', ['--dance'], /no option "--dance"/],
    ['no port', ['--server', 'here'], /not HOST:PORT/],
    ['a port too large', ['--server', 'here:70000'], /not HOST:PORT/],
  ])('%s: a sentence, and exit code 64', async (_name, args, text) => {
    const failed = promisify(execFile)(process.execPath, [CLIENT, ...args]);
    await expect(failed).rejects.toMatchObject({ code: 64, stderr: expect.stringMatching(text) });
  });

  test('--help and --version', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, '--help']);
    expect(stdout).toMatch(/--server HOST:PORT/);
    const version = await promisify(execFile)(process.execPath, [CLIENT, '--version']);
    expect(version.stdout).toMatch(/^milena \d+\.\d+\.\d+\n$/);
  });
});
