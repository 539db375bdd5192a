import { offsetCommitV9, offsetFetchV9 } from '@platformatic/kafka';
import { type Account, inboxLifeOf } from '../../../core/accounts.ts';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { uuidText } from '../../../util/uuid.ts';
import { askByNode } from '../wire/by-node.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { retry, retryAll } from '../wire/retry.ts';
import { forgetWrongCoordinator, type Member } from './consumer-members.ts';
import { Correspondents } from './correspondents.ts';
import { DeliveredOffsets } from './delivered-offsets.ts';
import type { Commit } from './position.ts';
import { Position } from './position.ts';

/** Null for a commit of another life of the name, of the topic that the inbox had before, or none: it counts as missing. */
export function positionOf(owner: Account, commit: Commit | null): Position | null {
  return commit && Position.decode(commit, inboxLifeOf(owner));
}

/** Whom the owner has written to, as the same commit has it. */
export function correspondentsOf(owner: Account, commit: Commit | null): Correspondents {
  const [, id, , text] = commit?.metadata.split(' ') ?? [];
  // They are of a life, whatever topic it has.
  const isOfLife = id === uuidText(owner.incarnation) || id === uuidText(inboxLifeOf(owner));
  return new Correspondents(isOfLife ? text : '');
}

/** A group, and the topic of which one asks what it has committed. */
export interface GroupTopic {
  readonly group: string;
  readonly topic: string;
  /** 0 where it is not said. */
  readonly partition?: number | undefined;
}

/** Groups asked about in one request. */
const MAX_GROUPS = 1_000;

/**
 * What is committed for these; null where nothing is. Many groups go in one request.
 * @throws EngineError `UNAVAILABLE`
 */
export async function readCommits(
  cluster: Cluster,
  inboxes: readonly GroupTopic[],
  deadline: number,
): Promise<(Commit | null)[]> {
  return retryAll('read commits', deadline, () => readManyCommits(cluster, inboxes));
}

/** The same without patience; the error where that failed for one. */
export async function readManyCommits(
  cluster: Cluster,
  inboxes: readonly GroupTopic[],
): Promise<(Commit | null | Error)[]> {
  const commits: (Commit | null | Error)[] = [];
  const asked = new Map(inboxes.map((inbox) => [inbox.group, inbox]));
  for (let from = 0; from < inboxes.length; from += MAX_GROUPS) {
    const groups = inboxes.slice(from, from + MAX_GROUPS).map(({ group }) => group);
    const found = await askByNode<Commit>(groups, {
      nodeOf: (group) => cluster.coordinator('group', group),
      ask: (node, some, into) => readAt(cluster, node, some, asked, into),
      forget: (group) => cluster.forgetCoordinator('group', group),
    });
    for (const group of groups) commits.push(found.get(group) ?? null);
  }
  return commits;
}

/**
 * Commits that nothing of a new inbox is delivered yet: Kafka's tools show its lag from then on, and a commit that is missing
 * later was lost.
 * @param topic of the inbox, and its group's name
 * @param start where its log begins
 * @throws EngineError `UNAVAILABLE`; KafkaError where somebody is in the group
 */
export async function commitStart(
  cluster: Cluster,
  owner: Account,
  topic: string,
  start: number,
  deadline: number,
): Promise<void> {
  const metadata = new DeliveredOffsets(start).encode(inboxLifeOf(owner));
  await retry(`first commit of ${topic}`, deadline, async () => {
    const commit = { offset: start, epoch: UNKNOWN_EPOCH, metadata };
    const [code = KafkaCode.NONE] = await sendCommit(cluster, topic, NO_MEMBER, [{ topic, commit }]);
    forgetWrongCoordinator(cluster, topic, code);
    expectNone(`OffsetCommit ${topic}`, code);
  });
}

/** Kafka takes a commit of nobody's as long as nobody is in the group. */
export const NO_MEMBER = { memberId: '', instanceId: null, epoch: -1 };

/** What is to be committed of a topic's partition. */
export interface TopicCommit {
  readonly topic: string;
  /** 0 where it is not said. */
  readonly partition?: number | undefined;
  readonly commit: Commit;
}

/**
 * Commits these, once.
 * @param member as the group knows it
 * @returns Kafka's error code for each
 * @throws the network's error
 */
export async function sendCommit(
  cluster: Cluster,
  group: string,
  member: Pick<Member, 'memberId' | 'instanceId' | 'epoch'>,
  commits: readonly TopicCommit[],
): Promise<number[]> {
  const byTopic = new Map<string, TopicCommit[]>();
  for (const one of commits) {
    const some = byTopic.get(one.topic);
    if (some === undefined) byTopic.set(one.topic, [one]);
    else some.push(one);
  }
  const asked = Array.from(byTopic, ([name, some]) => ({
    name,
    partitions: some.map(({ partition = 0, commit: { offset, epoch, metadata } }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: epoch,
      committedMetadata: metadata,
    })),
  }));
  const { memberId, instanceId } = member;
  const args = [group, member.epoch, memberId, instanceId, asked] as const;
  const { topics } = await cluster.requestCoordinator('group', group, offsetCommitV9.api, ...args);
  const codes = new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [`${name}/${partitionIndex}`, errorCode]),
    ),
  );
  return commits.map(
    ({ topic, partition = 0 }) => codes.get(`${topic}/${partition}`) ?? KafkaCode.REQUEST_TIMED_OUT,
  );
}

/**
 * What a group has committed for partitions of one topic, by partition.
 * @throws the network's error; KafkaError
 */
export async function readTopicCommits(
  cluster: Cluster,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, Commit>> {
  const topics = [{ name: topic, partitionIndexes: [...partitions] }];
  const asked = [{ groupId: group, memberId: null, memberEpoch: -1, topics }];
  const { groups } = await cluster.requestCoordinator('group', group, offsetFetchV9.api, asked, false);
  const code = groups[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
  forgetWrongCoordinator(cluster, group, code);
  expectNone(`OffsetFetch ${group}`, code);
  const commits = new Map<number, Commit>();
  for (const found of groups[0]?.topics[0]?.partitions ?? []) {
    expectNone(`OffsetFetch ${group}`, found.errorCode);
    const { partitionIndex, committedOffset, committedLeaderEpoch: epoch, metadata } = found;
    const offset = Number(committedOffset);
    if (offset >= 0) commits.set(partitionIndex, { offset, epoch, metadata: metadata ?? '' });
  }
  return commits;
}

async function readAt(
  cluster: Cluster,
  node: number,
  groups: readonly string[],
  inboxOf: ReadonlyMap<string, GroupTopic>,
  found: Map<string, Commit | Error>,
): Promise<void> {
  const asked = groups.map((group) => ({
    groupId: group,
    memberId: null,
    memberEpoch: -1,
    topics: [
      { name: inboxOf.get(group)?.topic ?? group, partitionIndexes: [inboxOf.get(group)?.partition ?? 0] },
    ],
  }));
  const response = await cluster.request(node, 'control', offsetFetchV9.api, asked, false);
  for (const { groupId, errorCode, topics } of response.groups) {
    const partition = topics[0]?.partitions[0];
    const code = errorCode || (partition?.errorCode ?? KafkaCode.NONE);
    forgetWrongCoordinator(cluster, groupId, code);
    const offset = Number(partition?.committedOffset ?? -1n);
    if (code !== KafkaCode.NONE) found.set(groupId, new KafkaError(`OffsetFetch ${groupId}`, code));
    else if (partition && offset >= 0) {
      found.set(groupId, {
        offset,
        epoch: partition.committedLeaderEpoch,
        metadata: partition.metadata ?? '',
      });
    }
  }
}
