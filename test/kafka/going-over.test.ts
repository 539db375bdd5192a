/** From a version that did not sign, and from one key to another. */
import { createHash, randomUUID } from 'node:crypto';
import type { Kafka, Message } from 'kafkajs';
import { ConfigResourceTypes, Kafka as KafkaJs, logLevel } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { encodeAccount } from '../../src/storage/kafka/tables/account-record.ts';
import { ACCOUNTS_TOPIC, NOTICES_TOPIC, SESSIONS_TOPIC } from '../../src/storage/kafka/wire/topics.ts';
import { newUuid, uuidText } from '../../src/util/uuid.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually } from '../contracts/cluster.ts';
import { testConfig, testLog } from './cluster.ts';
import { recordsOf } from './log-copy.ts';

const OTHER_KEYS = `other:${Buffer.alloc(32, 9).toString('base64url')}`;
const THIRD_KEYS = `third:${Buffer.alloc(32, 3).toString('base64url')}`;

function account(name: string): Account {
  return {
    ...{
      name,
      incarnation: newUuid(),
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
    broker = await borrowBroker();
    kafka = new KafkaJs({ brokers: broker.brokers.split(','), logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    const topics = [ACCOUNTS_TOPIC, SESSIONS_TOPIC].map((topic) => ({ topic, configEntries }));
    await makeTopics(admin, topics);
    await admin.disconnect();
    await write(
      ACCOUNTS_TOPIC,
      { key: 'stays', value: encodeAccount(stays) },
      { key: 'gone', value: encodeAccount(account('gone')) },
      { key: 'gone', value: null },
    );
    const incarnation = uuidText(stays.incarnation);
    const record = { incarnation, ...session, tokenHash: session.tokenHash.toString('base64url') };
    await write(SESSIONS_TOPIC, { key: 'stays', value: JSON.stringify(record) });
  });
  afterAll(() => broker?.stop());

  async function write(topic: string, ...messages: Message[]): Promise<void> {
    const producer = kafka.producer(STORED_ONCE);
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async function withEngine(
    settings: Record<string, string>,
    use: (engine: Storage) => Promise<void> = async () => {},
    log = testLog,
  ): Promise<void> {
    const config = testConfig({ MILENA_KAFKA_BROKERS: broker.brokers, ...settings });
    const engine = await openKafkaStorage(config, log);
    await use(engine).finally(() => engine.close());
  }
  /** What an engine's log says loudest when it starts with these settings, and what `use` finds. */
  async function warning(settings: Record<string, string>, use?: (engine: Storage) => Promise<void>) {
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    await withEngine(settings, use, log);
    return lines.join('');
  }
  /** The name is nobody's, and nobody can take it. */
  const reserves =
    (...names: string[]) =>
    async ({ accounts }: Storage): Promise<void> => {
      for (const name of names) {
        expect(await accounts.findEvenly(name)).toBeUndefined();
        await expect(accounts.create({ name })).rejects.toMatchObject({ code: 'USERNAME_TAKEN' });
      }
    };
  const accept = { MILENA_UNSIGNED_RECORDS: 'accept' };
  const signedWith = (topic: string, key: string) =>
    eventually(async () => {
      const last = (await recordsOf(topic, 'stays', broker.brokers.split(','))).at(-1);
      expect(last?.headers['milena-sig']?.split(':')[3]).toBe(key);
    });
  const holds =
    (expected: Account) =>
    async ({ accounts, tokens }: Storage): Promise<void> => {
      expect(await accounts.list('')).toEqual(['stays']);
      expect(accounts.get('stays')).toEqual(expected);
      expect(await tokens.find(stays)).toEqual(session);
    };

  it('are not taken for gone: names stay whose they are, and the operator is told', async () => {
    const said = await warning({}, async (engine) => {
      await reserves('stays')(engine);
      // Also when somebody who is no frontend removes the record, or hides it.
      await write(ACCOUNTS_TOPIC, { key: 'stays', value: null }, { key: 'stays', value: 'nonsense' });
      await reserves('stays')(engine);
      await write(ACCOUNTS_TOPIC, { key: 'stays', value: encodeAccount(stays) });
      // Who removed their account before is not kept out.
      await engine.accounts.remove(await engine.accounts.create({ name: 'gone' }));
    });
    expect(said).toMatch(/"unproven":1,.*No account can be used: nothing of 1 name is signed/);
    expect(said).toContain('MILENA_UNSIGNED_RECORDS=accept');
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
    // With the name that was removed: by whom, nobody can tell.
    const nothing = /No account can be used: nothing of 2 names is signed/;
    expect(await warning({ MILENA_CLUSTER_KEYS: OTHER_KEYS }, reserves('stays'))).toMatch(nothing);
    // Nor with another secret of the same name.
    const namesake = { MILENA_CLUSTER_KEYS: OTHER_KEYS.replace(/^other/, 'test') };
    expect(await warning(namesake, reserves('stays'))).toMatch(nothing);
    await withEngine({ MILENA_CLUSTER_KEYS: `${OTHER_KEYS},${TEST_KEYS}` }, async () => {
      await signedWith(ACCOUNTS_TOPIC, 'other');
      await signedWith(SESSIONS_TOPIC, 'other');
    });
    const changed = { ...stays, credential: '$argon2id$y' };
    await withEngine({ MILENA_CLUSTER_KEYS: OTHER_KEYS }, holds(changed));
    // Those keys are lost, say.
    const third = { MILENA_CLUSTER_KEYS: THIRD_KEYS };
    expect(await warning(third, reserves('stays'))).toMatch(nothing);
    await withEngine({ ...third, ...accept }, () => signedWith(ACCOUNTS_TOPIC, 'third'));
    await withEngine(third, async ({ accounts }) => {
      expect(await accounts.findEvenly('stays')).toEqual(changed);
    });
  });
});

describe('topics in which only a stranger has written', () => {
  it('keep no frontend from starting, and take no other name', async () => {
    const broker = await borrowBroker();
    onTestFinished(() => broker.stop());
    const kafka = new KafkaJs({ brokers: broker.brokers.split(','), logLevel: logLevel.NOTHING });
    const topics = [ACCOUNTS_TOPIC, SESSIONS_TOPIC, NOTICES_TOPIC];
    const admin = kafka.admin();
    await admin.connect();
    // As brokers make them for whoever writes.
    await makeTopics(
      admin,
      topics.map((topic) => ({ topic })),
    );
    const producer = kafka.producer(STORED_ONCE);
    await producer.connect();
    const signed = { 'milena-sig': `r1:${Date.now()}:1:unknown:${'A'.repeat(43)}` };
    for (const topic of topics) {
      const messages = [
        { key: 'unsigned', value: encodeAccount(account('unsigned')) },
        { key: 'signed', value: encodeAccount(account('signed')), headers: signed },
        { key: 'nonsense', value: 'nonsense' },
        { key: 'replaced', value: 'somebody' },
      ];
      await producer.send({ topic, messages });
    }
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    const start = () => openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), log);
    const first = await start();
    const anna = await first.accounts.create({ name: 'anna' });
    for (const name of ['unsigned', 'signed']) {
      await expect(first.accounts.create({ name })).rejects.toMatchObject({ code: 'USERNAME_TAKEN' });
    }
    await first.close();
    expect(lines.join('')).toMatch(/nothing of 2 names is signed with a key of this frontend/);
    const second = await start();
    expect(await second.accounts.list('')).toEqual(['anna']);
    expect(second.accounts.get('anna')).toEqual(anna);
    await second.close();
    // More names than are noted: then nobody's inbox is made anew, and names that have none are free.
    const value = encodeAccount(account('many'));
    for (let from = 0; from < 100_000; from += 250) {
      const messages = Array.from({ length: 250 }, (_, i) => ({ key: `many-${from + i}`, value }));
      await producer.send({ topic: ACCOUNTS_TOPIC, messages });
    }
    await producer.disconnect();
    await makeTopics(admin, [{ topic: 'milena.inbox.left' }]);
    const third = await start();
    expect(third.accounts.get('anna')).toEqual(anna);
    await third.accounts.create({ name: 'bert' });
    await expect(third.accounts.create({ name: 'left' })).rejects.toMatchObject({ code: 'USERNAME_TAKEN' });
    await third.close();
    expect(lines.at(-1)).toMatch(/Beside 1 account: nothing of 100000 and more names is signed/);
    // Nor do accounts end by their age, where brokers made the topics as they make others.
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [ACCOUNTS_TOPIC, SESSIONS_TOPIC].map((name) => ({
        ...{ type: ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] },
      })),
    });
    await admin.disconnect();
    expect(resources.map(({ configEntries }) => configEntries[0]?.configValue)).toEqual([
      'compact',
      'compact',
    ]);
  });
});
