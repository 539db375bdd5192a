import type { Logger } from 'pino';
import { type Account, type Accounts, isSameLife } from '../../core/accounts.ts';
import type { Inbox, Inboxes, OffsetRange, OpenOptions } from '../../core/inboxes.ts';
import type { Life, Rooms } from '../../core/rooms.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Feature } from '../../protocol/v2/features.ts';
import type { Queues, Semaphore } from '../../util/semaphore.ts';
import type { TokenBucket, TokenBuckets } from '../../util/token-buckets.ts';
import type { Version } from '../adapters/version.ts';
import type { Devices } from '../devices.ts';
import type { Audit } from '../identity/audit.ts';
import type { Claim } from '../identity/guesses.ts';
import type { Authentication } from '../identity/identity.ts';
import type { Registration } from '../identity/registration.ts';
import type { Limits } from '../limits.ts';
import type { TickQuotas } from '../net/tick-quota.ts';
import type { PresenceRegistry } from '../presence.ts';
import type { DeliveryReceipts } from '../receipts/delivery-receipts.ts';
import type { SendDedupe } from '../session/send-dedupe.ts';
import type { CoordinatorQueries } from './questions.ts';
import type { Senders } from './senders.ts';

/** What all handlers of a frontend share. */
export interface Services {
  readonly accounts: Accounts;
  readonly inboxes: Inboxes;
  readonly rooms: Rooms;
  readonly identity: Authentication;
  readonly presence: PresenceRegistry;
  readonly devices: Devices;
  readonly deliveryReceipts: DeliveryReceipts;
  /** The time of the event loop, and who may have how much of it. */
  readonly quotas: TickQuotas;
  /** For what costs Kafka's coordinator a look. */
  readonly questions: CoordinatorQueries;
  /** For pages of undelivered messages: each may be a mebibyte to read and to write. */
  readonly reading: Semaphore;
  /** For looks at topics of others, which may be slow to answer: nobody waits for one to have their messages. */
  readonly topicLooks: Semaphore;
  /** For making accounts: each is a topic and a transaction. */
  readonly creating: Semaphore;
  /** Bytes of names that strangers may still be told. */
  readonly strangersLists: { readonly ofAddress: TokenBuckets; readonly ofAll: TokenBucket };
  /** Changes that an account may still make, and rooms, by name. */
  readonly changes: TokenBuckets;
  readonly newRooms: TokenBuckets;
  /** Logins that only send. */
  readonly senders: Senders;
  /** Logins with one device through this frontend, one behind the other. */
  readonly logins: Queues;
  /** For taking inboxes: all users of a frontend that died may come at the same moment. */
  readonly entrance: Semaphore;
  /** For finding where people are in their rooms. */
  readonly roomEntrance: Semaphore;
  /** For giving inboxes back: many people may leave at the same moment. */
  readonly exit: Semaphore;
  readonly registration: Registration;
  /** Whether accounts without a password may be made and used here. */
  readonly openAccounts: boolean;
  /** Whether names are told to who is not logged in. */
  readonly listBeforeLogin: boolean;
  /** What one inbox takes; null where that is not known. */
  readonly mailbox: { readonly maxMessages: number; readonly maxBytes: number } | null;
  readonly limits: Limits;
  readonly audit: Audit;
  readonly log: Logger;
}

/** Who asks: whom it is logged in as, its version, address and port, what stands for the address where callers are counted, and where its messages go once it is logged in. */
export interface Caller<Who extends Principal | null = Principal | null> {
  readonly principal: Who;
  readonly version: Version;
  readonly peer: string;
  readonly address: string;
  /** The client has said that it can these, and no others: what it is sent is decided by that at its login. */
  readonly announce: (features: readonly Feature[]) => void;
  /** Whether the connection is gone or the session has ended, so that the answer would be for nobody. */
  readonly isGone: () => boolean;
  /** Sets what is called when that becomes so, in place of what was set before; null: nothing. */
  readonly whenGone: (leave: (() => void) | null) => void;
  /** Whether it sends nothing more; what the network has brought is known two turns of the event loop later. */
  readonly hasEnded: () => boolean;
  /** Whether logins or other proofs have failed on the connection, more than once. */
  readonly hasErred: () => boolean;
  readonly delivery: Pick<OpenOptions, 'onMessage' | 'onNote' | 'onLost'>;
  /** What the client has said that it can. */
  readonly features: ReadonlySet<Feature>;
}

/** The caller, who says to be this name. */
export function claimOf(caller: Caller, name: string): Claim {
  const { address, isGone, whenGone, hasEnded, hasErred } = caller;
  return { name, address, isHolder: false, isGone, whenGone, hasEnded, hasErred };
}

/** A caller who is logged in, and whose requests are carried out even when they are gone. */
export function holderClaim({ address, hasErred }: Caller, name: string): Claim {
  const never = () => false;
  return { name, address, isHolder: true, isGone: never, whenGone: () => {}, hasEnded: never, hasErred };
}

/** Whom requests are carried out for: somebody who is logged in. */
export interface Principal {
  /** As it was at the login: what may change since then is looked up. */
  readonly account: Account;
  /** Null of a login that only sends. */
  readonly inbox: Inbox | null;
  readonly sends: SendDedupe;
  /** What its client had announced when it logged in. */
  readonly features: ReadonlySet<Feature>;
  /** The client has these, of the inbox or of a room; what it was not given does not count. */
  acknowledge(ranges: readonly OffsetRange[], room?: Life): void;
  /** A conversation was read up to there, which other devices are to hear. @throws ProtocolError `RATE_LIMITED` */
  markRead(conversation: string, upTo: number): void;
}

/** The one login that holds a device's inbox: nobody else changes its token. */
export interface Holder extends Principal {
  readonly inbox: Inbox;
  /** The account is about to get this password from this login, which goes on with it. */
  setsPassword(credential: string): void;
}

/** The account one is logged in to, as it is now. @throws ProtocolError `NO_SUCH_USER` when its life is over */
export function accountNow({ accounts }: Pick<Services, 'accounts'>, principal: Principal): Account {
  const account = accounts.get(principal.account.name);
  if (isSameLife(account, principal.account)) return account;
  throw new ProtocolError('NO_SUCH_USER', 'Your account was removed.');
}
