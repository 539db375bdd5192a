import { deleteRecordsV2 } from '@platformatic/kafka';
import { offsetSince, readBounds } from '../fetch/log-reader.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode } from '../wire/kafka-error.ts';
import { now, retry } from '../wire/retry.ts';

const TIMEOUT_MS = 10_000;
const DELETE_TIMEOUT_MS = 5_000;
/** The history is trimmed once an hour, oftener where the window is short. */
const MAX_INTERVAL_MS = 3_600_000;
const TRIMS_PER_WINDOW = 24;

/** How often a history window of this length is worth trimming, milliseconds. */
export function trimIntervalMs(historyMs: number): number {
  return Math.min(MAX_INTERVAL_MS, historyMs / TRIMS_PER_WINDOW);
}

/**
 * Removes from an inbox topic what is older than the history window and below an offset.
 * @param below everything before it was delivered, and is committed as delivered
 * @throws EngineError `UNAVAILABLE`; KafkaError
 */
export async function trimHistory(
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
