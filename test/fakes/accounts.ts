import {
  type Account,
  type AccountChange,
  type Accounts,
  isSameLife,
  type NewAccount,
} from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import { newUuid } from '../../src/util/uuid.ts';
import type { MemoryCluster } from './cluster.ts';

/** The accounts door over a fake cluster: its own table, which lags a turn behind what others commit. */
export class MemoryAccounts implements Accounts {
  readonly #cluster: MemoryCluster;
  readonly #table = new Map<string, Account>();
  #applied = 0;

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
    this.#catchUp();
  }

  get size(): number {
    return this.#table.size;
  }

  get(name: string): Account | undefined {
    return this.#table.get(name);
  }

  async find(name: string): Promise<Account | undefined> {
    return this.#table.get(name) ?? this.findEvenly(name);
  }

  async findEvenly(name: string): Promise<Account | undefined> {
    await this.#cluster.roundTrip();
    this.#catchUp();
    return this.#table.get(name);
  }

  async create(wanted: NewAccount): Promise<Account> {
    await this.#cluster.roundTrip();
    this.#catchUp();
    this.#demandFree(wanted.name);
    const { invite } = wanted;
    if (invite && this.#madeWith(invite.id).length >= invite.uses) throw used();
    await this.#cluster.roundTrip();
    // The compare-and-set: between the check and here another creator may have won.
    this.#catchUp();
    this.#demandFree(wanted.name);
    const account: Account = {
      name: wanted.name,
      incarnation: newUuid(),
      topicId: this.#cluster.createTopic().id,
      displayName: wanted.displayName ?? null,
      credential: wanted.credential ?? null,
      disabled: false,
      blocked: [],
      createdAt: Date.now(),
      ...(invite && { invite: invite.id }),
    };
    this.#cluster.commitAccount(account.name, account);
    this.#catchUp();
    if (invite && this.#madeWith(invite.id).indexOf(account.name) >= invite.uses) {
      await this.remove(account);
      throw used();
    }
    return account;
  }

  /** In the order of their creation. */
  #madeWith(invite: string): string[] {
    return [...this.#table.values()].filter((account) => account.invite === invite).map(({ name }) => name);
  }

  async update(account: Account, change: AccountChange): Promise<Account> {
    await this.#cluster.roundTrip();
    const current = this.#cluster.currentAccount(account.name);
    this.#catchUp();
    if (!isSameLife(current, account)) {
      throw new EngineError('NO_SUCH_USER', `${account.name} is gone or has another life`);
    }
    const changed: Account = { ...current, ...change };
    this.#cluster.commitAccount(account.name, changed);
    this.#catchUp();
    return changed;
  }

  async mend(account: Account): Promise<Account> {
    await this.#cluster.roundTrip();
    const current = this.#cluster.currentAccount(account.name);
    this.#catchUp();
    if (!isSameLife(current, account)) {
      throw new EngineError('NO_SUCH_USER', `${account.name} is gone or has another life`);
    }
    if (this.#cluster.topics.has(current.topicId)) return current;
    const mended: Account = { ...current, topicId: this.#cluster.createTopic().id, inboxLife: newUuid() };
    this.#cluster.commitAccount(account.name, mended);
    this.#catchUp();
    return mended;
  }

  async remove(account: Account): Promise<void> {
    await this.#cluster.roundTrip();
    if (!isSameLife(this.#cluster.currentAccount(account.name), account)) {
      this.#catchUp();
      throw new EngineError('NO_SUCH_USER', `${account.name} is gone or has another life`);
    }
    this.#cluster.commitAccount(account.name, null);
    this.#catchUp();
    this.#cluster.deleteTopic(account.topicId);
  }

  async list(pattern: string, options: { after?: string; limit?: number } = {}): Promise<string[]> {
    const { after, limit = Number.POSITIVE_INFINITY } = options;
    const names = [...this.#table.keys()].filter(
      (name) => (after === undefined || name > after) && (pattern === '' || matches(pattern, name)),
    );
    return names.sort().slice(0, Math.min(limit, names.length));
  }

  /** The cluster tells that the log has grown; the table follows a turn later, as a consumer would. */
  announce(): void {
    setImmediate(() => {
      if (this.#cluster.available) this.#catchUp();
    });
  }

  #demandFree(name: string): void {
    if (this.#table.has(name)) throw new EngineError('USERNAME_TAKEN', `${name} is taken`);
  }

  #catchUp(): void {
    for (const { name, account } of this.#cluster.accountLog.slice(this.#applied)) {
      if (account === null) this.#table.delete(name);
      else this.#table.set(name, account);
    }
    this.#applied = this.#cluster.accountLog.length;
  }
}

/** One row of the usual table: `row[i]` says whether the pattern so far matches the first i characters. */
function matches(pattern: string, name: string): boolean {
  let row = Array.from({ length: name.length + 1 }, (_, i) => i === 0);
  for (const symbol of pattern) {
    const next: boolean[] = [symbol === '*' && row[0] === true];
    for (let i = 1; i <= name.length; i++) {
      if (symbol === '*') next.push(row[i] === true || next[i - 1] === true);
      else next.push(row[i - 1] === true && (symbol === '?' || symbol === name[i - 1]));
    }
    row = next;
  }
  return row[name.length] === true;
}

function used(): EngineError {
  return new EngineError('INVITE_USED', 'the invite was used as often as it may be');
}
