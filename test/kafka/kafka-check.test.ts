import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting-table.ts';
import type { Finding, Grade } from '../../src/storage/kafka/check/finding.ts';
import { checkKafka } from '../../src/storage/kafka/check/kafka-check.ts';
import { BROKER_SETTINGS, judgeCopies, judgeSettings } from '../../src/storage/kafka/check/kafka-settings.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { contactKafka } from '../../src/storage/kafka/wire/contact.ts';
import { startBroker } from '../broker/broker.ts';
import { TEST_KEYS, testBrokers } from '../broker/brokers.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { makeTopics } from '../broker/topics.ts';
import { message } from '../contracts/cluster.ts';
import { witness } from './cluster.ts';

const AROUND = {
  ...{ brokers: 1, replicationFactor: 1, frontendLeaseMs: 10_000 },
  ...{ hasCoordinator: true, hasOwnTopics: true },
};

function configOf(brokers: string, more: Record<string, string> = {}) {
  return readConfig({ MILENA_KAFKA_BROKERS: brokers, MILENA_CLUSTER_KEYS: TEST_KEYS, ...more });
}

async function check(brokers: string, more: Record<string, string> = {}): Promise<Finding[]> {
  const config = configOf(brokers, more);
  return checkKafka(config, await contactKafka(config));
}

function gradesOf(findings: readonly Finding[]): Record<string, Grade> {
  return Object.fromEntries(findings.map(({ what, grade }) => [what, grade]));
}

function judge(name: string, value: string, around: Partial<typeof AROUND> = {}): Finding | undefined {
  const setting = { name, value, readOnly: true, nodes: [1] };
  return judgeSettings([setting], { ...AROUND, ...around })[0];
}

