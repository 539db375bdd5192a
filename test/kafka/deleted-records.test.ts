import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { checkKafka } from '../../src/storage/kafka/check/kafka-check.ts';
import {
  changeSettings,
  otherSettings,
  TopicSettings,
} from '../../src/storage/kafka/check/topic-settings.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { contactKafka } from '../../src/storage/kafka/wire/contact.ts';
import { OWN_TOPICS } from '../../src/storage/kafka/wire/topics.ts';
import { borrowBroker } from '../broker/borrow.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { testConfig, testLog, witness } from './cluster.ts';

const TABLES = ['milena.accounts', 'milena.sessions'];
const BY_AGE = { 'cleanup.policy': 'delete', 'retention.ms': '500', 'segment.ms': '500' };

/** Where somebody has Kafka delete our own tables by age, as it does with other topics. */
describe('tables whose records are deleted while frontends run', () => {
  let broker: TestBroker;
  let raw: Cluster;
  let engine: Storage;

  beforeAll(async () => {
    broker = await borrowBroker();
    raw = new Cluster({ bootstrap: [broker.brokers], clientId: 'operator' });
    await raw.connect();
    engine = await openKafkaStorage(config(), testLog);
  });
  afterAll(async () => {
    await engine?.close();
    await raw?.close();
    await broker?.stop();
  });

  const config = () => testConfig({ MILENA_KAFKA_BROKERS: broker.brokers });
  const others = async () => {
    const found = await Promise.all(
      TABLES.map((table) => otherSettings(raw, [table], OWN_TOPICS[table] ?? {})),
    );
    return found.flat();
  };
  const found = async (table: string) => {
    const findings = await checkKafka(config(), await contactKafka(config()));
    return findings.find(({ what }) => what === `cleanup.policy=delete of topic ${table}`);
  };

  it('are set back at once and written again: whoever starts then knows all of them', async () => {
    const names = Array.from({ length: 5 }, () => uniqueName('aged'));
    const tokenHash = Buffer.alloc(32, 1);
    const expiresAt = Date.now() + 3_600_000;
    for (const name of names) {
      const account = await engine.accounts.create({ name });
      await engine.tokens.put(account, { tokenHash, expiresAt });
    }
    const admin = witness([broker.brokers]).admin();
    await admin.connect();
    for (const table of TABLES) expect(await changeSettings(raw, [table], BY_AGE)).toEqual(new Map());
    for (const table of TABLES) {
      await eventually(async () => {
        const [partition] = await admin.fetchTopicOffsets(table);
        expect(Number(partition?.low)).toBeGreaterThanOrEqual(5);
      });
    }
    await admin.disconnect();
    await eventually(async () => expect(await others()).toEqual([]));
    await eventually(async () => {
      const next = await openKafkaStorage(config(), testLog);
      try {
        for (const name of names) {
          const account = await next.accounts.find(name);
          expect(account?.name).toBe(name);
          expect(account && (await next.tokens.find(account))).toEqual({ tokenHash, expiresAt });
        }
      } finally {
        await next.close();
      }
    });
  });

  it('are broken, by the doctor’s word, and mended by a frontend that starts, if it may', async () => {
    for (const table of TABLES) await changeSettings(raw, [table], { 'cleanup.policy': 'delete' });
    expect(await found('milena.accounts')).toMatchObject({
      grade: 'broken',
      text: expect.stringMatching(/deletes accounts by their age.*anybody/),
    });
    expect(await found('milena.sessions')).toMatchObject({ grade: 'broken' });
    const next = await openKafkaStorage(config(), testLog);
    await next.close();
    expect(await others()).toEqual([]);
    expect(await found('milena.accounts')).toBeUndefined();
  });

  it('are looked at again and again', async () => {
    const { accounts, rooms } = engine;
    const inboxPrefix = 'milena.inbox.';
    const around = { cluster: raw, log: testLog, accounts, rooms, inboxPrefix };
    const settings = new TopicSettings({ ...around, intervalMs: 50 });
    void settings.keep();
    for (const policy of ['delete', 'compact,delete']) {
      await changeSettings(raw, ['milena.accounts'], { 'cleanup.policy': policy });
      await eventually(async () => expect(await others()).toEqual([]));
    }
    settings.close();
  });
});
