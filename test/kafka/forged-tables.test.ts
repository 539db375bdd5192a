/** What the right to write to the topics of accounts, sessions and hints is worth without the frontends' keys. */
import { createHash, randomBytes } from 'node:crypto';
import type { Message, Producer } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseClusterKeys } from '../../src/config/cluster-keys.ts';
import type { Account } from '../../src/core/accounts.ts';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import type { StoredToken } from '../../src/core/storage.ts';
import { Fetcher } from '../../src/storage/kafka/fetch/fetcher.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { TakeoverHints } from '../../src/storage/kafka/inbox/takeover-hints.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Appender } from '../../src/storage/kafka/produce/appender.ts';
import { encodeAccount } from '../../src/storage/kafka/tables/account-record.ts';
import { signRecord } from '../../src/storage/kafka/tables/signed-record.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { ACCOUNTS_TOPIC, NOTICES_TOPIC, SESSIONS_TOPIC } from '../../src/storage/kafka/wire/topics.ts';
import { newUuid, uuidText } from '../../src/util/uuid.ts';
import { TEST_KEYS, testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { eventually, type TestCluster, type TestEngine, uniqueName } from '../contracts/cluster.ts';
import { sized } from '../size.ts';
import { kafkaCluster, testConfig, testLog, witness } from './cluster.ts';
import { type Copied, recordsOf } from './log-copy.ts';

const TRUE_CREDENTIAL = '$argon2id$true';

function session(): StoredToken {
  const tokenHash = createHash('sha256').update(randomBytes(32)).digest();
  return { tokenHash, expiresAt: Date.now() + 600_000 };
}

/** As a frontend signs, at another time or with another key. */
function signedAs(
  [topic, key, value, revision]: [string, string, Buffer | null, number],
  { agoMs = 0, keys = parseClusterKeys(TEST_KEYS, 'keys') } = {},
): Message {
  const trust = new Trust(new Signer(keys), new BrokerClock(() => Date.now() - agoMs), false, 0);
  const { headers } = signRecord(trust, topic, key, value, revision);
  return { key, value, headers: { [String(headers[0])]: String(headers[1]) } };
}

describe('records that no frontend wrote', () => {
  let cluster: TestCluster;
  let producer: Producer;

  beforeAll(async () => {
    cluster = await kafkaCluster();
    producer = witness().producer(STORED_ONCE);
    await producer.connect();
  });
  afterAll(async () => {
    await producer.disconnect();
    await cluster.close();
  });

  const write = (topic: string, ...messages: Message[]) => producer.send({ topic, messages });
  const make = (stem: string, engine: TestEngine = cluster.here) =>
    engine.accounts.create({ name: uniqueName(stem), credential: TRUE_CREDENTIAL });
  const asTaken = (account: Account): Buffer => encodeAccount({ ...account, credential: null });

  /** In both frontends, and in one that starts now. */
  async function everywhere(check: (engine: TestEngine) => Promise<void>): Promise<void> {
    await check(cluster.here);
    await check(cluster.elsewhere);
    const fresh = await openKafkaStorage(testConfig(), testLog);
    await check(fresh).finally(() => fresh.close());
  }

  const expectTrue = (account: Account, credential = TRUE_CREDENTIAL) =>
    everywhere(async ({ accounts }) => {
      const { name, incarnation } = account;
      expect(await accounts.findEvenly(name)).toMatchObject({ incarnation, credential });
    });

  /** The last record of a key says the truth again, so no compaction takes it away. */
  const expectWrittenAgain = (topic: string, key: string, truth: Buffer | null) =>
    eventually(async () => {
      const last = (await recordsOf(topic, key)).at(-1);
      expect([last?.value?.toString(), last?.headers['milena-sig']?.startsWith('r1:')]).toEqual([
        truth?.toString(),
        true,
      ]);
    });

  it('open no account and remove none, and what they hid is written again', async () => {
    const account = await make('owner');
    const { name } = account;
    const open = asTaken(account);
    await write(ACCOUNTS_TOPIC, { key: name, value: open });
    await expectTrue(account);
    await write(ACCOUNTS_TOPIC, { key: name, value: null });
    await write(ACCOUNTS_TOPIC, { key: name, value: 'nonsense' });
    await write(
      ACCOUNTS_TOPIC,
      signedAs([ACCOUNTS_TOPIC, name, open, Date.now()], { keys: [newClusterKey()] }),
    );
    const [genuine] = await recordsOf(ACCOUNTS_TOPIC, name);
    await write(ACCOUNTS_TOPIC, { key: name, value: open, headers: genuine?.headers ?? {} });
    await write(ACCOUNTS_TOPIC, { key: name, value: null, headers: genuine?.headers ?? {} });
    await write(ACCOUNTS_TOPIC, { ...signedAs([SESSIONS_TOPIC, name, open, Date.now()]) });
    await write(ACCOUNTS_TOPIC, { ...signedAs([ACCOUNTS_TOPIC, 'other', open, Date.now()]), key: name });
    await expectTrue(account);
    await expectWrittenAgain(ACCOUNTS_TOPIC, name, encodeAccount(account));
    await expectTrue(account);
  });

  it('count no more in a transaction', async () => {
    const account = await make('owner');
    const transactional = witness().producer({
      ...{ transactionalId: uniqueName('tx'), maxInFlightRequests: 1, idempotent: true },
    });
    await transactional.connect();
    const transaction = await transactional.transaction();
    await transaction.send({
      topic: ACCOUNTS_TOPIC,
      messages: [{ key: account.name, value: asTaken(account) }],
    });
    await transaction.commit();
    await transactional.disconnect();
    await expectTrue(account);
    await expectWrittenAgain(ACCOUNTS_TOPIC, account.name, encodeAccount(account));
  });

  /** Changes an account as a frontend does, with something else in the log before the change counts. */
  async function changedAround(name: string, value: Buffer | null, between: () => Promise<unknown>) {
    const transactional = witness().producer({ transactionalId: uniqueName('tx'), maxInFlightRequests: 1 });
    await transactional.connect();
    const transaction = await transactional.transaction();
    const change = signedAs([ACCOUNTS_TOPIC, name, value, Date.now()]);
    await transaction.send({ topic: ACCOUNTS_TOPIC, messages: [change] });
    await between();
    await transaction.commit();
    await transactional.disconnect();
  }

  it('hide no change that counts only after them', async () => {
    const account = await make('owner');
    const { name } = account;
    const changed = { ...account, credential: '$argon2id$new' };
    await changedAround(name, encodeAccount(changed), () =>
      write(ACCOUNTS_TOPIC, { key: name, value: asTaken(account) }),
    );
    await expectTrue(account, '$argon2id$new');
    await expectWrittenAgain(ACCOUNTS_TOPIC, name, encodeAccount(changed));
  });

  it('in a large transaction of others hide nothing either', async () => {
    const account = await make('owner');
    const transactional = witness().producer({ transactionalId: uniqueName('tx'), maxInFlightRequests: 1 });
    await transactional.connect();
    const transaction = await transactional.transaction();
    const junk = Array.from({ length: 100 }, () => ({ key: uniqueName('junk'), value: 'nonsense' }));
    const messages = [...junk, { key: account.name, value: asTaken(account) }];
    await transaction.send({ topic: ACCOUNTS_TOPIC, messages });
    await transaction.commit();
    await transactional.disconnect();
    await expectWrittenAgain(ACCOUNTS_TOPIC, account.name, encodeAccount(account));
  });

  it('written again by a frontend before a change counts, the old one does not last', async () => {
    const account = await make('owner');
    const { name } = account;
    const [old] = await recordsOf(ACCOUNTS_TOPIC, name);
    await changedAround(name, null, () => write(ACCOUNTS_TOPIC, old as Copied));
    await everywhere(async ({ accounts }) => {
      expect(await accounts.findEvenly(name)).toBeUndefined();
    });
    await expectWrittenAgain(ACCOUNTS_TOPIC, name, null);
  });

  it('copied from before a change, an account stays as it was changed', async () => {
    const account = await make('changed');
    const [old] = await recordsOf(ACCOUNTS_TOPIC, account.name);
    const changed = await cluster.elsewhere.accounts.update(account, { credential: '$argon2id$new' });
    await write(ACCOUNTS_TOPIC, old as Copied);
    await expectTrue(account, '$argon2id$new');
    await expectWrittenAgain(ACCOUNTS_TOPIC, account.name, encodeAccount(changed));
    const twice = await cluster.here.accounts.update(changed, { credential: '$argon2id$newer' });
    await expectTrue(twice, '$argon2id$newer');
  });

  it('copied from before a deletion, an account stays away', async () => {
    const account = await make('deleted');
    const [old] = await recordsOf(ACCOUNTS_TOPIC, account.name);
    await cluster.here.accounts.remove(account);
    await write(ACCOUNTS_TOPIC, old as Copied);
    const expectGone = () =>
      everywhere(async ({ accounts }) => {
        expect(await accounts.findEvenly(account.name)).toBeUndefined();
      });
    await expectGone();
    await expectWrittenAgain(ACCOUNTS_TOPIC, account.name, null);
    await expectGone();
    const again = await cluster.elsewhere.accounts.create({
      name: account.name,
      credential: TRUE_CREDENTIAL,
    });
    await write(ACCOUNTS_TOPIC, old as Copied);
    await expectTrue(again);
  });

  it('signed long ago or in the future, they do not count, whatever their revision', async () => {
    const account = await make('old');
    for (const agoMs of [120_000, -120_000]) {
      const record: [string, string, Buffer, number] = [
        ...([ACCOUNTS_TOPIC, account.name] as const),
        ...([asTaken(account), Date.now() + 1_000_000] as const),
      ];
      await write(ACCOUNTS_TOPIC, signedAs(record, { agoMs }));
    }
    await expectTrue(account);
  });

  it('give no name away whose record nobody can read, and take none', async () => {
    const name = uniqueName('unknown');
    const account = { ...(await make('model')), name, incarnation: newUuid() };
    const foreign = signedAs([ACCOUNTS_TOPIC, name, encodeAccount(account), 1], { keys: [newClusterKey()] });
    await write(ACCOUNTS_TOPIC, foreign);
    await everywhere(async ({ accounts }) => {
      expect(await accounts.findEvenly(name)).toBeUndefined();
      await expect(accounts.create({ name })).rejects.toMatchObject({ code: 'USERNAME_TAKEN' });
    });
  });

  it('make no session, end none, and bring back none', async () => {
    const account = await make('session');
    const { here, elsewhere } = cluster;
    const [first, second] = [session(), session()];
    const expectSession = (stored: StoredToken | undefined) =>
      everywhere(async ({ tokens }) => {
        expect(await tokens.find(account)).toEqual(stored);
      });
    const forged = JSON.stringify({
      incarnation: uuidText(account.incarnation),
      tokenHash: session().tokenHash.toString('base64url'),
      expiresAt: Date.now() + 600_000,
    });
    await write(SESSIONS_TOPIC, { key: account.name, value: forged });
    await expectSession(undefined);
    await here.tokens.put(account, first);
    await write(SESSIONS_TOPIC, { key: account.name, value: forged });
    await expectSession(first);
    await write(SESSIONS_TOPIC, { key: account.name, value: null });
    await expectSession(first);
    const old = (await recordsOf(SESSIONS_TOPIC, account.name)).find(({ headers }) => headers['milena-sig']);
    await elsewhere.tokens.put(account, second);
    await write(SESSIONS_TOPIC, old as Copied);
    await expectSession(second);
    await here.tokens.remove(account);
    await write(SESSIONS_TOPIC, old as Copied);
    await expectSession(undefined);
    await expectWrittenAgain(SESSIONS_TOPIC, account.name, null);
    await expectSession(undefined);
  });

  it('are no hints of a takeover', async () => {
    const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'hints' });
    const appender = new Appender(raw, testLog, 10_000);
    const fetcher = new Fetcher(raw, testLog);
    const trust = new Trust(
      new Signer(parseClusterKeys(TEST_KEYS, 'keys')),
      new BrokerClock(),
      false,
      10_000,
    );
    const heard: string[] = [];
    const parts = { cluster: raw, log: testLog, appender, fetcher, trust, replicationFactor: 1 };
    const notices = new TakeoverHints({ ...parts, onReplaced: (inbox) => heard.push(inbox) });
    await notices.start();
    const [forged, genuine] = [uniqueName('forged'), uniqueName('genuine')];
    await write(NOTICES_TOPIC, { key: 'replaced', value: forged });
    await write(NOTICES_TOPIC, {
      ...signedAs([NOTICES_TOPIC, 'replaced', Buffer.from('x'), 0]),
      value: forged,
    });
    const old = signedAs([NOTICES_TOPIC, 'replaced', Buffer.from(forged), 0], { agoMs: 120_000 });
    await write(NOTICES_TOPIC, old);
    // Of another frontend: its own are no news to it.
    new TakeoverHints({ ...parts, onReplaced: () => {} }).tellHeld(genuine);
    await eventually(() => expect(heard).toContain(genuine));
    expect(heard).not.toContain(forged);
    notices.close();
    await fetcher.close();
    await appender.close();
    await raw.close();
  });

  it('cost some lines in the log, however many they are', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const engine = await openKafkaStorage(testConfig(), log);
    const account = await make('flooded', engine);
    const before = lines.length;
    const junk = Array.from({ length: sized(1_000, 3_000) }, (_, i) => ({
      key: i % 3 === 0 ? account.name : uniqueName('junk'),
      value: i % 3 === 1 ? 'nonsense' : asTaken(account),
    }));
    for (let from = 0; from < junk.length; from += 200) {
      await write(ACCOUNTS_TOPIC, ...junk.slice(from, from + 200));
      await write(SESSIONS_TOPIC, ...junk.slice(from, from + 200));
    }
    await eventually(() =>
      expect(lines.join('')).toContain('records that no frontend wrote were stepped over'),
    );
    expect(await engine.accounts.findEvenly(account.name)).toEqual(account);
    expect(lines.length - before).toBeLessThan(10);
    await engine.close();
  });
});
