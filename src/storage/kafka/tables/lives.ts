import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isSameLife } from '../../../core/accounts.ts';
import { EngineError, type EngineErrorCode } from '../../../core/errors.ts';
import { Semaphore } from '../../../util/semaphore.ts';
import type { InboxTopics } from '../inbox/inbox-topics.ts';
import { makeEmptyTopic } from '../inbox/new-inbox.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isFinal, KafkaError, unavailable } from '../wire/kafka-error.ts';
import { longerPause, now, whyOf } from '../wire/retry.ts';
import { awaitTopic } from '../wire/topics.ts';
import type { CompactedTable } from './compacted-table.ts';
import { KeyTransaction } from './key-transaction.ts';

/** How long a change may take. */
export const CHANGE_TIMEOUT_MS = 10_000;
/** Changes under way, the others in the order of their coming, and waiting: past the second bound they are BUSY. */
const MAX_CHANGES = 32;
const MAX_WAITING = 2_000;
/** How long the loser of a race waits to see who won, milliseconds. */
const RACE_TIMEOUT_MS = 10_000;
/** So often a topic that is in the way of a new one is deleted; one that is there again is taken over. */
const MAX_REPLACEMENTS = 3;
/** Between two tries to make a topic, or to change a record that others are changing. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;

/** What has a name, one life of it, and a topic. */
export interface Living {
  readonly name: string;
  readonly incarnation: Uint8Array;
  readonly topicId: string;
}

export interface LivesOptions<Value extends Living> {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly table: CompactedTable<Value>;
  /** Makes and deletes the topics of these. */
  readonly topics: InboxTopics;
  /** In front of a key: the name of its topic, and the id by which its changes are made one at a time. */
  readonly topicPrefix: string;
  readonly transactionPrefix: string;
  /** The key of a name in the table. */
  readonly keyOf: (name: string) => string;
  /** What it is called when somebody has the name, or when that life of it is gone. */
  readonly codes: { readonly taken: EngineErrorCode; readonly gone: EngineErrorCode };
}

/** What has just been made, and its topic: one that others have made may be in use for it, emptied. */
export interface Made<Value> {
  readonly value: Value;
  readonly topic: string;
  readonly isTakenOver: boolean;
}

/**
 * Changes of a table whose values each have a topic. A change takes the key's transactional id (which fences every other writer
 * of that key), reads the table up to now, and only then writes: compare-and-set.
 */
export class Lives<Value extends Living> {
  readonly #options: LivesOptions<Value>;
  readonly #turns = new Semaphore(MAX_CHANGES);

  constructor(options: LivesOptions<Value>) {
    this.#options = options;
  }

  topicOf(name: string): string {
    return this.#options.topicPrefix + this.#options.keyOf(name);
  }

  /** What the table shows of this life now. @throws EngineError gone */
  shown(value: Value): Value {
    const shown = this.#get(value.name);
    if (!isSameLife(shown, value)) throw this.#gone(value.name);
    return shown;
  }

  /** Runs a change of a name, not too many at once. @throws EngineError `BUSY`, `UNAVAILABLE`, and what the change throws */
  async change<Result>(name: string, change: () => Promise<Result>): Promise<Result> {
    if (this.#turns.waiting >= MAX_WAITING) throw new EngineError('BUSY', 'too many are being changed');
    return this.#turns.pass(name, () => change().catch(unavailable));
  }

  /**
   * Makes a value and its empty topic; of two racing creators exactly one wins. Resolves when the table shows it.
   * @param lifeOf makes it once its topic has an id
   * @param demand throws what is against it, once it is known that the name is free
   * @throws EngineError taken, `BUSY`, `UNAVAILABLE`
   */
  create(name: string, lifeOf: (topicId: string) => Value, demand: () => void): Promise<Made<Value>> {
    return this.change(name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      // A taken name is refused before it makes a transactional id.
      if (this.#get(name)) throw this.#taken(name);
      demand();
      // The broker may not know yet of the topic that is in the way: it takes some ms to hear of it.
      for (let pause = FIRST_PAUSE_MS, tries = 1; ; pause = longerPause(pause, LONGEST_PAUSE_MS), tries++) {
        const made = await this.#tryCreate(name, lifeOf, tries <= MAX_REPLACEMENTS, deadline);
        if (made) return made;
        if (now() > deadline) throw new EngineError('BUSY', `the topic of ${name} keeps appearing`);
        await sleep(pause);
      }
    });
  }

  /** Removes this life, then its topic. Resolves when the table no longer shows it. @throws EngineError gone, `BUSY`, `UNAVAILABLE` */
  remove(value: Value): Promise<void> {
    return this.change(value.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      const { topics, cluster, log } = this.#options;
      const topic = this.topicOf(value.name);
      await topics.demandDeletable(topic);
      await this.replace(value, () => null, deadline);
      // By the id that was in the record: another life of the name may have made a topic by now.
      await topics.erase(topic, value.topicId, deadline).catch((error) => {
        // Who deletes an account is told that its mail is gone: where Kafka does not let it go, they must not hear that.
        if (error instanceof KafkaError && isFinal(error.kafkaCode)) throw error;
        log.warn({ ...whyOf(error), topic, topicId: value.topicId }, 'a topic was left behind');
      });
      cluster.forgetLeader(topic);
    });
  }

