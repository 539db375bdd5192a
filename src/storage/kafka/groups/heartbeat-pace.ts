import { ConfigResourceTypes, describeConfigsV4 } from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode } from '../wire/kafka-error.ts';

/** How long a member of a consumer group may be silent: the brokers decide, not the member. 45 s by default. */
const SETTING = 'group.consumer.session.timeout.ms';
/** Heartbeats in one session time-out: one may be lost without harm. */
const PER_TIMEOUT = 3;
/** Looked at so often in one interval, each inbox has its heartbeat at most a third of it late. */
const CHECKS_PER_INTERVAL = 3;
const LONGEST_CHECK_MS = 10_000;
/** Brokers may be started again with other settings. */
const READ_AGAIN_MS = 60_000;
/** Below this it is worth telling what heartbeats cost. */
const CHEAP_MS = 600_000;

/** How often the lease of an inbox needs a heartbeat: the brokers' settings decide. */
export class HeartbeatPace {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  #sessionTimeoutMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(cluster: Cluster, log: Logger) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /** Milliseconds; null where it is not known: then as often as the coordinator wants it. */
  get intervalMs(): number | null {
    return this.#sessionTimeoutMs === null ? null : this.#sessionTimeoutMs / PER_TIMEOUT;
  }

  /** Within so many milliseconds each inbox is to be looked at once. */
  get lookMs(): number {
    return Math.min((this.intervalMs ?? 0) / CHECKS_PER_INTERVAL, LONGEST_CHECK_MS);
  }

  /** Reads the settings, now and from time to time. */
  async start(): Promise<void> {
    await this.#read();
    const { intervalMs } = this;
    if (intervalMs === null) {
      this.#log.warn(
        `${SETTING} of the brokers not known: each inbox has as many heartbeats as they ask for`,
      );
    } else {
      const cheaper =
        'group.consumer.session.timeout.ms and group.consumer.max.session.timeout.ms of 1800000';
      const hint = intervalMs < CHEAP_MS ? `: fewer with ${cheaper} on the brokers` : '';
      this.#log.info({ intervalMs }, `each inbox in use has a heartbeat in this time${hint}`);
    }
    this.#timer = setInterval(() => void this.#read(), READ_AGAIN_MS);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    try {
      this.#sessionTimeoutMs = await readSessionTimeout(this.#cluster);
    } catch (error) {
      // What was known before holds on.
      this.#log.debug({ err: error }, 'session time-out not read');
    }
  }
}

/**
 * The least session time-out of consumer groups that any broker is set to, milliseconds; null where it must not be asked.
 * @throws KafkaError, or the network's
 */
async function readSessionTimeout(cluster: Cluster): Promise<number | null> {
  let least = Number.POSITIVE_INFINITY;
  for (const node of await cluster.nodes()) {
    // A broker's own settings are known to itself alone.
    const resource = { resourceType: ConfigResourceTypes.BROKER, resourceName: String(node) };
    const { results } = await cluster.request(
      node,
      'control',
      describeConfigsV4.api,
      [{ ...resource, configurationKeys: [SETTING] }],
      false,
      false,
    );
    const [result] = results;
    if (result?.errorCode === KafkaCode.CLUSTER_AUTHORIZATION_FAILED) return null;
    expectNone(`DescribeConfigs of broker ${node}`, result?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT);
    const value = Number(result?.configs[0]?.value);
    if (value > 0) least = Math.min(least, value);
  }
  return Number.isFinite(least) ? least : null;
}
