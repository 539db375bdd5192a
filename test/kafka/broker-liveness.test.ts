import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrokerLiveness } from '../../src/storage/kafka/fetch/broker-liveness.ts';
import { Fetcher } from '../../src/storage/kafka/fetch/fetcher.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { testLog, witness } from './cluster.ts';

describe('the pulse of brokers', () => {
  const asked: number[] = [];
  const silent: number[] = [];
  const alive = new Map<number, boolean | Promise<boolean>>();
  let pulse: BrokerLiveness;

  beforeEach(() => {
    vi.useFakeTimers();
    for (const list of [asked, silent]) list.length = 0;
    alive.clear();
    pulse = new BrokerLiveness({
      nodes: () => alive.keys(),
      ask: async (node) => {
        asked.push(node);
        return (await alive.get(node)) ?? false;
      },
      onSilent: (node, since) => {
        expect(since).toBeLessThanOrEqual(performance.now());
        silent.push(node);
      },
    });
  });
  afterEach(() => {
    pulse.stop();
    vi.useRealTimers();
  });

  it('is asked for every four seconds, and only a broker that gives none is told of', async () => {
    alive.set(1, true).set(2, false);
    pulse.start();
    pulse.start();
    await vi.advanceTimersByTimeAsync(3_999);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(4_001);
    expect(asked).toEqual([1, 2, 1, 2]);
    expect(silent).toEqual([2, 2]);
    alive.clear();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(asked).toHaveLength(4);
  });

  it('is not asked for again before it has come, and nobody else waits for it', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    alive.set(1, promise).set(2, true);
    pulse.start();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(asked).toEqual([1, 2, 2, 2]);
    resolve(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(silent).toEqual([1]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(asked.slice(4)).toEqual([1, 2]);
  });

  it('is over when it is stopped, and so is an answer that is still to come', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    alive.set(1, promise);
    pulse.start();
    await vi.advanceTimersByTimeAsync(4_000);
    pulse.stop();
    resolve(false);
    await vi.advanceTimersByTimeAsync(8_000);
    expect([asked, silent]).toEqual([[1], []]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Counts what is opened; a broker that is taken for silent is one that answers everybody else. */
class Counting extends Cluster {
  opened = 0;
  answered = 0;
  isSilent = false;

  override dedicated(node: number, parkedMs: number) {
    this.opened += 1;
    return super.dedicated(node, parkedMs);
  }

  override async isAlive(node: number): Promise<boolean> {
    const isAlive = await super.isAlive(node);
    this.answered += 1;
    return isAlive && !this.isSilent;
  }
}

it('fetches at a broker without a sign of life are begun anew, at one with it they are left alone', async () => {
  const kafka = witness();
  const [admin, producer] = [kafka.admin(), kafka.producer(STORED_ONCE)];
  const cluster = new Counting({ bootstrap: testBrokers(), clientId: 'pulse' });
  const fetcher = new Fetcher(cluster, testLog);
  try {
    // As many as make a session that is parked for long.
    const topics = Array.from({ length: 8 }, () => uniqueName('pulse'));
    await Promise.all([admin.connect(), producer.connect()]);
    await makeTopics(
      admin,
      topics.map((topic) => ({ topic })),
    );
    await cluster.connect();
    const values: string[] = [];
    const onRecords = (records: readonly { value: Buffer | null }[]) =>
      void values.push(...records.map(({ value }) => String(value)));
    for (const topic of topics) {
      const { topicId } = await cluster.leader(topic);
      const follower = { topic, topicId, onRecords, onGone() {}, onOutOfRange() {}, onParted() {} };
      fetcher.follow(follower, { offset: 0, epoch: -1 });
    }
    const send = (topic: string) => producer.send({ topic, messages: [{ value: topic }] });
    // A broker that does not know a topic yet sends its fetch elsewhere: what is opened counts from when all are read.
    await Promise.all(topics.map(send));
    await eventually(() => expect(values.toSorted()).toEqual(topics.toSorted()));
    const { opened, answered } = cluster;

    await eventually(() => expect(cluster.answered).toBeGreaterThan(answered + 1));
    expect(cluster.opened).toBe(opened);

    cluster.isSilent = true;
    await eventually(() => expect(cluster.opened).toBeGreaterThan(opened));
    cluster.isSilent = false;
    await Promise.all(topics.map(send));
    await eventually(() => expect(values.toSorted()).toEqual([...topics, ...topics].toSorted()));
  } finally {
    await fetcher.close();
    await cluster.close();
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
});
