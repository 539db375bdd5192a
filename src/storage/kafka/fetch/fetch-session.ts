import { setTimeout as sleep, setImmediate as turnEnd } from 'node:timers/promises';
import { type Connection, FetchIsolationLevels, type fetchV17 } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { type EpochEnd, UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type FetchedTopic, type FetchResponse, fetch, wanted } from '../wire/fetch.ts';
import { type Damage, type ReadRecords, readRecords } from '../wire/fetched-records.ts';
import { KafkaCode, nameOfCode } from '../wire/kafka-error.ts';
import { isOfNetwork, now } from '../wire/retry.ts';
import { send } from '../wire/send.ts';
import { Trouble } from '../wire/trouble.ts';
import type { FetchGate, FetchIntake } from './fetch-intake.ts';
import { type FetchPace, Rest } from './fetch-pace.ts';

/** What a fetch session needs to know of a member. */
export interface SessionMember {
  readonly follower: { readonly topic: string; readonly topicId: string };
  /** Next offset to fetch; moved on by `onData`. */
  position: number;
  /** Leader epoch of the record in front of that; -1: not to be checked. */
  epoch: number;
  /** Epoch of the leader that is asked; -1: whoever it is. */
  readonly leaderEpoch: number;
  /** Epoch of the leader that has found the log in front of the position to be the same; -1: none has. */
  provenBy: number;
}

export interface SessionEvents<M extends SessionMember> {
  /** What was read for a member. */
  onData(member: M, read: ReadRecords): void;
  /** In front of the member's position the log is another one: how far it has the member's epoch. */
  onParted(member: M, ends: EpochEnd): void;
  /** A batch was left out in part or as a whole. */
  onDamage(member: M, damage: Damage): void;
  /** What was unpacked for this member is so much that it must not be asked about before that. */
  onCostly(member: M, rested: Promise<void>): void;
  /** Kafka refused this member alone. */
  onError(member: M, code: number): void;
  /** After each answer: the moment to add and remove members without waiting for a parked fetch. */
  onRound(): void;
  /** It asks for nothing for a while, unless it is woken. */
  onRest(): void;
  onRested(): void;
}

/** Longest time that a fetch without data may be parked at the broker. */
export const MAX_WAIT_MS = 30_000;
/**
 * Bytes of one answer over all members, and of one member: what a burst may put into memory per session. A batch that is larger
 * than its member's share comes alone: the broker sends the first one in an answer whole, and lets whoever had something go last
 * next time.
 */
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_PARTITION_BYTES = 256 * 1024;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** KIP-227: epoch 0 with id 0 asks for a new session, epoch -1 with id 0 fetches without one. */
const NEW_SESSION = { id: 0, epoch: 0 } as const;

/**
 * One incremental fetch session (KIP-227) on one connection of its own: the broker remembers which topics it is
 * about, so a request names only what changed. Never shared with any other request: a broker answers one request
 * at a time per connection, and a parked fetch parks everything behind it.
 */
export class FetchSession<M extends SessionMember> {
  readonly node: number;
  /** Longest time that a fetch without data is parked at the broker. */
  maxWaitMs: number;
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #trouble: Trouble;
  readonly #events: SessionEvents<M>;
  readonly #pace: FetchPace;
  readonly #rest: Rest;
  readonly #intake: FetchIntake;
  #gate: FetchGate | null = null;
  readonly #members = new Map<string, M>();
  /** Topic ids that the broker must be told of with the next request: new ones and moved positions. */
  readonly #changed = new Set<string>();
  /** Topic ids that the broker still has in its session and no longer should. */
  readonly #forgotten = new Set<string>();
  /** Topic ids that the broker has in its session, with the offset that it was told to fetch from. */
  readonly #known = new Map<string, number>();
  /** Topic ids whose place the leader of that epoch is looking at now, with the fetch under way. */
  readonly #proving = new Map<string, number>();
  #session: { id: number; epoch: number } = NEW_SESSION;
  #connection: Connection | null = null;
  #running = false;
  #closed = false;
  /** Somebody joined since the last request was made: the broker has never heard of it, so this is no time to rest. */
  #hasNewcomer = false;
  #wake: (() => void) | null = null;
  /** The last answer. */
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(
    cluster: Cluster,
    log: Logger,
    node: number,
    maxWaitMs: number,
    { pace, intake }: { readonly pace: FetchPace; readonly intake: FetchIntake },
    events: SessionEvents<M>,
  ) {
    this.#intake = intake;
    this.#pace = pace;
    this.#rest = new Rest(pace);
    this.#cluster = cluster;
    this.#log = log;
    this.#trouble = new Trouble(log, 'a fetch fails', { node });
    this.node = node;
    this.maxWaitMs = maxWaitMs;
    this.#events = events;
  }

