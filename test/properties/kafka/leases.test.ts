/*
 * One inbox through two frontends, with several things at once in each step: at most one holds it, whoever is superseded knows or hears
 * it, and nothing that was accepted is lost, whoever had it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import { EngineError } from '../../../src/core/errors.ts';
import {
  eventually,
  message,
  type ObservedInbox,
  observe,
  type TestCluster,
  textOf,
} from '../../contracts/cluster.ts';
import { kafkaCluster } from '../../kafka/cluster.ts';
import { runs } from '../checking.ts';
import { newAccount } from './new-account.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await kafkaCluster();
});
afterAll(() => cluster.close());

/** What is done at once with others, a moment later than they. */
const action = fc.record({
  type: fc.constantFrom('open', 'open', 'take over', 'close', 'append', 'append', 'acknowledge'),
  /** Which frontend. */
  via: fc.nat(1),
  afterMs: fc.nat(6),
});
type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;

class World {
  readonly owner: Account;
  /** Opened and not closed by us, as far as they were told nothing else. */
  opened: ObservedInbox[] = [];
  readonly #all: ObservedInbox[] = [];
  readonly #accepted: string[] = [];
  /** Acknowledged by whoever held it then and gave it back in order: these do not come again. */
  readonly #settled = new Set<string>();
  /** Acknowledged by somebody. */
  readonly #acknowledged = new Set<string>();
  readonly #acknowledgedBy = new Map<ObservedInbox, string[]>();
  #count = 0;

  constructor(owner: Account) {
    this.owner = owner;
  }

  async step(actions: readonly Action[]): Promise<void> {
    const before = this.#holder();
    const isGivenBack = actions.some(({ type }) => type === 'close');
    const isTaken = actions.some(({ type }) => type === 'take over');
    const opens = await Promise.all(actions.map((one) => this.#act(one)));
    const refused = opens.filter((code) => code !== null);
    // Nobody gets in beside somebody who stays.
    if (before !== null && !isGivenBack && !isTaken) {
      expect(refused).toHaveLength(actions.filter(({ type }) => type === 'open').length);
      expect(before.lost).toEqual([]);
    }
    for (const code of refused) expect(code).toMatch(/^(ALREADY_LOGGED_IN|BUSY|UNAVAILABLE|LOST)$/);
    await this.#demandOneHolder();
  }

  /** Whoever comes next gets all that nobody has acknowledged, in its order. */
  async end(): Promise<void> {
    await Promise.all(this.opened.map((one) => this.#close(one)));
    const last = await observe(cluster.elsewhere, this.owner, { deliver: 'all' });
    const due = this.#accepted.filter((body) => !this.#acknowledged.has(body));
    await eventually(() => expect(last.bodies()).toEqual(expect.arrayContaining(due)));
    expect(last.bodies().filter((body) => this.#settled.has(body))).toEqual([]);
    this.#all.push(last);
    for (const { pushed } of this.#all) {
      const offsets = pushed.map(({ offset }) => offset);
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    }
    await last.inbox.close();
    expect(await cluster.here.inboxes.held([this.owner])).toEqual([false]);
  }

  async #act({ type, via, afterMs }: Action): Promise<string | null> {
    const engine = via === 0 ? cluster.here : cluster.elsewhere;
    await sleep(afterMs);
    switch (type) {
      case 'append': {
        const body = `m ${this.#count++}`;
        await engine.inboxes.append(this.owner, message(this.owner, body));
        this.#accepted.push(body);
        return null;
      }
      case 'close': {
        const holder = this.#holder();
        if (holder !== null) await this.#close(holder);
        return null;
      }
      case 'acknowledge':
        this.#acknowledge();
        return null;
      default:
        try {
          const takeover = type === 'take over';
          const observed = await observe(engine, this.owner, { deliver: 'all', takeover });
          this.opened.push(observed);
          this.#all.push(observed);
          return null;
        } catch (error) {
          if (error instanceof EngineError) return error.code;
          throw error;
        }
    }
  }

  #holder(): ObservedInbox | null {
    return this.opened.findLast(({ lost }) => lost.length === 0) ?? null;
  }

  #acknowledge(): void {
    const holder = this.#holder();
    const next = holder?.pushed.find((pushed) => !this.#acknowledged.has(textOf(pushed)));
    if (holder === null || next === undefined) return;
    holder.inbox.acknowledge(next.offset, next.offset);
    this.#acknowledged.add(textOf(next));
    this.#acknowledgedBy.set(holder, [...(this.#acknowledgedBy.get(holder) ?? []), textOf(next)]);
  }

  async #close(one: ObservedInbox): Promise<void> {
    this.opened = this.opened.filter((other) => other !== one);
    // Whether it held it until then: what it has acknowledged is committed with that.
    const isHeld = await one.inbox.confirm().then(
      () => true,
      () => false,
    );
    await one.inbox.close();
    const mine = this.#acknowledgedBy.get(one) ?? [];
    this.#acknowledgedBy.delete(one);
    // A takeover between the two leaves it open, and an open one comes again.
    for (const body of mine) if (isHeld && one.lost.length === 0) this.#settled.add(body);
  }

  /** Of all who have it, Kafka knows one. */
  async #demandOneHolder(): Promise<void> {
    const confirmed = await Promise.all(
      this.opened.map(async (one) => {
        const isHeld = await one.inbox.confirm().then(
          () => true,
          (error: unknown) => {
            if (error instanceof EngineError && error.code === 'LOST') return false;
            throw error;
          },
        );
        return isHeld ? [one] : [];
      }),
    );
    const holders = confirmed.flat();
    expect(holders.length).toBeLessThanOrEqual(1);
    for (const one of this.opened.filter((other) => !holders.includes(other))) {
      await eventually(() => expect(one.lost).toHaveLength(1));
    }
    this.opened = holders;
    const isHeld = holders.length === 1;
    for (const engine of [cluster.here, cluster.elsewhere]) {
      expect(await engine.inboxes.held([this.owner])).toEqual([isHeld]);
    }
  }
}

test('of several who want it at once one holds it, and all that was accepted comes to somebody', {
  timeout: 240_000,
}, async () => {
  const steps = fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), {
    minLength: 3,
    maxLength: 10,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = new World(await newAccount(cluster, 'lease'));
      await cluster.elsewhere.accounts.find(world.owner.name);
      for (const actions of all) await world.step(actions);
      await world.end();
    }),
    // Each smaller case is another race.
    { ...runs(6), endOnFailure: true },
  );
});
