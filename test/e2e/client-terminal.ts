/** The built client in a terminal: what the tests that look at screens have in common. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startServer } from '../../src/server/index.ts';
import { MemoryStore, openMemoryStorage } from '../../src/storage/memory/index.ts';
import { testBrokers } from '../broker/brokers.ts';
import { CHEAP, testSettings } from '../server/house.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { RunningFrontend } from './running-frontend.ts';
import { ROOT, scriptEnvironment } from './script.ts';
import { TestTerminal } from './terminal.ts';

export const CLIENT = join(ROOT, 'dist/bundle/main.js');
/** What `milena` gives Node: with other ones the client would take another amount of memory. */
const NODE_FLAGS = nodeFlags();
export const WIDE = { columns: 80, rows: 24 };
export const NARROW = { columns: 60, rows: 20 };
export const LARGE = { columns: 120, rows: 40 };
export const PASSWORD = 'correct horse';

const terminals: TestTerminal[] = [];
const folders: string[] = [];

export interface ClientTerminalOptions {
  readonly size?: { readonly columns: number; readonly rows: number };
  /** Behind the server's address. */
  readonly args?: string;
  readonly user?: string;
  /** The folder of the history; by default one of its own. */
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Shell commands around the client. */
  readonly before?: string;
  readonly after?: string;
  readonly name?: string;
}

/** A frontend with the shortest lease there is: after a kill -9 its users wait that long. */
export function startFrontend(settings: Record<string, string> = {}): Promise<RunningFrontend> {
  return RunningFrontend.start({
    MILENA_KAFKA_BROKERS: testBrokers().join(','),
    MILENA_FRONTEND_LEASE_MS: '6000',
    ...settings,
  });
}

export interface ServerHere {
  readonly address: { readonly host: string; readonly port: number };
  remove(): Promise<void>;
}

/** A server within this process, on a storage in memory: where it is the screen that is looked at, not what lies behind it. */
export async function openServerHere(): Promise<ServerHere> {
  const storage = openMemoryStorage(new MemoryStore());
  const server = await startServer(storage, testSettings(), {
    log: pino({ level: 'silent' }),
    limits: { lingerMs: 200, passwordCost: CHEAP, newAccountsPerAddress: 10_000, newAccounts: 10_000 },
  });
  const remove = async () => {
    await server.drain();
    await storage.close();
  };
  return { address: server.address, remove };
}

/** An account with the password `PASSWORD`, to which nobody is logged in; without a process for it. */
export async function makeAccount({ address }: Pick<ServerHere, 'address'>, name: string): Promise<string> {
  const client = await RawClient2.connect(address);
  await client.create(name, PASSWORD);
  client.write({ type: 'logout' });
  await client.over();
  client.socket.destroy();
  return name;
}

/** A folder that is removed at the end. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'milena-client-'));
  folders.push(folder);
  return folder;
}

/**
 * The client in a terminal of its own; no setting of whoever runs the tests reaches it. It is noon or a little later
 * there: no test sees a day end.
 */
export function openClient(port: number, options: ClientTerminalOptions = {}): TestTerminal {
  const { size = WIDE, args = '', data = ownFolder(), before = ':', after = ':' } = options;
  const client = `"${process.execPath}" ${NODE_FLAGS} "${CLIENT}" --server 127.0.0.1:${port} ${args}`;
  const hour = new Date().getUTCHours();
  const east = 12 - hour;
  const terminal = new TestTerminal(`${before}; ${client}; code=$?; ${after}; exit $code`, {
    ...size,
    ...(options.name === undefined ? {} : { name: options.name }),
    cwd: data,
    env: {
      ...scriptEnvironment({ MILENA_USER: options.user ?? '', MILENA_DATA_DIR: data }),
      ...NOT_HERE,
      HOME: data,
      XDG_CONFIG_HOME: join(data, 'config'),
      // The sign is the other way round in these names.
      TZ: `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`,
      ...options.env,
    },
  });
  terminals.push(terminal);
  return terminal;
}

/** A build server's variables, and those of a terminal that the tests themselves run in. */
const NOT_HERE = { CI: '', TMUX: '', NO_COLOR: '', FORCE_COLOR: '', COLORTERM: '', NODE_ENV: '' };

/** For the end of each test. */
export function closeClients(): void {
  for (const terminal of terminals.splice(0)) terminal.close();
}

/** For the end of a file. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** A name that nobody else on the broker has, always as long. */
export function person(stem: string): string {
  return stem + Array.from({ length: 6 }, () => String.fromCharCode(97 + randomInt(26))).join('');
}

/** From the first question to the account's screen. */
export async function create(terminal: TestTerminal, user: string): Promise<void> {
  await terminal.shows(/● online/, /^ your name › *$/m);
  terminal.type(`/create ${user}\r`);
  await terminal.shows(/^ password for .*› *$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(/^ the same again › *$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(new RegExp(`^ milena · ${user} .*● online`), /is made; you are/);
}

/** From wherever there is a command line. */
export async function logIn(terminal: TestTerminal, user: string): Promise<void> {
  await terminal.shows(/● online/);
  terminal.type(`/login ${user}\r`);
  await answerPassword(terminal);
}

/** Where the client asks for it, knowing who it was. */
export async function answerPassword(terminal: TestTerminal): Promise<void> {
  await terminal.shows(/● online/, /^ password of .*› *$/m);
  terminal.type(`${PASSWORD}\r`);
}

export async function openAs(
  user: string,
  port: number,
  options: ClientTerminalOptions = {},
): Promise<TestTerminal> {
  const terminal = openClient(port, options);
  await create(terminal, user);
  return terminal;
}

/** Every row of the screen, as `masked` makes it. */
export function screenOf(terminal: TestTerminal, ...names: readonly string[]): string[] {
  return terminal.rows.map((row) => masked(row, names));
}

/**
 * A row with what is never the same made the same: times, the server's port, and these names, whose six letters at the
 * end become `······`. A name that was cut off ends in `…`; its beginning without that is other text, and stays.
 */
export function masked(row: string, names: readonly string[]): string {
  let text = row
    .replace(/\b\d\d:\d\d:\d\d\b/gu, 'hh:mm:ss')
    .replace(/\b\d\d:\d\d\b/gu, 'hh:mm')
    .replace(/:\d{5}\b/gu, ':PPPPP');
  for (const name of names) {
    const stem = name.slice(0, -6);
    text = text.replaceAll(name, `${stem}${'·'.repeat(6)}`);
    for (let letters = 5; letters > 0; letters--) {
      text = text.replaceAll(`${name.slice(0, letters - 6)}…`, `${stem}${'·'.repeat(letters)}…`);
    }
  }
  return text;
}

function nodeFlags(): string {
  const started = /^exec "\$node" (--.*) \\$/m.exec(readFileSync(join(ROOT, 'milena'), 'utf8'));
  if (started?.[1] === undefined) throw new Error('./milena does not say any more how the client is started');
  return started[1];
}
