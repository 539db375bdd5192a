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
import { EngineError } from './errors.ts';
import { expectNone, isPassing, KafkaCode, KafkaError } from './kafka-error.ts';
import { retry } from './retry.ts';

/** All members of all our groups are this static member: there is never more than one in a group. */
const INSTANCE_ID = 'holder';
const PROTOCOL_TYPE = 'consumer';
const REBALANCE_TIMEOUT_MS = 10_000;

/** On a heartbeat or commit each of these means the same: somebody else has the group, or it has expired. */
const LOST: ReadonlySet<number> = new Set([
  KafkaCode.FENCED_INSTANCE_ID,
  KafkaCode.UNKNOWN_MEMBER_ID,
  KafkaCode.ILLEGAL_GENERATION,
  KafkaCode.REBALANCE_IN_PROGRESS,
]);

/** The only member of a group, as Kafka describes it. */
export interface Holder {
  readonly memberId: string;
  /** Id of the frontend, or null while the group is between joining and holding. */
  readonly frontendId: string | null;
  /** The nonce of the login that joined, or null likewise. */
  readonly nonce: string | null;
}

export interface JoinRequest {
  readonly group: string;
  /** Topic that the member shows as its own in Kafka's tools; null for none. */
  readonly topic: string | null;
  readonly frontendId: string;
  /** Fresh for each login attempt; kept over the tries of one attempt. */
  readonly nonce: string;
  readonly sessionTimeoutMs: number;
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
  async commit(topic: string, offset: number, metadata: string): Promise<void> {
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
              committedLeaderEpoch: -1,
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
    return evict(this.#cluster, this.group, this.#memberId, deadline);
  }

  #expectHeld(what: string, code: number): void {
    if (LOST.has(code)) throw new EngineError('LOST', `${what} of ${this.group} was fenced`);
    forgetWrongCoordinator(this.#cluster, this.group, code);
    expectNone(`${what} ${this.group}`, code);
  }
}

/**
 * Who is in these groups now; null for an empty or unknown group.
 * @throws EngineError `UNAVAILABLE`
 */
export async function describeHolders(
  cluster: Cluster,
  groups: readonly string[],
  deadline: number,
): Promise<(Holder | null)[]> {
  return retry('describe groups', deadline, async () => {
    const holders = new Map<string, Holder | null>();
    for (const [node, names] of await cluster.groupByCoordinator(groups)) {
      const response = await cluster.request(node, 'control', describeGroupsV5.api, names, false);
      for (const group of response.groups) {
        forgetWrongCoordinator(cluster, group.groupId, group.errorCode);
        expectNone(`DescribeGroups ${group.groupId}`, group.errorCode);
        const member = group.members[0];
        holders.set(
          group.groupId,
          member ? { memberId: member.memberId, ...decodeSubscription(member.memberMetadata) } : null,
        );
      }
    }
    return groups.map((group) => holders.get(group) ?? null);
  });
}

/**
 * Removes one member by its id from a group. Never with an empty id, which would evict whoever holds the group.
 * @throws EngineError `UNAVAILABLE`
 */
export async function evict(
  cluster: Cluster,
  group: string,
  memberId: string,
  deadline: number,
): Promise<void> {
  await retry(`leave ${group}`, deadline, async () => {
    const response = await cluster.requestCoordinator('group', group, leaveGroupV5.api, group, [
      { memberId, groupInstanceId: INSTANCE_ID, reason: null },
    ]);
    const code = response.errorCode || (response.members[0]?.errorCode ?? KafkaCode.NONE);
    if (LOST.has(code)) return;
    forgetWrongCoordinator(cluster, group, code);
    expectNone(`LeaveGroup ${group}`, code);
  });
}

/**
 * Undoes a join whose answer never came: evicts the member if it is of this attempt, and nobody else.
 * @throws EngineError `UNAVAILABLE`
 */
export async function releaseAttempt(
  cluster: Cluster,
  group: string,
  nonce: string,
  deadline: number,
): Promise<void> {
  const [holder] = await describeHolders(cluster, [group], deadline);
  if (holder && holder.nonce === nonce) await evict(cluster, group, holder.memberId, deadline);
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
  User data of ours: "<frontend id> <nonce>". The coordinator accepts nothing but a valid subscription here.
*/

function encodeSubscription(request: JoinRequest): Buffer {
  const topics = request.topic === null ? [] : [request.topic];
  return Writer.create()
    .appendInt16(0)
    .appendArray(topics, (writer, topic) => writer.appendString(topic, false), false, false)
    .appendBytes(Buffer.from(`${request.frontendId} ${request.nonce}`), false).buffer;
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

/** Reads what `encodeSubscription` wrote; anything else (another program in the group) gives nulls. */
function decodeSubscription(metadata: Buffer): { frontendId: string | null; nonce: string | null } {
  try {
    const reader = Reader.from(metadata);
    reader.readInt16();
    reader.readArray((inner) => inner.readString(false), false, false);
    const [frontendId, nonce] = reader.readBytes(false).toString().split(' ');
    if (frontendId && nonce) return { frontendId, nonce };
  } catch {
    // Not ours, or not there yet: the group is between joining and holding.
  }
  return { frontendId: null, nonce: null };
}
