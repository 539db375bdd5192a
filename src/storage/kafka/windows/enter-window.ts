import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { findPartitions, listPartitionOffsets } from '../follow/partitions.ts';
import { NO_MEMBER, readTopicCommits, sendCommit } from '../groups/commits.ts';
import type { Cluster } from '../wire/cluster.ts';
import { KafkaCode, nameOfCode } from '../wire/kafka-error.ts';
import { decodeWindows, encodeWindows } from './window-position.ts';

export interface EnterOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly topic: string;
  /** `windowKey` of who comes in. */
  readonly key: string;
}

/**
 * Commits the topic's end for who comes into a window on it, in the groups in which nobody is: who is logged in begins there anyway, and
 * Kafka does not let others commit then.
 * @param groups of their devices
 * @throws the network's error; KafkaError
 */
export async function enterWindow(
  { cluster, log, topic, key }: EnterOptions,
  groups: readonly string[],
): Promise<void> {
  const { topicId, byNode } = await findPartitions(cluster, topic);
  const ends = new Map<number, number>();
  const committed = FetchIsolationLevels.READ_COMMITTED;
  const { LATEST } = ListOffsetTimestamps;
  for (const [node, partitions] of byNode)
    for (const end of await listPartitionOffsets(cluster, node, topic, partitions, LATEST, committed))
      ends.set(...end);
  for (const group of groups) {
    const known = await readTopicCommits(cluster, group, topic, [...ends.keys()]);
    const commits = Array.from(ends, ([partition, end]) => {
      const before = known.get(partition);
      const windows = before === undefined ? new Map<string, number>() : decodeWindows(before, topicId);
      return { topic, partition, commit: encodeWindows(windows.set(key, end), topicId) };
    });
    const codes = await sendCommit(cluster, group, NO_MEMBER, commits);
    const refused = codes.find((code) => code !== KafkaCode.NONE);
    if (refused !== undefined)
      log.debug(
        { group, topic, code: nameOfCode(refused) },
        'where a window begins is left to who is logged in',
      );
  }
}
