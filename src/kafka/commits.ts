import { offsetFetchV9 } from '@platformatic/kafka';
import type { Account } from './accounts.ts';
import type { Cluster } from './cluster.ts';
import { isPassing, KafkaCode, KafkaError } from './kafka-error.ts';
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
  return retry('read commits', deadline, async () => {
    const commits: (Commit | null)[] = [];
    for (const commit of await readManyCommits(cluster, inboxes)) {
      if (commit instanceof Error) throw commit;
      commits.push(commit);
    }
    return commits;
  });
}

/** The same without patience; the error where that failed for one. @throws KafkaError, or the network's */
export async function readManyCommits(
  cluster: Cluster,
  inboxes: readonly string[],
): Promise<(Commit | null | Error)[]> {
  const found = new Map<string, Commit | Error>();
  for (let from = 0; from < inboxes.length; from += MAX_GROUPS) {
    const byNode = await coordinators(cluster, inboxes.slice(from, from + MAX_GROUPS), found);
    const asked = [...byNode].map(async ([node, groups]) => {
      try {
        await readAt(cluster, node, groups, found);
      } catch (error) {
        // Another broker may coordinate them by now; groups of other brokers have nothing to do with it.
        for (const group of groups) {
          cluster.forgetCoordinator('group', group);
          found.set(group, error instanceof Error ? error : new Error(String(error)));
        }
      }
    });
    await Promise.all(asked);
  }
  return inboxes.map((inbox) => found.get(inbox) ?? null);
}

/** These groups by the node that coordinates them; the error where nobody does. */
async function coordinators(
  cluster: Cluster,
  groups: readonly string[],
  found: Map<string, Commit | Error>,
): Promise<Map<number, string[]>> {
  const byNode = new Map<number, string[]>();
  const nodes = await Promise.allSettled(groups.map((group) => cluster.coordinator('group', group)));
  for (const [index, group] of groups.entries()) {
    const node = nodes[index];
    if (node?.status === 'fulfilled') append(byNode, node.value, group);
    else found.set(group, node?.reason instanceof Error ? node.reason : new Error('no coordinator'));
  }
  return byNode;
}

async function readAt(
  cluster: Cluster,
  node: number,
  groups: readonly string[],
  found: Map<string, Commit | Error>,
): Promise<void> {
  const asked = groups.map((group) => ({
    groupId: group,
    memberId: null,
    memberEpoch: -1,
    topics: [{ name: group, partitionIndexes: [0] }],
  }));
  const response = await cluster.request(node, 'control', offsetFetchV9.api, asked, false);
  for (const { groupId, errorCode, topics } of response.groups) {
    const partition = topics[0]?.partitions[0];
    const code = errorCode || (partition?.errorCode ?? KafkaCode.NONE);
    if (isPassing(code)) cluster.forgetCoordinator('group', groupId);
    const offset = Number(partition?.committedOffset ?? -1n);
    if (code !== KafkaCode.NONE) found.set(groupId, new KafkaError(`OffsetFetch ${groupId}`, code));
    else if (offset >= 0) found.set(groupId, { offset, metadata: partition?.metadata ?? '' });
  }
}

function append(lists: Map<number, string[]>, key: number, item: string): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
