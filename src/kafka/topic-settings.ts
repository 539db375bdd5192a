import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigResourceTypes,
  describeConfigsV4,
  IncrementalAlterConfigOperationTypes,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { Accounts } from './accounts.ts';
import type { Cluster } from './cluster.ts';
import { expectNone, KafkaCode, KafkaError } from './kafka-error.ts';
import { now, retry } from './retry.ts';
import { INBOX_REQUIRES, OWN_TOPICS } from './topics.ts';

/** Topics in one request: it takes the broker some 20 ms. */
const TOPICS_AT_ONCE = 200;
/** Between two of them: account changes go over the same connection. */
const PAUSE_MS = 20;
const TIMEOUT_MS = 10_000;
/** Between two rounds over all inboxes. Kafka cleans no segment that is written to, so nothing is lost sooner. */
const INTERVAL_MS = 3_600_000;
/** Between two over those that are in use: ten thousand cost a broker a second in that time. */
const IN_USE_INTERVAL_MS = 300_000;

type Settings = Readonly<Record<string, string>>;

export interface TopicSettingsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly accounts: Pick<Accounts, 'list'>;
  readonly inboxPrefix: string;
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

  /** The frontends' own topics. What fails is logged: it is tried again at the next start. */
  async bringOwn(): Promise<void> {
    for (const [topic, required] of Object.entries(OWN_TOPICS)) await this.#bring([topic], required);
  }

  /** All inboxes, now and once an hour: an operator may change them while frontends run. Never rejects. */
  async keepInboxes(): Promise<void> {
    while (!this.#closed) {
      await this.#bringInboxes();
      await sleep(INTERVAL_MS, undefined, { ref: false });
    }
  }

  async #bringInboxes(): Promise<void> {
    const { accounts, inboxPrefix } = this.#options;
    for (let after: string | undefined; !this.#closed; ) {
      const page = { limit: TOPICS_AT_ONCE, ...(after !== undefined && { after }) };
      const names = await accounts.list('*', page);
      after = names.at(-1);
      if (after === undefined) break;
      await this.#bring(
        names.map((name) => inboxPrefix + name),
        INBOX_REQUIRES,
      );
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

  async #bring(topics: readonly string[], required: Settings): Promise<void> {
    const { log } = this.#options;
    try {
      const deadline = now() + TIMEOUT_MS;
      const others = await retry('settings of topics', deadline, () =>
        otherSettings(this.#options.cluster, topics, required),
      );
      if (others.length === 0) return;
      const changed = await retry('change of settings', deadline, () => this.#change(others, required));
      log.info({ topics: changed, settings: required }, 'settings of topics changed');
    } catch (error) {
      if (!this.#closed) log.warn({ err: error, topics: topics.length }, 'settings of topics not checked');
    }
  }

  /** @returns those that were; why the others were not is logged */
  async #change(topics: readonly string[], required: Settings): Promise<string[]> {
    const failed = await changeSettings(this.#options.cluster, topics, required);
    for (const err of failed.values()) {
      this.#options.log.warn({ err, topics: failed.size }, 'settings of topics not changed');
      break;
    }
    return topics.filter((topic) => !failed.has(topic));
  }
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
      .map(({ resourceName, errorCode }) => [
        resourceName,
        new KafkaError(`IncrementalAlterConfigs ${resourceName}`, errorCode),
      ]),
  );
}
