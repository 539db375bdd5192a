/** The client as people use it: the built program in a real terminal, real frontends, a real Kafka. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { certificateFolder, makeCertificate } from '../server/certificate.ts';
import { FULL, inFull, share } from '../size.ts';
import {
  answerPassword,
  CLIENT,
  closeClients,
  logIn,
  NARROW,
  openAs,
  openClient,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  startFrontend,
  WIDE,
} from './client-terminal.ts';
import { Door } from './door.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built } from './running-frontend.ts';
import { scriptEnvironment } from './script.ts';
import type { TestTerminal } from './terminal.ts';

const ALT_UP = '\u001b[1;3A';
let north: FrontendHere;
let south: FrontendHere;
let door: Door;

beforeAll(async () => {
  await built();
  [north, south] = await Promise.all([openFrontendHere(), openFrontendHere()]);
  door = await Door.open(north.address);
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  door?.shut();
  await Promise.all([north?.remove(), south?.remove()]);
});

const inSouth = (user: string, size = WIDE) => openAs(user, south.address.port, { size });

/** A text that may be broken into rows at any blank. */
function wrapped(text: string): RegExp {
  return new RegExp(text.replaceAll(' ', '[\\s│]+'));
}

/** How often a text stands on the screen. */
function times(terminal: TestTerminal, text: string): number {
  return terminal.text.split(text).length - 1;
}

test('a password is masked, needed, and in no byte that the terminal was sent', async () => {
  const anna = person('anna');
  const terminal = await inSouth(anna);
  terminal.type('/logout\r');
  await terminal.shows(/Logged out/, /not logged in .*● online/);
  terminal.type(`/login ${anna}\rnot it`);
  await terminal.shows(/› ••••••$/m);
  terminal.type('\r');
  await terminal.shows(/! {2}Wrong username or password\./, /^ password of .* › *$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(new RegExp(`milena · ${anna} .*● online`));
  expect(terminal.output).not.toContain(PASSWORD);
  expect(terminal.output).not.toContain('not it');
});

test('the first start: a name that somebody has is logged in to, a new one is made', async () => {
  const anna = person('anna');
  const data = ownFolder();
  const terminal = openClient(south.address.port, { data });
  await terminal.shows(/● online/, /^ your name › *$/m);
  terminal.type(`${anna}\r`);
  await terminal.shows(/^ make .*\? › *$/m);
  terminal.type(`yes\r${PASSWORD}\r${PASSWORD}\r`);
  await terminal.shows(new RegExp(`^ milena · ${anna} .*● online`));
  terminal.type('/quit\r');
  await terminal.until(() => expect(terminal.exitCode).toBe(0));
  // Elsewhere nothing is known of it; here it is, and only the password is asked for.
  const other = openClient(south.address.port);
  await other.shows(/● online/, /^ your name › *$/m);
  other.type(`${anna}\r`);
  await answerPassword(other);
  await other.shows(new RegExp(`^ milena · ${anna} .*● online`));
  other.type('\u0003');
  await other.until(() => expect(other.exitCode).toBe(0));
  const again = openClient(south.address.port, { data });
  await answerPassword(again);
  await again.shows(new RegExp(`^ milena · ${anna} .*● online`));
  const named = openClient(south.address.port, { data, user: person('nobody') });
  await named.shows(/^ password of nobody/m);
});

// As play.test.ts does each day.
inFull('two people chat with ticks, on two frontends', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const left = await openAs(anna, north.address.port);
  const right = await inSouth(bert, NARROW);
  left.type(`/msg ${bert} are we still on for lunch?\r`);
  await right.shows(/1 conversation unread/);
  right.type('\u001ba');
  await right.shows(new RegExp(`^ \\d\\d:\\d\\d {2}${anna} {2}are we still on for lunch\\?$`, 'm'));
  await left.shows(/me +are we still on for lunch\? +✓✓$/m);
  right.type('half a tho');
  await right.shows(/› half a tho$/m);
  left.type('hello?\r');
  await right.shows(new RegExp(`${anna} {2}hello\\?$`, 'm'), /› half a tho$/m);
  await left.shows(/hello\? +✓✓$/m);
});

