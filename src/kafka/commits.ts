import { offsetFetchV9 } from '@platformatic/kafka';
import type { Account } from './accounts.ts';
import type { Cluster } from './cluster.ts';
import { expectNone, isPassing, KafkaCode } from './kafka-error.ts';
import { retry } from './retry.ts';
import { Watermark } from './watermark.ts';

/** What is committed for an inbox. */
export interface Commit {
  readonly offset: number;
  readonly metadata: string;
}

/** Null for a commit of another life of the name, or none: it counts as missing. */
export function watermarkOf(owner: Account, commit: Commit | null): Watermark | null {
  return commit && Watermark.decode(commit.offset, commit.metadata, owner.incarnation);
}

/** Groups asked about in one request. */
const MAX_GROUPS = 1_000;

/**
 * What is committed for these inboxes, whose topic and group have one name; null where nothing is. Many groups go in
 * one request.
 * @throws EngineError `UNAVAILABLE`
 */
export async function readCommits(
  cluster: Cluster,
  inboxes: readonly string[],
  deadline: number,
): Promise<(Commit | null)[]> {
  const commits = new Map<string, Commit>();
  for (let from = 0; from < inboxes.length; from += MAX_GROUPS) {
    const some = inboxes.slice(from, from + MAX_GROUPS);
    await retry('read commits', deadline, () => readSome(cluster, some, commits));
  }
  return inboxes.map((inbox) => commits.get(inbox) ?? null);
}

async function readSome(
  cluster: Cluster,
  inboxes: readonly string[],
  commits: Map<string, Commit>,
): Promise<void> {
  for (const [node, groups] of await cluster.groupByCoordinator(inboxes)) {
    const asked = groups.map((group) => ({
      groupId: group,
      memberId: null,
      memberEpoch: -1,
      topics: [{ name: group, partitionIndexes: [0] }],
    }));
    const response = await cluster.request(node, 'control', offsetFetchV9.api, asked, false);
    for (const group of response.groups) {
      if (isPassing(group.errorCode)) cluster.forgetCoordinator('group', group.groupId);
      expectNone(`OffsetFetch ${group.groupId}`, group.errorCode);
      const partition = group.topics[0]?.partitions[0];
      expectNone(`OffsetFetch ${group.groupId}`, partition?.errorCode ?? KafkaCode.NONE);
      const offset = Number(partition?.committedOffset ?? -1n);
      if (offset >= 0) commits.set(group.groupId, { offset, metadata: partition?.metadata ?? '' });
    }
  }
}
