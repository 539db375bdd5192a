import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Account, inboxLifeOf, isSameLife } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { InboxMessage } from '../../src/core/inboxes.ts';
import type { StoredToken } from '../../src/core/resume-tokens.ts';
import type { Storage } from '../../src/core/storage.ts';
import { sameUuid, uuidBytes } from '../../src/util/uuid.ts';
import { MemoryAccounts } from './accounts.ts';
import { MemoryInboxes } from './inboxes.ts';
import { MemoryTokens } from './tokens.ts';

/** One record in a fake inbox topic; its offset is its place in the log. */
export interface StoredRecord {
  readonly message: InboxMessage;
  /** Incarnation the sender meant, or null for a record from outside, which is for whoever has the name. */
  readonly to: Uint8Array | null;
}

/** A fake inbox topic. Subscribers are told after the append returned, as a fetch would. */
export interface MemoryTopic {
  readonly id: string;
  readonly log: StoredRecord[];
  readonly listeners: Set<TopicListener>;
}

export interface TopicListener {
  appended(): void;
  deleted(): void;
}

/** What a group's offset commit holds: the watermark and the acknowledged ranges are one set here. */
export interface Commit {
  /** As `inboxLifeOf` has it. */
  readonly inbox: Uint8Array;
  readonly acknowledged: ReadonlySet<number>;
}

/** A fake consumer group: the coordinator's only member, and the committed position. */
export interface MemoryGroup {
  holder: GroupMember | null;
  commit: Commit | null;
}

export interface GroupMember {
  /** The coordinator evicted this member. */
  fenced(): void;
}

/** A record as any Kafka producer may write it. */
export interface RawRecord {
  readonly key?: string | null;
  readonly value: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One frontend's engine over the shared cluster. */
export interface MemoryEngine extends Storage {
  readonly accounts: MemoryAccounts;
  readonly inboxes: MemoryInboxes;
}

type NewMessage = Omit<InboxMessage, 'offset' | 'acceptedAt'>;

const NOTHING: ReadonlySet<number> = new Set();
/** As the inbox topics' `max.message.bytes`. */
const MAX_MESSAGE_BYTES = 131_072;
/** Rough size of a record's key and headers. */
const RECORD_OVERHEAD = 512;

/**
 * Kafka as the engine sees it, in memory and shared by any number of fake engines, with knobs for what a
 * real cluster cannot easily be told to do.
 */
export class MemoryCluster {
  /** The compacted topic of accounts, not compacted: a null account is a tombstone. */
  readonly accountLog: { readonly name: string; readonly account: Account | null }[] = [];
  readonly topics = new Map<string, MemoryTopic>();
  readonly groups = new Map<string, MemoryGroup>();
  /** The compacted topic of resume tokens, compacted: by name, with the life it belongs to. */
  readonly tokens = new Map<string, { readonly incarnation: Uint8Array; readonly token: StoredToken }>();
  /** Appends that may wait at once over the whole cluster; the next one is BUSY. */
  maxWaitingAppends = 10_000;
  /** Knob: undelivered messages that an inbox takes; the next one is MAILBOX_FULL. */
  mailboxMessages = Number.POSITIVE_INFINITY;

  #available = true;
  #gate: Promise<void> | null = null;
  #exit: Promise<void> | null = null;
  #waitingAppends = 0;
  readonly #tables = new Set<MemoryAccounts>();

  /** Another frontend's engine on this cluster. */
  engine(): MemoryEngine {
    const accounts = new MemoryAccounts(this);
    const inboxes = new MemoryInboxes(this);
    this.#tables.add(accounts);
    return {
      accounts,
      inboxes,
      tokens: new MemoryTokens(this),
      isHealthy: true,
      close: async () => {
        await inboxes.closeAll();
        this.#tables.delete(accounts);
      },
    };
  }

  /** Knob: with false every operation fails with UNAVAILABLE and nothing is delivered. */
  setAvailable(available: boolean): void {
    this.#available = available;
    if (!available) return;
    for (const topic of this.topics.values()) announce(topic);
  }

  get available(): boolean {
    return this.#available;
  }

  /** Knob: appends wait, in order, until the returned function is called. */
  holdAppends(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = null;
      resolve();
    };
  }

  /** Knob: inboxes are given back no sooner than the returned function is called. */
  holdCloses(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exit = promise;
    return () => {
      this.#exit = null;
      resolve();
    };
  }

