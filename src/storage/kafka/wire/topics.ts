import { createTopicsV7, deleteTopicsV6 } from '@platformatic/kafka';
import { EngineError } from '../../../core/errors.ts';
import { ROOM_RETENTION } from '../../../core/rooms.ts';
import type { Cluster } from './cluster.ts';
import { expectTopic, isRefusal, KafkaCode, KafkaError } from './kafka-error.ts';
import { retry } from './retry.ts';

/** The compacted topic of accounts. */
export const ACCOUNTS_TOPIC = 'milena.accounts';

/** The compacted topic of resume tokens. */
export const SESSIONS_TOPIC = 'milena.sessions';

/** The compacted topics of rooms, and of who is in which. */
export const ROOMS_TOPIC = 'milena.rooms';
export const MEMBERS_TOPIC = 'milena.members';

/** In front of a room's name: its topic. */
export const ROOM_PREFIX = 'milena.room.';

/** In front of an account's or a room's name: the transactional id by which its changes are made one at a time. */
export const ACCOUNT_TRANSACTIONS = 'milena.account.';
export const ROOM_TRANSACTIONS = 'milena.room.';

/** Notices between frontends. */
export const NOTICES_TOPIC = 'milena.notices';

/** Consumer groups of the frontends' own leases are called this plus the frontend's id. */
export const FRONTEND_GROUP_PREFIX = 'milena.frontend.';

/** Largest record batch that frontends write, in bytes, and that their own topics take (`max.message.bytes`). */
export const MAX_BATCH_BYTES = 131_072;

/** Largest record that can be a message, in bytes, whoever wrote it: with what is not UTF-8 spelled out it fits into a frame. */
export const MAX_RECORD_BYTES = 131_072;

/**
 * Largest record batch that an inbox takes: Kafka's own default, so that no producer needs a setting for it. librdkafka, for one,
 * packs whatever waits into one batch of up to 1,000,000 bytes.
 */
const MAX_INBOX_BATCH_BYTES = 1_048_588;

/** How long a topic may be unknown to the brokers before it counts as gone: a new one takes some ms to be known. */
export const UNKNOWN_TOPIC_MS = 1_500;

const TOPIC_TIMEOUT_MS = 5_000;

/**
 * What the topic of notices must be set to, whoever made it and when (topic-settings.ts). Batches stay packed as their
 * producers packed them: with any other value the broker itself unpacks them in its heap, without a bound, and 17,625
 * bytes of zstd ended it. Whoever reads them bounds that (unpack.ts).
 */
const LOG_REQUIRES: Readonly<Record<string, string>> = {
  // Compaction would keep the last message of each sender only.
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'max.message.bytes': String(MAX_BATCH_BYTES),
  // What tells a signed record from a copy of it.
  'message.timestamp.type': 'LogAppendTime',
};

/** The same of inboxes. */
export const INBOX_REQUIRES: Readonly<Record<string, string>> = {
  ...LOG_REQUIRES,
  'max.message.bytes': String(MAX_INBOX_BATCH_BYTES),
};

/**
 * The same of the tables: there the broker unpacks in any case, when it compacts them. What is too large for it has to be refused
 * when it is written, or end it then: taken and kept, it would end the broker at each compaction, for good.
 */
const TABLE_REQUIRES: Readonly<Record<string, string>> = {
  // Where a stranger's record made the topic, brokers would delete accounts by their age.
  'cleanup.policy': 'compact',
  'compression.type': 'uncompressed',
  'max.message.bytes': String(MAX_BATCH_BYTES),
  'message.timestamp.type': 'LogAppendTime',
  // A record that somebody has hidden by another one stays for a day: frontends write it again, also after all were away.
  'min.compaction.lag.ms': '86400000',
};

/** What each of the frontends' own topics must be set to. */
export const OWN_TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [ACCOUNTS_TOPIC]: TABLE_REQUIRES,
  [SESSIONS_TOPIC]: TABLE_REQUIRES,
  [ROOMS_TOPIC]: TABLE_REQUIRES,
  [MEMBERS_TOPIC]: TABLE_REQUIRES,
  [NOTICES_TOPIC]: LOG_REQUIRES,
};

/** What no message is lost or doubted by. */
export const INBOX_KEEPS: Readonly<Record<string, string>> = {
  // An undelivered message never expires.
  'retention.ms': '-1',
  'retention.bytes': '-1',
  ...INBOX_REQUIRES,
};

/** Settings of every inbox topic. */
export const INBOX_CONFIG: Readonly<Record<string, string>> = {
  ...INBOX_KEEPS,
  // Deleting records frees whole segments only, so they are small,
  'segment.bytes': String(16 * 1024 * 1024),
  // and so are their indexes: the default preallocates 10 MiB for each of many thousand inboxes.
  'segment.index.bytes': '65536',
};

/** Settings of a room's topic: as an inbox's, but for how long it keeps what is in it. */
export const ROOM_CONFIG: Readonly<Record<string, string>> = {
  ...INBOX_CONFIG,
  'retention.ms': String(ROOM_RETENTION.usual),
};

/** Settings of the compacted topics, which frontends hold in memory as tables. */
const TABLE_CONFIG: Readonly<Record<string, string>> = {
  ...TABLE_REQUIRES,
  'segment.bytes': String(16 * 1024 * 1024),
  'segment.index.bytes': '65536',
};

