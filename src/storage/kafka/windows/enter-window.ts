import type { Logger } from 'pino';
import { findPartitions, listCommittedEnds } from '../follow/partitions.ts';
import { NO_MEMBER, readTopicCommits, sendCommit } from '../groups/commits.ts';
import type { Cluster } from '../wire/cluster.ts';
import { KafkaCode, nameOfCode } from '../wire/kafka-error.ts';
import { whyOf } from '../wire/retry.ts';
import { decodeWindows, encodeWindows } from './window-position.ts';

export interface EnterOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly topic: string;
  /** `windowKey` of who comes in. */
  readonly key: string;
  /** Told where the topic ends, by partition, before it is committed. */
  readonly onEnds: (ends: ReadonlyMap<number, number>) => void;
}

/**
 * Commits the topic's end for who comes into a window on it, in the groups in which nobody is: Kafka does not let others commit where
 * somebody is logged in. Of a partition whose end nobody tells now nothing is committed: there they begin by the time at which they came.
 * @param groups of their devices
 * @throws the network's error; KafkaError
 */
export async function enterWindow(options: EnterOptions, groups: readonly string[]): Promise<void> {
  const { cluster, log, topic, key, onEnds } = options;
  const { topicId, byNode } = await findPartitions(cluster, topic);
  const ends = await endsOf(options, byNode);
  onEnds(ends);
  for (const group of ends.size > 0 ? groups : []) {
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

async function endsOf(
  { cluster, log, topic }: EnterOptions,
  byNode: ReadonlyMap<number, readonly number[]>,
): Promise<Map<number, number>> {
  const ends = new Map<number, number>();
  const asked = Array.from(byNode, async ([node, partitions]) => {
    for (const [partition, end] of await listCommittedEnds(cluster, node, topic, partitions))
      if (typeof end === 'number') ends.set(partition, end);
  });
  for (const one of await Promise.allSettled(asked))
    if (one.status === 'rejected') log.debug({ ...whyOf(one.reason), topic }, 'not all ends are known');
  return ends;
}
