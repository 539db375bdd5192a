import type { KindName } from './kinds.ts';
import type { TestBroker } from './test-broker.ts';

/** Where the processes of a run find the pool, in their environment. */
export const POOL = 'MILENA_TEST_BROKER_POOL';

/** What a process asks of the pool. */
export type PoolRequest =
  | { readonly what: 'borrow'; readonly kind: KindName }
  | { readonly what: 'give back'; readonly id: string }
  | { readonly what: Act; readonly id: string; readonly node: number };

/** What may be done to one broker: see `TestBroker`. */
export type Act = 'start' | 'halt' | 'kill' | 'freeze' | 'thaw' | 'log';

/** Brokers that one file has for itself until it gives them back. */
export interface Lent {
  readonly id: string;
  readonly nodes: readonly { readonly host: string; readonly port: number; readonly folder: string }[];
}

/**
 * One broker that nobody else uses until it is given back by `stop()`: it is empty, but may have been somebody's before.
 */
export async function borrowBroker(kind: Exclude<KindName, 'three'> = 'plain'): Promise<LentBroker> {
  const [broker] = await borrow(kind);
  if (broker === undefined) throw new Error('no broker was lent');
  return broker;
}

export interface LentCluster {
  /** Bootstrap addresses of all nodes, joined by commas. */
  readonly brokers: string;
  readonly nodes: readonly LentBroker[];
  /** Gives them back. */
  stop(): Promise<void>;
}

/** Three brokers that are a cluster, likewise. */
export async function borrowCluster(): Promise<LentCluster> {
  const nodes = await borrow('three');
  const brokers = nodes.map((node) => node.brokers).join(',');
  return { brokers, nodes, stop: async () => nodes[0]?.stop() };
}

async function borrow(kind: KindName): Promise<LentBroker[]> {
  const lent = (await ask({ what: 'borrow', kind })) as Lent;
  return lent.nodes.map((_, node) => new LentBroker(lent, node));
}

/** A broker of the pool's. */
export class LentBroker implements TestBroker {
  readonly host: string;
  readonly port: number;
  readonly brokers: string;
  readonly folder: string;
  readonly #id: string;
  readonly #node: number;

  constructor({ id, nodes }: Lent, node: number) {
    const { host = '', port = 0, folder = '' } = nodes[node] ?? {};
    this.host = host;
    this.port = port;
    this.brokers = `${host}:${port}`;
    this.folder = folder;
    this.#id = id;
    this.#node = node;
  }

  start = (): Promise<void> => this.#act('start');
  halt = (): Promise<void> => this.#act('halt');
  kill = (): Promise<void> => this.#act('kill');
  freeze = (): Promise<void> => this.#act('freeze');
  thaw = (): Promise<void> => this.#act('thaw');

  async log(): Promise<string> {
    return String(await ask({ what: 'log', id: this.#id, node: this.#node }));
  }

  /** Gives it back, and the others of its cluster with it. */
  async stop(): Promise<void> {
    await ask({ what: 'give back', id: this.#id });
  }

  async #act(what: Act): Promise<void> {
    await ask({ what, id: this.#id, node: this.#node });
  }
}

async function ask(request: PoolRequest): Promise<unknown> {
  const address = process.env[POOL];
  if (address === undefined) throw new Error('only a run of the tests has brokers to lend');
  const response = await fetch(address, { method: 'POST', body: JSON.stringify(request) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
