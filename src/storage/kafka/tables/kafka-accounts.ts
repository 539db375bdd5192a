import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  type Account,
  type AccountChange,
  type Accounts,
  isSameLife,
  type ListOptions,
  type NewAccount,
} from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import { NameSearches } from '../../../core/wildcard.ts';
import { Semaphore } from '../../../util/semaphore.ts';
import { newUuid } from '../../../util/uuid.ts';
import { restoreTable } from '../check/topic-settings.ts';
import { InboxTopics, type RestoredTopic } from '../inbox/inbox-topics.ts';
import { commitFirstPosition, makeEmptyTopic, type NewInboxSurroundings } from '../inbox/new-inbox.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { isFinal, KafkaError, unavailable } from '../wire/kafka-error.ts';
import { longerPause, now, whyOf } from '../wire/retry.ts';
import { ACCOUNTS_TOPIC, awaitTopic, ensureTable } from '../wire/topics.ts';
import { encodeAccount, inviteOf, MAX_NAME, packAccount, unpackAccount } from './account-record.ts';
import { AccountTransaction } from './account-transaction.ts';
import { CompactedTable } from './compacted-table.ts';
import { InviteChecks, InviteUses } from './invites.ts';
import { type Proofs, UNPROVEN_REMEDY, unprovenText } from './unproven.ts';

/** A million accounts take some 10 s of a core to read; where it is shared, it takes longer. */
const START_TIMEOUT_MS = 120_000;
const CHANGE_TIMEOUT_MS = 10_000;
/** Changes under way, the others in the order of their coming, and waiting: past the second bound they are BUSY. */
const MAX_CHANGES = 32;
const MAX_WAITING = 2_000;
/** How long the loser of a race waits to see who won, milliseconds. */
const RACE_TIMEOUT_MS = 10_000;
/** So often a topic that is in the way of a new account is deleted; one that is there again is taken over. */
const MAX_REPLACEMENTS = 3;
/** Between two tries to make the inbox of a new account, or to change a record that others are changing. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;

export interface KafkaAccountsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly trust: Trust;
  /** Writes again what others have hidden. */
  readonly appender: Pick<Appender, 'append'>;
  readonly inboxPrefix: string;
  readonly replicationFactor: number;
}

/**
 * The accounts, in a compacted topic. A change takes the name's transactional id (which fences every other writer
 * of that name), reads the table up to now, and only then writes: compare-and-set.
 */
export class KafkaAccounts implements Accounts {
  readonly #options: KafkaAccountsOptions;
  readonly #cluster: Cluster;
  readonly #table: CompactedTable<Account>;
  readonly #searches: NameSearches;
  readonly #topics: InboxTopics;
  readonly #invites = new InviteUses();
  readonly #inviteChecks: InviteChecks;
  readonly #turns = new Semaphore(MAX_CHANGES);
  /** What a new inbox is made with. */
  readonly #around: NewInboxSurroundings;

