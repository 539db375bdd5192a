import {
  deleteGroupsV2,
  describeGroupsV5,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV9,
  Reader,
  syncGroupV5,
  Writer,
} from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import type { Commit } from './commits.ts';
import { EngineError } from './errors.ts';
import { expectNone, isPassing, KafkaCode, KafkaError } from './kafka-error.ts';
import { retry } from './retry.ts';
import type { Trust } from './trust.ts';

/** All members of all our groups are this static member: there is never more than one in a group. */
const INSTANCE_ID = 'holder';
const PROTOCOL_TYPE = 'consumer';
const MEMBER_CONTEXT = 'milena-member-1';
/** Kafka's name for a group whose members all know what they have. */
const STABLE = 'Stable';
const REBALANCE_TIMEOUT_MS = 10_000;

/** On a heartbeat or commit each of these means the same: somebody else has the group, or it has expired. */
const LOST: ReadonlySet<number> = new Set([
  KafkaCode.FENCED_INSTANCE_ID,
  KafkaCode.UNKNOWN_MEMBER_ID,
  KafkaCode.ILLEGAL_GENERATION,
  KafkaCode.REBALANCE_IN_PROGRESS,
]);

/** A member of a group, as Kafka describes it. Anybody who may read a group may be in it. */
export interface Member {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  /** The login that joined, by the word of a frontend's signature; null for strangers, and while a group is not settled. */
  readonly login: { readonly frontendId: string; readonly nonce: string } | null;
}

export interface GroupState {
  readonly members: readonly Member[];
  /** False between joining and holding: Kafka shows no metadata then. */
  readonly isSettled: boolean;
}

/** Who holds a group: a member that a frontend has signed, or that may turn out to be one. Never a stranger. */
export function holderOf({ members, isSettled }: GroupState): Member | null {
  const mayBeOurs = ({ login, instanceId }: Member) =>
    login !== null || (!isSettled && instanceId === INSTANCE_ID);
  return members.find(mayBeOurs) ?? null;
}

export interface JoinRequest {
  readonly group: string;
  /** Topic that the member shows as its own in Kafka's tools; null for none. */
  readonly topic: string | null;
  readonly frontendId: string;
  /** Fresh for each login attempt; kept over the tries of one attempt. */
  readonly nonce: string;
  readonly sessionTimeoutMs: number;
  readonly trust: Trust;
  /** The connection of its heartbeats: a frontend's own must not wait behind the logins of thousands. */
  readonly lane: 'group' | 'life';
  /** On the clock of `now`. */
  readonly deadline: number;
}

/**
 * The one member of a consumer group. The coordinator refuses a join to a group in use that shares no protocol
 * name with its members, so a join with a random protocol name (the nonce) succeeds only where nobody holds the
 * group, whoever else tries at the same time.
 */
export class GroupMember {
  readonly group: string;
  readonly #cluster: Cluster;
  readonly #memberId: string;
  readonly #generation: number;
  readonly #lane: JoinRequest['lane'];

  private constructor(cluster: Cluster, { group, lane }: JoinRequest, memberId: string, generation: number) {
    this.#cluster = cluster;
    this.group = group;
    this.#lane = lane;
    this.#memberId = memberId;
    this.#generation = generation;
  }

  /**
   * Joins if nobody holds the group.
   * @returns null when somebody does, or won the race
   * @throws EngineError `UNAVAILABLE`: it may have been joined; `releaseAttempt` undoes that
   */
  static async join(cluster: Cluster, request: JoinRequest): Promise<GroupMember | null> {
    const { group, nonce, lane } = request;
    return retry(`join ${group}`, request.deadline, async () => {
      const joined = await cluster.requestCoordinatorOver(
        lane,
        'group',
        group,
        joinGroupV9.api,
        group,
        request.sessionTimeoutMs,
        REBALANCE_TIMEOUT_MS,
        '',
        INSTANCE_ID,
        PROTOCOL_TYPE,
        [{ name: nonce, metadata: encodeSubscription(request) }],
        null,
      );
      if (refused(cluster, group, joined.errorCode)) return null;
      // Only a group with members of the newer protocol has no leader. They would be in it beside us.
      if (joined.leader === '') {
        await evict(
          cluster,
          group,
          [{ memberId: joined.memberId, instanceId: INSTANCE_ID }],
          request.deadline,
        );
        return null;
      }
      const assignment = encodeAssignment(request.topic);
      const synced = await cluster.requestCoordinatorOver(
        lane,
        'group',
        group,
        syncGroupV5.api,
        group,
        joined.generationId,
        joined.memberId,
        INSTANCE_ID,
        PROTOCOL_TYPE,
        nonce,
        [{ memberId: joined.memberId, assignment }],
      );
      // A rebalance here means that a try of this same attempt, thought lost, has arrived after all.
      if (synced.errorCode === KafkaCode.REBALANCE_IN_PROGRESS) {
        throw new KafkaError('SyncGroup', KafkaCode.COORDINATOR_NOT_AVAILABLE);
      }
      if (refused(cluster, group, synced.errorCode)) return null;
      return new GroupMember(cluster, request, joined.memberId, joined.generationId);
    });
  }

