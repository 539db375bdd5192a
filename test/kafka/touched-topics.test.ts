import type { Admin, Producer } from 'kafkajs';
import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Appender } from '../../src/storage/kafka/produce/appender.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { topicIdBytes } from '../../src/storage/kafka/wire/produce.ts';
import { uuidText } from '../../src/util/uuid.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { makeTopics } from '../broker/topics.ts';
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
import { kafkaCluster, testConfig, testLog, witness } from './cluster.ts';

const ALL = { maxBytes: 1_000_000 };

/** What operators do to inboxes' topics by hand, and whatever makes topics by itself. */
describe('topics that were touched', () => {
  /** Of its own: whoever looks at all inboxes of the shared one is to find them sound. */
  let broker: TestBroker;
  let cluster: TestCluster;
  let admin: Admin;
  let producer: Producer;

  beforeAll(async () => {
    broker = await borrowBroker();
    cluster = await kafkaCluster([broker.brokers]);
    const kafka = witness([broker.brokers]);
    admin = kafka.admin();
    producer = kafka.producer(STORED_ONCE);
    await Promise.all([admin.connect(), producer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await cluster.close();
    await broker.stop();
  });

  const topicOf = ({ name }: Account) => `milena.inbox.${name}`;

  async function make(stem: string): Promise<Account> {
    return cluster.here.accounts.create({ name: uniqueName(stem) });
  }

  async function drop(account: Account): Promise<void> {
    await admin.deleteTopics({ topics: [topicOf(account)] });
  }

  /** As an operator or a producer makes it: with the broker's settings. */
  async function makeAgain(account: Account, numPartitions = 1): Promise<void> {
    const topic = topicOf(account);
    await makeTopics(admin, [{ topic, numPartitions }]);
  }

  async function endOf(account: Account): Promise<number> {
    const ends = await admin.fetchTopicOffsets(topicOf(account));
    return ends.reduce((sum, { offset }) => sum + Number(offset), 0);
  }

  async function settingsOf(account: Account): Promise<Record<string, string>> {
    const names = ['retention.ms', 'cleanup.policy', 'message.timestamp.type', 'max.message.bytes'];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topicOf(account), configNames: names }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  }

  const OURS = {
    'retention.ms': '-1',
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': '1048588',
  };

  describe('a message', () => {
    it('to an inbox whose topic is gone is refused by that name, and the account is there', async () => {
      const owner = await make('gone');
      await cluster.here.inboxes.append(owner, message(owner, 'lost'));
      await drop(owner);
      for (const engine of [cluster.here, cluster.elsewhere]) {
        await expect(engine.inboxes.append(owner, message(owner, 'refused'))).rejects.toMatchObject({
          code: 'NO_INBOX',
        });
        await expect(engine.inboxes.open(owner, quiet)).rejects.toMatchObject({ code: 'NO_INBOX' });
      }
    });

    it('goes into no topic that has only the name, also where its leader was known before', async () => {
      const owner = await make('replaced');
      await cluster.here.inboxes.append(owner, message(owner, 'lost'));
      await drop(owner);
      await makeAgain(owner);
      await Promise.all(
        numbered('refused', 5).map((body) =>
          expect(cluster.here.inboxes.append(owner, message(owner, body))).rejects.toMatchObject({
            code: 'NO_INBOX',
          }),
        ),
      );
      expect(await endOf(owner)).toBe(0);
    });

    it('is never confirmed by a broker that knows topics by their names only (Kafka 4.0)', async () => {
      const older = new OlderBrokers({ bootstrap: [broker.brokers], clientId: 'older' });
      const appender = new Appender(older, testLog, 10_000);
      const owner = await make('older');
      const append = (topicId: string) =>
        appender.append(topicOf(owner), { key: 'k', value: Buffer.from('v'), headers: [] }, topicId);
      expect(await append(owner.topicId)).toMatchObject({ offset: 0 });
      expect(await append(owner.topicId)).toMatchObject({ offset: 1 });
      await drop(owner);
      await makeAgain(owner);
      await expect(append(owner.topicId)).rejects.toMatchObject({ code: 'NO_INBOX' });
      const mended = await cluster.here.accounts.mend(owner);
      const { offset } = await append(mended.topicId);
      expect(await endOf(owner)).toBe(offset + 1);
      expect(older.produced.every((version) => version < 13)).toBe(true);
      await appender.close();
      await older.close();
    });

    it('goes by the id of its topic on brokers that know topics by their ids', async () => {
      const kafka = new Cluster({ bootstrap: [broker.brokers], clientId: 'ids' });
      const owner = await make('ids');
      const { node } = await kafka.leader(topicOf(owner));
      expect(await kafka.latestVersion(node, 'produce', 0)).toBeGreaterThanOrEqual(13);
      expect(topicIdBytes(owner.topicId)).toHaveLength(16);
      await kafka.close();
    });
  });

  describe('an inbox that is open', () => {
    it('says that its topic is gone, not that the account was removed', async () => {
      const owner = await make('open');
      const { inbox, lost } = await observe(cluster.here, owner, { deliver: 'all' });
      await drop(owner);
      await eventually(() => expect(lost).toEqual(['no inbox']));
      await inbox.close();
    });

    it('says so as well where another topic has the name by now', async () => {
      const owner = await make('open');
      const { inbox, lost } = await observe(cluster.here, owner, { deliver: 'all' });
      await drop(owner);
      await makeAgain(owner);
      await eventually(() => expect(lost).toEqual(['no inbox']));
      await inbox.close();
    });
  });

  describe('mending', () => {
    it('makes a topic anew where there is none; what was told of the old one ends', async () => {
      const owner = await make('anew');
      const [offset = -1] = await appendAll(cluster.here, owner, owner, ['lost', 'lost, too']);
      await drop(owner);
      const mended = await cluster.here.accounts.mend(owner);
      expect(mended).toMatchObject({ name: owner.name, incarnation: owner.incarnation });
      expect(mended.topicId).not.toBe(owner.topicId);
      expect(await settingsOf(mended)).toEqual(OURS);
      const reader = await observe(cluster.elsewhere, mended, {
        deliver: 'all',
        onMessage: (arrived) => reader.inbox.acknowledge(arrived.offset, arrived.offset),
      });
      await appendAll(cluster.here, mended, owner, ['a', 'b', 'c']);
      await eventually(() => expect(reader.bodies()).toEqual(['a', 'b', 'c']));
      const fateOf = async (to: Account) => {
        const receipt = { to, offset, epoch: -1, acceptedAt: null };
        const [fate] = await cluster.here.inboxes.fates([receipt], { inLog: false });
        return fate;
      };
      await eventually(async () => expect(await fateOf(mended)).toBe('delivered'));
      expect(await fateOf(owner)).not.toBe('delivered');
      await reader.inbox.close();
    });

    it('skips nothing by what was committed for the old topic', async () => {
      const owner = await make('skips');
      const first = await observe(cluster.here, owner, { deliver: 'all' });
      await appendAll(cluster.here, owner, owner, numbered('old', 5));
      await eventually(() => expect(first.pushed).toHaveLength(5));
      first.inbox.acknowledge(0, 4);
      await first.inbox.close();
      await drop(owner);
      const mended = await cluster.here.accounts.mend(owner);
      await appendAll(cluster.here, mended, owner, numbered('new', 7));
      const second = await observe(cluster.elsewhere, mended);
      expect(await second.inbox.undelivered()).toBe(7);
      expect((await second.inbox.read(ALL)).map(textOf)).toEqual(numbered('new', 7));
      await second.inbox.close();
    });

    it('takes over a topic that others have made: its settings, what anybody wrote, and nothing of other lives', async () => {
      const owner = await make('adopted');
      await drop(owner);
      await makeAgain(owner);
      const topic = topicOf(owner);
      await producer.send({
        topic,
        messages: [
          { key: 'alerts', value: 'disk full' },
          { key: 'mallory', value: 'of another life', headers: { 'milena-to': 'somebody else' } },
          { key: 'mirror', value: 'a copy', headers: { 'milena-to': uuidText(owner.incarnation) } },
        ],
      });
      const mended = await cluster.here.accounts.mend(owner);
      expect(await settingsOf(mended)).toEqual(OURS);
      await cluster.here.inboxes.append(mended, message(owner, 'signed'));
      const { inbox } = await observe(cluster.elsewhere, mended);
      expect((await inbox.read(ALL)).map((each) => [textOf(each), each.from.kind])).toEqual([
        ['disk full', 'external'],
        ['a copy', 'external'],
        ['signed', 'user'],
      ]);
      await inbox.close();
    });

    it('is done once, whoever does it at the same time', async () => {
      const owner = await make('at-once');
      await drop(owner);
      const mended = await Promise.all(
        [cluster.here, cluster.elsewhere, cluster.here, cluster.elsewhere].map(({ accounts }) =>
          accounts.mend(owner),
        ),
      );
      const [{ topicId, inboxLife } = owner] = mended;
      expect(inboxLife).toBeDefined();
      for (const each of mended) expect(each).toMatchObject({ topicId, inboxLife });
      await cluster.here.inboxes.append({ ...owner, topicId }, message(owner, 'there'));
    });

    it('changes nothing where nothing is wrong', async () => {
      const owner = await make('sound');
      await cluster.here.inboxes.append(owner, message(owner, 'stays'));
      expect(await cluster.elsewhere.accounts.mend(owner)).toEqual(owner);
      const { inbox } = await observe(cluster.here, owner);
      expect(await inbox.undelivered()).toBe(1);
      await inbox.close();
    });

    it('replaces an empty topic of several partitions, and keeps one with something in it', async () => {
      for (const [written, partitions] of [
        [0, 1],
        [1, 3],
      ] as const) {
        const owner = await make('wide');
        await drop(owner);
        await makeAgain(owner, 3);
        const messages = numbered('m', written).map((value) => ({ value, partition: 2 }));
        if (messages.length > 0) await producer.send({ topic: topicOf(owner), messages });
        const mended = await cluster.here.accounts.mend(owner);
        const { topics } = await admin.fetchTopicMetadata({ topics: [topicOf(owner)] });
        expect(topics[0]?.partitions).toHaveLength(partitions);
        await cluster.here.inboxes.append(mended, message(owner, 'there'));
        const { inbox } = await observe(cluster.here, mended);
        expect(await inbox.undelivered()).toBe(1);
        await inbox.close();
      }
    });

    it('is heard of by who knows the account as it was', async () => {
      const owner = await make('heard');
      await drop(owner);
      await cluster.here.accounts.mend(owner);
      expect(await cluster.elsewhere.inboxes.append(owner, message(owner, 'after all'))).toMatchObject({
        offset: 0,
      });
    });

    it('survives another time, and the reading of the accounts anew', async () => {
      let owner = await make('twice');
      const ids = new Set<string | undefined>();
      for (let time = 0; time < 3; time++) {
        await drop(owner);
        owner = await cluster.here.accounts.mend(owner);
        ids.add(owner.inboxLife && uuidText(owner.inboxLife));
      }
      expect(ids.size).toBe(3);
      await eventually(() => expect(cluster.elsewhere.accounts.get(owner.name)).toEqual(owner));
    });
  });

  describe('a topic of frontends', () => {
    it('is made again by those who know what was in it', async () => {
      const owner = await make('known');
      const removed = await make('removed');
      await cluster.here.accounts.remove(removed);
      await admin.deleteTopics({ topics: ['milena.accounts'] });
      await eventually(async () => expect(await admin.listTopics()).toContain('milena.accounts'));
      await eventually(() => cluster.elsewhere.accounts.update(owner, { displayName: 'Known' }));
      const later = await cluster.here.accounts.create({ name: uniqueName('later') });
      const third = await openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), testLog);
      await eventually(() => {
        expect(third.accounts.get(owner.name)).toMatchObject({ ...owner, displayName: 'Known' });
        expect(third.accounts.get(later.name)).toEqual(later);
      });
      expect(third.accounts.get(removed.name)).toBeUndefined();
      await third.close();
    });

    it('that holds the tokens likewise', async () => {
      const owner = await make('token');
      const session = { tokenHash: Buffer.alloc(32, 1), expiresAt: Date.now() + 3_600_000 };
      await cluster.here.tokens.put(owner, session);
      await admin.deleteTopics({ topics: ['milena.sessions'] });
      await eventually(async () => expect(await admin.listTopics()).toContain('milena.sessions'));
      const third = await openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), testLog);
      await eventually(async () => expect(await third.tokens.find(owner)).toEqual(session));
      await third.close();
    });

    it('that carries hints is made again, and hints come', async () => {
      const owner = await make('hint');
      await admin.deleteTopics({ topics: ['milena.notices'] });
      await eventually(async () => expect(await admin.listTopics()).toContain('milena.notices'));
      // Each frontend hears hints from the moment on in which it follows the new topic.
      await eventually(async () => {
        const before = await observe(cluster.here, owner, { takeover: true });
        const after = await observe(cluster.elsewhere, owner, { takeover: true });
        const heard = vi.waitFor(() => expect(before.lost).toEqual(['fenced']), { timeout: 2_000 });
        await heard.finally(() => Promise.all([before.inbox.close(), after.inbox.close()]));
      });
    });
  });

  it('more partitions do not change what is sent by Milena', async () => {
    const owner = await make('wide');
    await appendAll(cluster.here, owner, owner, numbered('m', 5));
    await admin.createPartitions({ topicPartitions: [{ topic: topicOf(owner), count: 3 }] });
    await appendAll(cluster.here, owner, owner, numbered('later', 5));
    const { inbox } = await observe(cluster.elsewhere, owner);
    expect((await inbox.read(ALL)).map(textOf)).toEqual([...numbered('m', 5), ...numbered('later', 5)]);
    await inbox.close();
  });

  it('an account whose topic is gone can be removed, and made anew', async () => {
    const owner = await make('freed');
    await drop(owner);
    await cluster.here.accounts.remove(owner);
    const next = await cluster.elsewhere.accounts.create({ name: owner.name });
    await cluster.here.inboxes.append(next, message(next, 'mine'));
  });
});

const quiet = { deliver: 'all', onMessage: () => {}, onLost: () => {} } as const;

/** Brokers of the time before Produce named topics by their ids. */
class OlderBrokers extends Cluster {
  readonly produced: number[] = [];

  override async latestVersion(...asked: Parameters<Cluster['latestVersion']>): Promise<number> {
    return Math.min(12, await super.latestVersion(...asked));
  }

  override request: Cluster['request'] = (node, lane, api, ...args) => {
    if (lane === 'produce') this.produced.push(Number(Object(api).version));
    return super.request(node, lane, api, ...args);
  };
}