  /** The way of a member out of its group: as long as an answer takes, or as it is held. */
  async leaveGroup(): Promise<void> {
    await nextTurn();
    while (this.#exit !== null) await this.#exit;
  }

  /** Number of appends that wait for their answer. */
  get waitingAppends(): number {
    return this.#waitingAppends;
  }

  /** Knob: the coordinator evicts whoever holds this inbox. */
  fence(name: string): void {
    const group = this.group(name);
    const holder = group.holder;
    group.holder = null;
    holder?.fenced();
  }

  /** Knob: the inbox topic vanishes, as by an operator's hand. */
  deleteTopic(id: string): void {
    const topic = this.topics.get(id);
    if (topic === undefined) return;
    this.topics.delete(id);
    for (const listener of [...topic.listeners]) listener.deleted();
  }

  /** Knob: an account's record changed by an operator, e.g. disabled. */
  putAccount(account: Account): void {
    this.commitAccount(account.name, account);
  }

  /** A record by a producer that is none of our frontends. */
  async produceRaw(account: Account, record: RawRecord): Promise<void> {
    await nextTurn();
    const topic = this.topics.get(account.topicId);
    if (topic === undefined) throw new Error(`no topic ${account.topicId}`);
    const from = { kind: 'external', name: record.key ?? '' } as const;
    const contentType = record.headers?.['content-type'] ?? null;
    const id = uuidBytes(record.headers?.ce_id ?? '');
    this.#store(topic, { id, from, body: Buffer.from(record.value), contentType }, null);
  }

  /** One step over the network. @throws EngineError `UNAVAILABLE` */
  async roundTrip(): Promise<void> {
    await nextTurn();
    this.demandAvailable();
  }

  /** @throws EngineError `UNAVAILABLE` */
  demandAvailable(): void {
    if (!this.#available) throw new EngineError('UNAVAILABLE', 'the fake cluster was told to be unavailable');
  }

  /** The account that has this name by the log's last word. */
  currentAccount(name: string): Account | null {
    return this.accountLog.findLast((entry) => entry.name === name)?.account ?? null;
  }

  /** Why an account's topic is not there. */
  noTopic(account: Account): EngineError {
    const isThere = isSameLife(this.currentAccount(account.name), account);
    return new EngineError(isThere ? 'NO_INBOX' : 'NO_SUCH_USER', `the inbox of ${account.name} is gone`);
  }

  commitAccount(name: string, account: Account | null): void {
    this.accountLog.push({ name, account });
    for (const table of this.#tables) table.announce();
  }

  createTopic(): MemoryTopic {
    const topic: MemoryTopic = { id: randomUUID(), log: [], listeners: new Set() };
    this.topics.set(topic.id, topic);
    return topic;
  }

  group(name: string): MemoryGroup {
    const found = this.groups.get(name);
    if (found !== undefined) return found;
    const group: MemoryGroup = { holder: null, commit: null };
    this.groups.set(name, group);
    return group;
  }

  /** Offsets that the inbox's owner has acknowledged, by what is committed for this life. */
  acknowledgedBy(account: Account): ReadonlySet<number> {
    const commit = this.groups.get(account.name)?.commit;
    return commit && sameUuid(commit.inbox, inboxLifeOf(account)) ? commit.acknowledged : NOTHING;
  }

  /** @throws EngineError `NO_SUCH_USER`, `NO_INBOX`, `MAILBOX_FULL`, `BUSY`, `TOO_LARGE`, `UNAVAILABLE` */
  async append(to: Account, message: NewMessage): Promise<InboxMessage> {
    if (this.#waitingAppends >= this.maxWaitingAppends) throw new EngineError('BUSY', 'append queue is full');
    this.#waitingAppends += 1;
    try {
      while (this.#gate !== null) await this.#gate;
      await this.roundTrip();
      const topic = this.topics.get(to.topicId);
      if (topic === undefined) throw this.noTopic(to);
      if (message.body.length + RECORD_OVERHEAD > MAX_MESSAGE_BYTES) {
        throw new EngineError('TOO_LARGE', 'over max.message.bytes');
      }
      if (topic.log.length - this.acknowledgedBy(to).size >= this.mailboxMessages) {
        throw new EngineError('MAILBOX_FULL', `the inbox of ${to.name} is full`);
      }
      return this.#store(topic, message, to.incarnation);
    } finally {
      this.#waitingAppends -= 1;
    }
  }

  #store(topic: MemoryTopic, message: NewMessage, to: Uint8Array | null): InboxMessage {
    const stored: InboxMessage = { ...message, offset: topic.log.length, acceptedAt: Date.now() };
    topic.log.push({ message: stored, to });
    announce(topic);
    return stored;
  }
}

function announce(topic: MemoryTopic): void {
  setImmediate(() => {
    for (const listener of [...topic.listeners]) listener.appended();
  });
}
