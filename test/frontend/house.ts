import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Frontend } from '../../src/frontend/frontend.ts';
import { openFrontend } from '../../src/frontend/frontend.ts';
import type { Limits } from '../../src/frontend/limits.ts';
import { MemoryCluster, type MemoryEngine } from '../fakes/cluster.ts';
import { RawClient } from './raw-client.ts';

export interface HouseOptions {
  readonly cluster?: MemoryCluster;
  readonly openAccounts?: boolean;
  readonly maxConnections?: number;
  readonly limits?: Partial<Limits>;
}

/** A frontend on a fake cluster, with everything a test may want to look at. */
export interface House {
  readonly cluster: MemoryCluster;
  readonly engine: MemoryEngine;
  readonly frontend: Frontend;
  /** Everything it logged, at the finest level. */
  readonly logged: string[];
  connect(): Promise<RawClient>;
  /** A connection that has made this account and is logged in to it. */
  person(name: string): Promise<RawClient>;
  /** A connection that has logged in. */
  login(name: string): Promise<RawClient>;
}

/** Opens a frontend that is gone when the test is over. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const { cluster = new MemoryCluster(), openAccounts = true, maxConnections = 1_000, limits = {} } = options;
  const engine = cluster.engine();
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const { accounts, inboxes, sessions } = engine;
  const frontend = await openFrontend({
    host: '127.0.0.1',
    port: 0,
    accounts,
    inboxes,
    sessions,
    openAccounts,
    maxConnections,
    log,
    limits: { lingerMs: 200, ...limits },
  });
  const clients: RawClient[] = [];
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
  return {
    cluster,
    engine,
    frontend,
    logged,
    connect,
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