/** A notice is worth something for seconds only. */
const NOTICES_CONFIG: Readonly<Record<string, string>> = {
  ...LOG_REQUIRES,
  'retention.ms': '3600000',
  'segment.bytes': String(16 * 1024 * 1024),
  'segment.index.bytes': '65536',
};

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
export function ensureNoticesTopic(
  cluster: Cluster,
  replicationFactor: number,
  deadline: number,
): Promise<void> {
  return ensureTopic(cluster, NOTICES_TOPIC, replicationFactor, NOTICES_CONFIG, deadline);
}

async function ensureTopic(
  cluster: Cluster,
  topic: string,
  replicationFactor: number,
  config: Readonly<Record<string, string>>,
  deadline: number,
): Promise<void> {
  await retry(`topic ${topic}`, deadline, async () => {
    const [created] = await createTopics(cluster, [topic], replicationFactor, config);
    // One that is there needs no right to make it.
    if (created instanceof KafkaError && isRefusal(created.kafkaCode) && (await isThere(cluster, topic)))
      return;
    if (created instanceof Error) throw created;
  });
  await awaitTopic(cluster, topic, deadline);
}

async function isThere(cluster: Cluster, topic: string): Promise<boolean> {
  return cluster.leader(topic).then(
    () => true,
    () => false,
  );
}

/** Waits until the brokers know a topic that was just made: that takes some ms. @throws EngineError `UNAVAILABLE` */
export async function awaitTopic(cluster: Cluster, topic: string, deadline: number): Promise<void> {
  await retry(`leader of ${topic}`, deadline, () => expectTopic(topic, cluster.leader(topic)));
}

/**
 * Makes topics of one partition.
 * @returns for each name its id (a UUID), or null when a topic of that name exists, or why it was not made
 * @throws the network's error
 */
export async function createTopics(
  cluster: Cluster,
  names: readonly string[],
  replicationFactor: number,
  config: Readonly<Record<string, string>>,
): Promise<(string | null | Error)[]> {
  const topics = [...new Set(names)].map((name) => newTopic(name, replicationFactor, config));
  const response = await cluster.requestSlow(createTopicsV7.api, topics, TOPIC_TIMEOUT_MS, false);
  const created = new Map<string | null, string | null | Error>(
    response.topics.map((topic) => {
      const { name, errorCode: code, errorMessage, topicId } = topic;
      if (code === KafkaCode.TOPIC_ALREADY_EXISTS) return [name, null];
      if (code === KafkaCode.NONE) return [name, topicId];
      return [name, new KafkaError(`CreateTopics ${name}`, code, errorMessage)];
    }),
  );
  return names.map((name) => {
    const result = created.get(name);
    // Asked for twice at the same moment: for the second one it exists already.
    if (typeof result === 'string') created.set(name, null);
    return result === undefined ? new KafkaError('CreateTopics', KafkaCode.REQUEST_TIMED_OUT) : result;
  });
}

function newTopic(name: string, replicationFactor: number, config: Readonly<Record<string, string>>) {
  const settings: Record<string, string> = { ...config };
  // Two of three copies before a message counts as stored; per topic, since Kafka 4.1 ignores it per broker.
  if (replicationFactor >= 3) settings['min.insync.replicas'] = '2';
  const configs = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
  return { name, numPartitions: 1, replicationFactor, assignments: [], configs };
}

/**
 * Asks Kafka whether it would make an inbox topic of that name; none is made.
 * @returns why not, or null
 * @throws the network's error
 */
export async function tryInboxTopic(
  cluster: Cluster,
  name: string,
  replicationFactor: number,
): Promise<KafkaError | null> {
  const topics = [newTopic(name, replicationFactor, INBOX_CONFIG)];
  const { topics: results } = await cluster.requestSlow(createTopicsV7.api, topics, TOPIC_TIMEOUT_MS, true);
  const { errorCode: code = KafkaCode.REQUEST_TIMED_OUT, errorMessage } = results[0] ?? {};
  return code === KafkaCode.NONE ? null : new KafkaError('CreateTopics', code, errorMessage);
}

/** Deletes topics by their ids; those that are gone already are fine. @throws the network's error */
export async function deleteTopics(cluster: Cluster, topicIds: readonly string[]): Promise<(null | Error)[]> {
  const topics = [...new Set(topicIds)].map((topicId) => ({ name: null, topicId }));
  const response = await cluster.requestSlow(deleteTopicsV6.api, topics, TOPIC_TIMEOUT_MS);
  const answers = new Map(response.responses.map((answer) => [answer.topicId, answer]));
  return topicIds.map((topicId) => {
    const { errorCode = KafkaCode.REQUEST_TIMED_OUT, errorMessage = null } = answers.get(topicId) ?? {};
    return GONE.has(errorCode) ? null : new KafkaError('DeleteTopics', errorCode, errorMessage);
  });
}

/** After a deletion each of these means that there is no such topic. */
const GONE: ReadonlySet<number> = new Set([
  KafkaCode.NONE,
  KafkaCode.UNKNOWN_TOPIC_ID,
  KafkaCode.UNKNOWN_TOPIC_OR_PARTITION,
]);

/** The topic of a room. */
export function roomTopic({ name }: { readonly name: string }): string {
  return ROOM_PREFIX + name.slice(1);
}

/** @throws EngineError `NO_SUCH_ROOM` for a room whose topic is gone */
export function noRoom(room: { readonly name: string }, cause: unknown): never {
  throw new EngineError('NO_SUCH_ROOM', `${roomTopic(room)} is gone`, { cause });
}

/** The error for an inbox whose topic is gone, or has a name that is another topic's by now. */
export function noInbox(topic: string): EngineError {
  return new EngineError('NO_INBOX', `${topic} is gone, or another topic`);
}