  get size(): number {
    return this.#members.size;
  }

  members(): M[] {
    return [...this.#members.values()];
  }

  /** From the next request on; the one that is parked now is not disturbed. */
  add(member: M): void {
    const id = member.follower.topicId;
    this.#members.set(id, member);
    this.#changed.add(id);
    this.#forgotten.delete(id);
    this.#hasNewcomer = true;
    this.wake();
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
  }

  /** A member's position was moved on, by somebody who needs no fetch for that: Kafka hears of it with the next one. */
  moved(member: M): void {
    const id = member.follower.topicId;
    if (this.#members.get(id) === member) this.#changed.add(id);
  }

  /** The same, to somewhere that no leader has looked at yet. */
  movedElsewhere(member: M): void {
    if (this.#members.get(member.follower.topicId) === member) this.#proving.delete(member.follower.topicId);
    this.moved(member);
  }

  remove(member: M): void {
    const id = member.follower.topicId;
    if (this.#members.get(id) !== member) return;
    this.#members.delete(id);
    this.#changed.delete(id);
    this.#proving.delete(id);
    if (this.#known.has(id)) this.#forgotten.add(id);
  }

  /**
   * The broker has gone silent: what is parked there may never be answered, so the session is begun anew.
   * @param since if it has heard nothing from then on, on the clock of `now`
   */
  doubt(since: number): void {
    if (this.#heardAt < since) void this.#connection?.close();
  }

  /** Ends a rest. */
  wake(): void {
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.wake();
    await this.#drop();
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#closed) {
      if (this.#members.size === 0) {
        await this.#sleep(null);
        continue;
      }
      try {
        await this.#round();
        pause = FIRST_PAUSE_MS;
        this.#trouble.over();
      } catch (error) {
        if (this.#closed) return;
        if (!isOfNetwork(error)) this.#trouble.failed(error);
        await this.#drop();
        // The leader may be elsewhere by now: members find out by themselves when this keeps failing.
        for (const member of pause >= LONGEST_PAUSE_MS ? this.members() : []) {
          this.#events.onError(member, KafkaCode.NOT_LEADER_OR_FOLLOWER);
        }
        await sleep(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
      // What came goes out to those who wait for it before anything more is asked for.
      await turnEnd();
      if (this.#closed) return;
      this.#events.onRound();
      if (this.#closed) return;
      const restMs = this.#rest.next(this.#members.size);
      if (restMs > 0 && !this.#hasNewcomer) await this.#takeRest(restMs);
    }
  }

  async #takeRest(ms: number): Promise<void> {
    this.#events.onRest();
    await this.#sleep(ms);
    this.#events.onRested();
  }

  /** Until somebody joins, or it is closed, or the time is over if there is one. */
  async #sleep(ms: number | null): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms !== null) timer = setTimeout(resolve, ms);
    });
    this.#wake = null;
    clearTimeout(timer);
  }

  /** One request and its answer. */
  async #round(): Promise<void> {
    this.#connection ??= await this.#cluster.dedicated(this.node, MAX_WAIT_MS);
    this.#gate ??= this.#intake.gate(this.#connection.socket);
    // Closed while it connected.
    if (this.#closed) return this.#drop();
    const full = this.#session.epoch === 0;
    const topics = (full ? [...this.#members.keys()] : [...this.#changed]).flatMap((id) =>
      this.#describe(id),
    );
    const forgotten = full ? [] : [...this.#forgotten].map((topicId) => ({ topicId, partitions: [0] }));
    this.#changed.clear();
    this.#forgotten.clear();
    this.#hasNewcomer = false;
    if (full) this.#known.clear();
    this.#proving.clear();
    for (const { topicId, partitions } of topics) {
      const [asked] = partitions;
      this.#known.set(topicId, Number(asked?.fetchOffset));
      const { lastFetchedEpoch = UNKNOWN_EPOCH, currentLeaderEpoch = UNKNOWN_EPOCH } = asked ?? {};
      const isAsked = lastFetchedEpoch !== UNKNOWN_EPOCH && currentLeaderEpoch !== UNKNOWN_EPOCH;
      if (isAsked) this.#proving.set(topicId, currentLeaderEpoch);
    }
    for (const { topicId } of forgotten) this.#known.delete(topicId);
    this.#rest.asked();
    const response = await send(
      this.#connection,
      fetch,
      this.maxWaitMs,
      1,
      MAX_BYTES,
      // An integrator's open transaction must not hold back what others sent.
      FetchIsolationLevels.READ_UNCOMMITTED,
      this.#session.id,
      this.#session.epoch,
      topics,
      forgotten,
      '',
    );
    this.#heardAt = now();
    this.#cluster.noteThrottle(fetch.key, response.throttleTimeMs);
    this.#advance(response);
    this.#rest.answered();
    this.#noteProven(response);
    for (const topic of response.topics) {
      // What had to be unpacked takes a few ms: everybody else has a turn before the next one.
      if (this.#take(topic)) await turnEnd();
      if (this.#closed) return;
    }
    this.#gate.done();
  }

  /** Whatever was asked about and is not in the answer as an error, or as parted, is as it should be. */
  #noteProven({ errorCode, topics }: FetchResponse): void {
    if (errorCode !== KafkaCode.NONE || this.#proving.size === 0) return;
    for (const topic of topics) {
      if (topic.errorCode !== KafkaCode.NONE || topic.parts !== null) this.#proving.delete(topic.topicId);
    }
    for (const [topicId, leaderEpoch] of this.#proving) {
      const member = this.#members.get(topicId);
      if (member === undefined) continue;
      member.provenBy = leaderEpoch;
      // The broker would look again each time until it is told not to.
      this.#changed.add(topicId);
    }
  }

  #describe(topicId: string): fetchV17.FetchRequestTopic[] {
    const member = this.#members.get(topicId);
    if (!member) return [];
    const { position: offset, leaderEpoch, provenBy } = member;
    // A leader never cuts its own log: what it has looked at once it need not look at with each fetch, which costs it some µs.
    const isProven = leaderEpoch !== UNKNOWN_EPOCH && leaderEpoch === provenBy;
    const epoch = isProven ? UNKNOWN_EPOCH : member.epoch;
    return [wanted(topicId, { offset, epoch }, leaderEpoch, MAX_PARTITION_BYTES)];
  }

  /** The session's next state; a session that the broker has dropped is begun anew from our own positions. */
  #advance(response: FetchResponse): void {
    const code = response.errorCode;
    if (code === KafkaCode.NONE) {
      if (response.sessionId === 0) {
        // The broker's session slots are all taken: go on with full fetches.
        this.#session = NEW_SESSION;
        this.#log.warn(
          { node: this.node },
          'broker has no free fetch session (max.incremental.fetch.session.cache.slots)',
        );
      } else {
        // Epochs wrap from 2^31 - 1 to 1 (FetchMetadata.nextEpoch).
        const epoch = this.#session.epoch >= 2 ** 31 - 1 ? 1 : this.#session.epoch + 1;
        this.#session = { id: response.sessionId, epoch };
      }
      return;
    }
    this.#session = NEW_SESSION;
    if (code !== KafkaCode.FETCH_SESSION_ID_NOT_FOUND && code !== KafkaCode.INVALID_FETCH_SESSION_EPOCH) {
      throw new Error(`Fetch: ${nameOfCode(code)}`);
    }
    this.#log.info({ node: this.node, code: nameOfCode(code) }, 'fetch session begun anew');
  }

  /** @returns whether anything had to be unpacked */
  #take({ topicId, errorCode, parts, records: batches }: FetchedTopic): boolean {
    const member = this.#members.get(topicId);
    if (!member) return false;
    if (errorCode !== KafkaCode.NONE) {
      this.#cluster.noteRefusal(fetch.key, errorCode, member.follower.topic);
      this.#events.onError(member, errorCode);
      return false;
    }
    if (batches.length === 0 && parts === null) return false;
    this.#changed.add(topicId);
    // Closed and followed again further back while this fetch was parked: what lies between would be missing.
    if ((this.#known.get(topicId) ?? 0) > member.position) return false;
    if (parts !== null) {
      this.#events.onParted(member, parts);
      return false;
    }
    const read = readRecords(batches, member.position);
    const { nextOffset, unpackCost, damage } = read;
    if (damage) this.#events.onDamage(member, damage);
    this.#rest.brought(nextOffset > member.position);
    this.#events.onData(member, read);
    const rested = this.#pace.unpacked(unpackCost);
    if (rested) this.#events.onCostly(member, rested);
    return unpackCost > 0;
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    this.#session = NEW_SESSION;
    this.#gate?.close();
    this.#gate = null;
    await connection?.close().catch(() => {});
  }
}
