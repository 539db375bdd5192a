/** From a version that did not sign, and from one key to another. */
import { createHash, randomUUID } from 'node:crypto';
import type { Kafka, Message } from 'kafkajs';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { encodeAccount } from '../../src/kafka/account-record.ts';
import type { Account } from '../../src/kafka/accounts.ts';
import { type Engine, openEngine } from '../../src/kafka/engine.ts';
import { ACCOUNTS_TOPIC, SESSIONS_TOPIC } from '../../src/kafka/topics.ts';
import { startBroker } from '../broker/broker.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually } from '../contracts/cluster.ts';
import { testConfig, testLog } from './cluster.ts';
import { recordsOf } from './log-copy.ts';

const OTHER_KEYS = `other:${Buffer.alloc(32, 9).toString('base64url')}`;
const THIRD_KEYS = `third:${Buffer.alloc(32, 3).toString('base64url')}`;

function account(name: string): Account {
  return {
    ...{
      name,
      incarnation: randomUUID(),
      topicId: randomUUID(),
      displayName: null,
      credential: '$argon2id$x',
    },
    ...{ disabled: false, blocked: [], createdAt: 1 },
  };
}

describe('topics of a version that did not sign', () => {
  const stays = account('stays');
  const session = { tokenHash: createHash('sha256').digest(), expiresAt: Date.now() + 600_000 };
  let broker: TestBroker;
  let kafka: Kafka;

  beforeAll(async () => {
    broker = await startBroker({ heap: '512m' });
    kafka = new KafkaJs({ brokers: broker.brokers.split(','), logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    const topics = [ACCOUNTS_TOPIC, SESSIONS_TOPIC].map((topic) => ({ topic, configEntries }));
    await admin.createTopics({ topics, waitForLeaders: true });
    await admin.disconnect();
    await write(
      ACCOUNTS_TOPIC,
      { key: 'stays', value: encodeAccount(stays) },
      { key: 'gone', value: encodeAccount(account('gone')) },
      { key: 'gone', value: null },
    );
    const { incarnation } = stays;
    const record = { incarnation, ...session, tokenHash: session.tokenHash.toString('base64url') };
    await write(SESSIONS_TOPIC, { key: 'stays', value: JSON.stringify(record) });
  });
  afterAll(() => broker?.stop());

  async function write(topic: string, ...messages: Message[]): Promise<void> {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async function withEngine(
    settings: Record<string, string>,
    use: (engine: Engine) => Promise<void> = async () => {},
  ): Promise<void> {
    const config = testConfig({ MILENA_KAFKA_BROKERS: broker.brokers, ...settings });
    const engine = await openEngine(config, testLog);
    await use(engine).finally(() => engine.close());
  }
  const refusal = (settings: Record<string, string> = {}) =>
    withEngine(settings).then(
      () => 'it starts',
      (error: unknown) => (error instanceof ConfigError ? error.message : error),
    );
  const accept = { MILENA_UNSIGNED_RECORDS: 'accept' };
  const signedWith = (topic: string, key: string) =>
    eventually(async () => {
      const last = (await recordsOf(topic, 'stays', broker.brokers.split(','))).at(-1);
      expect(last?.headers['milena-sig']?.split(':')[3]).toBe(key);
    });
  const holds =
    (expected: Account) =>
    async ({ accounts, sessions }: Engine): Promise<void> => {
      expect(await accounts.list('')).toEqual(['stays']);
      expect(accounts.get('stays')).toEqual(expected);
      expect(await sessions.find(stays)).toEqual(session);
    };

  it('are not taken for empty: the start is refused with one sentence', async () => {
    expect(await refusal()).toMatch(
      /^Accounts written before records were signed: 1\. .* MILENA_UNSIGNED_RECORDS=accept/,
    );
  });

  it('are signed while the setting says so, with what frontends of that version still write', async () => {
    const changed = { ...stays, credential: '$argon2id$y' };
    await withEngine(accept, async (engine) => {
      await holds(stays)(engine);
      await signedWith(ACCOUNTS_TOPIC, 'test');
      await write(ACCOUNTS_TOPIC, { key: 'stays', value: encodeAccount(changed) });
      expect(await engine.accounts.findEvenly('stays')).toEqual(changed);
      await signedWith(ACCOUNTS_TOPIC, 'test');
      await signedWith(SESSIONS_TOPIC, 'test');
    });
    await withEngine({}, holds(changed));
  });

  it('hidden while no frontend ran, a record is written again by the first one', async () => {
    await write(ACCOUNTS_TOPIC, { key: 'stays', value: encodeAccount({ ...stays, credential: null }) });
    await write(SESSIONS_TOPIC, { key: 'stays', value: null });
    const changed = { ...stays, credential: '$argon2id$y' };
    await withEngine({}, async (engine) => {
      await holds(changed)(engine);
      await signedWith(ACCOUNTS_TOPIC, 'test');
      await signedWith(SESSIONS_TOPIC, 'test');
    });
  });

  it('are not read with the wrong keys, and go over to new ones', async () => {
    expect(await refusal({ MILENA_CLUSTER_KEYS: OTHER_KEYS })).toMatch(
      /^No account in milena\.accounts \(of 1\) /,
    );
    await withEngine({ MILENA_CLUSTER_KEYS: `${OTHER_KEYS},${TEST_KEYS}` }, async () => {
      await signedWith(ACCOUNTS_TOPIC, 'other');
      await signedWith(SESSIONS_TOPIC, 'other');
    });
    const changed = { ...stays, credential: '$argon2id$y' };
    await withEngine({ MILENA_CLUSTER_KEYS: OTHER_KEYS }, holds(changed));
    // Those keys are lost, say.
    const third = { MILENA_CLUSTER_KEYS: THIRD_KEYS };
    expect(await refusal(third)).toMatch(/^No account in milena\.accounts \(of 1\) /);
    await withEngine({ ...third, ...accept }, () => signedWith(ACCOUNTS_TOPIC, 'third'));
    await withEngine(third, async ({ accounts }) => {
      expect(await accounts.findEvenly('stays')).toEqual(changed);
    });
  });
});
