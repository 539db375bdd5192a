/** `milena doctor --repair` after an operator's work with Kafka's own tools. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { borrowBroker } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually } from '../contracts/cluster.ts';
import { FULL, inFull } from '../size.ts';
import { CommandHere } from '../terminal/cli/command-here.ts';
import { type Done, RunningCommand } from '../terminal/cli/running-command.ts';
import { checkShape, messageShape, shaped } from '../terminal/cli/shapes.ts';
import { makeAccount, PASSWORD } from './client-terminal.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built } from './running-frontend.ts';
import { ROOT } from './script.ts';
import { TestTerminal } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-repair-'));
const MILENA = join(ROOT, 'milena');
let broker: TestBroker;
let frontend: FrontendHere;
let kafka: kafkajs.Kafka;
let admin: kafkajs.Admin;

beforeAll(async () => {
  await built();
  broker = await borrowBroker();
  kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
  admin = kafka.admin();
  await admin.connect();
  frontend = await openFrontendHere({ MILENA_KAFKA_BROKERS: broker.brokers });
});
afterAll(async () => {
  await frontend?.remove();
  await admin?.disconnect();
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function settings(user = ''): Record<string, string> {
  const { host, port } = frontend.address;
  return {
    MILENA_SERVER: `${host}:${port}`,
    MILENA_USER: user,
    MILENA_PASSWORD: PASSWORD,
    MILENA_DATA_DIR: join(folder, 'data'),
    MILENA_KAFKA_BROKERS: broker.brokers,
    MILENA_CLUSTER_KEYS: TEST_KEYS,
  };
}

function milena(user: string, ...args: string[]): Promise<Done> {
  if (!FULL) return new CommandHere(args, settings(user)).done();
  return new RunningCommand(args, { program: [MILENA], settings: settings(user) }).done();
}

async function inboxesCheck(more: Record<string, string> = {}) {
  const { stdout } = await new CommandHere(['doctor', '--json'], { ...settings(), ...more }).done();
  return shaped(checkShape, stdout).find(({ name }) => name === 'inboxes');
}

/** Each command is a process, and so is each tool of Kafka. */
const PATIENCE = { timeout: 400_000 };

test('says what it would do, does it when it is told to, and then all is well', PATIENCE, async () => {
  for (const name of ['anna', 'bert', 'carl', 'dora']) await makeAccount(frontend, name);
  expect(await inboxesCheck()).toMatchObject({ state: 'ok' });
  await admin.deleteTopics({ topics: ['milena.inbox.anna', 'milena.inbox.bert', 'milena.inbox.carl'] });
  await eventually(() => admin.createTopics({ topics: [{ topic: 'milena.inbox.bert' }] }));

  const refused = await milena('dora', 'send', 'anna', 'too early');
  expect(refused.code).toBe(75);
  expect(refused.stderr).toMatch(/Not sent yet: The inbox of anna was deleted or replaced in Kafka/);

  const found = await inboxesCheck();
  expect(found).toMatchObject({ state: 'failed' });
  for (const name of ['anna', 'bert', 'carl']) expect(found?.text).toContain(`milena.inbox.${name}`);

  const dry = await milena('', 'doctor', '--repair');
  expect(dry).toMatchObject({ code: 64 });
  expect(dry.stdout).toMatch(/milena\.inbox\.anna: its topic is gone/);
  expect(dry.stdout).toMatch(/milena\.inbox\.bert: another topic has its name/);
  expect(dry.stderr).toContain('--yes');

  expect(await milena('', 'doctor', '--repair', '--yes', '--free', 'dora')).toMatchObject({ code: 64 });
  const done = await milena('', 'doctor', '--repair', '--yes', '--free', 'carl');
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toMatch(/the account carl is removed/);
  expect(done.stdout).toMatch(/milena\.inbox\.anna: made anew, empty/);
  expect(done.stdout).toMatch(/milena\.inbox\.bert: taken over with what is in it/);
  expect(await inboxesCheck()).toMatchObject({ state: 'ok' });
  expect((await milena('', 'doctor', '--repair', '--yes')).stdout).toMatch(/nothing to repair/);

  // Frontends that run go on with it; what could not be sent goes with the next login.
  expect(await milena('dora', 'send', 'bert', 'in time')).toMatchObject({ code: 0 });
  await eventually(async () => {
    const { stdout } = await milena('anna', 'retrieve', '--json');
    expect(shaped(messageShape, stdout).map(({ body }) => body)).toEqual(['too early']);
  });
  const { stdout } = await milena('bert', 'retrieve', '--json');
  expect(shaped(messageShape, stdout).map(({ body }) => body)).toEqual(['in time']);
  expect(await milena('', 'create', 'carl')).toMatchObject({ code: 0 });
});

inFull(
  'asks at a terminal, and takes only yes for it',
  async () => {
    await makeAccount(frontend, 'ella');
    await admin.deleteTopics({ topics: ['milena.inbox.ella'] });
    for (const [answer, state] of [
      ['no', 'failed'],
      ['yes', 'ok'],
    ] as const) {
      const terminal = new TestTerminal(`${MILENA} doctor --repair`, {
        ...{ columns: 100, rows: 30 },
        env: { ...settings(), LC_ALL: 'C.UTF-8' },
      });
      await terminal.shows(/Repair that\? Type yes:/);
      terminal.type(`${answer}\r`);
      await terminal.until(() => expect(terminal.exitCode).toBeDefined());
      terminal.close();
      expect(await inboxesCheck()).toMatchObject({ state });
    }
  },
  PATIENCE.timeout,
);

test('says whose topics are nobody’s, and of none where accounts cannot be read', PATIENCE, async () => {
  await makeAccount(frontend, 'gina');
  const topic = 'milena.inbox.ginna';
  await makeTopics(admin, [{ topic }]);
  const empty = expect.stringMatching(/; of nobody, and empty: milena\.inbox\.ginna$/);
  expect(await inboxesCheck()).toMatchObject({ state: 'ok', text: empty });
  const producer = kafka.producer(STORED_ONCE);
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  await producer.send({ topic, messages: [{ value: 'misspelt' }] });
  const full = expect.stringMatching(
    /^Of nobody, with messages in them that nobody reads: milena\.inbox\.ginna\.$/,
  );
  expect(await inboxesCheck()).toMatchObject({ state: 'hint', text: full });

  const others = `other:${Buffer.alloc(32, 5).toString('base64url')}`;
  const unread = await inboxesCheck({ MILENA_CLUSTER_KEYS: others });
  const unknown = /^Not looked at whose these are: .* cannot be read with this key\. .*milena\.inbox\.gina/;
  expect(unread).toMatchObject({ state: 'hint', text: expect.stringMatching(unknown) });
  await admin.deleteTopics({ topics: [topic] });
});

test('names what it cannot mend, and brings settings back', PATIENCE, async () => {
  await makeAccount(frontend, 'fred');
  const topic = 'milena.inbox.fred';
  const configEntries = [
    { name: 'retention.ms', value: '1000' },
    { name: 'cleanup.policy', value: 'compact' },
  ];
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] });
  expect(await inboxesCheck()).toMatchObject({ state: 'hint', text: expect.stringMatching(/settings/) });
  expect(await milena('', 'doctor', '--repair', '--yes')).toMatchObject({ code: 0 });
  expect(await inboxesCheck()).toMatchObject({ state: 'ok' });
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
  expect(await inboxesCheck()).toMatchObject({ state: 'hint', text: expect.stringMatching(/partitions/) });
  expect((await milena('', 'doctor', '--repair', '--yes')).stdout).toMatch(/Nothing can be done from here/);
});