inFull('a message to somebody away is stored, shown once when they come, and ticked then', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const left = await inSouth(anna);
  const right = await inSouth(bert);
  right.type('/logout\r');
  await right.shows(/Logged out/, /not logged in .*● online/);
  left.type(`/msg ${bert} for later\r`);
  await left.shows(/for later +✓$/m);
  await logIn(right, bert);
  await right.shows(wrapped('1 message waited for you'), new RegExp(`^ [\\d ] ${anna} +1 │`, 'm'));
  await left.shows(/for later +✓✓$/m);
  right.type('/retrieve\r');
  await right.shows(/No undelivered messages/);
  right.type('\u001ba');
  await right.shows(/─ 1 new ─/, new RegExp(`${anna} {2}for later$`, 'm'));
  right.type('/logout\r');
  await right.shows(/Logged out/, /not logged in .*● online/);
  await logIn(right, bert);
  await right.shows(/Logged in as .*\.$/m, new RegExp(`milena · ${bert} `));
  expect(right.text).not.toMatch(/unread {3}/);
  right.type('\u001b1');
  await right.shows(/for later/);
  expect(times(right, 'for later')).toBe(1);
});

inFull(
  'a frontend that is killed: what is written meanwhile waits, and goes through another one',
  async () => {
    const [anna, bert] = [person('anna'), person('bert')];
    const doomed = await startFrontend();
    onTestFinished(() => doomed.remove());
    door.target = doomed.address;
    const left = await openAs(anna, door.port);
    const right = await inSouth(bert);
    left.type(`/msg ${bert} before\r`);
    await left.shows(/before +✓✓$/m);
    await doomed.kill('SIGKILL');
    await left.shows(
      /! {2}The connection to/,
      new RegExp(`${anna}, not logged in .*(no connection|connecting)`),
    );
    left.type('in between\r');
    await left.shows(/in between +⧖$/m);
    right.type(`/msg ${anna} are you there?\r`);
    await right.shows(/are you there\? +✓$/m);
    left.type('half a tho');
    door.target = south.address;
    await left.shows(wrapped(`Logged in again as ${anna}`), /› half a tho$/m, /in between +✓✓$/m);
    await left.shows(new RegExp(`${bert} {2}are you there\\?`));
    await right.shows(new RegExp(`${anna} {2}in between`), /are you there\? +✓✓$/m);
    expect([times(right, 'before'), times(right, 'in between'), times(left, 'are you there')]).toEqual([
      1, 1, 1,
    ]);
  },
);

inFull('one account in two terminals: asked, taken over, told, and taken back', async () => {
  const anna = person('anna');
  const first = await inSouth(anna);
  const second = openClient(north.address.port, { user: anna });
  await answerPassword(second);
  await second.shows(wrapped('is logged in elsewhere. Type yes to take over'), /^ take over\? ›/m);
  second.type('no\r');
  await second.shows(/Nothing was done/);
  await logIn(second, anna);
  await second.shows(/^ take over\? ›/m);
  second.type('yes\r');
  await second.shows(new RegExp(`milena · ${anna} .*● online`));
  await first.shows(wrapped(`/login ${anna} takes it back`), /not logged in .*● online/);
  first.type('\u001br');
  await answerPassword(first);
  await first.shows(new RegExp(`milena · ${anna} .*● online`));
  await second.shows(wrapped('takes it back'), /not logged in/);
});

