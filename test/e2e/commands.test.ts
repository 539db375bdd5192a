/** The commands for scripts as scripts run them: ./milena, real frontends, a real Kafka. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeAccount } from '../../src/storage/kafka/tables/account-record.ts';
import { ACCOUNTS_TOPIC } from '../../src/storage/kafka/wire/topics.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { TEST_KEYS, testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { witness } from '../kafka/cluster.ts';
import { certificateFolder, makeCertificate } from '../server/certificate.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { FULL, inFull, sized } from '../size.ts';
import { CommandHere } from '../terminal/cli/command-here.ts';
import { type Done, RunningCommand } from '../terminal/cli/running-command.ts';
import {
  accountShape,
  checkShape,
  messageShape,
  sentShape,
  shaped,
  statusShape,
  storedShape,
} from '../terminal/cli/shapes.ts';
import { makeAccount, PASSWORD } from './client-terminal.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT } from './script.ts';
import { TestTerminal } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-commands-'));
const MILENA = join(ROOT, 'milena');
let frontend: FrontendHere;

beforeAll(async () => {
  await built();
  frontend = await openFrontendHere();
});
afterAll(async () => {
  await frontend?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function name(stem: string): string {
  return `${stem}-${randomBytes(4).toString('hex')}`;
}

function settings(user = ''): Record<string, string> {
  const { host, port } = frontend.address;
  return {
    MILENA_SERVER: `${host}:${port}`,
    MILENA_USER: user,
    MILENA_PASSWORD: PASSWORD,
    MILENA_DATA_DIR: join(folder, 'data'),
  };
}

interface More {
  readonly input?: string;
  readonly cwd?: string;
  readonly settings?: Record<string, string>;
}

function start(user: string, args: readonly string[], more: More = {}): RunningCommand {
  const program = [MILENA];
  return new RunningCommand(args, {
    program,
    input: more.input ?? '',
    ...(more.cwd === undefined ? {} : { cwd: more.cwd }),
    settings: { ...settings(user), ...more.settings },
  });
}

/** To its end: in this process where it needs no more of one than arguments and settings, unless all is asked for. */
function milena(user: string, args: readonly string[], more: More = {}): Promise<Done> {
  const isHere = !FULL && more.input === undefined && more.cwd === undefined && args.length > 0;
  if (isHere) return new CommandHere(args, { ...settings(user), ...more.settings }).done();
  return start(user, args, more).done();
}

function account(stem: string): Promise<string> {
  return makeAccount(frontend, name(stem));
}

async function listening(user: string, ...args: string[]): Promise<RunningCommand> {
  const command = start(user, ['listen', ...args]);
  await command.printed(/Listening as/);
  return command;
}

function bodies({ stdout }: { stdout: string }): string[] {
  return shaped(messageShape, stdout).map(({ body }) => body);
}

