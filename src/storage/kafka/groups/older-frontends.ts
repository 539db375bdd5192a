import { createTopicsV7, deleteTopicsV6, describeGroupsV5, listGroupsV5, Reader } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { ConfigError } from '../../../config/setting-table.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry, whyOf } from '../wire/retry.ts';
import { FRONTEND_GROUP_PREFIX } from '../wire/topics.ts';

/*
  Frontends of the version before held inboxes as members of Kafka's older group protocol. Kafka lets either kind go over
  into the other, so both at once would let two people into one inbox.

  Their own groups are `milena.frontend.<id>` as well, of protocol type "consumer":
    metadata  ConsumerProtocolSubscription v0 = version INT16, topics ARRAY of STRING, user_data BYTES
    user_data frontend id " " nonce " " key id ":" MAC over "milena-member-1", group, frontend id, nonce
*/
const OLDER_CONTEXT = 'milena-member-1';
const OLDER_PROTOCOL_TYPE = 'consumer';
const HAS_MEMBERS = ['Stable', 'PreparingRebalance', 'CompletingRebalance'] as const;

/**
 * The topic that they cannot start without, and the one beside which Kafka makes no such topic: for its metrics the two
 * have the same name.
 */
export const OLDER_TOPIC = 'milena.control';
export const GATE_TOPIC = 'milena_control';
const TOPIC_TIMEOUT_MS = 5_000;

/**
 * Frontends of the older kind and of this one must not run at the same time: while one of them lives this one does not
 * start, and once this one has started none of them does.
 * @throws ConfigError where an older one lives; EngineError `UNAVAILABLE`
 */
export async function partFromOlder(
  cluster: Cluster,
  trust: Trust,
  log: Logger,
  deadline: number,
): Promise<void> {
  await refuseBesideOlder(cluster, trust, deadline);
  await shutGate(cluster, log, deadline);
  // One that started while the gate was shut.
  await refuseBesideOlder(cluster, trust, deadline);
}

async function refuseBesideOlder(cluster: Cluster, trust: Trust, deadline: number): Promise<void> {
  const older = await retry('list frontends', deadline, () => livingOlder(cluster, trust));
  if (older.length === 0) return;
  throw new ConfigError(
    `A frontend of an older version is running (group ${older.join(', ')}), and beside this one it could let two ` +
      'people into one inbox. End all frontends of the older version, then start this one: docs/configuration.md, "Going over".',
  );
}

/** Their groups. */
async function livingOlder(cluster: Cluster, trust: Trust): Promise<string[]> {
  const older: string[] = [];
  for (const node of await cluster.nodes()) {
    const listed = await cluster.request(node, 'control', listGroupsV5.api, [...HAS_MEMBERS], ['classic']);
    expectNone('ListGroups', listed.errorCode);
    const groups = listed.groups
      .filter(({ groupId }) => groupId.startsWith(FRONTEND_GROUP_PREFIX))
      .filter(({ protocolType }) => protocolType === OLDER_PROTOCOL_TYPE)
      .map(({ groupId }) => groupId);
    if (groups.length === 0) continue;
    const described = await cluster.request(node, 'control', describeGroupsV5.api, groups, false);
    for (const { errorCode, groupId, members } of described.groups) {
      expectNone(`DescribeGroups ${groupId}`, errorCode);
      if (members.some(({ memberMetadata }) => isOlder(trust, groupId, memberMetadata))) older.push(groupId);
    }
  }
  return older;
}

/** Takes anything: who is called like a frontend and is none keeps nobody from starting. */
function isOlder(trust: Trust, group: string, metadata: Buffer): boolean {
  try {
    const reader = Reader.from(metadata);
    reader.readInt16();
    reader.readArray((inner) => inner.readString(false), false, false);
    const [frontendId = '', nonce = '', signature] = reader.readBytes(false).toString().split(' ');
    if (signature === undefined) return trust.acceptsUnsigned && nonce !== '';
    const [keyId = '', mac = ''] = signature.split(':');
    const proof = trust.signer.checkParts(keyId, mac, [OLDER_CONTEXT, group, frontendId, nonce]);
    return proof === 'unknown key' ? trust.acceptsUnsigned : proof !== 'forged';
  } catch {
    return false;
  }
}

/** What fails is logged: it takes rights on a topic that nothing else needs. */
async function shutGate(cluster: Cluster, log: Logger, deadline: number): Promise<void> {
  try {
    const shut = await retry(`topic ${GATE_TOPIC}`, deadline, async () => {
      const removed = await cluster.requestSlow(
        deleteTopicsV6.api,
        [{ name: OLDER_TOPIC, topicId: NO_TOPIC_ID }],
        TOPIC_TIMEOUT_MS,
      );
      const [removal] = removed.responses;
      if (removal?.errorCode !== KafkaCode.UNKNOWN_TOPIC_OR_PARTITION) {
        expectNone(`DeleteTopics ${OLDER_TOPIC}`, removal?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT);
      }
      const gate = {
        name: GATE_TOPIC,
        numPartitions: 1,
        replicationFactor: -1,
        assignments: [],
        configs: [],
      };
      const made = await cluster.requestSlow(createTopicsV7.api, [gate], TOPIC_TIMEOUT_MS, false);
      const code = made.topics[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
      if (code === KafkaCode.TOPIC_ALREADY_EXISTS) return false;
      // Made again by somebody in between.
      if (code === KafkaCode.INVALID_TOPIC_EXCEPTION) {
        throw new KafkaError(`${OLDER_TOPIC} is there again`, KafkaCode.REQUEST_TIMED_OUT);
      }
      expectNone(`CreateTopics ${GATE_TOPIC}`, code);
      return true;
    });
    if (shut) log.info({ topic: GATE_TOPIC }, 'frontends of an older version do not start any more');
  } catch (error) {
    log.warn(
      { ...whyOf(error), topic: GATE_TOPIC },
      'start no frontend of an older version: nothing keeps it from that',
    );
  }
}

const NO_TOPIC_ID = '00000000-0000-0000-0000-000000000000';
