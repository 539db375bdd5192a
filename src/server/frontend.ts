import type { Logger } from 'pino';
import type { Accounts } from '../core/accounts.ts';
import type { Inboxes } from '../core/inboxes.ts';
import type { Sessions } from '../core/sessions.ts';
import { Semaphore } from '../util/semaphore.ts';
import { TokenBucket, TokenBuckets } from '../util/token-buckets.ts';
import { Questions } from './commands/questions.ts';
import { Senders } from './commands/senders.ts';
import { Audit } from './identity/audit.ts';
import { Identity } from './identity/identity.ts';
import { Registration, type RegistrationOptions } from './identity/registration.ts';
import { LIMITS, type Limits } from './limits.ts';
import { Listener, type ListenOptions } from './net/listener.ts';
import { TickQuotas } from './net/tick-quota.ts';
import { Presence } from './presence.ts';
import { DeliveryReceipts } from './receipts/delivery-receipts.ts';
import { Queues } from './session/queues.ts';

export interface FrontendOptions extends ListenOptions {
  readonly accounts: Accounts;
  readonly inboxes: Inboxes;
  readonly sessions: Sessions;
  /** Whether accounts without a password may be made and used here. */
  readonly openAccounts: boolean;
  /** Whether names are told to who is not logged in; absent: yes. */
  readonly listBeforeLogin?: boolean;
  /** Anybody, unless given. */
  readonly registration?: RegistrationOptions;
  readonly log: Logger;
  readonly limits?: Partial<Limits>;
  /** What one inbox takes, to be told to clients. */
  readonly mailbox?: { readonly maxMessages: number; readonly maxBytes: number };
}

/** A frontend that listens. */
export interface Frontend {
  readonly address: { readonly host: string; readonly port: number };
  /** Number of sessions that are not over. */
  readonly sessionCount: number;
  /**
   * Ends all sessions in order: see `Listener.drain`.
   * @returns the number of sessions that were cut off at the deadline
   */
  drain(): Promise<number>;
  /** Uses the certificate that lies in its files now, for new connections. */
  reloadCertificate(): void;
}

/** Starts listening, on an engine that is there already. @throws as `Listener.open` */
export async function openFrontend(options: FrontendOptions): Promise<Frontend> {
  const limits: Limits = { ...LIMITS, ...options.limits };
  const { accounts, inboxes, openAccounts, mailbox = null, log } = options;
  const presence = new Presence(inboxes, limits);
  const entrance = new Semaphore(limits.enteringAtOnce);
  const exit = new Semaphore(limits.leavingAtOnce);
  const identity = new Identity(options.sessions, limits);
  const { registration: who = { mode: 'open', maxAccounts: Number.POSITIVE_INFINITY, keys: [] } } = options;
  const registration = new Registration(accounts, who, limits);
  const audit = new Audit(log);
  const deliveryReceipts = new DeliveryReceipts(inboxes, accounts, limits, log);
  const senders = new Senders(accounts, limits);
  const services = {
    accounts,
    inboxes,
    identity,
    presence,
    deliveryReceipts,
    senders,
    logins: new Queues(),
    entrance,
    exit,
    quotas: new TickQuotas(limits),
    questions: new Questions(limits),
    reading: new Semaphore(limits.readsAtOnce),
    creating: new Semaphore(limits.creatingAtOnce),
    strangersLists: {
      ofAddress: new TokenBuckets(limits.listedBytesPerAddress, limits.rateKeys),
      ofAll: new TokenBucket(limits.listedBytes),
    },
    changes: new TokenBuckets(limits.changesPerAccount, limits.rateKeys),
    registration,
    openAccounts,
    listBeforeLogin: options.listBeforeLogin ?? true,
    mailbox,
    limits,
    audit,
    log,
  };
  const listener = await Listener.open(services, options);
  return {
    address: listener.address,
    get sessionCount() {
      return listener.sessionCount;
    },
    reloadCertificate: () => listener.reloadCertificate(),
    async drain() {
      deliveryReceipts.close();
      senders.close();
      identity.close();
      const cutOff = await listener.drain(limits.drainMs);
      audit.close();
      return cutOff;
    },
  };
}
