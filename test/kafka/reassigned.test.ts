import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { borrowCluster, type LentCluster } from '../broker/borrow.ts';
import { kafkaTool } from '../broker/kafka-tool.ts';
import { eventually, message, observe, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { inFull } from '../size.ts';
import { kafkaCluster } from './cluster.ts';

let folder: string;
let brokers: LentCluster;
let cluster: TestCluster;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'milena-reassigned-'));
  brokers = await borrowCluster();
  cluster = await kafkaCluster(brokers.brokers.split(','));
});
afterAll(async () => {
  await cluster?.close();
  await brokers?.stop();
  rmSync(folder, { recursive: true });
});

// Another leader each day in e2e/cluster.test.ts, where the one before was killed.
inFull(
  'an inbox that is moved from broker to broker loses nothing, while it is written to and read',
  async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('moved') });
    const topic = `milena.inbox.${owner.name}`;
    const reader = await observe(cluster.elsewhere, owner, { deliver: 'all' });
    const accepted: string[] = [];
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; !isOver; i++) {
        await cluster.here.inboxes.append(owner, message(owner, `m ${i}`));
        accepted.push(`m ${i}`);
        await sleep(5);
      }
    })();
    for (const replicas of [[1], [2], [3], [1]]) {
      const file = join(folder, 'plan.json');
      writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas }] }));
      await kafkaTool(brokers.brokers, 'reassign-partitions', [
        ...['--reassignment-json-file', file],
        '--execute',
      ]);
      const { length } = accepted;
      await eventually(() => expect(accepted.length).toBeGreaterThan(length + 50));
    }
    isOver = true;
    await writing;
    await eventually(() => expect(reader.bodies()).toEqual(accepted));
    expect(reader.lost).toEqual([]);
    await reader.inbox.close();
  },
  // A tool of Kafka takes seconds to start, and longer beside three brokers.
  300_000,
);
