import type { Logger } from 'pino';
import {
  type Account,
  type AccountChange,
  type AccountChanger,
  type Accounts,
  changed,
  type ListOptions,
  type NewAccount,
} from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import { NameSearches } from '../../../core/wildcard.ts';
import { newUuid } from '../../../util/uuid.ts';
import { Watchers } from '../../../util/watchers.ts';
import { InboxTopics, type RestoredTopic } from '../inbox/inbox-topics.ts';
import { commitFirstPosition } from '../inbox/new-inbox.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { ACCOUNT_TRANSACTIONS, ACCOUNTS_TOPIC, awaitTopic, INBOX_CONFIG } from '../wire/topics.ts';
import { encodeAccount, inviteOf, MAX_NAME, packAccount, unpackAccount } from './account-record.ts';
import { CompactedTable } from './compacted-table.ts';
import { InviteChecks, InviteUses } from './invites.ts';
import { CHANGE_TIMEOUT_MS, Lives } from './lives.ts';
import { type Proofs, UNPROVEN_REMEDY, unprovenText } from './unproven.ts';

/** A million accounts take some 10 s of a core to read; where it is shared, it takes longer. */
const START_TIMEOUT_MS = 120_000;

export interface KafkaAccountsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly trust: Trust;
  /** Writes again what others have hidden. */
  readonly appender: Pick<Appender, 'append'>;
  readonly inboxPrefix: string;
  readonly replicationFactor: number;
}

/** The accounts, in a compacted topic. */
export class KafkaAccounts implements Accounts {
  readonly #options: KafkaAccountsOptions;
  readonly #cluster: Cluster;
  readonly #table: CompactedTable<Account>;
  readonly #searches: NameSearches;
  readonly #topics: InboxTopics;
  readonly #invites = new InviteUses();
  readonly #inviteChecks: InviteChecks;
  readonly #lives: Lives<Account>;
  readonly #watchers = new Watchers<[]>();

  constructor(options: KafkaAccountsOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#topics = new InboxTopics(options.cluster, options.replicationFactor, INBOX_CONFIG);
    this.#table = new CompactedTable({
      ...options,
      topic: ACCOUNTS_TOPIC,
      pack: packAccount,
      unpack: unpackAccount,
      changed: (name, packed) => {
        this.#noteInvite(name, packed);
        this.#watchers.tell(name);
      },
      encode: encodeAccount,
    });
    this.#lives = new Lives({
      ...options,
      table: this.#table,
      topics: this.#topics,
      topicPrefix: options.inboxPrefix,
      transactionPrefix: ACCOUNT_TRANSACTIONS,
      keyOf: (name) => name,
      codes: { taken: 'USERNAME_TAKEN', gone: 'NO_SUCH_USER' },
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
    await this.#table.open(replicationFactor, now() + START_TIMEOUT_MS);
    this.#table.putInOrder();
    const { size, unproven, stale, refused } = this.#table.contents;
    log.info({ accounts: size, unproven, toSign: stale.size, refused }, 'accounts read');
    if (unproven > 0) log.error({ unproven }, `${unprovenText(this.proofs)} ${UNPROVEN_REMEDY}`);
  }

  /** Only reads the topic, which is there. @throws EngineError `UNAVAILABLE` */
  async read(deadline: number): Promise<void> {
    await this.#table.read(deadline);
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

  watch(name: string, changed: () => void): () => void {
    return this.#watchers.watch(name, changed);
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

  async #make({ name, displayName, credential, invite }: NewAccount): Promise<Account> {
    const accountOf = (topicId: string): Account => ({
      name,
      incarnation: newUuid(),
      topicId,
      displayName: displayName ?? null,
      credential: credential ?? null,
      disabled: false,
      blocked: [],
      createdAt: Date.now(),
      ...(invite && { invite: invite.id }),
    });
    const { value, topic, isTakenOver } = await this.#lives.create(name, accountOf, () => {
      if (invite && this.#invites.count(invite.id) >= invite.uses) throw used();
    });
    await commitFirstPosition(this.#options, value, topic, isTakenOver);
    return value;
  }

  update(account: Account, change: AccountChange | AccountChanger): Promise<Account> {
    return this.#lives.change(account.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      await this.#lives.replace(account, (current) => changed(current, change), deadline);
      return this.#lives.shown(account);
    });
  }

  mend(account: Account): Promise<Account> {
    return this.#lives.change(account.name, async () => {
      const deadline = now() + CHANGE_TIMEOUT_MS;
      const { name, topicId: lostId } = account;
      const topic = this.#lives.topicOf(name);
      let restored: RestoredTopic | null = null;
      await this.#lives.replace(
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
      return this.#lives.shown(account);
    });
  }

  remove(account: Account): Promise<void> {
    return this.#lives.remove(account);
  }

  #noteInvite(name: string, packed: string | null): void {
    if (packed === null) this.#invites.delete(name);
    else this.#invites.set(name, inviteOf(packed));
  }
}

/** One line for each: somebody has to know what became of the mail. */
const RESTORED = 'the topic of an inbox was gone: the inbox has another one now';

function used(): EngineError {
  return new EngineError('INVITE_USED', 'the invite was used as often as it may be');
}
