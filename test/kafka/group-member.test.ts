/** What a holder of an inbox hears from Kafka's coordinator, and what was never heard. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type API, consumerGroupDescribeV0 } from '@platformatic/kafka';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readCommits } from '../../src/storage/kafka/groups/commits.ts';
import {
  describeMembers,
  HOLDER,
  removeMember,
  sendHeartbeat,
} from '../../src/storage/kafka/groups/consumer-members.ts';
import { FrontendGroup } from '../../src/storage/kafka/groups/frontend-group.ts';
import type { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import { newMemberId } from '../../src/storage/kafka/groups/holder-name.ts';
import { Leases } from '../../src/storage/kafka/groups/lease.ts';
import { UntilAssigned } from '../../src/storage/kafka/groups/until-assigned.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { KafkaCode } from '../../src/storage/kafka/wire/kafka-error.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { testBrokers } from '../broker/brokers.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { testTrust, witness } from './cluster.ts';

/** Loses answers of the coordinator: what was asked was done. */
class LossyCluster extends Cluster {
  toLose = 0;

  override async requestCoordinator<A extends unknown[], R>(
    kind: 'group' | 'transaction',
    key: string,
    api: API<A, R>,
    ...args: A
  ): Promise<R> {
    const answer = await super.requestCoordinator(kind, key, api, ...args);
    if (this.toLose <= 0) return answer;
    this.toLose -= 1;
    throw Object.assign(new Error('lost'), { code: 'PLT_KFK_NETWORK' });
  }
}

