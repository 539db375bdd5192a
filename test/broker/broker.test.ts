import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FULL, inFull, inFullSize, sized } from '../size.ts';
import { borrowBroker } from './borrow.ts';
import { testBrokers } from './brokers.ts';
import { javaUsable } from './java.ts';
import { brokerReady } from './ready.ts';
import { makeTopics } from './topics.ts';

async function withAdmin<Result>(brokers: string[], ask: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

/** The settings of one broker as it really runs with them. */
const settingsOf = (brokers: string[]) =>
  withAdmin(brokers, async (admin) => {
    const [node] = (await admin.describeCluster()).brokers;
    if (node === undefined) throw new Error('a cluster without brokers');
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 4, name: String(node.nodeId) }],
    });
    return new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
  });
const topicsOf = (brokers: string[]) => withAdmin(brokers, (admin) => admin.listTopics());
const groupsOf = (brokers: string[]) =>
  withAdmin(brokers, async (admin) => (await admin.listGroups()).groups.map(({ groupId }) => groupId));

const hasJava = await javaUsable();

describe('the broker of the test run', () => {
  it.skipIf(process.env.MILENA_TEST_KAFKA_BROKERS)(
    'runs with the settings that it is meant to have (not checked where an address was given: that broker is not ours)',
    async () => {
      const settings = await settingsOf(testBrokers());
      const wanted = {
        'offsets.retention.minutes': '2147483647',
        'group.initial.rebalance.delay.ms': '0',
        'group.consumer.session.timeout.ms': '1800000',
        'auto.create.topics.enable': 'false',
        'log.index.size.max.bytes': '65536',
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
        'transactional.id.expiration.ms': '3600000',
        'max.incremental.fetch.session.cache.slots': '10000',
        'broker.session.timeout.ms': '3000',
        'broker.heartbeat.interval.ms': '500',
      };
      expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, settings.get(name)]))).toEqual(
        wanted,
      );
    },
  );
});

describe('a broker that is borrowed', () => {
  // Each day outage.test.ts sees it.
  inFull('is gone when killed and has its data and its port when started again', async () => {
    const broker = await borrowBroker();
    onTestFinished(() => broker.stop());
    const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await makeTopics(admin, [{ topic: 'kept' }]);
    await admin.disconnect();

    await broker.kill();
    await expect(brokerReady(broker.brokers, { timeoutMs: 0 })).rejects.toThrow('no broker answers');

    await broker.start();
    expect(await topicsOf([broker.brokers])).toContain('kept');
  });

  it('is nobody else’s, and empty for the next one', async () => {
    // Several files have one at the same time every day.
    const [one = await borrowBroker(), ...others] = await Promise.all(
      Array.from({ length: sized(1, 2) }, () => borrowBroker()),
    );
    for (const other of others) expect(one.port).not.toBe(other.port);
    const kafka = new Kafka({ brokers: [one.brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await makeTopics(admin, [{ topic: 'gone' }]);
    await admin.setOffsets({ groupId: 'gone', topic: 'gone', partitions: [{ partition: 0, offset: '0' }] });
    await admin.disconnect();
    await Promise.all([one, ...others].map((broker) => broker.stop()));
    for (const again of await Promise.all([one, ...others].map(() => borrowBroker()))) {
      onTestFinished(() => again.stop());
      expect(await topicsOf([again.brokers])).not.toContain('gone');
      expect(await groupsOf([again.brokers])).toEqual([]);
    }
  });
});

describe('a broker of one process', () => {
  it('is ended by its guard when the process is gone, and its folder removed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'milena-guard-'));
    // What the process holds of it is a pipe, which ends however that one ends.
    const guard = spawn(join(import.meta.dirname, 'guard.sh'), [folder, 'sleep', '1000']);
    const [line] = (await once(createInterface({ input: guard.stdout }), 'line')) as [string];
    const pid = Number(line.replace('pid ', ''));
    expect(() => process.kill(pid, 0)).not.toThrow();
    guard.stdin.destroy();
    await once(guard, 'exit');
    expect(existsSync(folder)).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  // A container is removed by the reaper of testcontainers instead.
  it.skipIf(!hasJava || !FULL)(inFullSize('has settings of its own, and dies with it'), async () => {
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'abandoned.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const { pid, port, folder } = JSON.parse(line) as { pid: number; port: number; folder: string };
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(existsSync(folder)).toBe(true);
    expect((await settingsOf([`127.0.0.1:${port}`])).get('message.max.bytes')).toBe('123456');
    owner.kill('SIGKILL');
    await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
