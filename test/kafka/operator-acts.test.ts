import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { javaCommand, kafkaClassPath, quickStart } from '../broker/java.ts';
import { kafkaTool } from '../broker/kafka-tool.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import {
  appendAll,
  eventually,
  message,
  numbered,
  observe,
  type TestCluster,
  textOf,
  uniqueName,
} from '../contracts/cluster.ts';
import { FULL, inFullSize } from '../size.ts';
import { kafkaCluster, testConfig, testLog, witness } from './cluster.ts';

const ALL = { maxBytes: 1_000_000 };

/** Somebody who has received three of five messages, and is away. */
async function makeAway({ here }: TestCluster, stem: string): Promise<Account> {
  const owner = await here.accounts.create({ name: uniqueName(stem) });
  await appendAll(here, owner, owner, numbered('m', 5));
  const { inbox } = await observe(here, owner);
  const read = await inbox.read({ ...ALL, maxMessages: 3 });
  inbox.acknowledge(0, read.at(-1)?.offset ?? -1);
  await inbox.close();
  return owner;
}

async function waitingFor({ elsewhere }: TestCluster, owner: Account): Promise<string[]> {
  const { inbox } = await observe(elsewhere, owner);
  const bodies = (await inbox.read(ALL)).map(textOf);
  await inbox.close();
  return bodies;
}

it('an offset that somebody else has set is no position: all of the inbox is delivered again', async () => {
  const cluster = await kafkaCluster();
  onTestFinished(cluster.close);
  const owner = await makeAway(cluster, 'reset');
  const group = `milena.inbox.${owner.name}`;
  const admin = witness().admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  await admin.setOffsets({ groupId: group, topic: group, partitions: [{ partition: 0, offset: '5' }] });
  expect(await waitingFor(cluster, owner)).toEqual(numbered('m', 5));
});

/**
 * What docs/operations.md says of Kafka's own tools, tried with them. Each day the same is seen by requests: here, in
 * touched-topics.test.ts, foreign-groups.test.ts and others; and of the tools one, in witness.test.ts.
 */
