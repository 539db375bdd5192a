import { deleteGroupsV2 } from '@platformatic/kafka';
import { EngineError } from '../../../core/errors.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { now, retry } from '../wire/retry.ts';
import { sendCommit, type TopicCommit } from './commits.ts';
import {
  forgetWrongCoordinator,
  type HeartbeatAnswer,
  HOLDER,
  removeMember,
  sendHeartbeat,
} from './consumer-members.ts';
import { sealOf } from './holder-name.ts';

/** A heartbeat with this epoch joins. */
const JOIN_EPOCH = 0;
/** How long others in the group wait for a member to give up what it has. Ours says each time that it has nothing. */
const REBALANCE_TIMEOUT_MS = 60_000;
/** A commit whose epoch is too old goes again so often: the group may change in between each time. */
const MAX_STALE = 3;

const DELETE_TIMEOUT_MS = 5_000;
/** For so long after the last member's leave a group may not be empty. */
const LEAVING_MS = 1_000;

/** On a heartbeat or commit each of these means the same: somebody else has the group, or it has expired. */
const LOST: ReadonlySet<number> = new Set([
  KafkaCode.UNKNOWN_MEMBER_ID,
  KafkaCode.FENCED_MEMBER_EPOCH,
  KafkaCode.UNRELEASED_INSTANCE_ID,
  KafkaCode.FENCED_INSTANCE_ID,
  KafkaCode.GROUP_ID_NOT_FOUND,
  // Of a group that has become one of the older protocol.
  KafkaCode.ILLEGAL_GENERATION,
  KafkaCode.REBALANCE_IN_PROGRESS,
]);

/** Of a commit each of these is about one topic alone; the last also about all of them, where together they are too large. */
const REFUSED_TOPIC: ReadonlySet<number> = new Set([
  KafkaCode.UNKNOWN_TOPIC_OR_PARTITION,
  KafkaCode.UNKNOWN_TOPIC_ID,
  KafkaCode.TOPIC_AUTHORIZATION_FAILED,
  KafkaCode.OFFSET_METADATA_TOO_LARGE,
  KafkaCode.INVALID_COMMIT_OFFSET_SIZE,
]);

/** On a join each of these means that somebody is in the group already: its holder, or one of the older protocol. */
const REFUSED: ReadonlySet<number> = new Set([
  KafkaCode.UNRELEASED_INSTANCE_ID,
  KafkaCode.GROUP_ID_NOT_FOUND,
]);

export interface JoinRequest {
  readonly group: string;
  /** Of the inbox. */
  readonly topic: string;
  /** `newMemberId`: the same over all tries of one login. */
  readonly memberId: string;
  readonly trust: Trust;
  /** On the clock of `now`. */
  readonly deadline: number;
}

/** Whoever holds an inbox: the static member `holder` of its consumer group. */
export class GroupMember {
  readonly group: string;
  readonly memberId: string;
  readonly instanceId = HOLDER;
  /**
   * Somebody else may be in the group, too: since it has changed, or since others have a part in the inbox. For whoever
   * looks to put out.
   */
  mayHaveCompany = true;
  #isAssigned = false;
  readonly #cluster: Cluster;
  /** Rises with each change of the group; the coordinator tells. Whoever has an older one is out of date, not lost. */
  #epoch: number;
  #heartbeatIntervalMs = 0;

  /** A member that is in the group already, with the epoch that it is described with. */
  constructor(cluster: Cluster, { group, memberId }: Pick<JoinRequest, 'group' | 'memberId'>, epoch: number) {
    this.#cluster = cluster;
    this.group = group;
    this.memberId = memberId;
    this.#epoch = epoch;
  }

  /**
   * Joins if nobody holds the group: of several at once the coordinator lets in one.
   * @returns null when somebody is in, which may be an earlier try of this same login
   * @throws EngineError `UNAVAILABLE`: it may have been joined; `removeMember` undoes that
   */
  static async join(cluster: Cluster, request: JoinRequest): Promise<GroupMember | null> {
    const { group, topic, memberId, trust } = request;
    const rackId = sealOf(trust, group, memberId);
    const joining = { rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS, rackId, topics: [topic] };
    return retry(`join ${group}`, request.deadline, async () => {
      const member = new GroupMember(cluster, request, JOIN_EPOCH);
      const answer = await sendHeartbeat(cluster, group, member, JOIN_EPOCH, joining);
      if (REFUSED.has(answer.errorCode)) return null;
      forgetWrongCoordinator(cluster, group, answer.errorCode);
      expectNone(`join ${group}`, answer.errorCode);
      member.#note(answer);
      // The one partition goes to one member: whoever gets it at once shares it with nobody.
      member.mayHaveCompany = !member.isAssigned;
      return member;
    });
  }

