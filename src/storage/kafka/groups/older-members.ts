import { describeGroupsV5, leaveGroupV5 } from '@platformatic/kafka';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry } from '../wire/retry.ts';
import { forgetWrongCoordinator, type Member } from './consumer-members.ts';

/** A member that has gone by itself is fine. */
const GONE: ReadonlySet<number> = new Set([
  KafkaCode.NONE,
  KafkaCode.UNKNOWN_MEMBER_ID,
  KafkaCode.FENCED_INSTANCE_ID,
]);

/**
 * Empties a group of Kafka's older protocol that a consumer group cannot follow, since its members are no consumers, or
 * since the broker is set so. None of ours are in such a group.
 * @returns whom it has put out
 * @throws EngineError `UNAVAILABLE`
 */
export async function putOutOlder(
  cluster: Cluster,
  group: string,
  deadline: number,
): Promise<Pick<Member, 'memberId' | 'clientId' | 'host'>[]> {
  return retry(`members of ${group}`, deadline, async () => {
    const { groups } = await cluster.requestCoordinator('group', group, describeGroupsV5.api, [group], false);
    const [described] = groups;
    if (!described) throw new KafkaError(`DescribeGroups ${group}`, KafkaCode.COORDINATOR_NOT_AVAILABLE);
    forgetWrongCoordinator(cluster, group, described.errorCode);
    expectNone(`DescribeGroups ${group}`, described.errorCode);
    // Never with an empty member id, which would put out whoever holds the instance id.
    const members = described.members.filter(({ memberId }) => memberId !== '');
    if (members.length > 0) {
      const leaving = members.map(({ memberId, groupInstanceId }) => ({
        ...{ memberId, groupInstanceId: groupInstanceId ?? null, reason: null },
      }));
      const left = await cluster.requestCoordinator('group', group, leaveGroupV5.api, group, leaving);
      for (const code of [left.errorCode, ...left.members.map(({ errorCode }) => errorCode)]) {
        if (GONE.has(code)) continue;
        forgetWrongCoordinator(cluster, group, code);
        expectNone(`LeaveGroup ${group}`, code);
      }
    }
    return members.map(({ memberId, clientId, clientHost }) => ({ memberId, clientId, host: clientHost }));
  });
}