describe.skipIf(!FULL)(inFullSize('an operator with Kafka’s own tools'), { timeout: 180_000 }, () => {
  let broker: TestBroker;
  let cluster: TestCluster;

  beforeAll(async () => {
    broker = await borrowBroker();
    cluster = await kafkaCluster([broker.brokers]);
  });
  afterAll(async () => {
    await cluster?.close();
    await broker?.stop();
  });

  const groupOf = ({ name }: Account) => `milena.inbox.${name}`;
  const groups = (...args: string[]) => kafkaTool(broker.brokers, 'consumer-groups', args);

  const away = (stem: string) => makeAway(cluster, stem);
  const waiting = (owner: Account) => waitingFor(cluster, owner);

  it('sees what somebody has not received as the lag of their group', async () => {
    const owner = await away('lag');
    const shown = await groups('--describe', '--group', groupOf(owner));
    // TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG
    expect(shown).toMatch(new RegExp(`${groupOf(owner)} +0 +3 +5 +2 `));
  });

  it.each([
    '--reset-offsets --to-latest --execute --all-topics',
    '--reset-offsets --to-earliest --execute --all-topics',
    '--reset-offsets --shift-by 1 --execute --all-topics',
    '--delete-offsets --topic TOPIC',
    '--delete',
  ])('who changes the offsets of an inbox has it delivered again from its start: %s', async (act) => {
    const owner = await away('reset');
    const group = groupOf(owner);
    await groups(...act.replace('TOPIC', group).split(' '), '--group', group);
    expect(await waiting(owner)).toEqual(numbered('m', 5));
  });

  it.each([
    '--reset-offsets --to-latest --execute --all-topics',
    '--delete-offsets --topic TOPIC',
    '--delete',
  ])('nothing happens to a group that somebody holds: %s', async (act) => {
    const owner = await away('held');
    const group = groupOf(owner);
    const { inbox, lost } = await observe(cluster.here, owner);
    await groups(...act.replace('TOPIC', group).split(' '), '--group', group).catch(() => '');
    await inbox.confirm();
    expect((await inbox.read(ALL)).map(textOf)).toEqual(numbered('m', 5).slice(3));
    expect(lost).toEqual([]);
    await inbox.close();
    expect(await waiting(owner)).toEqual(numbered('m', 5).slice(3));
  });

  it('what is written by hand is external; a tombstone is nothing', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('by-hand') });
    const java = ['-Xmx128m', ...quickStart(), '-cp', await kafkaClassPath()];
    const properties = ['parse.key=true', 'key.separator=:', 'null.marker=NULL'];
    const producer = spawn(javaCommand(), [
      ...java,
      ...['org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', broker.brokers],
      ...['--topic', groupOf(owner)],
      ...properties.flatMap((property) => ['--reader-property', property]),
    ]);
    producer.stdin.end('nagios:disk full\nnagios:NULL\nnagios:disk fuller\n');
    const [code] = await once(producer, 'exit');
    expect(code).toBe(0);
    await cluster.here.inboxes.append(owner, message(owner, 'after'));
    expect(await waiting(owner)).toEqual(['disk full', 'disk fuller', 'after']);
  });

  it('records that were deleted are gone, and what comes after them is delivered', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('records') });
    const reader = await observe(cluster.here, owner, { deliver: 'all' });
    await appendAll(cluster.here, owner, owner, numbered('m', 3));
    await eventually(() => expect(reader.pushed).toHaveLength(3));
    await reader.inbox.close();
    const file = `{"partitions":[{"topic":"${groupOf(owner)}","partition":0,"offset":2}],"version":1}`;
    const folder = mkdtempSync(join(tmpdir(), 'milena-acts-'));
    writeFileSync(`${folder}/offsets.json`, file);
    await kafkaTool(broker.brokers, 'delete-records', ['--offset-json-file', `${folder}/offsets.json`]);
    rmSync(folder, { recursive: true });
    await cluster.here.inboxes.append(owner, message(owner, 'after'));
    expect(await waiting(owner)).toEqual(['m 2', 'after']);
  });

  it('settings that endanger messages are set back by the next frontend that starts', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('settings') });
    const entity = ['--entity-type', 'topics', '--entity-name', groupOf(owner)];
    const required = {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'message.timestamp.type': 'LogAppendTime',
    };
    const wrong = 'cleanup.policy=compact,compression.type=zstd,message.timestamp.type=CreateTime';
    await kafkaTool(broker.brokers, 'configs', ['--alter', ...entity, '--add-config', wrong]);
    const engine = await openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), testLog);
    const admin = witness([broker.brokers]).admin();
    await admin.connect();
    await eventually(async () => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [
          { type: ConfigResourceTypes.TOPIC, name: groupOf(owner), configNames: Object.keys(required) },
        ],
      });
      const shown = resources[0]?.configEntries.map(({ configName, configValue }) => [
        configName,
        configValue,
      ]);
      expect(Object.fromEntries(shown ?? [])).toEqual(required);
    });
    await admin.disconnect();
    await engine.close();
  });

  it('more partitions do not change what is sent by Milena', async () => {
    const owner = await away('wide');
    const topic = groupOf(owner);
    await kafkaTool(broker.brokers, 'topics', ['--alter', '--topic', topic, '--partitions', '3']);
    await appendAll(cluster.here, owner, owner, numbered('later', 5));
    expect(await waiting(owner)).toEqual([...numbered('m', 5).slice(3), ...numbered('later', 5)]);
  });

  it('a share group of an inbox’s name keeps nobody out', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('share') });
    const topic = groupOf(owner);
    await groups('--delete', '--group', topic);
    // It has nobody in it by then, and stays all the same. The tool calls it a failure that nothing came.
    await kafkaTool(broker.brokers, 'console-share-consumer', [
      ...['--topic', topic, '--group', topic, '--timeout-ms', '5000'],
    ]).catch(() => {});
    const { inbox } = await observe(cluster.here, owner);
    await inbox.close();
  });
});