  /**
   * Writes another record for this life, once nobody else is changing it, until the table shows it.
   * @param next returns what it is given where there is nothing to change
   */
  async replace(
    value: Value,
    next: (current: Value) => Value | null | Promise<Value>,
    deadline: number,
  ): Promise<void> {
    const { table, keyOf } = this.#options;
    const key = keyOf(value.name);
    for (let pause = FIRST_PAUSE_MS; ; pause = longerPause(pause, LONGEST_PAUSE_MS)) {
      const transaction = await this.#begin(key, deadline);
      await table.catchUp(deadline);
      const current = this.shown(value);
      // Whoever wrote before us is fenced and read: the next change is ours, or comes after it.
      const watch = table.watch(key);
      try {
        const changed = await next(current);
        if (changed === current) return;
        const record = table.signed(key, changed);
        if (await transaction.commit(record, deadline)) {
          await table.until(() => watch.changed, deadline);
          return;
        }
      } finally {
        watch.close();
      }
      // Somebody else has begun a change of this name: look again at what came of that.
      if (now() > deadline) throw new EngineError('BUSY', `${value.name} is being changed by others`);
      // Several that begin again at once would fence each other for ever where Kafka is slow.
      await sleep(pause * Math.random());
    }
  }

  /**
   * @param mayDelete false: what is in the way was deleted, and is there again
   * @returns null when a left-over topic got in the way and the whole attempt must be made again
   */
  async #tryCreate(
    name: string,
    lifeOf: (topicId: string) => Value,
    mayDelete: boolean,
    deadline: number,
  ): Promise<Made<Value> | null> {
    const { table, topics, cluster, keyOf } = this.#options;
    const key = keyOf(name);
    const topic = this.topicOf(name);
    // Noted before the fence: a topic that a racing winner makes later is never this one.
    const leftOver = await topics.find(topic, deadline);
    const transaction = await this.#begin(key, deadline);
    await table.catchUp(deadline);
    if (this.#get(name)) throw this.#taken(name);
    // Perhaps somebody's, whose record is not signed, or with a key that is not here: to make it anew would delete their mail.
    if (table.contents.isUnproven(key)) throw this.#taken(name);
    if (leftOver && table.contents.hasMoreUnproven) throw this.#taken(name);
    const topicId = await makeEmptyTopic(this.#options, topic, leftOver, mayDelete, deadline);
    if (topicId === null) return null;
    cluster.forgetLeader(topic);
    const value = lifeOf(topicId);
    const isThere = () => this.#get(name) !== undefined;
    const record = table.signed(key, value);
    if (!(await transaction.commit(record, deadline))) {
      // Somebody else is making the same name and will win; our topic is theirs to find and replace.
      await table.until(isThere, now() + RACE_TIMEOUT_MS).catch(() => {
        throw new EngineError('BUSY', `${name} is being made by somebody else`);
      });
      throw this.#taken(name);
    }
    await table.until(isThere, deadline);
    await awaitTopic(cluster, topic, deadline);
    return { value, topic, isTakenOver: topicId === leftOver?.topicId };
  }

  #begin(key: string, deadline: number): Promise<KeyTransaction> {
    const { cluster, table, transactionPrefix } = this.#options;
    const transactionalId = transactionPrefix + key;
    return KeyTransaction.begin(cluster, { topic: table.topic, key, transactionalId }, deadline);
  }

  #get(name: string): Value | undefined {
    return this.#options.table.get(this.#options.keyOf(name));
  }

  #taken(name: string): EngineError {
    return new EngineError(this.#options.codes.taken, `${name} is taken`);
  }

  #gone(name: string): EngineError {
    return new EngineError(this.#options.codes.gone, `that life of ${name} is gone`);
  }
}
