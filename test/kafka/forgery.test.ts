import { randomUUID } from 'node:crypto';
import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseClusterKeys } from '../../src/config/cluster-keys.ts';
import type { Account } from '../../src/core/accounts.ts';
import { encodeRecord } from '../../src/storage/kafka/inbox/record.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { uuidText } from '../../src/util/uuid.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { eventually, message, observe, type TestCluster, textOf, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster, testConfig, testLog, witness } from './cluster.ts';

const OLD_KEY = `old:${Buffer.alloc(32, 1).toString('base64url')}`;

/** Records that claim to be a user's. Only a frontend's signature over all of it makes them one. */
describe('forged records', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await kafkaCluster();
  });
  afterAll(() => cluster.close());

  /** All headers of the first record in an inbox, as any Kafka consumer can copy them. */
  async function copyHeaders(inbox: string): Promise<Record<string, string>> {
    const consumer = witness().consumer({ groupId: uniqueName('thief') });
    await consumer.connect();
    await consumer.subscribe({ topic: inbox, fromBeginning: true });
    let headers: Record<string, string> | undefined;
    await consumer.run({
      eachMessage: async (payload) => {
        const texts = Object.entries(payload.message.headers ?? {}).map(([name, value]) => [
          name,
          String(value),
        ]);
        headers ??= Object.fromEntries(texts);
      },
    });
    await eventually(() => expect(headers).toBeDefined());
    await consumer.disconnect();
    return headers ?? {};
  }

  it('are external, whatever they copy', async () => {
    const { here, produceRaw } = cluster;
    const boss = await here.accounts.create({ name: uniqueName('boss') });
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const other = await here.accounts.create({ name: uniqueName('other') });
    await here.inboxes.append(owner, message(boss, 'genuine'));
    await here.inboxes.append(other, message(boss, 'for somebody else'));
    const headers = await copyHeaders(`milena.inbox.${owner.name}`);
    const elsewhere = await copyHeaders(`milena.inbox.${other.name}`);
    const forge = (key: string, value: string, changed: Record<string, string>) =>
      produceRaw?.(owner, { key, value, headers: changed });
    await forge(boss.name, 'pay the bill', headers);
    await forge(other.name, 'genuine', headers);
    await forge(boss.name, 'genuine', { ...headers, ce_id: randomUUID() });
    await forge(boss.name, 'genuine', { ...headers, ce_time: new Date(0).toISOString() });
    await forge(boss.name, 'genuine', { ...headers, 'milena-from': uuidText(other.incarnation) });
    await forge(boss.name, 'genuine', { ...headers, 'content-type': 'text/html' });
    await forge(boss.name, 'for somebody else', { ...elsewhere, 'milena-to': uuidText(owner.incarnation) });
    const { 'milena-to': _to, ...unaddressed } = headers;
    await forge(boss.name, 'genuine', unaddressed);
    await forge(boss.name, 'genuine', { ...headers, 'milena-sig': '1:none:' });

    const reader = await observe(here, owner, { deliver: 'all' });
    await eventually(() => expect(reader.pushed).toHaveLength(10));
    expect(reader.pushed[0]?.from).toEqual({ kind: 'user', name: boss.name, incarnation: boss.incarnation });
    expect(reader.pushed.slice(1).map(({ from }) => from.kind)).toEqual(Array(9).fill('external'));
    await reader.inbox.close();
  });

  /** A message as a frontend signed it so long ago. */
  function signedBefore(from: Account, to: Account, body: string, agoMs: number, keys = TEST_KEYS) {
    const signer = new Signer(parseClusterKeys(keys, 'keys'));
    const { key, value, headers } = encodeRecord(
      signer,
      to,
      message(from, body),
      new Date(Date.now() - agoMs),
    );
    const named: [string, string][] = [];
    for (let i = 0; i < headers.length; i += 2) named.push([String(headers[i]), String(headers[i + 1])]);
    return { key: String(key), value: value.toString(), headers: Object.fromEntries(named) };
  }

  it('an exact copy is stepped over, live and later, and does not wait for its owner', async () => {
    const { here, elsewhere, produceRaw } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const inbox = `milena.inbox.${owner.name}`;
    const live = await observe(here, owner);
    await elsewhere.inboxes.append(owner, message(owner, 'once'));
    const headers = await copyHeaders(inbox);
    const copy = { key: owner.name, value: 'once', headers };
    await produceRaw?.(owner, copy);
    await produceRaw?.(owner, { ...copy, headers: Object.fromEntries(Object.entries(headers).reverse()) });
    await produceRaw?.(owner, { ...copy, headers: { ...headers, more: 'x' } });
    await elsewhere.inboxes.append(owner, message(owner, 'after'));
    await eventually(() => expect(live.bodies()).toEqual(['once', 'after']));
    await live.inbox.close();
    for (const engine of [here, elsewhere]) {
      const later = await observe(engine, owner);
      const read = await later.inbox.read({ maxBytes: 1_000 });
      expect(read.map((each) => [textOf(each), each.from.kind])).toEqual([
        ['once', 'user'],
        ['after', 'user'],
      ]);
      await later.inbox.close();
    }
  });

  it('nor are copies with a second id, in a transaction, or for the next life of the name', async () => {
    const { here } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const topic = `milena.inbox.${owner.name}`;
    const live = await observe(here, owner);
    await here.inboxes.append(owner, message(owner, 'once'));
    const { ce_id: id = '', ...headers } = await copyHeaders(topic);
    const producer = witness().producer({
      ...{ transactionalId: uniqueName('tx'), idempotent: true, maxInFlightRequests: 1 },
    });
    await producer.connect();
    const copy = async (ids: string[]) => {
      const transaction = await producer.transaction();
      const record = { key: owner.name, value: 'once', headers: { ce_id: ids, ...headers } };
      await transaction.send({ topic, messages: [record] });
      await transaction.commit();
    };
    await copy([id]);
    await copy([id, randomUUID()]);
    await copy([randomUUID(), id]);
    await eventually(() => expect(live.pushed).toHaveLength(2));
    expect(live.pushed.map(({ from }) => from.kind)).toEqual(['user', 'external']);
    await live.inbox.close();
    await here.accounts.remove(owner);
    const again = await here.accounts.create({ name: owner.name });
    const next = await observe(here, again);
    await eventually(() => copy([id]));
    await here.inboxes.append(again, message(again, 'after'));
    await eventually(() => expect(next.bodies()).toEqual(['after']));
    await next.inbox.close();
    await producer.disconnect();
  });

  it('a client that sends again is no copy: both are told, with one id', async () => {
    const { here } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const sent = message(owner, 'twice');
    await here.inboxes.append(owner, sent);
    await here.inboxes.append(owner, sent);
    const { inbox } = await observe(here, owner);
    const read = await inbox.read({ maxBytes: 1_000 });
    expect(read.map(({ id, from }) => [id, from.kind])).toEqual([
      [sent.id, 'user'],
      [sent.id, 'user'],
    ]);
    await inbox.close();
  });

  it('a record that was signed at another time than it was appended is external', async () => {
    const { here, produceRaw } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const { inbox, pushed } = await observe(here, owner);
    for (const [body, agoMs] of [
      ['just now', 5_000],
      ['two minutes ago', 120_000],
      ['tomorrow', -86_400_000],
    ] as const)
      await produceRaw?.(owner, signedBefore(owner, owner, body, agoMs));
    await eventually(() => expect(pushed).toHaveLength(3));
    expect(pushed.map((each) => [textOf(each), each.from.kind])).toEqual([
      ['just now', 'user'],
      ['two minutes ago', 'external'],
      ['tomorrow', 'external'],
    ]);
    await inbox.close();
  });

  it('nothing is verified where a topic keeps the producers’ times', async () => {
    const { here, produceRaw } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const admin = witness().admin();
    await admin.connect();
    const configEntries = [{ name: 'message.timestamp.type', value: 'CreateTime' }];
    const topic = { type: ConfigResourceTypes.TOPIC, name: `milena.inbox.${owner.name}`, configEntries };
    await admin.alterConfigs({ validateOnly: false, resources: [topic] });
    await admin.disconnect();
    const { inbox, pushed } = await observe(here, owner);
    await eventually(async () => {
      await produceRaw?.(owner, signedBefore(owner, owner, 'now', 0));
      expect(pushed.at(-1)?.from.kind).toBe('external');
    });
    await inbox.close();
  });

  it('a frontend whose clock is wrong signs by the brokers’ time', async () => {
    for (const wrongMs of [-600_000, 600_000]) {
      const wrong = await openKafkaStorage(testConfig(), testLog, () => Date.now() + wrongMs);
      const owner = await wrong.accounts.create({ name: uniqueName('clock') });
      await cluster.here.accounts.find(owner.name);
      const { inbox, pushed } = await observe(cluster.here, owner);
      await wrong.inboxes.append(owner, message(owner, 'on time'));
      await eventually(() => expect(pushed).toHaveLength(1));
      expect(pushed[0]?.from.kind).toBe('user');
      await inbox.close();
      await wrong.close();
    }
  });

  it('old mail stays verified while its key is listed, and is external afterwards', async () => {
    const { here, produceRaw } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('rotated') });
    await produceRaw?.(owner, signedBefore(owner, owner, 'old mail', 0, OLD_KEY));
    for (const [keys, kind] of [
      [`${TEST_KEYS},${OLD_KEY}`, 'user'],
      [TEST_KEYS, 'external'],
    ] as const) {
      const engine = await openKafkaStorage(testConfig({ MILENA_CLUSTER_KEYS: keys }), testLog);
      const { inbox } = await observe(engine, owner);
      const read = await inbox.read({ maxBytes: 1_000 });
      expect(read.map((each) => [each.from.kind, textOf(each)])).toEqual([[kind, 'old mail']]);
      await inbox.close();
      await engine.close();
    }
  });
});
