import { setTimeout as sleep, setImmediate as turnEnd } from 'node:timers/promises';
import { type Connection, FetchIsolationLevels } from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { EpochEnd } from '../../../core/epochs.ts';
import type { Cluster } from '../wire/cluster.ts';
import { type FetchedTopic, fetch } from '../wire/fetch.ts';
import { type Damage, type ReadRecords, readRecords } from '../wire/fetched-records.ts';
import { KafkaCode, nameOfCode } from '../wire/kafka-error.ts';
import { isOfNetwork, longerPause, now } from '../wire/retry.ts';
import { send } from '../wire/send.ts';
import { Trouble } from '../wire/trouble.ts';
import type { FetchGate, FetchIntake } from './fetch-intake.ts';
import { type FetchPace, Rest } from './fetch-pace.ts';
import { type SessionMember, SessionTopics } from './session-topics.ts';

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
 * Bytes of one answer over all members: what a burst may put into memory per session. A batch that is larger than its member's
 * share comes alone: the broker sends the first one in an answer whole, and lets whoever had something go last
 * next time.
 */
const MAX_BYTES = 2 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const NO_SLOT = 'broker has no free fetch session (max.incremental.fetch.session.cache.slots)';

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
  readonly #topics = new SessionTopics<M>();
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
    return this.#topics.size;
  }

  members(): M[] {
    return this.#topics.members();
  }

  /** From the next request on; the one that is parked now is not disturbed. */
  add(member: M): void {
    this.#topics.add(member);
    this.#hasNewcomer = true;
    this.wake();
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
  }

  /** A member's position was moved on, by somebody who needs no fetch for that. */
  moved(member: M): void {
    this.#topics.moved(member);
  }

  /** The same, to somewhere that no leader has looked at yet. */
  movedElsewhere(member: M): void {
    this.#topics.movedElsewhere(member);
  }

  remove(member: M): void {
    this.#topics.remove(member);
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
      if (this.size === 0) {
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
        pause = longerPause(pause, LONGEST_PAUSE_MS);
      }
      // What came goes out to those who wait for it before anything more is asked for.
      await turnEnd();
      if (this.#closed) return;
      this.#events.onRound();
      if (this.#closed) return;
      const restMs = this.#rest.next(this.size);
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
    const { id, epoch, topics, forgotten } = this.#topics.next();
    this.#hasNewcomer = false;
    this.#rest.asked();
    const response = await send(
      this.#connection,
      fetch,
      this.maxWaitMs,
      1,
      MAX_BYTES,
      // An integrator's open transaction must not hold back what others sent.
      FetchIsolationLevels.READ_UNCOMMITTED,
      id,
      epoch,
      topics,
      forgotten,
      '',
    );
    this.#heardAt = now();
    this.#cluster.noteThrottle(fetch.key, response.throttleTimeMs);
    const state = this.#topics.answered(response);
    if (state === 'no slot') this.#log.warn({ node: this.node }, NO_SLOT);
    if (state === 'begun anew')
      this.#log.info({ node: this.node, code: nameOfCode(response.errorCode) }, 'fetch session begun anew');
    this.#rest.answered();
    for (const topic of response.topics) {
      // What had to be unpacked takes a few ms: everybody else has a turn before the next one.
      if (this.#take(topic)) await turnEnd();
      if (this.#closed) return;
    }
    this.#gate.done();
  }

  /** @returns whether anything had to be unpacked */
  #take({ topicId, errorCode, parts, records: batches }: FetchedTopic): boolean {
    const member = this.#topics.get(topicId);
    if (!member) return false;
    if (errorCode !== KafkaCode.NONE) {
      this.#cluster.noteRefusal(fetch.key, errorCode, member.follower.topic);
      this.#events.onError(member, errorCode);
      return false;
    }
    if (batches.length === 0 && parts === null) return false;
    this.#topics.moved(member);
    // Closed and followed again further back while this fetch was parked: what lies between would be missing.
    if (this.#topics.isPast(member)) return false;
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
    this.#topics.end();
    this.#gate?.close();
    this.#gate = null;
    await connection?.close().catch(() => {});
  }
}