  constructor(options: KafkaAccountsOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#topics = new InboxTopics(options.cluster, options.replicationFactor);
    this.#around = { cluster: options.cluster, topics: this.#topics, log: options.log };
    this.#table = new CompactedTable({
      ...options,
      topic: ACCOUNTS_TOPIC,
      pack: packAccount,
      unpack: unpackAccount,
      changed: (name, packed) => this.#noteInvite(name, packed),
      encode: encodeAccount,
    });
    this.#inviteChecks = new InviteChecks(options.log, async (wanted) => {
      await this.#table.catchUpSoon();
      const account = this.#table.get(wanted.name);
      return account !== undefined && this.#removeSurplus(account, wanted);
    });
    this.#searches = new NameSearches(this.#table.keys, MAX_NAME);
  }

  /**
   * Makes the topic if need be and reads all of it. Whatever is in it does not keep a frontend from starting, or whoever
   * may write to it could: names that nobody can vouch for are kept from everybody, and their operator is told.
   * @throws EngineError `UNAVAILABLE`
   */
  async start(): Promise<void> {
    const { log, replicationFactor } = this.#options;
    const deadline = now() + START_TIMEOUT_MS;
    await ensureTable(this.#cluster, ACCOUNTS_TOPIC, replicationFactor, deadline);
    await this.read(deadline);
    this.#table.keepTrue(() => restoreTable(this.#cluster, log, ACCOUNTS_TOPIC, replicationFactor));
    const { size, unproven, stale, refused } = this.#table.contents;
    log.info({ accounts: size, unproven, toSign: stale.size, refused }, 'accounts read');
    if (unproven > 0) log.error({ unproven }, `${unprovenText(this.proofs)} ${UNPROVEN_REMEDY}`);
  }

  /** Only reads the topic, which is there. @throws EngineError `UNAVAILABLE` */
  async read(deadline: number): Promise<void> {
    this.#table.start();
    await this.#table.catchUp(deadline);
    this.#table.putInOrder();
  }

  /** How many accounts there are, and how many names that no frontend with these keys has written. */
  get proofs(): Proofs {
    const { size, unproven, hasMoreUnproven } = this.#table.contents;
    return { size, unproven, hasMoreUnproven };
  }

  async close(): Promise<void> {
    this.#inviteChecks.close();
    await this.#table.close();
  }

  get size(): number {
    return this.#table.contents.size;
  }

  get(name: string): Account | undefined {
    return this.#table.get(name);
  }

  async find(name: string): Promise<Account | undefined> {
    return this.#table.get(name) ?? this.findEvenly(name);
  }

  async findEvenly(name: string): Promise<Account | undefined> {
    await this.#table.catchUpSoon().catch(unavailable);
    return this.#table.get(name);
  }

  list(pattern: string, { after, limit, inSteps }: ListOptions = {}): Promise<string[]> {
    return this.#searches.find(pattern, after, limit ?? Number.POSITIVE_INFINITY, inSteps);
  }

  async create(wanted: NewAccount): Promise<Account> {
    try {
      const account = await this.#make(wanted);
      if (await this.#removeSurplus(account, wanted)) throw used();
      return account;
    } catch (error) {
      const isKnown = error instanceof EngineError && error.code !== 'UNAVAILABLE' && error.code !== 'BUSY';
      if (wanted.invite && !isKnown) void this.#inviteChecks.again(wanted);
      throw error;
    }
  }

  /**
   * Where somebody was quicker through another frontend: all see the same order, so exactly those beyond the last use go.
   * @returns whether it was one of them
   */
  async #removeSurplus(account: Account, { invite }: NewAccount): Promise<boolean> {
    if (!invite || this.#invites.before(account.name, invite.id) < invite.uses) return false;
    await this.remove(account);
    return true;
  }

  #make(wanted: NewAccount): Promise<Account> {
    return this.#change(wanted.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      // A taken name is refused before it makes a transactional id.
      if (this.#table.get(wanted.name)) throw taken(wanted.name);
      const { invite } = wanted;
      if (invite && this.#invites.count(invite.id) >= invite.uses) throw used();
      // The broker may not know yet of the topic that is in the way: it takes some ms to hear of it.
      for (let pause = FIRST_PAUSE_MS, tries = 1; ; pause = longerPause(pause, LONGEST_PAUSE_MS), tries++) {
        const account = await this.#tryCreate(wanted, tries <= MAX_REPLACEMENTS, deadline);
        if (account) return account;
        if (now() > deadline)
          throw new EngineError('BUSY', `the inbox topic of ${wanted.name} keeps appearing`);
        await sleep(pause);
      }
    });
  }

  update(account: Account, change: AccountChange): Promise<Account> {
    return this.#change(account.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      await this.#replace(account, (current) => ({ ...current, ...change }), deadline);
      return this.#shown(account);
    });
  }

  mend(account: Account): Promise<Account> {
    return this.#change(account.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      const { name, topicId: lostId } = account;
      const topic = this.#topic(name);
      let restored: RestoredTopic | null = null;
      await this.#replace(
        account,
        async (current) => {
          // Somebody else was quicker.
          if (current.topicId !== lostId) return current;
          restored = await this.#topics.restore(topic, lostId, deadline);
          return restored ? { ...current, topicId: restored.topicId, inboxLife: newUuid() } : current;
        },
        deadline,
      );
      if (restored) this.#options.log.warn({ user: name, topic, lostId, ...Object(restored) }, RESTORED);
      await awaitTopic(this.#cluster, topic, deadline);
      return this.#shown(account);
    });
  }

  /** @throws EngineError `BUSY`, `UNAVAILABLE`, and what the change throws */
  async #change<T>(name: string, change: () => Promise<T>): Promise<T> {
    if (this.#turns.waiting >= MAX_WAITING)
      throw new EngineError('BUSY', 'too many accounts are being changed');
    return this.#turns.pass(name, () => change().catch(unavailable));
  }

  #shown(account: Account): Account {
    const shown = this.#table.get(account.name);
    if (!isSameLife(shown, account)) throw gone(account.name);
    return shown;
  }

  remove(account: Account): Promise<void> {
    return this.#change(account.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      const topic = this.#topic(account.name);
      await this.#topics.demandDeletable(topic);
      await this.#replace(account, () => null, deadline);
      // By the id that was in the record: another life of the name may have made a topic by now.
      await this.#topics.erase(topic, account.topicId, deadline).catch((error) => {
        // Who deletes an account is told that its mail is gone: where Kafka does not let it go, they must not hear that.
        if (error instanceof KafkaError && isFinal(error.kafkaCode)) throw error;
        this.#options.log.warn({ ...whyOf(error), topicId: account.topicId }, 'inbox topic left behind');
      });
      this.#cluster.forgetLeader(topic);
    });
  }

  /**
   * Writes another record for this life of the account, once nobody else is changing it, until the table shows it.
   * @param next returns what it is given where there is nothing to change
   */
  async #replace(
    account: Account,
    next: (current: Account) => Account | null | Promise<Account>,
    deadline: number,
  ): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; ; pause = longerPause(pause, LONGEST_PAUSE_MS)) {
      const transaction = await AccountTransaction.begin(this.#cluster, account.name, deadline);
      await this.#table.catchUp(deadline);
      const current = this.#table.get(account.name);
      if (!isSameLife(current, account)) throw gone(account.name);
      // Whoever wrote before us is fenced and read: the next change is ours, or comes after it.
      const watch = this.#table.watch(account.name);
      try {
        const changed = await next(current);
        if (changed === current) return;
        const record = this.#table.signed(account.name, changed);
        if (await transaction.commit(record, deadline)) {
          await this.#table.until(() => watch.changed, deadline);
          return;
        }
      } finally {
        watch.close();
      }
      // Somebody else has begun a change of this name: look again at what came of that.
      if (now() > deadline) throw new EngineError('BUSY', `${account.name} is being changed by others`);
      // Several that begin again at once would fence each other for ever where Kafka is slow.
      await sleep(pause * Math.random());
    }
  }

  /**
   * @param mayDelete false: what is in the way was deleted, and is there again
   * @returns null when a left-over topic got in the way and the whole attempt must be made again
   */
  async #tryCreate(wanted: NewAccount, mayDelete: boolean, deadline: number): Promise<Account | null> {
    const { name } = wanted;
    const topic = this.#topic(name);
    // Noted before the fence: a topic that a racing winner makes later is never this one.
    const leftOver = await this.#topics.find(topic, deadline);
    const transaction = await AccountTransaction.begin(this.#cluster, name, deadline);
    await this.#table.catchUp(deadline);
    if (this.#table.get(name)) throw taken(name);
    // Perhaps somebody's, whose record is not signed, or with a key that is not here: to make it anew would delete their mail.
    if (this.#table.contents.isUnproven(name)) throw taken(name);
    if (leftOver && this.#table.contents.hasMoreUnproven) throw taken(name);
    const topicId = await makeEmptyTopic(this.#around, topic, leftOver, mayDelete, deadline);
    if (topicId === null) return null;
    this.#cluster.forgetLeader(topic);
    const account: Account = {
      name,
      incarnation: newUuid(),
      topicId,
      displayName: wanted.displayName ?? null,
      credential: wanted.credential ?? null,
      disabled: false,
      blocked: [],
      createdAt: Date.now(),
      ...(wanted.invite && { invite: wanted.invite.id }),
    };
    const isThere = () => this.#table.get(name) !== undefined;
    const record = this.#table.signed(name, account);
    if (!(await transaction.commit(record, deadline))) {
      // Somebody else is making the same name and will win; our topic is theirs to find and replace.
      await this.#table.until(isThere, now() + RACE_TIMEOUT_MS).catch(() => {
        throw new EngineError('BUSY', `${name} is being made by somebody else`);
      });
      throw taken(name);
    }
    await this.#table.until(isThere, deadline);
    await awaitTopic(this.#cluster, topic, deadline);
    await commitFirstPosition(this.#around, account, topic, topicId === leftOver?.topicId);
    return account;
  }

  #noteInvite(name: string, packed: string | null): void {
    if (packed === null) this.#invites.delete(name);
    else this.#invites.set(name, inviteOf(packed));
  }

  #topic(name: string): string {
    return this.#options.inboxPrefix + name;
  }
}

/** One line for each: somebody has to know what became of the mail. */
const RESTORED = 'the topic of an inbox was gone: the inbox has another one now';

function taken(name: string): EngineError {
  return new EngineError('USERNAME_TAKEN', `${name} is taken`);
}

function used(): EngineError {
  return new EngineError('INVITE_USED', 'the invite was used as often as it may be');
}

function gone(name: string): EngineError {
  return new EngineError('NO_SUCH_USER', `that account ${name} is gone`);
}
