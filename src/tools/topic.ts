import { setTimeout as sleep } from 'node:timers/promises';
import { metadataV12 } from '@platformatic/kafka';
import kafkajs, { type Admin } from 'kafkajs';
import type { Config } from '../config/config.ts';
import { Cluster } from '../storage/kafka/wire/cluster.ts';
import { isRefusal, KafkaCode, KafkaError } from '../storage/kafka/wire/kafka-error.ts';
import { kafkaSecurity } from '../storage/kafka/wire/kafka-security.ts';
import { ROOM_PREFIX } from '../storage/kafka/wire/topics.ts';
import { printable } from '../util/printable.ts';
import { TOOL_EXIT, ToolError } from './exit.ts';
import { kafkaFailure, withAdmin } from './kafka.ts';

const TOPIC = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;
/** Milena's own books. A stray record in them would be a broken account, so nobody writes there by hand. */
const OWN_TOPICS = new Set([
  ...['milena.accounts', 'milena.sessions', 'milena.notices'],
  ...['milena.rooms', 'milena.members'],
]);

const LEADERS_MS = 10_000;
const LOOK_MS = 50;

/** What becomes of a topic name that somebody typed. */
export type TopicDecision =
  | { readonly kind: 'use' }
  | { readonly kind: 'create' }
  | { readonly kind: 'refuse'; readonly code: number; readonly reason: string };

/** What a tool wants of a topic. */
export interface TopicUse {
  readonly writing: boolean;
  /** What to run with another name: `./spawn_consumer.sh`. */
  readonly script: string;
  /** One that is missing is not made. */
  readonly mustExist?: true;
}

/**
 * Whether to use a topic, to create it, or to refuse it. The topic of an inbox or a room is made with the account or the room, never
 * here: without one it would look like an inbox or a room and be none.
 */
export function decideTopic(
  topic: string,
  topics: ReadonlySet<string>,
  settings: TopicUse & { readonly inboxPrefix: string },
): TopicDecision {
  const { inboxPrefix, writing, script, mustExist } = settings;
  if (!TOPIC.test(topic)) {
    const reason = `"${printable(topic)}" is no name for a topic: it may hold a-z, A-Z, 0-9, dot, dash and underscore.`;
    return { kind: 'refuse', code: TOOL_EXIT.USAGE, reason };
  }
  if (writing && (topic.startsWith('__') || OWN_TOPICS.has(topic))) {
    const reason = `${topic} is kept by the system itself; nothing is written there by hand.`;
    return { kind: 'refuse', code: TOOL_EXIT.USAGE, reason };
  }
  if (topics.has(topic)) return { kind: 'use' };
  if (topic.startsWith(inboxPrefix)) {
    const user = topic.slice(inboxPrefix.length);
    const reason =
      `There is no user "${user}", and an inbox is made only with its account. ` +
      'Create the account in the client (./start_client.sh) first.';
    return { kind: 'refuse', code: TOOL_EXIT.NO_USER, reason };
  }
  if (topic.startsWith(ROOM_PREFIX)) {
    const room = topic.slice(ROOM_PREFIX.length);
    const reason =
      `There is no room "#${room}", and its topic is made only with it. ` +
      `Make the room in the client first: /room create ${room}, or ./milena room create ${room}.`;
    return { kind: 'refuse', code: TOOL_EXIT.NO_USER, reason };
  }
  const inbox = `${inboxPrefix}${topic.toLowerCase()}`;
  if (!topic.includes('.') && topics.has(inbox)) {
    const reason =
      `There is no topic "${topic}", but the user ${topic.toLowerCase()} has an inbox. ` +
      `Did you mean it?\n  ${script} ${inbox}`;
    return { kind: 'refuse', code: TOOL_EXIT.NO_USER, reason };
  }
  if (topic.startsWith('__') || OWN_TOPICS.has(topic)) {
    return { kind: 'refuse', code: TOOL_EXIT.UNAVAILABLE, reason: `${topic} does not exist yet.` };
  }
  if (mustExist) {
    return { kind: 'refuse', code: TOOL_EXIT.UNAVAILABLE, reason: `There is no topic "${topic}".` };
  }
  return { kind: 'create' };
}

/** A topic that may not be described is not in the list of topics, and is no missing one. @throws KafkaError */
async function refuseHidden(config: Config, topic: string): Promise<void> {
  const security = kafkaSecurity(config);
  const cluster = new Cluster({ bootstrap: config.brokers, clientId: 'milena-tools', security });
  try {
    const { topics } = await cluster.requestAny(metadataV12.api, [topic], false, false);
    const code = topics[0]?.errorCode ?? KafkaCode.NONE;
    if (isRefusal(code)) throw new KafkaError(`Metadata ${topic}`, code);
  } finally {
    await cluster.close();
  }
}

/**
 * Until a topic that was just made has leaders, or so long that whoever uses it says what is wrong. kafkajs's own
 * `waitForLeaders` gives up where the broker that it asks has not heard of the topic yet.
 */
async function untilLed(admin: Admin, topic: string): Promise<void> {
  const deadline = performance.now() + LEADERS_MS;
  while (!(await isLed(admin, topic)) && performance.now() < deadline) await sleep(LOOK_MS);
}

async function isLed(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]?.partitions ?? [];
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSError && error.retriable) return false;
    throw error;
  }
}

/**
 * Makes sure that a topic can be used, and says so on standard error when it was created.
 * @throws ToolError
 */
export async function prepareTopic(config: Config, topic: string, use: TopicUse): Promise<void> {
  // Who may read or write a topic may see it; of one that is missing it is the right to make it.
  const looking = {
    operation: use.writing ? ('Write' as const) : ('Read' as const),
    topic: printable(topic),
  };
  const work = async (admin: Admin) => {
    const topics = new Set(await admin.listTopics());
    if (TOPIC.test(topic) && !topics.has(topic)) await refuseHidden(config, topic);
    const decision = decideTopic(topic, topics, { inboxPrefix: config.inboxPrefix, ...use });
    if (decision.kind === 'refuse') throw new ToolError(decision.code, decision.reason);
    if (decision.kind === 'use') return;
    const created = await admin
      .createTopics({
        waitForLeaders: false,
        topics: [{ topic, numPartitions: 1, replicationFactor: config.replicationFactor }],
      })
      .catch((error: unknown) => {
        throw kafkaFailure(config, `Making topic ${topic}`, error, { operation: 'Create', topic });
      });
    await untilLed(admin, topic);
    // False: somebody else created it in this moment, which is as good.
    if (created) console.error(`Created topic ${topic}.`);
  };
  await withAdmin(config, `Looking for topic ${printable(topic)}`, work, looking);
}