test('encrypted: with the authority that is trusted, and not without', async () => {
  const files = await certificateFolder();
  await makeCertificate(files, 'milena');
  const { certFile: cert, keyFile: key } = files;
  const frontend = await openFrontendHere({ MILENA_TLS_CERT: cert, MILENA_TLS_KEY: key });
  onTestFinished(frontend.remove);
  const { port } = frontend.address;
  const anna = person('anna');
  const terminal = await openAs(anna, port, { args: `--tls --ca ${cert}` });
  terminal.type(`/msg ${anna} to myself\r`);
  await terminal.shows(/to myself +✓✓$/m, new RegExp(`${anna} {2}to myself`));
  const trusting = openClient(port, { args: '--tls' });
  await trusting.shows(wrapped('not signed by anybody whom this machine trusts'));
  if (!FULL) return;
  await openClient(port).shows(wrapped('if it speaks TLS there, use --tls'));
  await openClient(south.address.port, { args: '--tls' }).shows(wrapped('does not speak TLS there'));
});

test('what some program wrote into the inbox is marked, also with the headers of a real message', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const terminal = await inSouth(anna);
  const other = await inSouth(bert);
  other.type(`/msg ${anna} truly me\r`);
  await terminal.shows(new RegExp(`^ [\\d ] ${bert} +1 │`, 'm'));
  const kafka = new Kafka({ clientId: 'forger', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const groupId = `forger-${randomBytes(4).toString('hex')}`;
  const [producer, consumer] = [kafka.producer(STORED_ONCE), kafka.consumer({ groupId })];
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
  await terminal.shows(/3 conversations unread/, /^ [\d ] deploy-bot +ext 1 │/m);
  terminal.type('\u001b1');
  await terminal.shows(new RegExp(`│ \\d\\d:\\d\\d {2}${bert} {2}truly me$`, 'm'));
  expect(times(terminal, 'send me')).toBe(0);
  terminal.type(ALT_UP);
  await terminal.shows(/│ \d\d:\d\d {2}ext deploy-bot {2}build 7 is out$/m);
  terminal.type(ALT_UP);
  await terminal.shows(/│ \d\d:\d\d {2}ext \S.* {2}send me your password$/m, /from a program: no answers/);
});

test('delete asks for a yes and the password, and takes the name away', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const left = await inSouth(anna);
  const right = await inSouth(bert);
  right.type(`/msg ${anna}\r`);
  left.type('/delete\r');
  await left.shows(/^ delete .*\? ›/m);
  left.type('yes\r');
  await left.shows(/^ password of .*›/m);
  left.type(`${PASSWORD}\r`);
  await left.shows(new RegExp(`The account ${anna} is deleted`), /not logged in .*● online/);
  left.type(`/list ${anna}\r`);
  await left.shows(/No accounts match/);
  right.type('are you gone?\r');
  await right.shows(/are you gone\? +✗$/m, /✗ .*no .*user/i);
});

test('who is there: a list by wildcard', async () => {
  const tag = person('');
  await inSouth(`zoe-${tag}-one`);
  const terminal = await inSouth(`zoe-${tag}-two`, { columns: 120, rows: 24 });
  terminal.type(`/list zoe-${tag}-???\r`);
  await terminal.shows(new RegExp(`2 accounts: zoe-${tag}-one; zoe-${tag}-two`));
  terminal.type(`/list *${tag}-on?\r`);
  await terminal.shows(new RegExp(`1 account: zoe-${tag}-one`));
});

describe('without a terminal, or asked wrongly', () => {
  const WRONG: [string, string[], RegExp][] = [
    ['no terminal', [], /needs a terminal/],
    ['an unknown option', ['--dance'], /no option (called )?"?--dance/],
    ['no port', ['--server', 'here'], /HOST:PORT/],
    ['a port too large', ['--server', 'here:70000'], /HOST:PORT/],
    ['the first version of the protocol', ['--protocol', '1'], /speaks version 2 of the protocol/],
  ];
  test.each(share(WRONG, 3, 0))('%s: a sentence, and exit code 64', async (_name, args, text) => {
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
