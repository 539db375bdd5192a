import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type EpochEnd, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { Lost } from '../wire/fetched-records.ts';
import { isUnknownTopic, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import type { Marker, RawRecord } from '../wire/log-batch.ts';
import { longerPause, now } from '../wire/retry.ts';
import { UNKNOWN_TOPIC_MS } from '../wire/topics.ts';
import { RareWarning } from '../wire/trouble.ts';
import { BrokerLiveness } from './broker-liveness.ts';
import { FetchIntake } from './fetch-intake.ts';
import { FetchPace } from './fetch-pace.ts';
import { FetchSession, MAX_WAIT_MS } from './fetch-session.ts';
import { LogEndPoller } from './log-end-poller.ts';
import { type LogPosition, readEndsAt } from './log-reader.ts';

/** What happens to a topic that is being followed. */
export interface Follower {
  readonly topic: string;
  /** Kafka's id of the topic (a UUID): another topic of the same name is never followed by mistake. */
  readonly topicId: string;
  /**
   * Records in offset order. They may start below the position that was asked for; `nextOffset` is where the next
   * ones start (control records and holes leave gaps), and `epoch` the leader epoch in front of that; `markers` are the ends
   * of transactions in between, and `lost` what should lie there.
   */
  onRecords(
    records: readonly RawRecord[],
    nextOffset: number,
    epoch: number,
    markers: readonly Marker[],
    lost: readonly Lost[],
  ): void;
  /** The topic is gone; the subscription is closed. */
  onGone(): void;
  /** The leader says that the position is outside the log; the subscription is closed. */
  onOutOfRange(): void;
  /**
   * In front of the position the log is another one than that of the epoch there; the subscription is closed.
   * @param ends how far the log has that epoch
   */
  onParted(ends: EpochEnd): void;
}

/** One followed topic, from `Fetcher.follow` to `close`. */
export interface Subscription {
  readonly follower: Follower;
  /** Next offset to fetch. */
  readonly position: number;
  /** What lies below this position is known already, under the leader epoch of the subscription, and need not be fetched. */
  advance(position: number): void;
  /** To be called out of a callback: goes on from that place, which may lie further back. */
  moveTo(place: LogPosition): void;
  /** No callback comes after this. */
  close(): void;
}

/**
 * Inboxes in one fetch session: the broker looks at all of them for each wake-up, some 10 µs each, so few are quick. But
 * each session is a connection, so there are more in each where more inboxes are followed.
 */
const LEAST_SESSION_SIZE = 8;
const SESSIONS = 240;
/** A session with fewer than this share gives its inboxes to the staging session: so there are at most half as many again. */
const SPARSE_SHARE = 0.7;
/**
 * Longest time a fetch is parked at the broker. A parked fetch cannot take on another inbox, so the newcomers'
 * session waits briefly; the others long, since each wake-up costs.
 */
const STAGING_WAIT_MS = 100;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

interface Member extends Subscription {
  position: number;
  epoch: number;
  leaderEpoch: number;
  provenBy: number;
  closed: boolean;
  session: FetchSession<Member> | null;
  unknownSince: number;
}

/**
 * Follows the ends of many topics over few connections: incremental fetch sessions, each shared by some dozens of
 * inboxes. Newcomers go to a *staging session*, which becomes a regular one when it is full.
 */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  /** By node; the staging session is the one that newcomers go to. */
  readonly #sessions = new Map<number, Set<FetchSession<Member>>>();
  readonly #staging = new Map<number, FetchSession<Member>>();
  /** What following costs; whoever else reads inboxes counts what it unpacks here, too. */
  readonly pace = new FetchPace();
  /** What of large answers is on its way into memory. */
  readonly #intake = new FetchIntake();
  readonly #damaged: RareWarning;
  readonly #watch: LogEndPoller;
  readonly #liveness: BrokerLiveness;
  /** Topics followed now. */
  #followed = 0;
  #closed = false;

  constructor(cluster: Cluster, log: Logger) {
    this.#cluster = cluster;
    this.#log = log;
    this.#damaged = new RareWarning((fields) => log.warn(fields, 'a batch was stepped over'));
    this.#watch = new LogEndPoller((node, topics) => readEndsAt(cluster, node, topics), log);
    this.#liveness = new BrokerLiveness({
      nodes: () => [...this.#sessions].flatMap(([node, sessions]) => (sessions.size > 0 ? [node] : [])),
      ask: (node) => cluster.isAlive(node),
      onSilent: (node, since) => {
        for (const session of this.#sessions.get(node) ?? []) session.doubt(since);
      },
    });
  }

  /** Starts to follow a topic from a place on. To pause: close, and follow again from the position. */
  follow(follower: Follower, { offset: position, epoch }: LogPosition): Subscription {
    const member: Member = {
      follower,
      position,
      epoch,
      leaderEpoch: UNKNOWN_EPOCH,
      provenBy: UNKNOWN_EPOCH,
      closed: false,
      session: null,
      unknownSince: 0,
      advance: (reached) => {
        member.position = Math.max(member.position, reached);
        member.session?.moved(member);
      },
      moveTo: ({ offset, epoch }) => {
        member.position = offset;
        member.epoch = epoch;
        member.provenBy = UNKNOWN_EPOCH;
        member.session?.movedElsewhere(member);
      },
      close: () => {
        if (!member.closed) this.#followed -= 1;
        member.closed = true;
        const { session } = member;
        session?.remove(member);
        member.session = null;
        if (session?.size === 0) this.#endIfIdle(session);
      },
    };
    this.#followed += 1;
    if (!this.#closed) this.#liveness.start();
    void this.#place(member);
    return member;
  }

  get #sessionSize(): number {
    return Math.max(LEAST_SESSION_SIZE, Math.ceil(this.#followed / SESSIONS));
  }

  /** Fetch sessions open now. */
  get sessionCount(): number {
    let sum = 0;
    for (const sessions of this.#sessions.values()) sum += sessions.size;
    return sum;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#liveness.stop();
    const all = [...this.#sessions.values()].flatMap((sessions) => [...sessions]);
    await Promise.all(all.map((session) => session.close()));
  }

  /** Puts a member into the staging session of its leader, however long it takes to find that. */
  async #place(member: Member): Promise<void> {
    for (
      let pause = FIRST_PAUSE_MS;
      !member.closed && !this.#closed;
      pause = longerPause(pause, LONGEST_PAUSE_MS)
    ) {
      try {
        const { node, epoch, topicId } = await this.#cluster.leader(member.follower.topic);
        if (member.closed || this.#closed) return;
        if (topicId !== member.follower.topicId) {
          this.#cluster.forgetLeader(member.follower.topic);
          throw new KafkaError('Metadata', KafkaCode.UNKNOWN_TOPIC_OR_PARTITION);
        }
        member.unknownSince = 0;
        member.leaderEpoch = epoch;
        const staging = this.#stagingOf(node);
        member.session = staging;
        staging.add(member);
        if (staging.size >= this.#sessionSize) {
          staging.maxWaitMs = MAX_WAIT_MS;
          this.#staging.delete(node);
        }
        return;
      } catch (error) {
        if (isUnknownTopic(error) && this.#isGone(member)) return;
        await sleep(pause * (0.5 + Math.random()));
      }
    }
  }

  #stagingOf(node: number): FetchSession<Member> {
    const existing = this.#staging.get(node);
    if (existing) return existing;
    const session: FetchSession<Member> = new FetchSession(
      this.#cluster,
      this.#log,
      node,
      STAGING_WAIT_MS,
      { pace: this.pace, intake: this.#intake },
      {
        onData: (member, { records, nextOffset, epoch, markers, lost }) => {
          if (member.closed) return;
          if (nextOffset > member.position) member.epoch = epoch;
          member.position = nextOffset;
          member.follower.onRecords(records, nextOffset, member.epoch, markers, lost);
        },
        onParted: (member, ends) => {
          if (member.closed) return;
          member.close();
          member.follower.onParted(ends);
        },
        onDamage: ({ follower }, { error, nextOffset: before }) =>
          this.#damaged.note({ topic: follower.topic, before, reason: error.message }),
        onCostly: (member, rested) => this.#onCostly(session, member, rested),
        onError: (member, code) => this.#onError(session, member, code),
        onRound: () => this.#afterRound(session),
        onRest: () => this.#watch.add(session),
        onRested: () => this.#watch.remove(session),
      },
    );
    this.#staging.set(node, session);
    const sessions = this.#sessions.get(node) ?? new Set();
    sessions.add(session);
    this.#sessions.set(node, sessions);
    return session;
  }

  /** It leaves its session meanwhile: nobody else waits with it. */
  #onCostly(session: FetchSession<Member>, member: Member, rested: Promise<void>): void {
    // Paused or closed by what it was given.
    if (member.closed || member.session !== session) return;
    session.remove(member);
    member.session = null;
    void rested.then(() => this.#place(member));
  }

  #onError(session: FetchSession<Member>, member: Member, code: number): void {
    if (member.closed) return;
    // Whoever leads it by now is to be found out, whatever is done about it.
    this.#cluster.forgetLeader(member.follower.topic);
    if (code === KafkaCode.OFFSET_OUT_OF_RANGE) {
      member.close();
      member.follower.onOutOfRange();
      return;
    }
    // A broker that does not know the topic may have been started just now: whether it is gone the metadata say.
    // Left in, a failing member would turn the session into a busy loop. It moves to wherever its leader is now.
    session.remove(member);
    member.session = null;
    setTimeout(() => void this.#place(member), FIRST_PAUSE_MS);
  }

  /** True, and told to the follower, once a topic's id has been unknown for too long to be merely new. */
  #isGone(member: Member): boolean {
    member.unknownSince ||= now();
    if (now() - member.unknownSince < UNKNOWN_TOPIC_MS) return false;
    member.close();
    member.follower.onGone();
    return true;
  }

  /** A session that everybody has left, unless newcomers go to it: it would stay parked with its connection. */
  #endIfIdle(session: FetchSession<Member>): void {
    if (this.#staging.get(session.node) === session) return;
    this.#sessions.get(session.node)?.delete(session);
    void session.close();
  }

  /** Between two fetches of a session: an empty one ends, a sparse one gives its members to the staging session. */
  #afterRound(session: FetchSession<Member>): void {
    if (this.#closed) return;
    const isStaging = this.#staging.get(session.node) === session;
    if (session.size >= (isStaging ? 1 : SPARSE_SHARE * this.#sessionSize)) return;
    if (isStaging) this.#staging.delete(session.node);
    const members = session.members();
    this.#sessions.get(session.node)?.delete(session);
    void session.close();
    for (const member of members) {
      member.session = null;
      void this.#place(member);
    }
  }
}
