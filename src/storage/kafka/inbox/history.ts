import { deleteRecordsV2 } from '@platformatic/kafka';
import type { Account } from '../../../core/accounts.ts';
import { offsetSince, readBounds } from '../fetch/log-reader.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode } from '../wire/kafka-error.ts';
import { isOfNetwork, now, retry, whyOf } from '../wire/retry.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';

const TIMEOUT_MS = 10_000;
const DELETE_TIMEOUT_MS = 5_000;
/** The history is trimmed once an hour, oftener where the window is short. */
const MAX_INTERVAL_MS = 3_600_000;
const TRIMS_PER_WINDOW = 24;

type Surroundings = Pick<InboxSurroundings, 'cluster' | 'historyMs' | 'log' | 'stats' | 'current'>;

/** Removes from one inbox's topic, from time to time, what was delivered longer ago than the history window. */
export class HistoryTrimming {
  readonly #around: Surroundings;
  readonly #owner: Account;
  readonly #topic: string;
  readonly #intervalMs: number;
  #trimmedAt: number;

  constructor(around: Surroundings, owner: Account, topic: string) {
    this.#around = around;
    this.#owner = owner;
    this.#topic = topic;
    this.#intervalMs = Math.min(MAX_INTERVAL_MS, around.historyMs / TRIMS_PER_WINDOW);
    // Anywhere in the interval: people who came at the same moment are not trimmed at the same moment.
    this.#trimmedAt = now() - Math.random() * this.#intervalMs;
  }

  /** Trims in the background, if it is time. @param below everything before it is committed as delivered to this device */
  maintain(below: number): void {
    if (now() - this.#trimmedAt < this.#intervalMs) return;
    this.#trimmedAt = now();
    this.#trim(below).catch((error: unknown) => {
      if (isOfNetwork(error)) return;
      this.#around.log.warn({ ...whyOf(error), topic: this.#topic }, 'history not trimmed');
    });
  }

  /** What some device has still to get stays. */
  async #trim(below: number): Promise<void> {
    const { cluster, historyMs, stats, current } = this.#around;
    const account = current(this.#owner);
    let slowest = below;
    if (account.devices !== undefined) {
      const { positions } = await stats.read(account);
      for (const position of positions.values()) slowest = Math.min(slowest, position?.delivered.low ?? 0);
    }
    const inbox = { topic: this.#topic, topicId: account.topicId };
    await trimHistory(cluster, inbox, slowest, historyMs);
  }
}

/**
 * Removes from an inbox topic what is older than the history window and below an offset.
 * @param below everything before it was delivered, and is committed as delivered
 * @throws EngineError `UNAVAILABLE`; KafkaError
 */
async function trimHistory(
  cluster: Cluster,
  inbox: { readonly topic: string; readonly topicId: string },
  below: number,
  historyMs: number,
): Promise<void> {
  const deadline = now() + TIMEOUT_MS;
  const { topic } = inbox;
  const { start: from } = await readBounds(cluster, topic, deadline);
  const target = await offsetSince(cluster, inbox, { from, below, time: Date.now() - historyMs }, deadline);
  if (target > from) await deleteRecordsBelow(cluster, topic, target, deadline);
}

async function deleteRecordsBelow(
  cluster: Cluster,
  topic: string,
  offset: number,
  deadline: number,
): Promise<void> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: BigInt(offset) }] }];
  await retry(`trim ${topic}`, deadline, async () => {
    const { node } = await cluster.leader(topic);
    const response = await cluster.request(node, 'control', deleteRecordsV2.api, topics, DELETE_TIMEOUT_MS);
    const code = response.topics[0]?.partitions[0]?.errorCode;
    expectNone(`DeleteRecords ${topic}`, code ?? KafkaCode.REQUEST_TIMED_OUT);
  });
}
