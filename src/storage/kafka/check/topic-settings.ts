import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigResourceTypes,
  describeConfigsV4,
  IncrementalAlterConfigOperationTypes,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { Accounts } from '../../../core/accounts.ts';
import type { Rooms } from '../../../core/rooms.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError, nameOfCode } from '../wire/kafka-error.ts';
import { now, reasonOf, retry, whyOf } from '../wire/retry.ts';
import { ensureTable, INBOX_REQUIRES, OWN_TOPICS, roomTopic } from '../wire/topics.ts';
import { RareWarning } from '../wire/trouble.ts';

/** Topics in one request: it takes the broker some 20 ms. */
const TOPICS_AT_ONCE = 200;
/** Between two of them: account changes go over the same connection. */
const PAUSE_MS = 20;
const TIMEOUT_MS = 10_000;
/** Between two rounds over all topics. */
const INTERVAL_MS = 3_600_000;
/** Between two over those that are in use: ten thousand cost a broker a second in that time. */
const IN_USE_INTERVAL_MS = 300_000;

type Settings = Readonly<Record<string, string>>;

export interface TopicSettingsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly accounts: Pick<Accounts, 'list'>;
  readonly rooms: Pick<Rooms, 'list'>;
  readonly inboxPrefix: string;
  /** Milliseconds between two rounds; an hour unless given. */
  readonly intervalMs?: number;
  /** Milliseconds between two rounds over the inboxes in use; five minutes unless given. */
  readonly inUseIntervalMs?: number;
}

/**
 * Brings topics that an earlier version has made to the settings on which the safety of broker and frontends rests; all
 * others are left as their operator wants them. Topics that have them already cost one question for each 200.
 */
export class TopicSettings {
  readonly #options: TopicSettingsOptions;
  #closed = false;

  constructor(options: TopicSettingsOptions) {
    this.#options = options;
  }

