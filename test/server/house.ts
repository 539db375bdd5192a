import type { BlockList } from 'node:net';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Config, readConfig } from '../../src/config/config.ts';
import type { RequestOf } from '../../src/protocol/v2/requests.ts';
import type { RegistrationOptions } from '../../src/server/identity/registration.ts';
import { type Server, startServer } from '../../src/server/index.ts';
import { LIMITS, type Limits } from '../../src/server/limits.ts';
import type { TlsFiles } from '../../src/server/net/tls.ts';
import { type FaultyStorage, FaultyStore } from '../storage/faulty-store.ts';
import { RawClient } from './raw-client.ts';
import { RawClient2 } from './raw-client2.ts';

export interface HouseOptions {
  readonly cluster?: FaultyStore;
  readonly openAccounts?: boolean;
  readonly maxConnections?: number;
  readonly listBeforeLogin?: boolean;
  readonly proxies?: BlockList;
  readonly tls?: TlsFiles;
  readonly limits?: Partial<Limits>;
  readonly registration?: RegistrationOptions;
}

/** What people's passwords are, unless a test says otherwise. */
export const PASSWORD = 'correct horse';
/** Fields of a login beside its username. */
export type Login = Partial<Omit<RequestOf<'login'>, 'type' | 'username'>>;

/** Hashes that cost next to nothing. */
export const CHEAP = { memoryKiB: 8, passes: 1, lanes: 1 };

/** A frontend on a fake cluster, with everything a test may want to look at. */
export interface House {
  readonly cluster: FaultyStore;
  readonly engine: FaultyStorage;
  readonly frontend: Server;
  /** Everything it logged, at the finest level. */
  readonly logged: string[];
  connect(): Promise<RawClient>;
  /** A connection that has made this account and is logged in to it. */
  person(name: string): Promise<RawClient>;
  /** A connection that has logged in. */
  login(name: string): Promise<RawClient>;
  /** The same in version 2. @param localAddress another one of this machine: `127.0.0.2` */
  connect2(localAddress?: string): Promise<RawClient2>;
  /** An account with the password `PASSWORD`, logged in to in version 2. */
  person2(name: string): Promise<RawClient2>;
  login2(name: string, how?: Login): Promise<RawClient2>;
}

/** A server's settings: the defaults, on any free port, and what a test says. */
export function testSettings(settings: Partial<Config> = {}): Config {
  const { connectionsPerAddress } = LIMITS;
  return { ...readConfig({}), port: 0, maxConnections: 1_000, connectionsPerAddress, ...settings };
}

/** Opens a frontend that is gone when the test is over. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const { cluster = new FaultyStore(), openAccounts = true, maxConnections = 1_000, limits = {} } = options;
  const { listBeforeLogin = true, proxies, tls, registration } = options;
  const engine = cluster.open();
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const config = testSettings({
    openAccounts,
    listBeforeLogin,
    maxConnections,
    ...(proxies !== undefined && { proxies }),
    ...(tls !== undefined && { tls }),
    ...(registration !== undefined && settingsOf(registration)),
  });
  const frontend = await startServer(engine, config, {
    log,
    limits: {
      lingerMs: 200,
      passwordCost: CHEAP,
      newAccountsPerAddress: 10_000,
      newAccounts: 10_000,
      ...limits,
    },
  });
  const clients: (RawClient | RawClient2)[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.socket.destroy();
    cluster.setAvailable(true);
    await frontend.drain();
    await engine.close();
  });
  const connect = async () => {
    const client = await RawClient.connect(frontend.address);
    clients.push(client);
    return client;
  };
  const connect2 = async (localAddress?: string) => {
    const from = localAddress === undefined ? {} : { localAddress };
    const client = await RawClient2.connect({ ...frontend.address, ...from });
    clients.push(client);
    return client;
  };
  return {
    cluster,
    engine,
    frontend,
    logged,
    connect,
    connect2,
    person2: async (name) => {
      const client = await connect2();
      await client.create(name, PASSWORD);
      return client;
    },
    login2: async (name, how = { password: PASSWORD }) => {
      const client = await connect2();
      await client.login(name, how);
      return client;
    },
    person: async (name) => {
      const client = await connect();
      await client.create(name);
      return client;
    },
    login: async (name) => {
      const client = await connect();
      await client.login(name);
      return client;
    },
  };
}

function settingsOf({ mode, maxAccounts, keys }: RegistrationOptions): Partial<Config> {
  const clusterKeys = keys.map(({ id, secret }) => `${id}:${secret.toString('base64url')}`).join(',');
  return { registration: mode, maxAccounts, clusterKeys };
}
