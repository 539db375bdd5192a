import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/kafka/engine.ts';
import { eventually, message, observe, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster, testConfig, testLog, witness } from './cluster.ts';

const OLD_KEY = `old:${Buffer.alloc(32, 1).toString('base64url')}`;
const NEW_KEY = `new:${Buffer.alloc(32, 2).toString('base64url')}`;

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
    await forge(boss.name, 'genuine', { ...headers, 'milena-from': other.incarnation });
    await forge(boss.name, 'genuine', { ...headers, 'content-type': 'text/html' });
    await forge(boss.name, 'for somebody else', { ...elsewhere, 'milena-to': owner.incarnation });
    const { 'milena-to': _to, ...unaddressed } = headers;
    await forge(boss.name, 'genuine', unaddressed);
    await forge(boss.name, 'genuine', { ...headers, 'milena-sig': '1:none:' });

    const reader = await observe(here, owner, { deliver: 'all' });
    await eventually(() => expect(reader.pushed).toHaveLength(10));
    expect(reader.pushed[0]?.from).toEqual({ kind: 'user', name: boss.name, incarnation: boss.incarnation });
    expect(reader.pushed.slice(1).map(({ from }) => from.kind)).toEqual(Array(9).fill('external'));
    await reader.inbox.close();
  });

  it('an exact copy is the same message again, with the same id: a client shows it once', async () => {
    const { here, produceRaw } = cluster;
    const owner = await here.accounts.create({ name: uniqueName('owner') });
    const sent = message(owner, 'once');
    await here.inboxes.append(owner, sent);
    await produceRaw?.(owner, {
      key: owner.name,
      value: 'once',
      headers: await copyHeaders(`milena.inbox.${owner.name}`),
    });
    const reader = await observe(here, owner, { deliver: 'all' });
    await eventually(() => expect(reader.pushed).toHaveLength(2));
    expect(new Set(reader.pushed.map(({ id }) => id))).toEqual(new Set([sent.id]));
    await reader.inbox.close();
  });

  it('old mail stays verified while its key is listed, and is external afterwards', async () => {
    const open = (keys: string) => openEngine(testConfig({ MILENA_CLUSTER_KEYS: keys }), testLog);
    const before = await open(OLD_KEY);
    const owner = await before.accounts.create({ name: uniqueName('rotated') });
    await before.inboxes.append(owner, message(owner, 'old mail'));
    await before.close();
    for (const [keys, kind] of [
      [`${NEW_KEY},${OLD_KEY}`, 'user'],
      [NEW_KEY, 'external'],
    ] as const) {
      const engine = await open(keys);
      const reader = await observe(engine, (await engine.accounts.find(owner.name)) ?? owner);
      const read = await reader.inbox.read({ maxBytes: 1_000 });
      expect(read.map(({ from, body }) => [from.kind, body])).toEqual([[kind, 'old mail']]);
      await reader.inbox.close();
      await engine.close();
    }
  });
});