test('an account from its creation to its end', async () => {
  const [anna, bert] = [name('anna'), await account('bert')];
  const weak = await milena('', ['create', anna], { settings: { MILENA_PASSWORD: 'short' } });
  expect(weak).toMatchObject({ code: 65, stderr: expect.stringMatching(/at least 8 characters/) });
  expect(await milena('', ['create', anna])).toEqual({
    code: 0,
    stdout: '',
    stderr: `milena: The account ${anna} is made.\n`,
  });
  expect(await milena('', ['create', anna])).toMatchObject({ code: 73 });

  expect(await milena('', ['list', anna])).toEqual({ code: 0, stdout: `${anna}\n`, stderr: '' });
  expect(shaped(accountShape, (await milena('', ['list', `${anna}*`, '--json'])).stdout)).toMatchObject([
    { name: anna },
  ]);
  expect(await milena('', ['list', 'no/pattern'])).toMatchObject({ code: 64 });
  expect(await milena('', ['list', '--limit', '1'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^[^\n]+\n$/),
    stderr: 'milena: There are more.\n',
  });
  expect(await milena(anna, ['status', anna, bert])).toEqual({
    code: 0,
    stdout: `${anna} away\n${bert} away\n`,
    stderr: '',
  });
  const status = await milena(anna, ['status', bert, 'nobody-at-all', '--json']);
  expect(status).toMatchObject({ code: 67, stderr: 'milena: There is no user called nobody-at-all.\n' });
  expect(shaped(statusShape, status.stdout).map(({ state }) => state)).toEqual(['away', 'no-such-user']);

  const fresh = { MILENA_NEW_PASSWORD: 'another horse' };
  expect(await milena(anna, ['passwd'], { settings: fresh })).toMatchObject({ code: 0 });
  expect(await milena(anna, ['send', bert, 'hi'])).toMatchObject({ code: 77, stdout: '' });
  const now = { MILENA_PASSWORD: 'another horse' };
  expect(await milena(anna, ['send', bert, 'hi'], { settings: now })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });

  expect(await milena(bert, ['delete'])).toMatchObject({ code: 64, stderr: expect.stringMatching(/--yes/) });
  const refused = await milena(bert, ['delete', '--yes']);
  expect(refused).toMatchObject({
    code: 77,
    stderr: expect.stringMatching(/1 undelivered message.*milena retrieve.*--force/),
  });
  expect(await milena(bert, ['delete', '--yes', '--force'])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(new RegExp(`${bert} is deleted\\. Messages that nobody will read: 1\\.`)),
  });
  const gone = await milena(anna, ['send', bert, 'hi'], { settings: now });
  expect(gone).toMatchObject({ code: 67, stderr: expect.stringMatching(/no user called/) });
});

test('messages that waited are retrieved once, and stay in the history without a server', async () => {
  const [anna, bert] = [await account('anna'), await account('bert')];
  const sent = await milena(anna, ['send', bert, '-', '--json'], { input: 'first lunch\nin two lines\n' });
  expect(shaped(sentShape, sent.stdout)).toMatchObject([
    { to: bert, state: 'stored', recipientLoggedIn: false },
  ]);
  expect(await milena(anna, ['send', bert, '--', '-second', 'lunch'])).toMatchObject({ code: 0 });

  const first = await milena(bert, ['retrieve', '--json', '--limit', '1']);
  const [message] = shaped(messageShape, first.stdout);
  expect(message).toMatchObject({ from: anna, to: bert, body: 'first lunch\nin two lines' });
  expect(message?.id).toBe(shaped(sentShape, sent.stdout)[0]?.id);
  const rest = await milena(bert, ['retrieve']);
  expect(rest.stdout).toMatch(new RegExp(`^\\d{4}-[\\dT:.-]+Z ${anna}: -second lunch\n$`));
  expect(await milena(bert, ['retrieve'])).toEqual({ code: 0, stdout: '', stderr: '' });

  // Nobody listens there: the history needs nobody.
  const offline = (user: string, ...args: string[]) => milena(user, args);
  const found = await offline(bert, 'search', 'LUNCH', 'sec', '--json');
  expect(shaped(storedShape, found.stdout)).toMatchObject([
    { from: anna, to: bert, direction: 'in', body: '-second lunch' },
  ]);
  const narrowed = await offline(bert, 'search', `from:${anna}`, 'after:today', '"in two"', '--json');
  expect(shaped(storedShape, narrowed.stdout)).toMatchObject([{ body: 'first lunch\nin two lines' }]);
  expect(await offline(bert, 'search', 'lunch', '--limit', '1')).toMatchObject({
    stdout: expect.stringMatching(/-second lunch\n$/),
    stderr: 'milena: The newest 1 of 2: --limit shows more.\n',
  });
  expect(await offline(bert, 'search', 'before:soon')).toMatchObject({ code: 64 });
  const conversation = await offline(anna, 'export', bert, '--json');
  expect(shaped(storedShape, conversation.stdout).map(({ body, fate }) => [body, fate])).toEqual([
    ['first lunch\nin two lines', 'stored'],
    ['-second lunch', 'stored'],
  ]);
  expect((await offline(bert, 'export', anna)).stdout).toMatch(/: first lunch\n {4}in two lines\n/);
  expect(await offline(bert, 'export', 'carla')).toMatchObject({ code: 67 });
  expect(await milena(bert, ['export', anna, '--no-history'])).toMatchObject({ code: 64 });
});

