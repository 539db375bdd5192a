import { createTopicsV7, deleteTopicsV6 } from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import { EngineError } from './errors.ts';
import { expectNone, KafkaCode, KafkaError } from './kafka-error.ts';
import { retry } from './retry.ts';

/** The compacted topic of accounts. */
export const ACCOUNTS_TOPIC = 'milena.accounts';

/** Consumer groups of the frontends' own leases are called this plus the frontend's id. */
export const FRONTEND_GROUP_PREFIX = 'milena.frontend.';

/** Largest record batch that an inbox takes, in bytes (`max.message.bytes`). */
export const MAX_BATCH_BYTES = 131_072;

/** How long a topic may be unknown to the brokers before it counts as gone: a new one takes some ms to be known. */
export const UNKNOWN_TOPIC_MS = 1_500;

const TOPIC_TIMEOUT_MS = 5_000;

/** Settings of every inbox topic. */
const INBOX_CONFIG: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  // An undelivered message never expires.
  'retention.ms': '-1',
  'retention.bytes': '-1',
  // The broker unpacks what arrives packed: a small compressed bomb would pass max.message.bytes otherwise.
  'compression.type': 'uncompressed',
  'max.message.bytes': String(MAX_BATCH_BYTES),
  'message.timestamp.type': 'LogAppendTime',
  // Deleting records frees whole segments only, so they are small,
  'segment.bytes': String(16 * 1024 * 1024),
  // and so are their indexes: the default preallocates 10 MiB for each of many thousand inboxes.
  'segment.index.bytes': '65536',
};

/** The compacted topic of resume tokens. */
export const SESSIONS_TOPIC = 'milena.sessions';

/** Notices between frontends. */
export const CONTROL_TOPIC = 'milena.control';

/** Settings of the compacted topics, which frontends hold in memory as tables. */
const TABLE_CONFIG: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'segment.bytes': String(16 * 1024 * 1024),
  'segment.index.bytes': '65536',
  'max.message.bytes': String(MAX_BATCH_BYTES),
};

/** A notice is worth something for seconds only. */
const CONTROL_CONFIG: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '3600000',
  'segment.bytes': String(16 * 1024 * 1024),
  'segment.index.bytes': '65536',
};

/**
 * Creates an inbox topic.
 * @returns Kafka's id of the topic (a UUID), or null when a topic of that name exists
 * @throws KafkaError, or the network's
 */
export function createInboxTopic(
  cluster: Cluster,
  topic: string,
  replicationFactor: number,
): Promise<string | null> {
  return createTopic(cluster, topic, replicationFactor, INBOX_CONFIG);
}

/** Creates a compacted topic unless it exists, and waits until it can be used. @throws EngineError `UNAVAILABLE` */
export function ensureTable(
  cluster: Cluster,
  topic: string,
  replicationFactor: number,
  deadline: number,
): Promise<void> {
  return ensureTopic(cluster, topic, replicationFactor, TABLE_CONFIG, deadline);
}

/** Creates the topic of notices unless it exists, and waits until it can be used. @throws EngineError `UNAVAILABLE` */
export function ensureControlTopic(
  cluster: Cluster,
  replicationFactor: number,
  deadline: number,
): Promise<void> {
  return ensureTopic(cluster, CONTROL_TOPIC, replicationFactor, CONTROL_CONFIG, deadline);
}

async function ensureTopic(
  cluster: Cluster,
  topic: string,
  replicationFactor: number,
  config: Readonly<Record<string, string>>,
  deadline: number,
): Promise<void> {
  await retry(`topic ${topic}`, deadline, () => createTopic(cluster, topic, replicationFactor, config));
  await awaitTopic(cluster, topic, deadline);
}

/** Waits until the brokers know a topic that was just made: that takes some ms. @throws EngineError `UNAVAILABLE` */
export async function awaitTopic(cluster: Cluster, topic: string, deadline: number): Promise<void> {
  await retry(`leader of ${topic}`, deadline, async () => {
    try {
      await cluster.leader(topic);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.kafkaCode !== KafkaCode.UNKNOWN_TOPIC_OR_PARTITION)
        throw error;
      throw new KafkaError(`leader of ${topic}`, KafkaCode.LEADER_NOT_AVAILABLE);
    }
  });
}

async function createTopic(
  cluster: Cluster,
  name: string,
  replicationFactor: number,
  config: Readonly<Record<string, string>>,
): Promise<string | null> {
  const settings: Record<string, string> = { ...config };
  // Two of three copies before a message counts as stored; per topic, since Kafka 4.1 ignores it per broker.
  if (replicationFactor >= 3) settings['min.insync.replicas'] = '2';
  const response = await cluster.requestAny(
    createTopicsV7.api,
    [
      {
        name,
        numPartitions: 1,
        replicationFactor,
        assignments: [],
        configs: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
      },
    ],
    TOPIC_TIMEOUT_MS,
    false,
  );
  const created = response.topics[0];
  if (created?.errorCode === KafkaCode.TOPIC_ALREADY_EXISTS) return null;
  expectNone(`CreateTopics ${name}`, created?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT);
  return created?.topicId ?? null;
}

/**
 * Deletes a topic by its id, never by its name: another life of the name may have a new topic by now.
 * A topic that is gone already is fine.
 * @throws KafkaError, or the network's
 */
export async function deleteTopicById(cluster: Cluster, topicId: string): Promise<void> {
  const response = await cluster.requestAny(deleteTopicsV6.api, [{ name: null, topicId }], TOPIC_TIMEOUT_MS);
  const code = response.responses[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
  if (code === KafkaCode.UNKNOWN_TOPIC_ID || code === KafkaCode.UNKNOWN_TOPIC_OR_PARTITION) return;
  expectNone('DeleteTopics', code);
}

/** The error for an inbox that is not there (any more). */
export function noSuchInbox(topic: string): EngineError {
  return new EngineError('NO_SUCH_USER', `there is no inbox topic ${topic}`);
}
