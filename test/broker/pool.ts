import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Lent, PoolRequest } from './borrow.ts';
import { type KindName, startKind } from './kinds.ts';
import type { TestBroker } from './test-broker.ts';
import { wipe } from './wipe.ts';

/** With nothing to do a broker takes a twentieth of a core: after this time a new one would have been cheaper. */
const IDLE_MS = 60_000;

interface Pooled {
  readonly kind: KindName;
  readonly nodes: readonly TestBroker[];
  /** Runs out while nobody uses it. */
  ending?: NodeJS.Timeout;
}

/**
 * Brokers for files that need one of their own: to start one takes as much of a core as a whole file of tests does, so
 * they are used one after the other, each emptied before the next has it.
 */
export class BrokerPool {
  readonly #idle: Pooled[] = [];
  readonly #lent = new Map<string, Pooled>();
  /** Those that are being emptied. */
  readonly #returning = new Map<Promise<void>, KindName>();
  readonly #all = new Set<Pooled>();
  readonly #closing = new AbortController();
  readonly #server = createServer((request, response) => {
    text(request)
      .then(async (body) => JSON.stringify((await this.#answer(JSON.parse(body))) ?? null))
      .then(
        (answer) => response.end(answer),
        (error) => response.writeHead(500).end(error instanceof Error ? error.stack : String(error)),
      );
  });

  /** @returns where it listens, for `POOL` */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    // A broker may take long to come.
    this.#server.requestTimeout = 0;
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#server.closeAllConnections();
    this.#server.close();
    await Promise.all(this.#returning.keys());
    await Promise.all([...this.#all].map((pooled) => this.#end(pooled)));
  }

  async #answer(request: PoolRequest): Promise<unknown> {
    if (request.what === 'borrow') return this.#borrow(request.kind);
    const pooled = this.#lent.get(request.id);
    if (pooled === undefined) throw new Error(`nobody has borrowed ${request.id}`);
    if (request.what === 'give back') {
      this.#lent.delete(request.id);
      this.#takeBack(pooled);
      return null;
    }
    return pooled.nodes[request.node]?.[request.what]();
  }

  async #borrow(kind: KindName): Promise<Lent> {
    const pooled = await this.#free(kind);
    const id = randomUUID();
    this.#lent.set(id, pooled);
    const nodes = pooled.nodes.map(({ host, port, folder }) => ({ host, port, folder }));
    return { id, nodes };
  }

  async #free(kind: KindName): Promise<Pooled> {
    for (;;) {
      const at = this.#idle.findIndex((idle) => idle.kind === kind);
      const [idle] = at < 0 ? [] : this.#idle.splice(at, 1);
      if (idle !== undefined) {
        clearTimeout(idle.ending);
        return idle;
      }
      const [returning] = [...this.#returning].find(([, of]) => of === kind) ?? [];
      if (returning === undefined) break;
      await returning;
    }
    const pooled: Pooled = { kind, nodes: await startKind(kind) };
    this.#all.add(pooled);
    return pooled;
  }

  /** Empties it while whoever had it goes on; one that cannot be emptied is ended. */
  #takeBack(pooled: Pooled): void {
    const emptied = wipe(pooled.nodes, this.#closing.signal)
      .then(
        () => {
          this.#idle.push(pooled);
          pooled.ending = setTimeout(() => void this.#end(pooled), IDLE_MS).unref();
        },
        () => this.#end(pooled),
      )
      .finally(() => this.#returning.delete(emptied));
    this.#returning.set(emptied, pooled.kind);
  }

  async #end(pooled: Pooled): Promise<void> {
    const at = this.#idle.indexOf(pooled);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#all.delete(pooled);
    await Promise.all(pooled.nodes.map((node) => node.stop()));
  }
}
