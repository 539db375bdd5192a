import { CompressionTypes, type Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { eventually, message, observe, type TestCluster, textOf, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster, witness } from './cluster.ts';

/** Records that no frontend would write: each is shown as external or stepped over, and none stops the inbox. */
describe('poisoned records', () => {
  let cluster: TestCluster;
  let kafka: Kafka;

  beforeAll(async () => {
    cluster = await kafkaCluster();
    kafka = witness();
  });
  afterAll(() => cluster.close());

  async function poison(owner: Account): Promise<void> {
    const topic = `milena.inbox.${owner.name}`;
    const producer = kafka.producer(STORED_ONCE);
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'tombstone', value: null }] });
    await producer.send({ topic, messages: [{ key: null, value: Buffer.from([0xff, 0xfe, 0x00, 0x1b]) }] });
    await producer.send({ topic, messages: [{ key: Buffer.alloc(5_000, 0x1b), value: 'long key' }] });
    await producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: [
        { key: 'gzip', value: 'one' },
        { key: 'gzip', value: 'two' },
      ],
    });
    const headers = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`h${i}`, 'x']));
    await producer.send({ topic, messages: [{ key: 'headers', value: 'many', headers }] });
    await producer.send({
      topic,
      messages: [{ key: 'other', value: 'not yours', headers: { 'milena-to': 'someone' } }],
    });
    await producer.disconnect();

    const transactional = kafka.producer({
      transactionalId: uniqueName('tx'),
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await transactional.connect();
    const committed = await transactional.transaction();
    await committed.send({ topic, messages: [{ key: 'tx', value: 'committed' }] });
    await committed.commit();
    const aborted = await transactional.transaction();
    await aborted.send({ topic, messages: [{ key: 'tx', value: 'aborted' }] });
    await aborted.abort();
    await transactional.disconnect();
  }

  const expected = ['one', 'two', 'many', 'committed', 'after'];

  it('do not stop live delivery, and the watermark gets past them', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('poisoned') });
    const { inbox, pushed } = await observe(cluster.here, owner, {
      onMessage: ({ offset }) => inbox.acknowledge(offset, offset),
    });
    await poison(owner);
    await cluster.here.inboxes.append(owner, message(owner, 'after'));
    await eventually(() => expect(pushed.map(textOf).at(-1)).toBe('after'));
    expect(pushed.slice(0, -1).every(({ from }) => from.kind === 'external')).toBe(true);
    expect(pushed.map(textOf).slice(-5)).toEqual(expected);
    await eventually(async () => expect(await inbox.undelivered()).toBe(0));
    await inbox.close();
  });

  it('do not stop reading the backlog, and the watermark gets past them', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('poisoned') });
    await poison(owner);
    await cluster.here.inboxes.append(owner, message(owner, 'after'));
    const { inbox } = await observe(cluster.here, owner);
    const read = await inbox.read({ maxBytes: 1_000_000 });
    expect(read.map(textOf).slice(-5)).toEqual(expected);
    for (const { offset } of read) inbox.acknowledge(offset, offset);
    expect(await inbox.undelivered()).toBe(0);
    await inbox.close();
  });
});
