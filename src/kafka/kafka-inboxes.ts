import { offsetFetchV9 } from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { Account } from './accounts.ts';
import { Appender } from './appender.ts';
import type { Cluster } from './cluster.ts';
import { EngineError, unavailable } from './errors.ts';
import { FrontendLease } from './frontend-lease.ts';
import { describeHolders } from './group-member.ts';
import { type InboxSurroundings, KafkaInbox } from './inbox.ts';
import type { Accepted, Inbox, Inboxes, OpenOptions, OutgoingMessage } from './inboxes.ts';
import { expectNone, KafkaCode, KafkaError } from './kafka-error.ts';
import { INBOX_SESSION_TIMEOUT_MS, Leases } from './lease.ts';
import { type LogBounds, readBounds } from './log-reader.ts';
import { encodeRecord } from './record.ts';
import { now, retry } from './retry.ts';
import { Tail } from './tail.ts';
import { noSuchInbox } from './topics.ts';
import { Watermark } from './watermark.ts';

const OPEN_TIMEOUT_MS = 10_000;
const HELD_TIMEOUT_MS = 5_000;
/** A new topic takes some ms to be known to every broker; unknown for longer, it is gone. */
const UNKNOWN_TOPIC_MS = 1_500;
/** A third of the session time-out, so that one lost heartbeat does no harm. */
const HEARTBEAT_INTERVAL_MS = INBOX_SESSION_TIMEOUT_MS / 3;
const HEARTBEAT_TICK_MS = 1_000;
/** Inboxes closed at the same time when the engine stops. */
const CLOSE_CONCURRENCY = 64;

export interface KafkaInboxesOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly inboxPrefix: string;
  readonly frontendLeaseMs: number;
  readonly sendTimeoutMs: number;
}

/** All inboxes, in Kafka. */
export class KafkaInboxes implements Inboxes {
  readonly #options: KafkaInboxesOptions;
  readonly #cluster: Cluster;
  readonly #appender: Appender;
  readonly #tail: Tail;
  readonly #leases: Leases;
  readonly #frontend: FrontendLease;
  readonly #around: InboxSurroundings;
  /** Inboxes that this process holds or is about to hold, by owner's name. Bounded by the frontend's connections. */
  readonly #local = new Map<string, KafkaInbox | 'opening'>();
  #heartbeats: NodeJS.Timeout | null = null;