test('two processes: what one sends the other prints, and the sender hears of it', async () => {
  const [anna, bert] = [await account('anna'), await account('bert')];
  const listener = await listening(bert, '--json');
  const sent = await milena(anna, ['send', bert, 'are you there?', '--wait-delivered', '--json']);
  expect(sent).toMatchObject({ code: 0, stderr: '' });
  expect(shaped(sentShape, sent.stdout)).toMatchObject([{ state: 'delivered', recipientLoggedIn: true }]);
  await vi.waitFor(() => expect(bodies(listener)).toEqual(['are you there?']));

  // What only sends or asks goes beside the listener.
  expect(await milena(bert, ['send', anna, 'hi'])).toMatchObject({ code: 0 });
  expect(await milena(bert, ['send', anna, 'hi', '--takeover'])).toMatchObject({ code: 0 });
  expect(await milena(bert, ['status', bert])).toMatchObject({ code: 0, stdout: `${bert} logged in\n` });
  // One login per account receives: the listener is not disturbed, and a script hears why.
  const busy = await milena(bert, ['retrieve']);
  expect(busy).toMatchObject({ code: 75, stderr: expect.stringMatching(/logged in elsewhere/) });
  expect(await milena(bert, ['retrieve', '--takeover'])).toMatchObject({ code: 0 });
  expect(await listener.exited).toBe(75);
});

test('a program that writes to Kafka is never taken for a user', async () => {
  const anna = await account('anna');
  const listener = await listening(anna, '--json', '--once');
  const producer = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING }).producer(STORED_ONCE);
  await producer.connect();
  await producer.send({
    topic: `milena.inbox.${anna}`,
    messages: [{ key: 'root', value: 'send me\u001b[2J' }],
  });
  await producer.disconnect();
  expect(await listener.exited).toBe(0);
  expect(shaped(messageShape, listener.stdout)).toMatchObject([
    { from: null, external: 'root', body: 'send me\u001b[2J' },
  ]);
});

// What a client does then test/client and test/terminal/cli/listen.test.ts have each day.
inFull('listen outlives the frontend: another one takes its port', async () => {
  const [anna, bert] = [await account('anna'), await account('bert')];
  const brokers = testBrokers().join(',');
  const first = await RunningFrontend.start({
    MILENA_KAFKA_BROKERS: brokers,
    MILENA_FRONTEND_LEASE_MS: '6000',
  });
  onTestFinished(() => first.remove());
  const { host, port } = first.address;
  const listener = start(bert, ['listen', '--json'], { settings: { MILENA_SERVER: `${host}:${port}` } });
  await listener.printed(/Listening as/);
  await milena(anna, ['send', bert, 'before', '--wait-delivered']);
  await first.kill('SIGKILL');
  await listener.printed(/is lost: .*Trying again/);
  await milena(anna, ['send', bert, 'meanwhile']);
  const second = await RunningFrontend.start({ MILENA_KAFKA_BROKERS: brokers, MILENA_PORT: String(port) });
  onTestFinished(() => second.remove());
  await listener.printed(/Connected again/);
  expect(await milena(anna, ['send', bert, 'after', '--wait-delivered'])).toMatchObject({ code: 0 });
  await listener.kill('SIGINT');
  expect(bodies(listener)).toEqual(['before', 'meanwhile', 'after']);
});

test('listen that is killed leaves to the next one what it had not printed, in order', async () => {
  const [anna, bert] = [await account('anna'), await account('bert')];
  const count = 8;
  const sender = await RawClient2.connect(frontend.address);
  onTestFinished(() => void sender.socket.destroy());
  await sender.login(anna, { password: PASSWORD });
  for (let index = 0; index < count; index++) await sender.send(bert, `message ${index}`);
  const killed = start(bert, ['listen', '--json']);
  await killed.printed(/message 2/);
  await killed.kill('SIGKILL');
  const next = start(bert, ['listen', '--json', '--takeover']);
  await vi.waitFor(() => expect(bodies(next).at(-1)).toBe(`message ${count - 1}`), { timeout: 30_000 });
  const seen = [...new Set([...bodies({ stdout: killed.stdout.replace(/[^\n]*$/, '') }), ...bodies(next)])];
  expect(seen).toEqual(Array.from({ length: count }, (_, index) => `message ${index}`));
});