  /**
   * Kafka has assigned the inbox's partition to it. Of a topic that is new the coordinator may not know yet when somebody joins, and it
   * tells no member until that one's next heartbeat: the group is rebalancing so long, and tools show nobody in it.
   */
  get isAssigned(): boolean {
    return this.#isAssigned;
  }

  /** How often the coordinator wants heartbeats, milliseconds; 0 before it has said so. */
  get heartbeatIntervalMs(): number {
    return this.#heartbeatIntervalMs;
  }

  /** @throws EngineError `LOST`; KafkaError or the network's when there was no answer that tells */
  async heartbeat(): Promise<void> {
    const answer = await sendHeartbeat(this.#cluster, this.group, this, this.#epoch);
    this.#expectHeld('heartbeat', answer.errorCode);
    this.#note(answer);
  }

  /**
   * Commits an offset of each of these partitions, in one request. That is no heartbeat: the session time-out runs on.
   * @returns for each why Kafka does not take it, whatever becomes of the others; null where it does
   * @throws EngineError `LOST`; KafkaError or the network's when there was no answer that tells
   */
  async commit(commits: readonly TopicCommit[]): Promise<(KafkaError | null)[]> {
    for (let tries = 1; ; tries++) {
      const { memberId, instanceId } = this;
      const member = { memberId, instanceId, epoch: this.#epoch };
      const codes = await sendCommit(this.#cluster, this.group, member, commits);
      if (!codes.includes(KafkaCode.STALE_MEMBER_EPOCH) || tries >= MAX_STALE) {
        return codes.map((code, at) => {
          if (REFUSED_TOPIC.has(code)) return new KafkaError(`commit of ${commits[at]?.topic}`, code);
          this.#expectHeld('commit', code);
          return null;
        });
      }
      await this.heartbeat();
    }
  }

  /** Leaves the group; not being in it any more is fine. @throws EngineError `UNAVAILABLE` */
  leave(deadline: number): Promise<void> {
    return removeMember(this.#cluster, this.group, this, deadline);
  }

  #note({ memberEpoch, heartbeatIntervalMs, assignment }: HeartbeatAnswer): void {
    this.#heartbeatIntervalMs = heartbeatIntervalMs;
    // Said only where it has changed.
    if (assignment !== null) this.#isAssigned = assignment.topicPartitions.length > 0;
    // Of two under way the older answer may come last.
    if (memberEpoch <= this.#epoch) return;
    this.#epoch = memberEpoch;
    this.mayHaveCompany = true;
  }

  #expectHeld(what: string, code: number): void {
    if (LOST.has(code)) throw new EngineError('LOST', `${what} of ${this.group} was fenced`);
    forgetWrongCoordinator(this.#cluster, this.group, code);
    expectNone(`${what} ${this.group}`, code);
  }
}

/**
 * Deletes a group with its offsets, whose last member has just left; that there is none is fine.
 * @throws EngineError `UNAVAILABLE`; KafkaError NON_EMPTY_GROUP where others are in it, and where we may not
 */
export async function deleteGroup(
  cluster: Cluster,
  group: string,
  deadline = now() + DELETE_TIMEOUT_MS,
): Promise<void> {
  const giveUp = Math.min(deadline, now() + LEAVING_MS);
  await retry(`delete ${group}`, deadline, async () => {
    const { results } = await cluster.requestCoordinator('group', group, deleteGroupsV2.api, [group]);
    const code = results[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
    if (code === KafkaCode.GROUP_ID_NOT_FOUND) return;
    forgetWrongCoordinator(cluster, group, code);
    // Kafka may still be at removing the last member.
    const isLeaving = code === KafkaCode.NON_EMPTY_GROUP && now() < giveUp;
    expectNone(`DeleteGroups ${group}`, isLeaving ? KafkaCode.REQUEST_TIMED_OUT : code);
  });
}
