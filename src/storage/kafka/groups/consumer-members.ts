import { consumerGroupDescribeV0, consumerGroupHeartbeatV1 } from '@platformatic/kafka';
import type { Trust } from '../inbox/trust.ts';
import { askByNode } from '../wire/by-node.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, isRetriable, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry, retryAll } from '../wire/retry.ts';
import { frontendOf } from './holder-name.ts';

/** Whoever holds an inbox is this static member of its group: the coordinator lets in one at a time. */
export const HOLDER = 'holder';

/** With this epoch a heartbeat takes a member out at once; a static one that says -2 would still be described. */
const LEAVE_EPOCH = -1;

/** What the coordinator says to a heartbeat; its code is in it. */
export type HeartbeatAnswer = Awaited<ReturnType<typeof consumerGroupHeartbeatV1.api.async>>;

/** A member of a consumer group, as Kafka describes it. Anybody who may read a group may be in it. */
export interface Member {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly epoch: number;
  readonly clientId: string;
  readonly host: string;
  /** Id of the frontend that has signed it; null for strangers. */
  readonly frontendId: string | null;
}

/** Who holds a group: the member that a frontend has signed. Never a stranger. */
export function holderOf(members: readonly Member[]): Member | null {
  return members.find(({ instanceId, frontendId }) => instanceId === HOLDER && frontendId !== null) ?? null;
}

/**
 * Who is in these groups now; nobody in those that are none of Kafka's consumer protocol (KIP-848).
 * @throws EngineError `UNAVAILABLE`
 */
export async function describeMembers(
  cluster: Cluster,
  trust: Trust,
  groups: readonly string[],
  deadline: number,
): Promise<Member[][]> {
  return retryAll('describe groups', deadline, () => describeManyMembers(cluster, trust, groups));
}

/** The same without patience; the error where that failed for one. */
export async function describeManyMembers(
  cluster: Cluster,
  trust: Trust,
  groups: readonly string[],
): Promise<(Member[] | Error)[]> {
  const found = await askByNode<Member[]>(groups, {
    nodeOf: (group) => cluster.coordinator('group', group),
    ask: (node, some, into) => describeAt(cluster, trust, node, some, into),
    forget: (group) => cluster.forgetCoordinator('group', group),
  });
  return groups.map((group) => found.get(group) ?? []);
}

async function describeAt(
  cluster: Cluster,
  trust: Trust,
  node: number,
  groups: readonly string[],
  found: Map<string, Member[] | Error>,
): Promise<void> {
  const response = await cluster.request(node, 'control', consumerGroupDescribeV0.api, [...groups], false);
  for (const { groupId, errorCode, members } of response.groups) {
    if (errorCode === KafkaCode.GROUP_ID_NOT_FOUND) continue;
    if (errorCode !== KafkaCode.NONE) {
      forgetWrongCoordinator(cluster, groupId, errorCode);
      found.set(groupId, new KafkaError(`ConsumerGroupDescribe ${groupId}`, errorCode));
      continue;
    }
    const described = members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId ?? null,
      epoch: member.memberEpoch,
      clientId: member.clientId,
      host: member.clientHost,
      frontendId: frontendOf(trust, groupId, member.memberId, member.rackId ?? null),
    }));
    found.set(groupId, described);
  }
}

/**
 * One heartbeat of the consumer protocol: it joins, stays or leaves, by its epoch. Codes are in the answer.
 * @param joining what a member says of itself when it comes: the time for which others wait until it gives up what it
 * has, a rack id, topics
 */
export function sendHeartbeat(
  cluster: Cluster,
  group: string,
  { memberId, instanceId }: Pick<Member, 'memberId' | 'instanceId'>,
  epoch: number,
  joining?: {
    readonly rebalanceTimeoutMs: number;
    readonly rackId: string | null;
    readonly topics: string[];
  },
): Promise<HeartbeatAnswer> {
  const { rebalanceTimeoutMs = -1, rackId = null, topics = null } = joining ?? {};
  const self = [group, memberId, epoch, instanceId, rackId, rebalanceTimeoutMs, topics] as const;
  // It has nothing, each time: so an epoch whose answer was lost is no reason to be fenced.
  return cluster.requestCoordinator('group', group, consumerGroupHeartbeatV1.api, ...self, null, null, []);
}

/** Each of these means that the member is not in the group any more, or that somebody else is it now. */
const GONE: ReadonlySet<number> = new Set([
  KafkaCode.UNKNOWN_MEMBER_ID,
  KafkaCode.GROUP_ID_NOT_FOUND,
  KafkaCode.FENCED_INSTANCE_ID,
]);

/**
 * Takes one member out of a consumer group, by its own id: whoever has come in meanwhile stays.
 * @throws EngineError `UNAVAILABLE`
 */
export async function removeMember(
  cluster: Cluster,
  group: string,
  member: Pick<Member, 'memberId' | 'instanceId'>,
  deadline: number,
): Promise<void> {
  await retry(`leave ${group}`, deadline, async () => {
    const { errorCode } = await sendHeartbeat(cluster, group, member, LEAVE_EPOCH);
    if (GONE.has(errorCode)) return;
    forgetWrongCoordinator(cluster, group, errorCode);
    expectNone(`leave ${group}`, errorCode);
  });
}

/** After an answer of a coordinator: where it was the wrong one, the next request looks for it anew. */
export function forgetWrongCoordinator(cluster: Cluster, group: string, code: number): void {
  if (isRetriable(code)) cluster.forgetCoordinator('group', group);
}