  /**
   * The frontends' own topics. What fails is logged: it is tried again with the next round. Never rejects.
   * @returns those for which it failed
   */
  async bringOwn(): Promise<string[]> {
    const failed: string[] = [];
    for (const [topic, required] of Object.entries(OWN_TOPICS)) {
      if (!(await this.#bring([topic], required))) failed.push(topic);
    }
    return failed;
  }

  /** All inboxes and rooms now, and all topics once an hour: an operator may change them while frontends run. Never rejects. */
  async keep(): Promise<void> {
    for (;;) {
      const { accounts, rooms, inboxPrefix } = this.#options;
      await this.#bringAll(accounts, (name) => inboxPrefix + name);
      await this.#bringAll(rooms, (name) => roomTopic({ name }));
      await sleep(this.#options.intervalMs ?? INTERVAL_MS, undefined, { ref: false });
      if (this.#closed) return;
      await this.bringOwn();
    }
  }

  async #bringAll(all: Pick<Accounts, 'list'>, topicOf: (name: string) => string): Promise<void> {
    for (let after: string | undefined; !this.#closed; ) {
      const page = { limit: TOPICS_AT_ONCE, ...(after !== undefined && { after }) };
      const names = await all.list('*', page);
      after = names.at(-1);
      if (after === undefined) break;
      await this.#bring(names.map(topicOf), INBOX_REQUIRES);
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
  }

  /**
   * Inboxes that are in use here, every five minutes: those grow, and what grows is compacted soonest. Never rejects.
   * @param names their owners'
   */
  async keepInUse(names: () => string[]): Promise<void> {
    const { inboxPrefix, inUseIntervalMs = IN_USE_INTERVAL_MS } = this.#options;
    for (;;) {
      await sleep(inUseIntervalMs, undefined, { ref: false });
      const topics = names().map((name) => inboxPrefix + name);
      for (let at = 0; at < topics.length; at += TOPICS_AT_ONCE) {
        if (this.#closed) return;
        await this.#bring(topics.slice(at, at + TOPICS_AT_ONCE), INBOX_REQUIRES);
        await sleep(PAUSE_MS, undefined, { ref: false });
      }
      if (this.#closed) return;
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** @returns whether all of them are as required now */
  async #bring(topics: readonly string[], required: Settings): Promise<boolean> {
    const { cluster, log } = this.#options;
    try {
      return await bringSettings(cluster, log, topics, required);
    } catch (error) {
      if (!this.#closed)
        log.warn({ ...whyOf(error), topics: topics.length }, 'settings of topics not checked');
      return false;
    }
  }
}

/**
 * Makes a table's topic, where somebody has deleted it, and sets it as it has to be, where somebody has altered it.
 * @throws EngineError `UNAVAILABLE`; KafkaError
 */
export async function restoreTable(
  cluster: Cluster,
  log: Logger,
  topic: string,
  replicationFactor: number,
): Promise<void> {
  await ensureTable(cluster, topic, replicationFactor, now() + TIMEOUT_MS);
  await bringBack(cluster, log, topic);
}

/** Sets one topic back, an inbox's or one of ours, where somebody has met it otherwise. @throws likewise */
async function bringBack(cluster: Cluster, log: Logger, topic: string): Promise<void> {
  await bringSettings(cluster, log, [topic], OWN_TOPICS[topic] ?? INBOX_REQUIRES);
}

/**
 * Why single ones were not changed is logged.
 * @returns whether all of them are as required now
 * @throws EngineError `UNAVAILABLE`; KafkaError
 */
async function bringSettings(
  cluster: Cluster,
  log: Logger,
  topics: readonly string[],
  required: Settings,
): Promise<boolean> {
  const deadline = now() + TIMEOUT_MS;
  const others = await retry('settings of topics', deadline, () => otherSettings(cluster, topics, required));
  if (others.length === 0) return true;
  const failed = await retry('change of settings', deadline, () => changeSettings(cluster, others, required));
  for (const err of failed.values()) {
    log.warn({ ...whyOf(err), topics: failed.size }, 'settings of topics not changed');
    break;
  }
  const changed = others.filter((topic) => !failed.has(topic));
  if (changed.length > 0) log.info({ topics: changed, settings: required }, 'settings of topics changed');
  return failed.size === 0;
}

/**
 * Those of the topics that are set otherwise. One that is not there is somebody else's matter.
 * @throws KafkaError, or the network's
 */
export async function otherSettings(
  cluster: Cluster,
  topics: readonly string[],
  required: Settings,
): Promise<string[]> {
  const configurationKeys = Object.keys(required);
  const response = await cluster.requestSlow(
    describeConfigsV4.api,
    topics.map((resourceName) => ({
      ...{ resourceType: ConfigResourceTypes.TOPIC, resourceName, configurationKeys },
    })),
    false,
    false,
  );
  const others: string[] = [];
  for (const { resourceName, errorCode, configs } of response.results) {
    if (errorCode === KafkaCode.UNKNOWN_TOPIC_OR_PARTITION) continue;
    expectNone(`DescribeConfigs ${resourceName}`, errorCode);
    if (configs.some(({ name, value }) => value !== required[name])) others.push(resourceName);
  }
  return others;
}

/**
 * Sets what is given of these topics' settings, and leaves the others.
 * @returns why it was not changed, by topic
 * @throws the network's error
 */
export async function changeSettings(
  cluster: Cluster,
  topics: readonly string[],
  settings: Settings,
): Promise<Map<string, KafkaError>> {
  const configs = Object.entries(settings).map(([name, value]) => ({
    ...{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET },
  }));
  const response = await cluster.requestSlow(
    incrementalAlterConfigsV1.api,
    topics.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName, configs })),
    false,
  );
  return new Map(
    response.responses
      .filter(({ errorCode }) => errorCode !== KafkaCode.NONE)
      .map(({ resourceName, errorCode, errorMessage }) => [
        resourceName,
        new KafkaError(`IncrementalAlterConfigs ${resourceName}`, errorCode, errorMessage),
      ]),
  );
}

/** Topics whose settings are set back at the same time; others come with their next message. */
const MAX_BRINGING = 16;

/** Topics that somebody has altered so that they take smaller batches than they have to: they are set back. */
export class SmallTopics {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #found: RareWarning;
  /** Being set back now. */
  readonly #bringing = new Set<string>();

  constructor(cluster: Cluster, log: Logger) {
    this.#cluster = cluster;
    this.#log = log;
    this.#found = new RareWarning((fields) =>
      log.warn(fields, 'a topic takes smaller batches than it has to (max.message.bytes): it is set back'),
    );
  }

  /** @param code by which Kafka has refused a batch */
  setBack(topic: string, code: number): void {
    this.#found.note({ topic, code: nameOfCode(code) });
    if (this.#bringing.has(topic) || this.#bringing.size >= MAX_BRINGING) return;
    this.#bringing.add(topic);
    bringBack(this.#cluster, this.#log, topic)
      .catch((error: unknown) =>
        this.#log.warn({ topic, reason: reasonOf(error) }, 'settings of topics not changed'),
      )
      .finally(() => this.#bringing.delete(topic));
  }
}
