/** A Kafka that somebody else set up: everything about groups is as Kafka comes. */
import { randomUUID } from 'node:crypto';
import { joinGroupV9 } from '@platformatic/kafka';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../src/config/setting-table.ts';
import type { Storage } from '../../src/core/storage.ts';
import { describeMembers, HOLDER, sendHeartbeat } from '../../src/storage/kafka/groups/consumer-members.ts';
import { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import { newMemberId } from '../../src/storage/kafka/groups/holder-name.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { startBroker } from '../broker/broker.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { inFull } from '../size.ts';
import { testConfig, testLog, testTrust } from './cluster.ts';

const deadline = () => now() + 30_000;

describe('on a broker with Kafka’s own settings for groups', () => {
  const lines: string[] = [];
  let broker: TestBroker;
  let raw: Cluster;
  let engine: Storage;

  beforeAll(async () => {
    broker = await borrowBroker('foreign');
    raw = new Cluster({ bootstrap: [broker.brokers], clientId: 'raw' });
    await raw.connect();
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    engine = await openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), log);
  });
  afterAll(async () => {
    await engine?.close();
    await raw?.close();
    await broker?.stop();
  });

  it('logins are over before Kafka has let one member into a group of the older protocol', async () => {
    const owner = await engine.accounts.create({ name: uniqueName('quick') });
    // Coordinators that are known: only the group's own delay is to count.
    await (await observe(engine, owner)).inbox.close();
    let answered = false;
    const slow = raw
      .requestCoordinator(
        'group',
        'slow',
        joinGroupV9.api,
        'slow',
        6_000,
        60_000,
        '',
        'x',
        'consumer',
        [{ name: 'x', metadata: Buffer.alloc(10) }],
        null,
      )
      .then(() => {
        answered = true;
      });
    for (let login = 0; login < 3; login++) await (await observe(engine, owner)).inbox.close();
    expect(answered).toBe(false);
    await slow;
  });

  it('a frontend says what the broker’s session time-out costs', () => {
    const told = lines.map((line) => JSON.parse(line)).find(({ intervalMs }) => intervalMs !== undefined);
    expect(told).toMatchObject({ intervalMs: 15_000 });
    expect(told.msg).toContain('group.consumer.max.session.timeout.ms of 1800000');
  });

  // Each day outage.test.ts sees it, with our own settings.
  inFull('holders are there after the broker was killed and started again', async () => {
    const owners = await Promise.all(
      Array.from({ length: 20 }, () => engine.accounts.create({ name: uniqueName('stays') })),
    );
    const held = await Promise.all(owners.map((owner) => observe(engine, owner)));
    await broker.kill();
    await broker.start();
    for (const { inbox, lost } of held) {
      await eventually(() => inbox.confirm());
      expect(lost).toEqual([]);
      await inbox.close();
    }
  });
});

describe('with a session time-out of some seconds', () => {
  const short = {
    'group.consumer.min.session.timeout.ms': '6000',
    'group.consumer.session.timeout.ms': '6000',
    'group.consumer.min.heartbeat.interval.ms': '1000',
    'group.consumer.heartbeat.interval.ms': '2000',
  };
  let broker: TestBroker;
  let raw: Cluster;

  beforeAll(async () => {
    broker = await startBroker({ properties: short });
    raw = new Cluster({ bootstrap: [broker.brokers], clientId: 'raw' });
    await raw.connect();
  });
  afterAll(async () => {
    await raw?.close();
    await broker?.stop();
  });

  /** Comes in after whoever is held already, says nothing more, and has gone: so long it was. */
  async function aSessionPasses(): Promise<void> {
    const group = uniqueName('silent');
    const memberId = newMemberId(randomUUID());
    await GroupMember.join(raw, { group, topic: group, memberId, trust: testTrust, deadline: deadline() });
    await eventually(async () => {
      const [members] = await describeMembers(raw, testTrust, [group], deadline());
      expect(members).toEqual([]);
    });
  }

  it('an inbox is held for longer, with commits and without; who says nothing has lost it', async () => {
    const engine = await openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), testLog);
    const [idle, busy] = [
      await engine.accounts.create({ name: uniqueName('idle') }),
      await engine.accounts.create({ name: uniqueName('busy') }),
    ];
    const holders = [await observe(engine, idle), await observe(engine, busy)];
    const [, reader] = holders;
    let offset = 0;
    // Commits are no heartbeats, whatever Kafka's older protocol made of them.
    const committing = setInterval(() => {
      reader?.inbox.acknowledge(offset, offset);
      void engine.inboxes.append(busy, message(busy, `m ${offset}`)).then((accepted) => {
        offset = accepted.offset;
      });
    }, 100);
    await aSessionPasses();
    await aSessionPasses();
    clearInterval(committing);
    for (const { inbox, lost } of holders) {
      await inbox.confirm();
      expect(lost).toEqual([]);
      await inbox.close();
    }
    await engine.close();
  });

  it('the coordinator’s answers say how often it wants a heartbeat', async () => {
    const group = uniqueName('asked');
    const memberId = newMemberId(randomUUID());
    const member = await GroupMember.join(raw, {
      group,
      topic: group,
      memberId,
      trust: testTrust,
      deadline: deadline(),
    });
    expect(member?.heartbeatIntervalMs).toBe(2_000);
    await aSessionPasses();
    await expect(member?.heartbeat()).rejects.toMatchObject({ code: 'LOST' });
    const { errorCode } = await sendHeartbeat(raw, group, { memberId, instanceId: HOLDER }, 1);
    expect(errorCode).not.toBe(0);
  });
});

describe('without the consumer protocol', () => {
  it('no frontend starts, and it says what to do', async () => {
    const broker = await startBroker({ properties: { 'group.coordinator.rebalance.protocols': 'classic' } });
    onTestFinished(() => broker.stop());
    const settings = { MILENA_KAFKA_BROKERS: broker.brokers };
    const opening = openKafkaStorage(testConfig(settings), testLog);
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(
      /group\.coordinator\.rebalance\.protocols=classic: Nobody can log in.*classic,consumer/s,
    );
    // Not even where what does not fit is accepted.
    const accepting = openKafkaStorage(testConfig({ ...settings, MILENA_UNFIT_KAFKA: 'accept' }), testLog);
    await expect(accepting).rejects.toThrow(
      /KIP-848.* is off .*group\.version=1.*group\.coordinator\.rebalance\.protocols/,
    );
  }, 120_000);
});
