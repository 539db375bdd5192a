import { deleteGroupsV2, describeGroupsV5, leaveGroupV5, listGroupsV5 } from '@platformatic/kafka';
import { EngineError } from '../../../core/errors.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry } from '../wire/retry.ts';
import { readManyCommits } from './commits.ts';
import { forgetWrongCoordinator, type Member } from './consumer-members.ts';

/** Types of groups that no consumer group can follow, also where nobody is in them: Kafka has one group of a name. */
const FOREIGN = ['share', 'streams'] as const;

/** After a deletion each of these means that there is no such group, or that somebody has come in meanwhile. */
const SETTLED: ReadonlySet<number> = new Set([
  KafkaCode.NONE,
  KafkaCode.GROUP_ID_NOT_FOUND,
  KafkaCode.NON_EMPTY_GROUP,
]);

/**
 * Makes room where a share group (KIP-932) or a streams group (KIP-1071) has an inbox's name: whoever may read a group may make
 * one. Only one with nobody and no commits in it is deleted: a streams group can have come upon those of the inbox.
 * @returns the type of the group that was in the way; null where none was
 * @throws EngineError `REFUSED`, with what an operator does; `UNAVAILABLE`; KafkaError where we may not delete it
 */
export async function clearForeign(
  cluster: Cluster,
  group: string,
  deadline: number,
): Promise<string | null> {
  const found = await retry(`type of ${group}`, deadline, () => findForeign(cluster, group));
  if (found === undefined) return null;
  const { groupType, groupState } = found;
  const what = `A ${groupType} group has the name ${group}, and nobody can hold that inbox beside it`;
  if (groupState !== 'Empty') {
    throw new EngineError(
      'REFUSED',
      `${what}: end the program that is in it, or give it another group.id; the next login removes the group.`,
    );
  }
  if (await retry(`commits of ${group}`, deadline, () => hasCommits(cluster, group))) {
    throw new EngineError(
      'REFUSED',
      `${what}; there are commits in it. Delete it (scripts/kafka-tool.sh consumer-groups --delete --group ${group}): ` +
        'what is in the inbox is delivered from its start then.',
    );
  }
  await retry(`delete ${group}`, deadline, async () => {
    const { results } = await cluster.requestCoordinator('group', group, deleteGroupsV2.api, [group]);
    const code = results[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
    if (SETTLED.has(code)) return;
    forgetWrongCoordinator(cluster, group, code);
    expectNone(`DeleteGroups ${group}`, code);
  });
  return groupType;
}

async function findForeign(cluster: Cluster, group: string) {
  const { errorCode, groups } = await cluster.requestCoordinator(
    'group',
    group,
    listGroupsV5.api,
    [],
    [...FOREIGN],
  );
  forgetWrongCoordinator(cluster, group, errorCode);
  expectNone('ListGroups', errorCode);
  return groups.find(({ groupId }) => groupId === group);
}

async function hasCommits(cluster: Cluster, group: string): Promise<boolean> {
  const [commit = null] = await readManyCommits(cluster, [{ group, topic: group }]);
  // A share group keeps no offsets of that kind, and says that it is no consumer group.
  if (commit instanceof KafkaError && commit.kafkaCode === KafkaCode.GROUP_ID_NOT_FOUND) return false;
  if (commit instanceof Error) throw commit;
  return commit !== null;
}

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