describe('doctor', () => {
  test('finds nothing wrong where all is well', async () => {
    const anna = await account('anna');
    await milena(anna, ['send', anna, 'to myself']);
    // Without the keys it cannot tell what others have written to this Kafka.
    const kafka = {
      ...{ MILENA_KAFKA_BROKERS: testBrokers().join(','), MILENA_CLUSTER_KEYS: '' },
      MILENA_CLUSTER_KEY_FILE: join(folder, 'no-such-file'),
    };
    const done = await milena(anna, ['doctor', '--json'], { settings: kafka });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const checks = shaped(checkShape, done.stdout);
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(checks.map((check) => check.name)).toEqual([
      ...[
        'node',
        'terminal',
        'settings',
        'history',
        'server',
        'encryption',
        'clock',
        'accounts',
        'login',
        'kafka',
        'records',
      ],
    ]);
    expect(checks.find((check) => check.name === 'login')?.text).toMatch(/1 message waits/);
    const forPeople = await milena(anna, ['doctor'], { settings: kafka });
    expect(forPeople.stdout).toMatch(/^✓ node /);
    expect(forPeople.stdout).toMatch(/^✓ kafka .*1 broker/m);
    expect(forPeople.stdout).toMatch(/^! records +Not looked at .* no keys in .*no-such-file\./m);
    // What nobody with these keys has signed is told of; where there is nothing else, nobody can log in.
    const [key, secret] = [name('unsigned'), Buffer.alloc(32, 5).toString('base64url')];
    const producer = witness().producer(STORED_ONCE);
    await producer.connect();
    const value = encodeAccount({
      ...{ name: key, incarnation: newUuid(), topicId: randomUUID(), displayName: null, credential: null },
      ...{ disabled: false, blocked: [], createdAt: 1 },
    });
    await producer.send({ topic: ACCOUNTS_TOPIC, messages: [{ key, value }] });
    await producer.disconnect();
    const here = await milena(anna, ['doctor'], { settings: { ...kafka, MILENA_CLUSTER_KEYS: TEST_KEYS } });
    expect(here).toMatchObject({ code: 0 });
    expect(here.stdout).toMatch(/^! records .*Beside \d+ accounts?: nothing of \d+ names? is signed/m);
    expect(here.stdout).toContain('MILENA_UNSIGNED_RECORDS=accept');
    // From any folder: keys are where the scripts of this checkout have them, not where one happens to be.
    const state = mkdtempSync(join(tmpdir(), 'milena-doctor-'));
    onTestFinished(() => rmSync(state, { recursive: true, force: true }));
    for (const file of ['cluster.key', '.milena/cluster.key']) {
      const keys = file === 'cluster.key' ? TEST_KEYS : `other:${secret}`;
      mkdirSync(dirname(join(state, file)), { recursive: true });
      writeFileSync(join(state, file), `${keys}\n`, { mode: 0o600 });
    }
    const byScripts = { ...kafka, MILENA_CLUSTER_KEY_FILE: '', MILENA_STATE_DIR: state };
    const inState = await milena(anna, ['doctor'], { settings: byScripts, cwd: state });
    expect(inState.stdout).toMatch(/^! records .*Beside \d+ accounts?: nothing of \d+ names? is signed/m);
    const others = { ...kafka, MILENA_CLUSTER_KEYS: `other:${secret}` };
    const without = await milena(anna, ['doctor'], { settings: others });
    expect(without).toMatchObject({ code: 78 });
    expect(without.stdout).toMatch(/^✗ records .*No account can be used: nothing of \d+ names is signed/m);
    const lenient = { ...kafka, MILENA_UNSIGNED_RECORDS: 'accept' };
    const warned = await milena(anna, ['doctor'], { settings: lenient });
    expect(warned.stdout).toMatch(/^! records .*MILENA_UNSIGNED_RECORDS=accept/m);
  });

  test('looks at the Kafka that the scripts started, wherever that is, and at the frontends they started', async () => {
    const [broker = ''] = testBrokers();
    const port = broker.replace(/^.*:/, '');
    const state = mkdtempSync(join(tmpdir(), 'milena-doctor-'));
    onTestFinished(() => rmSync(state, { recursive: true, force: true }));
    mkdirSync(join(state, 'kafka'));
    mkdirSync(join(state, 'run'));
    const look = (...args: string[]) =>
      milena('', ['doctor', ...args], { settings: { MILENA_STATE_DIR: state } });
    // As start_kafka.sh writes it, whatever else it may write one day.
    for (const kind of [`jvm ${port}\n`, `docker ${port} and more\nand more\n`]) {
      writeFileSync(join(state, 'kafka', 'kind'), kind);
      const found = await look();
      expect(found).toMatchObject({ code: 0 });
      expect(found.stdout).toMatch(new RegExp(`^✓ kafka +127\\.0\\.0\\.1:${port} answers: 1 broker`, 'm'));
    }
    writeFileSync(join(state, 'kafka', 'kind'), 'jvm 1\n');
    const gone = await look();
    expect(gone.stdout).toMatch(
      /^! kafka +Nothing answers at 127\.0\.0\.1:1, where the scripts started Kafka last/m,
    );
    rmSync(join(state, 'kafka', 'kind'));
    mkdirSync(join(state, 'cluster'));
    writeFileSync(join(state, 'cluster', 'nodes'), `1 ${port} 9\n`);
    expect((await look()).stdout).toMatch(new RegExp(`^✓ kafka +127\\.0\\.0\\.1:${port} answers`, 'm'));

    const started = await RunningFrontend.start({}, ['--storage', 'memory']);
    onTestFinished(() => started.remove());
    const { address, child } = started;
    const program = join(ROOT, 'dist/bin/frontend.js');
    writeFileSync(join(state, 'run', `frontend.${child.pid}`), `${program}\n127.0.0.1:${address.port}\n`);
    writeFileSync(join(state, 'run', `frontend.${process.pid}`), `${program}\n127.0.0.1:2\n`);
    const elsewhere = await look('--server', '127.0.0.1:1');
    expect(elsewhere).toMatchObject({ code: 69 });
    expect(elsewhere.stdout).toMatch(
      new RegExp(`→ --server 127\\.0\\.0\\.1:${address.port} is a frontend of this folder`),
    );
  });

  test('says what to do where nobody listens: 69', async () => {
    const done = await milena('', ['doctor', '--server', '127.0.0.1:1']);
    expect(done).toMatchObject({
      code: 69,
      stdout: expect.stringMatching(/✗ server .*nobody listens there\.\n +→ .*start_frontend/),
    });
  });

  test('tells a wrong password: 77, and a login elsewhere, which is none of its business: 0', async () => {
    const anna = await account('anna');
    const wrong = await milena(anna, ['doctor'], { settings: { MILENA_PASSWORD: 'wrong horse' } });
    expect(wrong).toMatchObject({
      code: 77,
      stdout: expect.stringMatching(/✗ login +Wrong username or password/),
    });
    await listening(anna);
    const busy = await milena(anna, ['doctor']);
    expect(busy).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/! login +The password is right; .* elsewhere/),
    });
  });

  test('tells a wrong setting: 78', async () => {
    const file = join(folder, 'settings.json');
    writeFileSync(file, '{ "sever": "localhost:1" }');
    const done = await milena('', ['doctor'], { settings: { MILENA_SETTINGS: file } });
    expect(done).toMatchObject({
      code: 78,
      stdout: expect.stringMatching(/✗ settings .*no setting "sever"\. Is "server" meant\?/),
    });
  });

  test('looks at the certificate', async () => {
    const files = await certificateFolder();
    await makeCertificate(files, 'frontend of the test');
    const secure = await openFrontendHere({ MILENA_TLS_CERT: files.certFile, MILENA_TLS_KEY: files.keyFile });
    onTestFinished(secure.remove);
    const server = `localhost:${secure.address.port}`;
    const done = await milena('', ['doctor', '--server', server, '--ca', files.certFile]);
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/! encryption +TLSv1\.3, certificate of frontend of the test.*1 days/),
    });
    const untrusted = await milena('', ['doctor', '--server', server, '--tls']);
    expect(untrusted).toMatchObject({
      code: 69,
      stdout: expect.stringMatching(/✗ server .*not signed by anybody/),
    });
    const plain = await milena('', ['list', '--server', server]);
    expect(plain).toMatchObject({ code: 69, stderr: expect.stringMatching(/use --tls/) });
  });
});

