import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Cluster } from '../../src/kafka/cluster.ts';
import { Tail } from '../../src/kafka/tail.ts';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { testLog, witness } from './cluster.ts';

/** Counts what is opened and asked; a broker that is taken for silent is one that answers everybody else. */
class Counting extends Cluster {
  opened = 0;
  asked = 0;
  isSilent = false;

  override dedicated(node: number, parkedMs: number) {
    this.opened += 1;
    return super.dedicated(node, parkedMs);
  }

  override async isAlive(node: number): Promise<boolean> {
    this.asked += 1;
    return (await super.isAlive(node)) && !this.isSilent;
  }
}

const kafka = witness();
const [admin, producer] = [kafka.admin(), kafka.producer()];
const cluster = new Counting({ bootstrap: testBrokers(), clientId: 'pulse' });
const tail = new Tail(cluster, testLog);

afterEach(async () => {
  await tail.close();
  await cluster.close();
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

it('a broker without a sign of life has its fetches begun anew, a broker with one is left alone', async () => {
  const topic = uniqueName('pulse');
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
  await cluster.connect();
  const { topicId } = await cluster.leader(topic);
  const values: string[] = [];
  const onRecords = (records: readonly { value: Buffer | null }[]) =>
    void values.push(...records.map(({ value }) => String(value)));
  tail.follow({ topic, topicId, onRecords, onGone() {}, onOutOfRange() {} }, 0);
  const send = (value: string) => producer.send({ topic, messages: [{ value }] });
  await send('one');
  await eventually(() => expect(values).toEqual(['one']));

  await eventually(() => expect(cluster.asked).toBeGreaterThan(0));
  expect(cluster.opened).toBe(1);

  cluster.isSilent = true;
  await eventually(() => expect(cluster.opened).toBeGreaterThan(1));
  cluster.isSilent = false;
  await sleep(100);
  await send('two');
  await eventually(() => expect(values).toEqual(['one', 'two']));
});
