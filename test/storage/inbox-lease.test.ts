import { pino } from 'pino';
import { expect, it } from 'vitest';
import { CommitPace } from '../../src/storage/kafka/groups/commit-schedule.ts';
import type { TopicCommit } from '../../src/storage/kafka/groups/commits.ts';
import { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import type { Commit } from '../../src/storage/kafka/groups/position.ts';
import { InboxLease, type Leased } from '../../src/storage/kafka/inbox/inbox-lease.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { KafkaCode, KafkaError } from '../../src/storage/kafka/wire/kafka-error.ts';
import { RareWarning } from '../../src/storage/kafka/wire/trouble.ts';

const METADATA = 'w'.repeat(200);
/** What Kafka takes as one batch. */
const MEBIBYTE = 1024 * 1024;

/** Takes commits as Kafka does: a request whose records are no batch is refused for all that is in it. */
class SmallBatches extends GroupMember {
  readonly requests: (readonly TopicCommit[])[] = [];
  readonly taken = new Set<string>();
  failsAt: number | null = null;

  override async commit(commits: readonly TopicCommit[]): Promise<(KafkaError | null)[]> {
    this.requests.push(commits);
    if (this.requests.length === this.failsAt) throw new Error('no answer');
    const bytes = commits.map(
      ({ topic, commit }) => this.group.length + topic.length + commit.metadata.length,
    );
    const isTooLarge = bytes.reduce((sum, size) => sum + size, 0) > MEBIBYTE;
    if (!isTooLarge) for (const { topic, partition } of commits) this.taken.add(`${topic}/${partition}`);
    const refusal = new KafkaError('OffsetCommit', KafkaCode.INVALID_COMMIT_OFFSET_SIZE);
    return commits.map(() => (isTooLarge ? refusal : null));
  }

  override async leave(): Promise<void> {}
}

/** A log of which everything has changed. */
class ChangedLog implements Leased {
  readonly topic: string;
  readonly partition: number;
  isChanged = true;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  changes(): Commit | null {
    const isChanged = this.isChanged;
    this.isChanged = false;
    return isChanged ? { offset: 1, epoch: 0, metadata: METADATA } : null;
  }

  uncommitted(): void {
    this.isChanged = true;
  }

  committed(): void {}
  confirmed(): void {}
  wake(): void {}
  end(): void {}
}

function leaseOf(count: number) {
  const cluster = new Cluster({ bootstrap: [], clientId: 'test' });
  const member = new SmallBatches(cluster, { group: 'milena.inbox.anna', memberId: 'one' }, 1);
  const log = pino({ enabled: false });
  const around = {
    ...{ cluster, log, commitPace: new CommitPace(), refusedCommits: new RareWarning(() => {}) },
    isFrontendAlive: () => true,
    frontendAlive: async () => {},
    doubt: { covers: () => false },
    abandon: () => {},
    putOutStrangers: async () => {},
  };
  const whyUnknown = async () => 'lost' as const;
  const lease = new InboxLease({ around, member, onReleased: () => {}, onLost: () => {}, whyUnknown });
  const logs = [
    new ChangedLog('milena.inbox.anna', 0),
    ...Array.from({ length: count }, (_, partition) => new ChangedLog('orders', partition)),
  ];
  for (const each of logs) lease.add(each);
  return { lease, member, logs };
}

it('commits what is more than one batch of Kafka’s in several requests, the inbox first', async () => {
  const { lease, member, logs } = leaseOf(6_000);
  await lease.close();
  expect(member.taken.size).toBe(logs.length);
  expect(member.requests[0]?.[0]?.topic).toBe('milena.inbox.anna');
  expect(member.requests.flat()).toHaveLength(logs.length);
  expect(member.requests.length).toBeLessThan(12);
});

it('commits once more what was behind a request without an answer, and only that', async () => {
  const { lease, member, logs } = leaseOf(3_000);
  member.failsAt = 2;
  await lease.close();
  expect(member.taken.has('milena.inbox.anna/0')).toBe(true);
  const [first = []] = member.requests;
  expect(logs.filter(({ isChanged }) => isChanged)).toHaveLength(logs.length - first.length);
});
