/** A topic that others write, in memory: the brokers of a cluster answer for it as Kafka's do, or say nothing, or refuse. */
import { randomUUID } from 'node:crypto';
import {
  ListOffsetTimestamps,
  listOffsetsV9,
  metadataV12,
  offsetCommitV9,
  offsetFetchV9,
} from '@platformatic/kafka';
import type { Commit } from '../../src/storage/kafka/groups/position.ts';
import type { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { type FetchedTopic, fetch } from '../../src/storage/kafka/wire/fetch.ts';
import { KafkaCode } from '../../src/storage/kafka/wire/kafka-error.ts';
import { encodeBatch, encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';

interface Partition {
  /** Who leads it; -1: nobody. */
  leader: number;
  start: number;
  /** By offset, from 0 on. */
  batches: Buffer[];
}

/** As much of Kafka's requests as is looked at. */
type Asked = readonly { readonly name?: string; readonly partitions: readonly Record<string, unknown>[] }[];

const LOG_START = { parts: null, aborted: [], logStart: 0 };

export class ForeignTopic {
  readonly name = 'orders';
  topicId: string = randomUUID();
  readonly partitions: Partition[];
  /** What a broker does before it answers: of that kind of request. */
  readonly before = new Map<string, () => Promise<void>>();
  /** How often each kind of request was answered. */
  readonly asked = new Map<string, number>();
  /** By group, then by partition. */
  readonly commits = new Map<string, Map<number, Commit>>();
  readonly cluster: Cluster;

  /** @param leaders of its partitions */
  constructor(leaders: readonly number[] = [1]) {
    this.partitions = leaders.map((leader) => ({ leader, start: 0, batches: [] }));
    this.cluster = {
      connect: async () => {},
      forgetCoordinator: () => {},
      requestAny: (api: unknown) => this.#answer(api, 'any', []),
      request: (node: number, _lane: string, api: unknown, ...args: unknown[]) =>
        this.#answer(api, `${node}`, args),
      requestCoordinator: (_kind: string, _group: string, api: unknown, ...args: unknown[]) =>
        this.#answer(api, 'coordinator', args),
    } as unknown as Cluster;
  }

  /** Appends records. @returns the offset of the first one */
  write(values: readonly string[], { partition = 0, timestamp = Date.now() } = {}): number {
    const { batches } = this.#partition(partition);
    const first = batches.length;
    for (const value of values) {
      const content = encodeContent({ key: null, value: Buffer.from(value), headers: [] });
      const batch = encodeBatch([content], { id: -1n, epoch: -1 }, -1, timestamp);
      batch.writeBigInt64BE(BigInt(batches.length), 0);
      batches.push(batch);
    }
    return first;
  }

  /** An unclean election: what lay from there on is gone. */
  cut(end: number, partition = 0): void {
    this.#partition(partition).batches.splice(end);
  }

  #partition(index: number): Partition {
    const partition = this.partitions[index];
    if (partition === undefined) throw new Error(`no partition ${index}`);
    return partition;
  }

  async #answer(api: unknown, node: string, args: readonly unknown[]): Promise<unknown> {
    const [kind, answer] = this.#kindOf(api);
    await this.before.get(`${kind} ${node}`)?.();
    this.asked.set(kind, (this.asked.get(kind) ?? 0) + 1);
    return answer(args);
  }

  #kindOf(api: unknown): [string, (args: readonly unknown[]) => unknown] {
    switch (api) {
      case metadataV12.api:
        return ['metadata', () => this.#metadata()];
      case listOffsetsV9.api:
        return ['ends', (args) => this.#bounds(args[2] as Asked)];
      case fetch:
        return ['fetch', (args) => this.#fetched(args[6] as Asked)];
      case offsetFetchV9.api:
        return ['positions', (args) => this.#positions(args[0] as readonly { groupId: string }[])];
      case offsetCommitV9.api:
        return ['commit', (args) => this.#commit(args[0] as string, args[4] as Asked)];
      default:
        throw new Error('asked for something else');
    }
  }

  #metadata(): unknown {
    const partitions = this.partitions.map(({ leader }, partitionIndex) => ({
      ...{ partitionIndex, leaderId: leader },
      errorCode: leader < 0 ? KafkaCode.LEADER_NOT_AVAILABLE : KafkaCode.NONE,
    }));
    return { topics: [{ errorCode: KafkaCode.NONE, topicId: this.topicId, partitions }] };
  }

  #bounds(asked: Asked): unknown {
    const partitions = asked[0]?.partitions.map(({ partitionIndex, timestamp }) => {
      const { start, batches } = this.#partition(Number(partitionIndex));
      const offset = BigInt(timestamp === ListOffsetTimestamps.EARLIEST ? start : batches.length);
      return { partitionIndex, errorCode: KafkaCode.NONE, offset };
    });
    return { topics: [{ partitions }] };
  }

  #fetched(asked: Asked): unknown {
    const { partition: index, fetchOffset } = asked[0]?.partitions[0] ?? {};
    const { start, batches } = this.#partition(Number(index));
    const from = Number(fetchOffset);
    const isInside = start <= from && from <= batches.length;
    const fetched: FetchedTopic = {
      ...{ ...LOG_START, topicId: this.topicId, partition: Number(index) },
      errorCode: isInside ? KafkaCode.NONE : KafkaCode.OFFSET_OUT_OF_RANGE,
      records: isInside ? Buffer.concat(batches.slice(from)) : Buffer.alloc(0),
    };
    return { throttleTimeMs: 0, errorCode: KafkaCode.NONE, sessionId: 0, topics: [fetched] };
  }

  #positions(asked: readonly { groupId: string }[]): unknown {
    const partitions = Array.from(
      this.commits.get(asked[0]?.groupId ?? '') ?? [],
      ([partitionIndex, commit]) => ({
        ...{ partitionIndex, errorCode: KafkaCode.NONE, metadata: commit.metadata },
        ...{ committedOffset: BigInt(commit.offset), committedLeaderEpoch: commit.epoch },
      }),
    );
    return { groups: [{ errorCode: KafkaCode.NONE, topics: [{ partitions }] }] };
  }

  #commit(group: string, asked: Asked): unknown {
    const committed = this.commits.get(group) ?? new Map<number, Commit>();
    this.commits.set(group, committed);
    for (const { partitionIndex, committedOffset, committedMetadata } of asked[0]?.partitions ?? [])
      committed.set(Number(partitionIndex), {
        ...{ offset: Number(committedOffset), epoch: -1, metadata: String(committedMetadata) },
      });
    const partitions = asked[0]?.partitions.map(({ partitionIndex }) => ({
      ...{ partitionIndex, errorCode: KafkaCode.NONE },
    }));
    return { topics: [{ name: this.name, partitions }] };
  }
}
