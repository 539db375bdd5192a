import type { API } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Appender } from '../../src/storage/kafka/produce/appender.ts';
import { Cluster, type ConnectionUse } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';
import { makeTopics } from '../broker/topics.ts';
import { uniqueName } from '../contracts/cluster.ts';
import { testLog, witness } from './cluster.ts';

/** Notes how many batches each produce request takes along. */
class Noting extends Cluster {
  readonly requests: number[] = [];

  override request<A extends unknown[], R>(
    node: number,
    lane: ConnectionUse,
    api: API<A, R>,
    ...args: A
  ): Promise<R> {
    const [, batches] = args;
    if (lane === 'produce' && Array.isArray(batches)) this.requests.push(batches.length);
    return super.request(node, lane, api, ...args);
  }
}

const admin = witness().admin();
const cluster = new Noting({ bootstrap: testBrokers(), clientId: 'appender' });
const appender = new Appender(cluster, testLog, 10_000);
const topics = Array.from({ length: 4 }, () => uniqueName('appender'));
const append = (topic: string) => appender.append(topic, { key: 'k', value: Buffer.from('v'), headers: [] });
/** Everything that was begun in this turn has run by then, and nothing of the next one. */
const microtasks = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

beforeAll(async () => {
  await admin.connect();
  await makeTopics(
    admin,
    topics.map((topic) => ({ topic })),
  );
  await cluster.connect();
  await Promise.all(topics.map(append));
});
afterAll(async () => {
  await appender.close();
  await cluster.close();
  await admin.disconnect();
});

it('an append that is alone goes before the turn of the event loop is over, with those made beside it', async () => {
  cluster.requests.length = 0;
  const [a = '', b = ''] = topics;
  const stored = Promise.all([append(a), append(b)]);
  await microtasks();
  expect(cluster.requests).toEqual([2]);
  await stored;
});

it('while a request is under way, the appends of a turn go together at its end', async () => {
  cluster.requests.length = 0;
  const [a = '', b = '', c = '', d = ''] = topics;
  const stored = [append(a)];
  await microtasks();
  for (const topic of [b, c, d]) {
    stored.push(append(topic));
    await microtasks();
  }
  expect(cluster.requests).toEqual([1]);
  await Promise.all(stored);
  expect(cluster.requests).toEqual([1, 3]);
});