  /** @throws EngineError `LOST`; KafkaError or the network's when there was no answer that tells */
  async heartbeat(): Promise<void> {
    const response = await this.#cluster.requestCoordinatorOver(
      this.#lane,
      'group',
      this.group,
      heartbeatV4.api,
      this.group,
      this.#generation,
      this.#memberId,
      INSTANCE_ID,
    );
    this.#expectHeld('Heartbeat', response.errorCode);
  }

  /**
   * Commits an offset of partition 0; counts as a heartbeat.
   * @throws EngineError `LOST`; KafkaError or the network's when there was no answer that tells
   */
  async commit(topic: string, { offset, epoch, metadata }: Commit): Promise<void> {
    const response = await this.#cluster.requestCoordinator(
      'group',
      this.group,
      offsetCommitV9.api,
      this.group,
      this.#generation,
      this.#memberId,
      INSTANCE_ID,
      [
        {
          name: topic,
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: BigInt(offset),
              committedLeaderEpoch: epoch,
              committedMetadata: metadata,
            },
          ],
        },
      ],
    );
    this.#expectHeld(
      'OffsetCommit',
      response.topics[0]?.partitions[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT,
    );
  }

  /** Leaves the group; not being in it any more is fine. @throws EngineError `UNAVAILABLE` */
  leave(deadline: number): Promise<void> {
    const self = { memberId: this.#memberId, instanceId: INSTANCE_ID };
    return evict(this.#cluster, this.group, [self], deadline);
  }

  #expectHeld(what: string, code: number): void {
    if (LOST.has(code)) throw new EngineError('LOST', `${what} of ${this.group} was fenced`);
    forgetWrongCoordinator(this.#cluster, this.group, code);
    expectNone(`${what} ${this.group}`, code);
  }
}

/**
 * Who is in these groups now.
 * @throws EngineError `UNAVAILABLE`
 */
export async function describeGroups(
  cluster: Cluster,
  trust: Trust,
  groups: readonly string[],
  deadline: number,
): Promise<GroupState[]> {
  return retry('describe groups', deadline, async () => {
    const states = new Map<string, GroupState>();
    for (const [node, names] of await cluster.groupByCoordinator(groups)) {
      const response = await cluster.request(node, 'control', describeGroupsV5.api, names, false);
      for (const { groupId, groupState, errorCode, members } of response.groups) {
        forgetWrongCoordinator(cluster, groupId, errorCode);
        expectNone(`DescribeGroups ${groupId}`, errorCode);
        const found = members.map((member) => ({
          memberId: member.memberId,
          // Null in the answer, whatever the library's type says.
          instanceId: member.groupInstanceId ?? null,
          clientId: member.clientId,
          host: member.clientHost,
          login: decodeSubscription(trust, groupId, member.memberMetadata),
        }));
        states.set(groupId, { members: found, isSettled: groupState === STABLE });
      }
    }
    return groups.map((group) => states.get(group) ?? { members: [], isSettled: true });
  });
}

/**
 * Removes members by their ids from a group. Never with an empty id, which would evict whoever holds the group.
 * @throws EngineError `UNAVAILABLE`
 */
export async function evict(
  cluster: Cluster,
  group: string,
  members: readonly Pick<Member, 'memberId' | 'instanceId'>[],
  deadline: number,
): Promise<void> {
  const leaving = members
    .filter(({ memberId }) => memberId !== '')
    .map(({ memberId, instanceId }) => ({ memberId, groupInstanceId: instanceId, reason: null }));
  await retry(`leave ${group}`, deadline, async () => {
    const response = await cluster.requestCoordinator('group', group, leaveGroupV5.api, group, leaving);
    for (const code of [response.errorCode, ...response.members.map(({ errorCode }) => errorCode)]) {
      if (LOST.has(code)) continue;
      forgetWrongCoordinator(cluster, group, code);
      expectNone(`LeaveGroup ${group}`, code);
    }
  });
}

/**
 * Undoes a join whose answer never came: evicts the member if it is of this attempt, and nobody else.
 * @throws EngineError `UNAVAILABLE`
 */
export async function releaseAttempt(
  cluster: Cluster,
  trust: Trust,
  group: string,
  nonce: string,
  deadline: number,
): Promise<void> {
  const [state] = await describeGroups(cluster, trust, [group], deadline);
  const own = state?.members.filter(({ login }) => login?.nonce === nonce) ?? [];
  if (own.length > 0) await evict(cluster, group, own, deadline);
}

/** Deletes an empty group with its offsets. Best effort: a left-over offset is harmless. */
export async function deleteGroup(cluster: Cluster, group: string): Promise<void> {
  await cluster.requestCoordinator('group', group, deleteGroupsV2.api, [group]);
}

/** True when a join or sync says that somebody else is in; throws for any other error. */
function refused(cluster: Cluster, group: string, code: number): boolean {
  if (code === KafkaCode.INCONSISTENT_GROUP_PROTOCOL || code === KafkaCode.FENCED_INSTANCE_ID) return true;
  // The member of this attempt was evicted between join and sync: the race is lost.
  if (code === KafkaCode.UNKNOWN_MEMBER_ID || code === KafkaCode.ILLEGAL_GENERATION) return true;
  forgetWrongCoordinator(cluster, group, code);
  expectNone(`JoinGroup ${group}`, code);
  return false;
}

function forgetWrongCoordinator(cluster: Cluster, group: string, code: number): void {
  if (isPassing(code)) cluster.forgetCoordinator('group', group);
}

/*
  ConsumerProtocolSubscription v0 = version INT16, topics ARRAY of STRING, user_data BYTES
  ConsumerProtocolAssignment   v0 = version INT16, ARRAY of (topic STRING, ARRAY of partition INT32), user_data BYTES
  User data of ours: "<frontend id> <nonce> <key id>:<MAC over "milena-member-1", group, frontend id, nonce>". The coordinator accepts nothing but a valid subscription here.
*/

function encodeSubscription(request: JoinRequest): Buffer {
  const { group, topic, frontendId, nonce, trust } = request;
  const topics = topic === null ? [] : [topic];
  const signature = trust.signer.signParts([MEMBER_CONTEXT, group, frontendId, nonce]);
  return Writer.create()
    .appendInt16(0)
    .appendArray(topics, (writer, topic) => writer.appendString(topic, false), false, false)
    .appendBytes(Buffer.from(`${frontendId} ${nonce} ${signature}`), false).buffer;
}

function encodeAssignment(topic: string | null): Buffer {
  const topics = topic === null ? [] : [topic];
  return Writer.create()
    .appendInt16(0)
    .appendArray(
      topics,
      (writer, name) =>
        writer
          .appendString(name, false)
          .appendArray([0], (inner, partition) => inner.appendInt32(partition), false, false),
      false,
      false,
    )
    .appendBytes(Buffer.alloc(0), false).buffer;
}

/** Reads what `encodeSubscription` wrote; null for anything else, which another program wrote. */
function decodeSubscription(trust: Trust, group: string, metadata: Buffer): Member['login'] {
  try {
    const reader = Reader.from(metadata);
    reader.readInt16();
    reader.readArray((inner) => inner.readString(false), false, false);
    const [frontendId, nonce, signature] = reader.readBytes(false).toString().split(' ');
    if (!frontendId || !nonce) return null;
    if (signature === undefined) return trust.acceptsUnsigned ? { frontendId, nonce } : null;
    const [keyId = '', mac = ''] = signature.split(':');
    const proof = trust.signer.checkParts(keyId, mac, [MEMBER_CONTEXT, group, frontendId, nonce]);
    if (proof === 'forged' || (proof === 'unknown key' && !trust.acceptsUnsigned)) return null;
    return { frontendId, nonce };
  } catch {
    // Not ours, or not there yet: the group is between joining and holding.
    return null;
  }
}
