import type { Logger } from 'pino';
import { clusterKeysOf } from '../config/cluster-keys.ts';
import type { Config } from '../config/config.ts';
import type { Storage } from '../core/storage.ts';
import { Queues, Semaphore } from '../util/semaphore.ts';
import { TokenBucket, TokenBuckets } from '../util/token-buckets.ts';
import { CoordinatorQueries } from './commands/questions.ts';
import { Senders } from './commands/senders.ts';
import { Devices } from './devices.ts';
import { Audit } from './identity/audit.ts';
import { Authentication } from './identity/identity.ts';
import { Registration, type RegistrationOptions } from './identity/registration.ts';
import { LIMITS, type Limits } from './limits.ts';
import { openLog } from './log.ts';
import { Listener } from './net/listener.ts';
import { TickQuotas } from './net/tick-quota.ts';
import { demandProtected } from './net/tls.ts';
import type { Transport } from './net/transport.ts';
import { PresenceRegistry } from './presence.ts';
import { DeliveryReceipts } from './receipts/delivery-receipts.ts';
import { RoomSweep } from './room-sweep.ts';

/** The settings of a server, as `readConfig` makes them. */
export type ServerConfig = Pick<
  Config,
  | 'host'
  | 'port'
  | 'maxConnections'
  | 'connectionsPerAddress'
  | 'tls'
  | 'plaintext'
  | 'proxies'
  | 'openAccounts'
  | 'listBeforeLogin'
  | 'registration'
  | 'maxAccounts'
  | 'newAccountsPerAddress'
  | 'newAccounts'
  | 'passwordCharacters'
  | 'deviceMs'
  | 'resumeMs'
  | 'window'
  | 'sendsPerSecond'
  | 'pingAfterMs'
  | 'closeAfterMs'
  | 'mailbox'
  | 'brokers'
  | 'clusterKeys'
  | 'clusterKeyFile'
  | 'logLevel'
>;

export interface ServerOptions {
  /** Standard output, unless given. */
  readonly log?: Logger;
  /** Bounds that no setting has, or other ones than the settings say. */
  readonly limits?: Partial<Limits>;
}

/** A server that listens. */
export interface Server {
  readonly address: { readonly host: string; readonly port: number };
  /** Number of sessions that are not over. */
  readonly sessionCount: number;
  /**
   * Ends all sessions in order: see `Listener.drain`. The storage is the caller's to close, afterwards.
   * @returns the number of sessions that were cut off at the deadline
   */
  drain(): Promise<number>;
  /** Uses the certificate that lies in its files now, for new connections. */
  reloadCertificate(): void;
  /** Takes a connection that comes another way than to its port, as one that does to it. */
  welcome(transport: Transport): void;
}

/**
 * Starts listening, on a storage that is open already.
 * @throws ConfigError for what would send passwords in the clear, for TLS files and keys that cannot be used; and as `Listener.open`
 */
export async function startServer(
  storage: Storage,
  config: ServerConfig,
  options: ServerOptions = {},
): Promise<Server> {
  demandProtected(config);
  const { accounts, inboxes, rooms } = storage;
  const { openAccounts, listBeforeLogin, mailbox } = config;
  const { log = openLog({ name: 'milena', level: config.logLevel }) } = options;
  const limits: Limits = { ...LIMITS, ...limitsOf(config), ...options.limits };
  const presence = new PresenceRegistry(inboxes, limits);
  const entrance = new Semaphore(limits.enteringAtOnce);
  const exit = new Semaphore(limits.leavingAtOnce);
  const identity = new Authentication(accounts, storage.tokens, limits);
  const registration = new Registration(accounts, registrationOf(config), limits);
  const audit = new Audit(log);
  const deliveryReceipts = new DeliveryReceipts(inboxes, accounts, limits, log);
  const senders = new Senders(limits);
  const devices = new Devices({ accounts, inboxes, identity, limits, log, here: () => presence.devices() });
  const services = {
    accounts,
    inboxes,
    rooms,
    identity,
    presence,
    devices,
    deliveryReceipts,
    senders,
    logins: new Queues(),
    entrance,
    roomEntrance: new Semaphore(limits.roomsEnteredAtOnce),
    exit,
    quotas: new TickQuotas(limits),
    questions: new CoordinatorQueries(limits),
    reading: new Semaphore(limits.readsAtOnce),
    topicLooks: new Semaphore(limits.topicLooksAtOnce),
    creating: new Semaphore(limits.creatingAtOnce),
    strangersLists: {
      ofAddress: new TokenBuckets(limits.listedBytesPerAddress, limits.rateKeys),
      ofAll: new TokenBucket(limits.listedBytes),
    },
    changes: new TokenBuckets(limits.changesPerAccount, limits.rateKeys),
    newRooms: new TokenBuckets(limits.newRoomsPerAccount, limits.rateKeys),
    registration,
    openAccounts,
    listBeforeLogin,
    mailbox,
    limits,
    audit,
    log,
  };
  const sweep = new RoomSweep(rooms, log, limits.roomSweepMs);
  const listener = await Listener.open(services, config);
  return {
    address: listener.address,
    get sessionCount() {
      return listener.reception.sessionCount;
    },
    reloadCertificate: () => listener.reloadCertificate(),
    welcome: (transport) => listener.reception.welcome(transport),
    async drain() {
      deliveryReceipts.close();
      devices.close();
      sweep.close();
      identity.close();
      const cutOff = await listener.drain(limits.drainMs);
      audit.close();
      return cutOff;
    },
  };
}

/** Keys are for invites: where nobody is asked for one, none are read. */
function registrationOf(config: ServerConfig): RegistrationOptions {
  const { registration: mode, maxAccounts } = config;
  return { mode, maxAccounts, keys: mode === 'invite' ? clusterKeysOf(config) : [] };
}

/** What settings say of the bounds. */
export function limitsOf(config: ServerConfig): Partial<Limits> {
  const { connectionsPerAddress, passwordCharacters, deviceMs, resumeMs, window, sendsPerSecond } = config;
  const { pingAfterMs, closeAfterMs } = config;
  const sendBurst = 2 * sendsPerSecond;
  const { newAccountsPerAddress, newAccounts } = config;
  const people = {
    connectionsPerAddress,
    passwordCharacters,
    deviceMs,
    resumeMs,
    newAccountsPerAddress,
    newAccounts,
  };
  return { ...people, window, sendsPerSecond, sendBurst, pingAfterMs, closeAfterMs };
}
