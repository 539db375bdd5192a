import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type {
  Accepted,
  Fate,
  Inbox,
  Inboxes,
  OpenOptions,
  OutgoingMessage,
  Receipt,
} from '../../src/core/inboxes.ts';
import type { MemoryCluster } from './cluster.ts';
import { MemoryInbox } from './inbox.ts';

/** The inboxes door over a fake cluster. */
export class MemoryInboxes implements Inboxes {
  readonly #cluster: MemoryCluster;
  readonly #open = new Set<MemoryInbox>();

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  async append(to: Account, message: OutgoingMessage): Promise<Accepted> {
    const { name, incarnation } = message.from;
    const from = { kind: 'user', name, incarnation } as const;
    const { offset, acceptedAt } = await this.#cluster.append(to, { ...message, from });
    return { offset, acceptedAt, epoch: 0 };
  }

  async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    await this.#cluster.roundTrip();
    const topic = this.#cluster.topics.get(owner.topicId);
    if (topic === undefined) throw this.#cluster.noTopic(owner);
    const group = this.#cluster.group(owner.name);
    if (group.holder !== null && options.takeover !== true) {
      throw new EngineError('ALREADY_LOGGED_IN', `${owner.name} is held`);
    }
    this.#cluster.fence(owner.name);
    const inbox = new MemoryInbox(this.#cluster, topic, owner, options, () => this.#open.delete(inbox));
    this.#open.add(inbox);
    group.holder = inbox;
    return inbox;
  }

  async held(accounts: readonly Account[]): Promise<boolean[]> {
    await this.#cluster.roundTrip();
    return accounts.map(({ name }) => this.#cluster.group(name).holder !== null);
  }

  async fates(receipts: readonly Receipt[]): Promise<Fate[]> {
    this.askedReceipts.push(receipts.length);
    await this.#cluster.roundTrip();
    return receipts.map(({ to, offset }) =>
      this.#cluster.acknowledgedBy(to).has(offset) ? 'delivered' : 'waiting',
    );
  }

  /** How many messages each call of `fates` asked for, for tests. */
  readonly askedReceipts: number[] = [];

  /** Number of inboxes this engine holds, for tests. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Number of held inboxes that rest, for tests. */
  get pausedCount(): number {
    return [...this.#open].filter((inbox) => inbox.isPaused).length;
  }

  /** Number of messages that went through `onMessage` of this name's held inbox, for tests. */
  pushedCount(name: string): number {
    return [...this.#open].find((inbox) => inbox.owner.name === name)?.pushedCount ?? 0;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((inbox) => inbox.close()));
  }
}
