import { readTopicCommits } from '../groups/commits.ts';
import type { InboxLease } from '../inbox/inbox-lease.ts';
import type { Cluster } from '../wire/cluster.ts';
import { decodeWindows, WindowPosition } from './window-position.ts';

export interface TopicPositionsOptions {
  readonly cluster: Cluster;
  readonly lease: InboxLease;
  readonly group: string;
  readonly topic: string;
  /** `windowKey` of each window that they are in now. */
  readonly isIn: () => ReadonlySet<string>;
}

/** Where one device is in the partitions of one topic, with all windows that it is in. */
export class TopicPositions {
  readonly #options: TopicPositionsOptions;
  readonly #positions = new Map<number, WindowPosition>();
  /** Who is to go on when the lease is known to be held again. */
  readonly #followers = new Set<() => void>();
  #reading: Promise<void> = Promise.resolve();

  constructor(options: TopicPositionsOptions) {
    this.#options = options;
  }

  get(partition: number): WindowPosition | undefined {
    return this.#positions.get(partition);
  }

  add(follower: () => void): void {
    this.#followers.add(follower);
  }

  remove(follower: () => void): void {
    this.#followers.delete(follower);
  }

  /**
   * Reads what is committed of those that are not known yet; of a topic that was made again nothing is.
   * @throws the network's error; KafkaError
   */
  read(topicId: string, partitions: readonly number[]): Promise<void> {
    const reading = this.#reading.catch(() => {}).then(() => this.#read(topicId, partitions));
    this.#reading = reading;
    return reading;
  }

  async #read(topicId: string, partitions: readonly number[]): Promise<void> {
    const { cluster, lease, group, topic, isIn } = this.#options;
    const missing = partitions.filter((partition) => this.#positions.get(partition)?.topicId !== topicId);
    if (missing.length === 0) return;
    const commits = await readTopicCommits(cluster, group, topic, missing);
    if (lease.hasEnded) return;
    const are = isIn();
    for (const partition of missing) {
      const commit = commits.get(partition);
      const known = commit === undefined ? [] : [...decodeWindows(commit, topicId)];
      const windows = new Map(known.filter(([key]) => are.has(key)));
      const position = new WindowPosition(
        { topic, topicId, partition },
        windows,
        () => lease.touch(),
        () => this.#wake(),
      );
      const before = this.#positions.get(partition);
      if (before !== undefined) lease.remove(before);
      this.#positions.set(partition, position);
      lease.add(position);
    }
  }

  #wake(): void {
    for (const follower of [...this.#followers]) follower();
  }
}
