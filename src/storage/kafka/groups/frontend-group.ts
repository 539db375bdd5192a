import { randomUUID } from 'node:crypto';
import { describeGroupsV5, heartbeatV4, joinGroupV9, leaveGroupV5, syncGroupV5 } from '@platformatic/kafka';
import { EngineError } from '../../../core/errors.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry } from '../wire/retry.ts';
import { FRONTEND_GROUP_PREFIX } from '../wire/topics.ts';
import { forgetWrongCoordinator } from './consumer-members.ts';

/*
  A frontend is the one member of a group of its own. The group is of Kafka's older protocol: there a session time-out may
  be six seconds, where the consumer protocol has 45 at least. Its protocol type keeps consumers of any kind out, and its
  protocol's name is random, which keeps out whoever else knows the type.
    metadata  nonce " " key id ":" MAC over "milena-frontend-1", group, nonce
*/
const CONTEXT = 'milena-frontend-1';
const INSTANCE_ID = 'holder';
const PROTOCOL_TYPE = 'milena';
/** Kafka's name for a group whose members all know what they have. Before that it shows nobody's metadata. */
const STABLE = 'Stable';
const REBALANCE_TIMEOUT_MS = 10_000;
const NOTHING = Buffer.alloc(0);

/** On a heartbeat each of these means the same: somebody has put this frontend out, or its time is over. */
const LOST: ReadonlySet<number> = new Set([
  KafkaCode.FENCED_INSTANCE_ID,
  KafkaCode.UNKNOWN_MEMBER_ID,
  KafkaCode.ILLEGAL_GENERATION,
  KafkaCode.REBALANCE_IN_PROGRESS,
]);

/** A living frontend's place in its own group. */
export class FrontendGroup {
  readonly #cluster: Cluster;
  readonly #group: string;
  readonly #memberId: string;
  readonly #generation: number;

  private constructor(cluster: Cluster, group: string, memberId: string, generation: number) {
    this.#cluster = cluster;
    this.#group = group;
    this.#memberId = memberId;
    this.#generation = generation;
  }

  /**
   * @param frontendId nobody has been called so before
   * @param sessionTimeoutMs after so long without a heartbeat Kafka takes it for dead
   * @throws EngineError `UNAVAILABLE`
   */
  static async join(
    cluster: Cluster,
    trust: Trust,
    frontendId: string,
    sessionTimeoutMs: number,
    deadline: number,
  ): Promise<FrontendGroup> {
    const group = FRONTEND_GROUP_PREFIX + frontendId;
    // One over all tries: a join whose answer was lost must not keep its own repetition out.
    const nonce = randomUUID();
    const metadata = Buffer.from(`${nonce} ${trust.signer.signParts([CONTEXT, group, nonce])}`);
    // A frontend's own requests must not wait behind the logins of thousands.
    const to = ['lease', 'group', group] as const;
    return retry(`join ${group}`, deadline, async () => {
      const joined = await cluster.requestCoordinatorOver(
        ...to,
        joinGroupV9.api,
        group,
        sessionTimeoutMs,
        REBALANCE_TIMEOUT_MS,
        '',
        INSTANCE_ID,
        PROTOCOL_TYPE,
        [{ name: nonce, metadata }],
        null,
      );
      forgetWrongCoordinator(cluster, group, joined.errorCode);
      expectNone(`JoinGroup ${group}`, joined.errorCode);
      const { memberId, generationId } = joined;
      const synced = await cluster.requestCoordinatorOver(
        ...to,
        syncGroupV5.api,
        group,
        generationId,
        memberId,
        INSTANCE_ID,
        PROTOCOL_TYPE,
        nonce,
        [{ memberId, assignment: NOTHING }],
      );
      // A try of this same join, thought lost, has arrived after all.
      if (synced.errorCode === KafkaCode.REBALANCE_IN_PROGRESS) {
        throw new KafkaError('SyncGroup', KafkaCode.COORDINATOR_NOT_AVAILABLE);
      }
      forgetWrongCoordinator(cluster, group, synced.errorCode);
      expectNone(`SyncGroup ${group}`, synced.errorCode);
      return new FrontendGroup(cluster, group, memberId, generationId);
    });
  }

  /** @throws EngineError `LOST`; KafkaError or the network's when there was no answer that tells */
  async heartbeat(): Promise<void> {
    const { errorCode } = await this.#cluster.requestCoordinatorOver(
      'lease',
      'group',
      this.#group,
      heartbeatV4.api,
      this.#group,
      this.#generation,
      this.#memberId,
      INSTANCE_ID,
    );
    if (LOST.has(errorCode)) throw new EngineError('LOST', `the heartbeat of ${this.#group} was fenced`);
    forgetWrongCoordinator(this.#cluster, this.#group, errorCode);
    expectNone(`Heartbeat ${this.#group}`, errorCode);
  }

  /** @throws EngineError `UNAVAILABLE` */
  async leave(deadline: number): Promise<void> {
    const group = this.#group;
    // Never with an empty member id, which would put out whoever is in.
    const self = { memberId: this.#memberId, groupInstanceId: INSTANCE_ID, reason: null };
    await retry(`leave ${group}`, deadline, async () => {
      const response = await this.#cluster.requestCoordinator('group', group, leaveGroupV5.api, group, [
        self,
      ]);
      for (const code of [response.errorCode, ...response.members.map(({ errorCode }) => errorCode)]) {
        if (LOST.has(code)) continue;
        forgetWrongCoordinator(this.#cluster, group, code);
        expectNone(`LeaveGroup ${group}`, code);
      }
    });
  }
}

/**
 * Whether a frontend lives: a member that it has signed is in its group, or one that may turn out to be.
 * @throws EngineError `UNAVAILABLE`
 */
export async function isFrontendAlive(
  cluster: Cluster,
  trust: Trust,
  frontendId: string,
  deadline: number,
): Promise<boolean> {
  const group = FRONTEND_GROUP_PREFIX + frontendId;
  const alive = await retry(`describe ${group}`, deadline, async () => {
    const { groups } = await cluster.requestCoordinatorOver(
      'control',
      'group',
      group,
      describeGroupsV5.api,
      [group],
      false,
    );
    const [described] = groups;
    if (!described) throw new KafkaError(`DescribeGroups ${group}`, KafkaCode.COORDINATOR_NOT_AVAILABLE);
    const { errorCode, groupState, members } = described;
    forgetWrongCoordinator(cluster, group, errorCode);
    expectNone(`DescribeGroups ${group}`, errorCode);
    return members.some(({ groupInstanceId, memberMetadata }) =>
      groupState === STABLE ? isSigned(trust, group, memberMetadata) : groupInstanceId === INSTANCE_ID,
    );
  });
  // Of a dead one nobody asks again.
  if (!alive) cluster.forgetCoordinator('group', group);
  return alive;
}

/** Takes anything: strangers write there what they like. */
function isSigned(trust: Trust, group: string, metadata: Buffer): boolean {
  const [nonce = '', signature = ''] = metadata.toString().split(' ');
  const [keyId = '', mac = ''] = signature.split(':');
  const proof = trust.signer.checkParts(keyId, mac, [CONTEXT, group, nonce]);
  return proof === 'unknown key' ? trust.acceptsUnsigned && mac !== '' : proof !== 'forged';
}