describe('the settings of a Kafka', () => {
  it('that we start ourselves are all good', async () => {
    const findings = await check(testBrokers().join(','));
    expect(findings.filter(({ grade }) => grade !== 'good')).toEqual([]);
    expect(findings.map(({ what }) => what)).toEqual(['version', 'settings', 'rights']);
  });

  it.each<[string, string, Grade, Partial<typeof AROUND>?]>([
    ['group.coordinator.rebalance.protocols', 'classic', 'broken'],
    ['group.min.session.timeout.ms', '10001', 'broken'],
    ['group.max.session.timeout.ms', '9999', 'broken'],
    ['offset.metadata.max.bytes', '4095', 'broken'],
    ['socket.request.max.bytes', '1048576', 'broken'],
    ['transaction.max.timeout.ms', '4999', 'broken'],
    ['min.insync.replicas', '2', 'dangerous'],
    ['min.insync.replicas', '3', 'dangerous', { brokers: 3, replicationFactor: 2 }],
    ['offsets.topic.replication.factor', '3', 'broken', { hasCoordinator: false }],
    ['transaction.state.log.replication.factor', '3', 'broken', { hasCoordinator: false }],
    ['offsets.topic.replication.factor', '1', 'dangerous', { brokers: 3 }],
    ['transaction.state.log.replication.factor', '1', 'dangerous', { brokers: 3 }],
    ['offsets.retention.minutes', '10080', 'dangerous'],
    ['auto.create.topics.enable', 'true', 'dangerous'],
    ['unclean.leader.election.enable', 'true', 'dangerous'],
    ['log.cleaner.enable', 'false', 'dangerous'],
    ['max.connections', '399', 'dangerous'],
    ['max.connections.per.ip', '10', 'dangerous'],
    ['delete.topic.enable', 'false', 'slow'],
    ['group.initial.rebalance.delay.ms', '3000', 'slow'],
    ['group.consumer.session.timeout.ms', '60000', 'slow'],
    ['max.incremental.fetch.session.cache.slots', '679', 'slow'],
    ['transaction.abort.timed.out.transaction.cleanup.interval.ms', '10000', 'slow'],
  ])('%s=%s are told as %s', (name, value, grade, around) => {
    const finding = judge(name, value, around);
    expect(finding).toMatchObject({ grade, what: expect.stringContaining(`${name}=${value}`) });
    expect(finding?.text).toMatch(/^[A-Z1].*\.$/);
    expect(finding?.remedy).toContain(name);
  });

  it('are not told where they are right, or no concern of ours', () => {
    const right: [string, string, Partial<typeof AROUND>?][] = [
      ['delete.topic.enable', 'true'],
      ['group.coordinator.rebalance.protocols', 'classic,consumer,streams'],
      ['group.min.session.timeout.ms', '10000'],
      ['group.max.session.timeout.ms', '10000'],
      ['min.insync.replicas', '2', { brokers: 3, replicationFactor: 3 }],
      ['min.insync.replicas', '1'],
      // The topic is there: with how many copies is another matter.
      ['offsets.topic.replication.factor', '3'],
      ['offsets.topic.replication.factor', '1'],
      ['offsets.retention.minutes', '2147483647'],
      ['group.initial.rebalance.delay.ms', '0'],
      ['no.such.setting', 'x'],
    ];
    for (const [name, value, around] of right)
      expect(judge(name, value, around), `${name}=${value}`).toBeUndefined();
  });

  it('name the brokers that have them, where others have not', () => {
    const settings = [
      { name: 'delete.topic.enable', value: 'false', readOnly: true, nodes: [2, 3] },
      { name: 'unclean.leader.election.enable', value: 'true', readOnly: false, nodes: [1, 2, 3] },
    ];
    const [some, all] = judgeSettings(settings, { ...AROUND, brokers: 3 });
    expect(some?.what).toBe('delete.topic.enable=false (brokers 2, 3)');
    expect(some?.remedy).toContain('server.properties');
    expect(all?.what).toBe('unclean.leader.election.enable=true');
    expect(all?.remedy).toMatch(
      /^scripts\/kafka-tool.sh configs --alter .* 'unclean.leader.election.enable=false'$/,
    );
  });

  it('are compared with the copies that topics are made with', () => {
    expect(judgeCopies({ ...AROUND, brokers: 1 })).toEqual([]);
    expect(judgeCopies({ ...AROUND, brokers: 3, replicationFactor: 3 })).toEqual([]);
    expect(judgeCopies({ ...AROUND, brokers: 3 })[0]).toMatchObject({ grade: 'dangerous' });
    const tooMany = { ...AROUND, brokers: 2, replicationFactor: 3 };
    expect(judgeCopies(tooMany)[0]).toMatchObject({ grade: 'dangerous' });
    expect(judgeCopies({ ...tooMany, hasOwnTopics: false })[0]).toMatchObject({
      ...{ grade: 'broken', text: expect.stringContaining('No frontend can start') },
      remedy: 'Start the others, or set it to 2.',
    });
  });

  it('have a remedy that is enough', () => {
    const heartbeats = judge('group.consumer.session.timeout.ms', '45000');
    expect(heartbeats?.text).toContain('a heartbeat each 15 s');
    expect(heartbeats?.text).toContain('667 requests a second');
    expect(heartbeats?.remedy).toContain('group.consumer.session.timeout.ms=1800000');
    expect(heartbeats?.remedy).toContain('group.consumer.max.session.timeout.ms=1800000');
    const lease = judge('group.max.session.timeout.ms', '1800000', { frontendLeaseMs: 2_000_000 });
    expect(lease?.remedy).toContain('group.max.session.timeout.ms=2000000');
    const least = judge('group.min.session.timeout.ms', '6000', { frontendLeaseMs: 3_000 });
    expect(least?.remedy).toContain('group.min.session.timeout.ms=3000');
  });
});

