import { sameUuid } from '../util/uuid.ts';
import type { Device } from './devices.ts';
import type { Invite } from './invite.ts';

/** One account, as the compacted topic of accounts holds it. */
export interface Account {
  /** Unique, already lower-cased: `[a-z0-9][a-z0-9_-]{0,31}`. */
  readonly name: string;
  /** Random id of this account's life, 16 bytes: a deleted and re-created name gets another one. */
  readonly incarnation: Uint8Array;
  /** Kafka's id of the inbox topic: a UUID as text, as Kafka's clients have it. */
  readonly topicId: string;
  /** Set once the topic is not the first one of this life any more: a random id, 16 bytes. See `inboxLifeOf`. */
  readonly inboxLife?: Uint8Array | undefined;
  readonly displayName: string | null;
  /** argon2id PHC string, or null: an *open* account that anybody may log in to. */
  readonly credential: string | null;
  readonly disabled: boolean;
  /** Names whose messages this account does not take. */
  readonly blocked: readonly string[];
  /** Milliseconds since the epoch, by the frontend that made it. */
  readonly createdAt: number;
  /** Id of the invite that it was made with, if there was one. */
  readonly invite?: string | undefined;
  /** Beside the main one; absent where there are none. Each has the inbox for itself. */
  readonly devices?: readonly Device[] | undefined;
}

/**
 * What offsets in an account's inbox are of, be they committed or in a receipt: this life of the account and the topic that it
 * has now. Where operators have put another topic in its place, those of the topic before say nothing about it.
 * @returns 16 bytes
 */
export function inboxLifeOf({
  incarnation,
  inboxLife,
}: Pick<Account, 'incarnation' | 'inboxLife'>): Uint8Array {
  return inboxLife ?? incarnation;
}

/** Whether an account that is there is this life of its name, and none that was made after its end. */
export function isSameLife<There extends Pick<Account, 'incarnation'>>(
  there: There | null | undefined,
  { incarnation }: Pick<Account, 'incarnation'>,
): there is There {
  return there != null && sameUuid(there.incarnation, incarnation);
}

/** Whether the name of an account is another life's by now. */
export function isAnothers(
  now: Pick<Account, 'incarnation'> | undefined,
  account: Pick<Account, 'incarnation'>,
): boolean {
  return now !== undefined && !isSameLife(now, account);
}

export interface NewAccount {
  readonly name: string;
  readonly displayName?: string | null;
  readonly credential?: string | null;
  /** At most `uses` accounts with this invite exist at the same time. */
  readonly invite?: Pick<Invite, 'id' | 'uses'> | null;
}

/** What may change in an account's life; what is not given stays. */
export interface AccountChange {
  readonly displayName?: string | null;
  readonly credential?: string | null;
  readonly disabled?: boolean;
  readonly blocked?: readonly string[];
  readonly devices?: readonly Device[];
}

/** A change that depends on what is there when its turn comes; null: none. */
export type AccountChanger = (current: Account) => AccountChange | null;

/** An account as it is after a change; the very same one after none. */
export function changed(account: Account, change: AccountChange | AccountChanger): Account {
  const made = typeof change === 'function' ? change(account) : change;
  return made === null ? account : { ...account, ...made };
}

/** The door to the accounts. Names given to it are valid and lower-cased already. */
export interface Accounts {
  /** How many the local table shows now. */
  readonly size: number;

  /** What the local table shows now. It may lag some milliseconds behind other frontends. */
  get(name: string): Account | undefined;

  /**
   * As `get`, but a missing name is believed only after the table has caught up with Kafka as of now, since
   * the account may just have been made through another frontend.
   * @throws EngineError `UNAVAILABLE`
   */
  find(name: string): Promise<Account | undefined>;

  /**
   * As of now, and taking as long whether somebody has the name or not.
   * @throws EngineError `UNAVAILABLE`
   */
  findEvenly(name: string): Promise<Account | undefined>;

  /**
   * Has every change of what the local table shows of a name told, once it shows it.
   * @param changed another function each time
   * @returns ends that
   */
  watch(name: string, changed: () => void): () => void;

  /**
   * Makes the account and its empty inbox; of two racing creators exactly one wins. Resolves when this
   * frontend's own table shows it.
   * @throws EngineError `USERNAME_TAKEN`, `INVITE_USED`, `BUSY`, `UNAVAILABLE`
   */
  create(account: NewAccount): Promise<Account>;

  /**
   * Changes this life of the account. Resolves with what the own table shows now.
   * @param change is called again where somebody else was quicker
   * @throws EngineError `NO_SUCH_USER` (gone, or another life has the name), `BUSY`, `UNAVAILABLE`
   */
  update(account: Account, change: AccountChange | AccountChanger): Promise<Account>;

  /**
   * Gives this life of the account a topic again, where its own is gone: the one that has its name by now, with all that is in it,
   * or a new one. Resolves with what the own table shows then: the account as it was, if its topic is there after all.
   * @throws EngineError `NO_SUCH_USER` (gone, or another life has the name), `BUSY`, `UNAVAILABLE`
   */
  mend(account: Account): Promise<Account>;

  /**
   * Removes this life of the account, then its inbox topic. Resolves when the own table no longer shows it.
   * @throws EngineError `NO_SUCH_USER` (already gone, or another life has the name), `BUSY`, `UNAVAILABLE`
   */
  remove(account: Account): Promise<void>;

  /**
   * Names that match, ascending by code unit.
   * @param pattern `*` any run, `?` any one character, everything else itself; empty = all.
   * What comes or goes while the list is made may or may not be in it.
   */
  list(pattern: string, options?: ListOptions): Promise<string[]>;
}

export interface ListOptions {
  /** Only names greater than this one (for paging). */
  readonly after?: string;
  readonly limit?: number;
  /** Says when each step of the search is done, half a millisecond or less; by default one a turn of the event loop. */
  readonly inSteps?: InSteps;
}

/** Calls a step until it returns true; resolves then. */
export type InSteps = (step: () => boolean) => Promise<void>;