describe('the holder of an inbox', () => {
  const cluster = new LossyCluster({ bootstrap: testBrokers(), clientId: 'holder' });
  const leases = new Leases(cluster, pino({ level: 'silent' }), testTrust);
  const frontendId = randomUUID();
  let alive: FrontendGroup;
  const deadline = () => now() + 10_000;

  beforeAll(async () => {
    await cluster.connect();
    alive = await FrontendGroup.join(cluster, testTrust, frontendId, 60_000, deadline());
  });
  afterAll(async () => {
    await alive.leave(deadline());
    await cluster.close();
  });

  /** A topic, which is a group's name as well. */
  async function makeInbox(): Promise<string> {
    const topic = `milena.inbox.${uniqueName('held')}`;
    await makeTopic(topic);
    return topic;
  }
  async function makeTopic(topic: string): Promise<void> {
    const admin = witness().admin();
    await admin.connect();
    await makeTopics(admin, [{ topic }]);
    await admin.disconnect();
  }
  const acquire = (group: string, takeover = false, by: string = frontendId): Promise<GroupMember> =>
    leases.acquire({ group, topic: group, frontendId: by, takeover, deadline: deadline() });
  const members = async (group: string) =>
    (await describeMembers(cluster, testTrust, [group], deadline()))[0] ?? [];
  /** Somebody else comes in, and so the group changes. */
  const comeIn = async (group: string) => {
    const stranger = { memberId: randomUUID(), instanceId: null };
    const joining = { rebalanceTimeoutMs: 60_000, rackId: null, topics: [group] };
    expect((await sendHeartbeat(cluster, group, stranger, 0, joining)).errorCode).toBe(0);
    return stranger;
  };

  it('shares its inbox with nobody from the first answer on', async () => {
    const group = await makeInbox();
    for (let login = 0; login < 3; login++) {
      const member = await acquire(group);
      expect(member.mayHaveCompany).toBe(false);
      expect(await members(group)).toMatchObject([
        { memberId: member.memberId, instanceId: HOLDER, frontendId, clientId: 'holder' },
      ]);
      await member.heartbeat();
      expect(member.mayHaveCompany).toBe(false);
      await member.leave(deadline());
      // At once, for whoever looks: nobody holds it.
      expect(await members(group)).toEqual([]);
    }
  });

  it('is assigned an inbox that Kafka has not heard of at the join, soon after it has', async () => {
    const group = `milena.inbox.${uniqueName('late')}`;
    const member = await acquire(group);
    expect(member.isAssigned).toBe(false);
    const untilAssigned = new UntilAssigned(member, () => member.heartbeat());
    untilAssigned.start();
    await makeTopic(group);
    await vi.waitFor(() => expect(member.isAssigned).toBe(true), { timeout: 30_000 });
    const node = await cluster.coordinator('group', group);
    const { groups } = await cluster.request(node, 'control', consumerGroupDescribeV0.api, [group], false);
    expect(groups).toMatchObject([
      { groupState: 'Stable', members: [{ assignment: { topicPartitions: [{ topicName: group }] } }] },
    ]);
    untilAssigned.stop();
    await member.leave(deadline());
    // The next login is assigned it by its join, if it is not in the same second: Kafka 4.3 assigns a group's partitions once in that.
    await sleep(1_500);
    const next = await acquire(group);
    expect(next.isAssigned).toBe(true);
    await next.leave(deadline());
  });

  it('is in after a join whose answer was lost', async () => {
    const group = await makeInbox();
    for (const lost of [1, 2]) {
      cluster.toLose = lost;
      const member = await acquire(group);
      await member.heartbeat();
      expect(await members(group)).toMatchObject([{ memberId: member.memberId }]);
      await member.commit([{ topic: group, commit: { offset: lost, epoch: -1, metadata: '' } }]);
      expect(await readCommits(cluster, [{ group, topic: group }], deadline())).toMatchObject([
        { offset: lost },
      ]);
      await member.leave(deadline());
    }
  });

  it('is out after a join that was given up, and nobody else is for it', async () => {
    const group = await makeInbox();
    cluster.toLose = 1_000;
    const given = leases.acquire({ group, topic: group, frontendId, takeover: false, deadline: now() + 300 });
    await expect(given).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    cluster.toLose = 0;
    await expect.poll(() => members(group), { timeout: 20_000 }).toEqual([]);
    const member = await acquire(group);
    // The late word of one that was given up.
    await removeMember(cluster, group, { memberId: newMemberId(frontendId), instanceId: HOLDER }, deadline());
    await member.heartbeat();
    await member.leave(deadline());
  });

  it('commits under an epoch that is out of date after a heartbeat, also when that one’s answer was lost', async () => {
    const group = await makeInbox();
    const member = await acquire(group);
    const { memberId } = member;
    const [before] = await members(group);
    await comeIn(group);
    // A heartbeat of its own that it hears nothing of.
    const epoch = before?.epoch ?? 0;
    await eventually(async () => {
      const { errorCode, memberEpoch } = await sendHeartbeat(cluster, group, member, epoch);
      expect(errorCode).toBe(0);
      expect(memberEpoch).toBeGreaterThan(epoch);
    });
    await member.commit([{ topic: group, commit: { offset: 7, epoch: 3, metadata: 'text' } }]);
    expect(await readCommits(cluster, [{ group, topic: group }], deadline())).toEqual([
      { offset: 7, epoch: 3, metadata: 'text' },
    ]);
    // Of a partition that is assigned to it Kafka 4.3 takes it as it is, of any other it says that the epoch is old.
    await member.commit([{ topic: await makeInbox(), commit: { offset: 7, epoch: -1, metadata: '' } }]);
    expect(member.mayHaveCompany).toBe(true);
    await leases.putOutStrangers(member);
    expect(await members(group)).toMatchObject([{ memberId }]);
    await member.heartbeat();
    await member.leave(deadline());
  });

  it('commits what Kafka takes, whatever it refuses beside that', async () => {
    const [group, beside] = [await makeInbox(), await makeInbox()];
    const member = await acquire(group);
    const commit = { offset: 7, epoch: -1, metadata: '' };
    const refusals = await member.commit([
      { topic: group, commit },
      { topic: `milena.room.${uniqueName('gone')}`, commit },
      { topic: beside, commit },
    ]);
    expect(refusals.map((refusal) => refusal?.kafkaCode)).toEqual([
      undefined,
      KafkaCode.UNKNOWN_TOPIC_OR_PARTITION,
      undefined,
    ]);
    for (const topic of [group, beside])
      expect(await readCommits(cluster, [{ group, topic }], deadline())).toMatchObject([{ offset: 7 }]);
    await member.leave(deadline());
  });

  // Kafka may still be at removing the last member when the group is deleted: then once more.
  it('has lost it when somebody has taken it over, put it out or deleted the group', {
    retry: 2,
  }, async () => {
    const group = await makeInbox();
    const lost = async (member: GroupMember) => {
      await expect(member.heartbeat()).rejects.toMatchObject({ code: 'LOST' });
      await expect(
        member.commit([{ topic: group, commit: { offset: 1, epoch: -1, metadata: '' } }]),
      ).rejects.toMatchObject({
        code: 'LOST',
      });
    };
    const first = await acquire(group);
    const second = await acquire(group, true);
    await lost(first);
    // What the first one does late changes nothing.
    await first.leave(deadline());
    await second.heartbeat();
    await removeMember(cluster, group, second, deadline());
    await lost(second);
    const third = await acquire(group);
    await removeMember(cluster, group, third, deadline());
    const admin = witness().admin();
    await admin.connect();
    await admin.deleteGroups([group]);
    await admin.disconnect();
    await lost(third);
  });

  it('puts out nobody who has taken it over', async () => {
    const group = await makeInbox();
    const first = await acquire(group);
    const second = await acquire(group, true);
    await leases.putOutStrangers(first);
    await second.heartbeat();
    expect(await members(group)).toMatchObject([{ memberId: second.memberId }]);
    await second.leave(deadline());
  });

  it('may hold an inbox whose topic is not there, or is gone', async () => {
    const group = `milena.inbox.${uniqueName('nothing')}`;
    const member = await acquire(group);
    await member.heartbeat();
    await expect(acquire(group, false, randomUUID())).rejects.toMatchObject({ code: 'ALREADY_LOGGED_IN' });
    await member.leave(deadline());
  });
});