describe('a Kafka with other settings', () => {
  let broker: TestBroker;

  beforeAll(async () => {
    broker = await startBroker({
      properties: {
        // Kafka's own defaults
        'offsets.retention.minutes': '10080',
        'auto.create.topics.enable': 'true',
        'group.initial.rebalance.delay.ms': '3000',
        'group.consumer.session.timeout.ms': '45000',
        'group.consumer.max.session.timeout.ms': '60000',
        'max.incremental.fetch.session.cache.slots': '1000',
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': '10000',
        // and what nobody should set
        'delete.topic.enable': 'false',
        'offset.metadata.max.bytes': '4000',
        'group.max.session.timeout.ms': '9000',
        'min.insync.replicas': '2',
      },
    });
  });
  afterAll(() => broker?.stop());

  it('is told of in one line for each', async () => {
    const findings = await check(broker.brokers);
    expect(gradesOf(findings)).toEqual({
      version: 'good',
      rights: 'good',
      'min.insync.replicas=2': 'dangerous',
      'offsets.retention.minutes=10080': 'dangerous',
      'auto.create.topics.enable=true': 'dangerous',
      'group.initial.rebalance.delay.ms=3000': 'slow',
      'group.consumer.session.timeout.ms=45000': 'slow',
      'transaction.abort.timed.out.transaction.cleanup.interval.ms=10000': 'slow',
      'delete.topic.enable=false': 'slow',
      'offset.metadata.max.bytes=4000': 'broken',
      'group.max.session.timeout.ms=9000': 'broken',
    });
  });

  it('that is to make more copies than there are brokers is broken only while there are no topics', async () => {
    const more = { MILENA_REPLICATION_FACTOR: '3' };
    expect(gradesOf(await check(broker.brokers, more))).toMatchObject({
      'MILENA_REPLICATION_FACTOR=3': 'broken',
    });
    await expect(openKafkaStorage(configOf(broker.brokers, more), pino({ level: 'silent' }))).rejects.toThrow(
      /No frontend can start while there is 1 broker/,
    );
  });

  it('is not used where a promise would be broken, unless somebody says so', async () => {
    const lines: { level: number; kafka?: string; msg: string }[] = [];
    const log = pino({ level: 'info' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
    const refused = openKafkaStorage(configOf(broker.brokers), log);
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(/offset\.metadata\.max\.bytes=4000: .*\n.*server\.properties/);
    await expect(refused).rejects.toThrow(/group\.max\.session\.timeout\.ms=9000/);
    await expect(refused).rejects.toThrow('MILENA_UNFIT_KAFKA=accept');

    const more = { MILENA_UNFIT_KAFKA: 'accept', MILENA_FRONTEND_LEASE_MS: '6000' };
    const engine = await openKafkaStorage(configOf(broker.brokers, more), log);
    // More copies are asked for than there can be, and messages are stored all the same.
    const owner = await engine.accounts.create({ name: 'few' });
    expect(await engine.inboxes.append(owner, message(owner, 'stored'))).toMatchObject({ offset: 0 });
    // A topic that was there before, and cannot be deleted, keeps nobody from making the account.
    const admin = witness([broker.brokers]).admin();
    await admin.connect();
    await makeTopics(admin, [{ topic: 'milena.inbox.early' }]);
    await admin.disconnect();
    const early = await engine.accounts.create({ name: 'early' });
    expect(await engine.inboxes.append(early, message(owner, 'hello'))).toMatchObject({ offset: 0 });
    await engine.close();
    const told = lines.filter(({ kafka }) => kafka !== undefined);
    expect(told.filter(({ level }) => level === 50).map(({ msg }) => msg.split(':')[0])).toEqual([
      'offset.metadata.max.bytes=4000',
    ]);
    expect(told.filter(({ level, kafka }) => level === 40 && kafka === 'slow')).toHaveLength(4);
    expect(told.filter(({ level, kafka }) => level === 40 && kafka === 'dangerous')).toHaveLength(3);
    expect(gradesOf(await check(broker.brokers))).toMatchObject({
      'min.insync.replicas=2': 'dangerous',
      'min.insync.replicas=2 of topic milena.accounts': 'dangerous',
    });
  });
});

describe('what is asked of brokers', () => {
  it('is only what documents say', async () => {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const table = text.slice(text.indexOf('### Settings'), text.indexOf('### Rights'));
    const named = [...table.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`([a-z.]+)`/g)].map(([, name]) => name),
    );
    expect([...named].sort()).toEqual([...BROKER_SETTINGS].sort());
  });
});
