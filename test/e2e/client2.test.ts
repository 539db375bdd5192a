/** The client as people use it: the built program in a real terminal, real frontends, a real Kafka; version 2. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT } from './script.ts';
import { TestTerminal } from './terminal.ts';

const CLIENT = join(ROOT, 'dist/client/main.js');
const WIDE = { columns: 80, rows: 24 };
const NARROW = { columns: 60, rows: 20 };
const PASSWORD = 'correct horse';
const terminals: TestTerminal[] = [];
let north: RunningFrontend;
let south: RunningFrontend;
let door: Door;

/** One address in front of several frontends, as a load balancer is: new connections go where it points. */
class Door {
  target: { host: string; port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: { host: string; port: number }) {
    this.target = target;
    this.#server = createServer((client) => {
      const frontend = connect(this.target);
      for (const [from, to] of [
        [client, frontend],
        [frontend, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function startFrontend(settings: Record<string, string> = {}): Promise<RunningFrontend> {
  return RunningFrontend.start({
    MILENA_KAFKA_BROKERS: testBrokers().join(','),
    // The shortest lease there is: after a kill -9 its users wait that long.
    MILENA_FRONTEND_LEASE_MS: '6000',
    ...settings,
  });
}

beforeAll(async () => {
  await built();
  [north, south] = await Promise.all([startFrontend(), startFrontend()]);
  door = new Door(north.address);
  await door.open();
});

afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

afterAll(async () => {
  await door?.close();
  await Promise.all([north?.remove(), south?.remove()]);
});

function openClient(port = south.address.port, size = WIDE, options = ''): TestTerminal {
  const command = `"${process.execPath}" "${CLIENT}" --server 127.0.0.1:${port} ${options}`;
  const terminal = new TestTerminal(command, size);
  terminals.push(terminal);
  return terminal;
}

/** A name that nobody else on the broker has. */
function name(base: string): string {
  return `${base}-${randomBytes(3).toString('hex')}`;
}

async function create(terminal: TestTerminal, user: string): Promise<void> {
  await terminal.shows(/Connected to/);
  terminal.type(`/create ${user}\r`);
  await terminal.shows(/^password for .*› *$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(/^the same again › *$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(new RegExp(`milena · ${user} .*● online`), /is made; you are logged in/);
}

async function login(terminal: TestTerminal, user: string): Promise<void> {
  await terminal.shows(/● online/);
  terminal.type(`/login ${user}\r`);
  await terminal.shows(/^password of .*› *$/m);
  terminal.type(`${PASSWORD}\r`);
}

async function openAs(user: string, port?: number, size = WIDE): Promise<TestTerminal> {
  const terminal = openClient(port, size);
  await create(terminal, user);
  return terminal;
}

/** A text that may be broken into rows at any blank. */
function wrapped(text: string): RegExp {
  return new RegExp(text.replaceAll(' ', '\\s+'));
}

/** How often a text stands on the screen. */
function times(terminal: TestTerminal, text: string): number {
  return terminal.rows.join('\n').split(text).length - 1;
}

test('a password is masked, needed, and in no byte that the terminal was sent', async () => {
  const anna = name('anna');
  const terminal = await openAs(anna);
  terminal.type('/logout\r');
  await terminal.shows(/Logged out/, /not logged in .*● online/);
  terminal.type(`/login ${anna}\rnot it`);
  await terminal.shows(/› ••••••$/m);
  terminal.type('\r');
  await terminal.shows(/! Wrong username or password\./);
  await login(terminal, anna);
  await terminal.shows(new RegExp(`milena · ${anna} .*● online`));
  expect(terminal.output).not.toContain(PASSWORD);
  expect(terminal.output).not.toContain('not it');
});

test('two people chat with ticks, on two frontends', async () => {
  const [anna, bert] = [name('anna'), name('bert')];
  const left = await openAs(anna, north.address.port);
  const right = await openAs(bert, south.address.port, NARROW);
  left.type(`/msg ${bert} are we still on for lunch?\r`);
  await right.shows(new RegExp(`\\d\\d:\\d\\d ${anna}: are we still on for`));
  await left.shows(new RegExp(`me → ${bert}: are we still on for lunch\\?\\s+✓✓$`, 'm'));
  right.type('half a tho');
  await right.shows(/› half a tho$/m);
  left.type('hello?\r');
  await right.shows(new RegExp(`${anna}: hello\\?`), /› half a tho$/m);
  await left.shows(/hello\?\s+✓✓$/m);
});

test('a message to somebody away is stored, shown once when they come, and ticked then', async () => {
  const [anna, bert] = [name('anna'), name('bert')];
  const left = await openAs(anna);
  const right = await openAs(bert);
  right.type('/logout\r');
  await right.shows(/Logged out/, /● online/);
  left.type(`/msg ${bert} for later\r`);
  await left.shows(/for later\s+✓$/m);
  await login(right, bert);
  await right.shows(/Logged in as .*1 message waited/, new RegExp(`${anna}: for later`));
  await left.shows(/for later\s+✓✓$/m);
  right.type('/retrieve\r');
  await right.shows(/No undelivered messages/);
  expect(times(right, 'for later')).toBe(1);
  right.type('/logout\r');
  await right.shows(/Logged out[\s\S]*Logged out/, /● online/);
  await login(right, bert);
  await right.shows(/Logged in as .*\.$/m, new RegExp(`milena · ${bert} `));
  expect(times(right, 'for later')).toBe(1);
});

test('a frontend that is killed: what is written meanwhile waits, and goes through another one', async () => {
  const [anna, bert] = [name('anna'), name('bert')];
  door.target = north.address;
  const left = await openAs(anna, door.port);
  const right = await openAs(bert);
  left.type(`/msg ${bert} before\r`);
  await left.shows(/before\s+✓✓$/m);
  await north.kill('SIGKILL');
  await left.shows(
    /! The connection to .* is\s+lost/,
    new RegExp(`${anna}, not logged in .*(offline|connecting)`),
  );
  left.type('in between\r');
  await left.shows(/in between\s+⧖$/m);
  right.type(`/msg ${anna} are you there?\r`);
  await right.shows(/are you there\?\s+✓$/m);
  left.type('half a tho');
  door.target = south.address;
  await left.shows(new RegExp(`Logged in again as ${anna}`), /› half a tho$/m, /in between\s+✓✓$/m);
  await left.shows(new RegExp(`${bert}: are you there\\?`));
  await right.shows(new RegExp(`${anna}: in between`), /are you there\?\s+✓✓$/m);
  expect([times(right, 'before'), times(right, 'in between'), times(left, 'are you there')]).toEqual([
    1, 1, 1,
  ]);
  north = await startFrontend();
});

test('one account in two terminals: asked, taken over, told, and taken back', async () => {
  const anna = name('anna');
  const first = await openAs(anna);
  const second = openClient(north.address.port);
  await second.shows(/Connected to/);
  await login(second, anna);
  await second.shows(/is logged in elsewhere\. Type yes to take over/, /^take over\? ›/m);
  second.type('no\r');
  await second.shows(/Nothing was done/);
  await login(second, anna);
  await second.shows(/^take over\? ›/m);
  second.type('yes\r');
  await second.shows(new RegExp(`milena · ${anna} .*● online`));
  await first.shows(new RegExp(`/login\\s+${anna}\\s+takes it back`), /not logged in .*● online/);
  await login(first, anna);
  await first.shows(/^take over\? ›/m);
  first.type('yes\r');
  await first.shows(new RegExp(`milena · ${anna} .*● online`));
  await second.shows(/takes\s+it\s+back/, /not logged in/);
});

test('encrypted: with the authority that is trusted, and not without', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  const subject = ['-subj', '/CN=milena', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...kind, ...subject, '-keyout', key, '-out', cert]);
  const frontend = await startFrontend({ MILENA_TLS_CERT: cert, MILENA_TLS_KEY: key });
  onTestFinished(() => frontend.remove());
  const { port } = frontend.address;
  const anna = name('anna');
  const terminal = openClient(port, WIDE, `--ca ${cert}`);
  await create(terminal, anna);
  terminal.type(`/msg ${anna} to myself\r`);
  await terminal.shows(/to myself\s+✓✓$/m, new RegExp(`${anna}: to myself`));
  await openClient(port, WIDE, '--tls').shows(wrapped('not signed by anybody whom this machine trusts'));
  await openClient(port).shows(wrapped('if it speaks TLS there, use --tls'));
  await openClient(south.address.port, WIDE, '--tls').shows(wrapped('does not speak TLS there'));
});

describe('what some program wrote into the inbox', () => {
  test('is marked, also when it copies the headers of a real message', async () => {
    const [anna, bert] = [name('anna'), name('bert')];
    const terminal = await openAs(anna);
    const other = await openAs(bert);
    other.type(`/msg ${anna} truly me\r`);
    await terminal.shows(new RegExp(`${bert}: truly me`));
    const kafka = new Kafka({ clientId: 'forger', brokers: testBrokers(), logLevel: logLevel.NOTHING });
    const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: name('forger') })];
    const topic = `milena.inbox.${anna}`;
    await Promise.all([producer.connect(), consumer.connect()]);
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      const copied = await new Promise<Record<string, Buffer>>((resolve) => {
        void consumer.run({
          eachMessage: async ({ message }) => resolve(message.headers as Record<string, Buffer>),
        });
      });
      expect(Object.keys(copied)).toContain('milena-from');
      await producer.send({
        topic,
        messages: [
          { key: 'deploy-bot', value: 'build 7 is out' },
          { key: bert, value: 'send me your password', headers: copied },
        ],
      });
    } finally {
      await Promise.all([producer.disconnect(), consumer.disconnect()]);
    }
    await terminal.shows(
      /\d\d:\d\d ext deploy-bot: build 7 is out/,
      /\d\d:\d\d ext .*: send me your password/,
    );
    expect(terminal.rows.join('\n')).not.toMatch(new RegExp(`\\d\\d:\\d\\d ${bert}: send me`));
  });
});

test('delete asks for a yes and the password, and takes the name away', async () => {
  const [anna, bert] = [name('anna'), name('bert')];
  const left = await openAs(anna);
  const right = await openAs(bert);
  right.type(`/msg ${anna}\r`);
  left.type('/delete\r');
  await left.shows(/^delete .*\? ›/m);
  left.type('yes\r');
  await left.shows(/^password of .*›/m);
  left.type(`${PASSWORD}\r`);
  await left.shows(new RegExp(`The account ${anna} is deleted`), /not logged in .*● online/);
  left.type(`/list ${anna}\r`);
  await left.shows(/No accounts match/);
  right.type('are you gone?\r');
  await right.shows(/are you gone\?\s+✗ .*no .*user/i);
});