describe('at a terminal', () => {
  const size = { columns: 80, rows: 24 };

  function terminal(command: string, env: Record<string, string>): TestTerminal {
    const opened = new TestTerminal(`${command}; echo "exit $?"`, { ...size, env });
    onTestFinished(() => opened.close());
    return opened;
  }

  test('passwords are asked for twice, and never shown', async () => {
    const anna = name('anna');
    const env = { ...settings(), MILENA_PASSWORD: '' };
    const create = terminal(`${MILENA} create ${anna} | cat`, env);
    await create.shows(/New password for .* \(usually 8 characters or more\):/);
    create.type(`${PASSWORD}x\u007f\r`);
    await create.shows(/The same again:/);
    create.type(`${PASSWORD}\r`);
    await create.shows(/is made/, /exit 0/);
    expect(create.output).not.toContain(PASSWORD);
    // Standard input is the text, so it asks the terminal.
    const send = terminal(`echo hi | ${MILENA} send ${anna} - --user ${anna}`, env);
    await send.shows(/Password of/);
    send.type(`${PASSWORD}\r`);
    await send.shows(/✓/, /exit 0/);
    expect(await milena(anna, ['retrieve'])).toMatchObject({ stdout: expect.stringMatching(/: hi\n$/) });
  });

  inFull('doctor tells of the terminal', async () => {
    const shown = terminal(`${MILENA} doctor`, { ...settings(), LC_ALL: 'C.UTF-8', NO_COLOR: '' });
    await shown.shows(/✓ terminal +xterm-256color, 80×24, 256 colours, UTF-8/, /✓ server/);
  });

  test('Ctrl+C leaves a question, and the terminal as it was', async () => {
    const anna = await account('anna');
    const deletion = terminal(
      `${MILENA} delete --user ${anna}; echo "code $?"; stty -a | grep -o ' echo '`,
      settings(),
    );
    await deletion.shows(/Type yes:/);
    deletion.type('\u0003');
    await deletion.shows(/code 130/, / echo/);
    const again = terminal(`${MILENA} delete --user ${anna}`, settings());
    await again.shows(/Type yes:/);
    again.type('yes\r');
    await again.shows(/is deleted/, /exit 0/);
  });
});

test('it starts from anywhere, through a link, and quickly', async () => {
  const link = join(folder, 'milena');
  symlinkSync(MILENA, link);
  const runs: [string, RunningCommand][] = [];
  const all = [['--version'], ['list', 'nobody'], ['--help'], ['completion', 'bash']];
  for (const args of all.slice(0, sized(2, 4))) {
    const began = performance.now();
    const command = new RunningCommand(args, { program: [link], settings: settings() });
    expect(await command.exited).toBe(0);
    runs.push([`${args.join(' ')}: ${Math.round(performance.now() - began)} ms`, command]);
  }
  console.log(`Start to end: ${runs.map(([what]) => what).join(', ')}`);
  expect(runs[0]?.[1].stdout).toMatch(/^milena \d+\.\d+\.\d+\n$/);
});

test('the chat needs a terminal, and says what else there is: 64', async () => {
  const done = await milena('', []);
  expect(done).toMatchObject({ code: 64, stderr: expect.stringMatching(/terminal.*\n.*milena --help/) });
});
