import { type Account, inboxLifeOf } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Inbox, InboxMessage, LossReason, OpenOptions } from '../../src/core/inboxes.ts';
import { demandUuid, sameUuid } from '../../src/util/uuid.ts';
import type { GroupMember, MemoryCluster, MemoryTopic, StoredRecord, TopicListener } from './cluster.ts';

/** A held inbox over a fake cluster. */
export class MemoryInbox implements Inbox, GroupMember, TopicListener {
  readonly owner: Account;
  readonly surprise = { again: 0, gone: 0 };
  readonly #cluster: MemoryCluster;
  readonly #topic: MemoryTopic;
  readonly #options: OpenOptions;
  readonly #released: () => void;
  readonly #acknowledged: Set<number>;
  /** Offsets that went through `onMessage`. */
  readonly #pushed = new Set<number>();
  /** Next offset to look at for `onMessage`. */
  #next: number;
  #state: 'open' | 'closed' | 'lost' = 'open';
  #paused = false;
  #pumping = false;
  #commitWaits = false;
  #closing: Promise<void> | null = null;

  constructor(
    cluster: MemoryCluster,
    topic: MemoryTopic,
    owner: Account,
    options: OpenOptions,
    released: () => void,
  ) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.owner = owner;
    this.#options = options;
    this.#released = released;
    // A commit of another life counts as missing.
    this.#acknowledged = new Set(cluster.acknowledgedBy(owner));
    this.#next = options.deliver === 'live' ? topic.log.length : 0;
    topic.listeners.add(this);
    setImmediate(() => this.appended());
  }

  get id(): Uint8Array {
    return demandUuid(this.owner.topicId);
  }

  epochAt(): number {
    return 0;
  }

  /** For tests. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** For tests. */
  get pushedCount(): number {
    return this.#pushed.size;
  }

  async undelivered(): Promise<number> {
    await this.#demandHeld();
    return this.#unacknowledged().length;
  }

  confirm(): Promise<void> {
    return this.#demandHeld();
  }

  async read(limits: { maxBytes: number; maxMessages?: number }): Promise<InboxMessage[]> {
    await this.#demandHeld();
    const { maxBytes, maxMessages = Number.POSITIVE_INFINITY } = limits;
    const found: InboxMessage[] = [];
    let bytes = 0;
    for (const { message } of this.#unacknowledged()) {
      if (this.#pushed.has(message.offset)) continue;
      bytes += message.body.length;
      if (found.length > 0 && (bytes > maxBytes || found.length >= maxMessages)) break;
      found.push(message);
    }
    return found;
  }

  acknowledge(first: number, last: number): boolean {
    if (this.#state !== 'open') return false;
    for (let offset = first; offset <= last; offset++) this.#acknowledged.add(offset);
    if (this.#commitWaits) return true;
    this.#commitWaits = true;
    setImmediate(() => {
      this.#commitWaits = false;
      if (this.#state === 'open') this.#commit();
    });
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    setImmediate(() => this.appended());
  }

  close(): Promise<void> {
    this.#closing ??= this.#end(() => this.#commit());
    return this.#closing;
  }

  discard(): Promise<void> {
    this.#closing ??= this.#end(() => {}).then(() => {
      // As Kafka does it: a group that somebody is in is not deleted.
      if (this.#cluster.group(this.owner.name).holder === null) this.#cluster.groups.delete(this.owner.name);
    });
    return this.#closing;
  }

  /** Giving back takes as long as an answer from Kafka; nothing is pushed meanwhile. */
  async #end(lastDeed: () => void): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    await this.#cluster.leaveGroup();
    const isHolder = this.#cluster.group(this.owner.name).holder === this;
    this.#giveBack();
    if (isHolder) lastDeed();
  }

  /** @internal The topic has grown, or delivery may go on. */
  appended(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#mayPush()) {
        const record = this.#topic.log[this.#next];
        if (record === undefined) return;
        this.#next += 1;
        if (!this.#isForOwner(record) || this.#acknowledged.has(record.message.offset)) continue;
        this.#pushed.add(record.message.offset);
        this.#options.onMessage(record.message);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** @internal */
  deleted(): void {
    this.#lose(this.#cluster.noTopic(this.owner).code === 'NO_INBOX' ? 'no inbox' : 'deleted');
  }

  /** @internal */
  fenced(): void {
    this.#lose('fenced');
  }

  #mayPush(): boolean {
    return this.#state === 'open' && !this.#paused && this.#cluster.available;
  }

  #isForOwner(record: StoredRecord): boolean {
    return record.to === null || sameUuid(record.to, this.owner.incarnation);
  }

  #unacknowledged(): StoredRecord[] {
    return this.#topic.log.filter(
      (record) => this.#isForOwner(record) && !this.#acknowledged.has(record.message.offset),
    );
  }

  async #demandHeld(): Promise<void> {
    await this.#cluster.roundTrip();
    if (this.#state !== 'open') throw new EngineError('LOST', `${this.owner.name} is not held any more`);
  }

  /** With Kafka away the commit is lost: its messages come again, which is what at least once means. */
  #commit(): void {
    const group = this.#cluster.group(this.owner.name);
    if ((group.holder ?? this) !== this || !this.#cluster.available) return;
    group.commit = { inbox: inboxLifeOf(this.owner), acknowledged: new Set(this.#acknowledged) };
  }

  #giveBack(): void {
    const group = this.#cluster.group(this.owner.name);
    if (group.holder === this) group.holder = null;
    this.#topic.listeners.delete(this);
    this.#released();
  }

  #lose(reason: LossReason): void {
    if (this.#state !== 'open') return;
    this.#state = 'lost';
    this.#giveBack();
    setImmediate(() => this.#options.onLost(reason));
  }
}