  constructor(options: KafkaInboxesOptions) {
    const { cluster, log } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#appender = new Appender(cluster, log, options.sendTimeoutMs);
    this.#tail = new Tail(cluster, log);
    this.#leases = new Leases(cluster, log);
    this.#frontend = new FrontendLease({
      cluster,
      log,
      sessionTimeoutMs: options.frontendLeaseMs,
      onAlive: () => this.#each((inbox) => inbox.wake()),
      onLost: () => this.#each((inbox) => inbox.lose('fenced')),
    });
    this.#around = {
      cluster,
      log,
      tail: this.#tail,
      isFrontendAlive: () => this.#frontend.isValid,
      onReleased: (inbox) => {
        if (this.#local.get(inbox.owner.name) === inbox) this.#local.delete(inbox.owner.name);
      },
      abandon: (member) => this.#leases.abandon(member),
    };
  }

  /** @throws EngineError `UNAVAILABLE` */
  async start(): Promise<void> {
    await this.#frontend.start();
    this.#heartbeats = setInterval(
      () => this.#each((inbox) => void inbox.keepAlive(HEARTBEAT_INTERVAL_MS)),
      HEARTBEAT_TICK_MS,
    );
  }

  /** Gives back every inbox, answers every append, and leaves. */
  async close(): Promise<void> {
    if (this.#heartbeats) clearInterval(this.#heartbeats);
    await this.#appender.close();
    const inboxes: KafkaInbox[] = [];
    this.#each((inbox) => inboxes.push(inbox));
    const closeSome = async () => {
      for (let inbox = inboxes.pop(); inbox; inbox = inboxes.pop()) await inbox.close();
    };
    await Promise.all(Array.from({ length: CLOSE_CONCURRENCY }, closeSome));
    await this.#tail.close();
    await this.#frontend.close();
  }

  async append(to: Account, message: OutgoingMessage): Promise<Accepted> {
    return this.#appender.append(this.#topic(to), encodeRecord(to, message, new Date()));
  }

  async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    const present = this.#local.get(owner.name);
    if (present === 'opening' || (present && !options.takeover)) {
      throw new EngineError('ALREADY_LOGGED_IN', `${owner.name} is held by this frontend`);
    }
    this.#local.set(owner.name, 'opening');
    try {
      present?.lose('fenced');
      const inbox = await this.#open(owner, options);
      this.#local.set(owner.name, inbox);
      inbox.start();
      return inbox;
    } catch (error) {
      this.#local.delete(owner.name);
      return unavailable(error);
    }
  }

  async held(accounts: readonly Account[]): Promise<boolean[]> {
    const elsewhere = accounts.filter((account) => !this.#local.has(account.name));
    const groups = elsewhere.map((account) => this.#topic(account));
    const holders =
      groups.length > 0
        ? await describeHolders(this.#cluster, groups, now() + HELD_TIMEOUT_MS).catch(unavailable)
        : [];
    const held = new Set(elsewhere.filter((_, index) => holders[index]).map((account) => account.name));
    return accounts.map((account) => this.#local.has(account.name) || held.has(account.name));
  }

  /** An inbox topic and its group have the same name. */
  #topic(account: Account): string {
    return this.#options.inboxPrefix + account.name;
  }

  /** Lease first, then where things stand: nobody else can move the watermark in between. */
  async #open(owner: Account, options: OpenOptions): Promise<KafkaInbox> {
    const topic = this.#topic(owner);
    const deadline = now() + OPEN_TIMEOUT_MS;
    await this.#frontend.ready(deadline);
    const frontendId = this.#frontend.id;
    const takeover = options.takeover ?? false;
    const member = await this.#leases.acquire({ group: topic, topic, frontendId, takeover, deadline });
    try {
      const [committed, bounds] = await Promise.all([
        this.#readCommit(topic, deadline),
        this.#readBounds(topic, deadline),
      ]);
      const watermark = startingPoint(owner, committed, bounds);
      // The frontend's lease was lost meanwhile: others take what was joined under its old id for free.
      if (this.#frontend.id !== frontendId)
        throw new EngineError('UNAVAILABLE', 'this frontend has lost its lease');
      const liveStart = options.deliver === 'all' ? watermark.low : bounds.end;
      return new KafkaInbox(this.#around, owner, topic, member, options, watermark, liveStart);
    } catch (error) {
      this.#leases.abandon(member);
      throw error;
    }
  }

  async #readBounds(topic: string, deadline: number): Promise<LogBounds> {
    const giveUp = now() + UNKNOWN_TOPIC_MS;
    return retry(`bounds of ${topic}`, deadline, async () => {
      try {
        return await readBounds(this.#cluster, topic, deadline);
      } catch (error) {
        if (!(error instanceof KafkaError) || error.kafkaCode !== KafkaCode.UNKNOWN_TOPIC_OR_PARTITION)
          throw error;
        if (now() > giveUp) throw noSuchInbox(topic);
        throw new KafkaError(`bounds of ${topic}`, KafkaCode.LEADER_NOT_AVAILABLE);
      }
    });
  }

  /** @returns null when nothing was ever committed */
  async #readCommit(group: string, deadline: number): Promise<{ offset: number; metadata: string } | null> {
    return retry(`commit of ${group}`, deadline, async () => {
      const response = await this.#cluster.requestCoordinator(
        'group',
        group,
        offsetFetchV9.api,
        [
          {
            groupId: group,
            memberId: null,
            memberEpoch: -1,
            topics: [{ name: group, partitionIndexes: [0] }],
          },
        ],
        false,
      );
      const found = response.groups[0];
      const partition = found?.topics[0]?.partitions[0];
      expectNone(`OffsetFetch ${group}`, found?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT);
      expectNone(`OffsetFetch ${group}`, partition?.errorCode ?? KafkaCode.NONE);
      const offset = Number(partition?.committedOffset ?? -1n);
      return offset < 0 ? null : { offset, metadata: partition?.metadata ?? '' };
    });
  }

  #each(action: (inbox: KafkaInbox) => void): void {
    for (const inbox of [...this.#local.values()]) if (inbox !== 'opening') action(inbox);
  }
}

/**
 * The watermark to start from. A commit of another life of the name, or outside the log, counts as missing:
 * everything from the log's start on is delivered then, never skipped.
 */
function startingPoint(
  owner: Account,
  committed: { offset: number; metadata: string } | null,
  bounds: LogBounds,
): Watermark {
  const watermark = committed && Watermark.decode(committed.offset, committed.metadata, owner.incarnation);
  if (!watermark || watermark.low < bounds.start || watermark.low > bounds.end)
    return new Watermark(bounds.start);
  const [, lastAcknowledged] = watermark.ranges.at(-1) ?? [0, -1];
  return lastAcknowledged >= bounds.end ? new Watermark(bounds.start) : watermark;
}
