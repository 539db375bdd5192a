/*
 * One account with several devices, which come, go, acknowledge, are forgotten and come anew, here and elsewhere: each gets what it is
 * owed, once a login and in order, nothing that it has acknowledged comes to it again, and what any of them has is delivered.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Accepted } from '../../src/core/inboxes.ts';
import {
  eventually,
  fatesOf,
  message,
  type ObservedInbox,
  observe,
  type TestCluster,
} from '../contracts/cluster.ts';

/** Undefined: the main one. */
const NAMES = [undefined, 'desk', 'phone', 'tablet'] as const;
type Name = (typeof NAMES)[number];

const device = fc.constantFrom(...NAMES);
const other = fc.constantFrom('desk', 'phone', 'tablet');
const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('send' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('open' as const),
      device,
      isHere: fc.boolean(),
      last: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('close' as const), device }) },
  {
    weight: 5,
    // Of what it was given by then, each so manieth.
    arbitrary: fc.record({
      type: fc.constant('acknowledge' as const),
      device,
      each: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rest' as const), device }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), device: other }) },
);
type Step = typeof steps extends fc.Arbitrary<infer One> ? One : never;
export const DEVICE_STEPS = fc.array(steps, { maxLength: 40, size: 'max' });

class Model {
  account: Account;
  readonly sent: Accepted[] = [];
  /** What each device has: what it acknowledged, and what others had when it came. */
  readonly has = new Map<Name, Set<number>>([[undefined, new Set()]]);
  /** Those that are logged in, with what they had before. */
  readonly #open = new Map<Name, { readonly held: ObservedInbox; readonly had: ReadonlySet<number> }>();
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster, account: Account) {
    this.#cluster = cluster;
    this.account = account;
  }

  /** What some device has. */
  get delivered(): ReadonlySet<number> {
    return new Set([...this.has.values()].flatMap((has) => [...has]));
  }

  held(name: Name): ObservedInbox | undefined {
    return this.#open.get(name)?.held;
  }

  async send(count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      this.sent.push(await this.#cluster.here.inboxes.append(this.account, message(this.account, `${i}`)));
  }

  async enter(name: Name, isHere: boolean, last: number): Promise<void> {
    if (this.#open.has(name)) return;
    const engine = isHere ? this.#cluster.here : this.#cluster.elsewhere;
    if (name !== undefined && !this.has.has(name)) {
      // What is not committed yet a newcomer cannot know of.
      await this.leaveAll();
      this.account = await engine.accounts.update(this.account, ({ devices = [] }) => ({
        devices: [...devices, { name, lastLogin: Date.now() }],
      }));
      const newest = (this.sent.at(-1)?.offset ?? -1) + 1 - last;
      this.has.set(name, new Set([...this.delivered].filter((offset) => offset < newest)));
    }
    const how = { deliver: 'all' as const, last, ...(name !== undefined && { device: name }) };
    const had = new Set(this.has.get(name));
    this.#open.set(name, { held: await observe(engine, this.account, how), had });
  }

  /** Of what it was given by now each so manieth. */
  acknowledge(name: Name, each: number): void {
    const held = this.held(name);
    for (const [index, { offset }] of (held?.pushed ?? []).entries()) {
      if (index % each !== 0) continue;
      held?.inbox.acknowledge(offset, offset);
      this.has.get(name)?.add(offset);
    }
  }

  async leave(name: Name): Promise<void> {
    const open = this.#open.get(name);
    if (open === undefined) return;
    this.#open.delete(name);
    await open.held.inbox.close();
    expect(open.held.lost).toEqual([]);
    const given = open.held.pushed.map(({ offset }) => offset);
    expect(given, `${name}`).toEqual([...new Set(given)].sort((a, b) => a - b));
    expect(
      given.filter((offset) => open.had.has(offset)),
      `${name}`,
    ).toEqual([]);
  }

  async leaveAll(): Promise<void> {
    for (const name of [...this.#open.keys()]) await this.leave(name);
  }

  async forget(name: Exclude<Name, undefined>): Promise<void> {
    if (!this.has.has(name)) return;
    const held = this.held(name);
    this.account = await this.#cluster.here.accounts.update(this.account, ({ devices = [] }) => ({
      devices: devices.filter((one) => one.name !== name),
    }));
    await this.#cluster.here.inboxes.forget(this.account, name, { takeover: true });
    if (held) await eventually(() => expect(held.lost).toEqual(['fenced']));
    this.#open.delete(name);
    this.has.delete(name);
  }
}

/** Plays it, and lets all come in the end. */
export async function playDevices(
  cluster: TestCluster,
  account: Account,
  all: readonly Step[],
): Promise<void> {
  // One that comes no more: what all others have is kept for it, and so for those who come anew.
  const devices = [{ name: 'shelf', lastLogin: Date.now() }];
  const owner = await cluster.here.accounts.update(account, { devices });
  await (await observe(cluster.here, owner, { device: 'shelf' })).inbox.close();
  const model = new Model(cluster, owner);
  for (const step of all) {
    if (step.type === 'send') await model.send(step.count);
    else if (step.type === 'open') await model.enter(step.device, step.isHere, step.last);
    else if (step.type === 'close') await model.leave(step.device);
    else if (step.type === 'acknowledge') model.acknowledge(step.device, step.each);
    else if (step.type === 'rest') {
      model.held(step.device)?.inbox.pause();
      await model.send(1);
      model.held(step.device)?.inbox.resume();
    } else await model.forget(step.device);
  }
  await model.leaveAll();
  const offsets = model.sent.map(({ offset }) => offset);
  for (const [name, has] of model.has) {
    await model.enter(name, true, 0);
    const owed = offsets.filter((offset) => !has.has(offset));
    await eventually(() => expect(model.held(name)?.pushed.map(({ offset }) => offset)).toEqual(owed));
    const undelivered = offsets.filter((offset) => !model.delivered.has(offset)).length;
    expect(await model.held(name)?.inbox.undelivered()).toBe(undelivered);
    await model.leave(name);
  }
  if (offsets.length === 0) return;
  const fates = offsets.map((offset) => (model.delivered.has(offset) ? 'delivered' : 'waiting'));
  expect(await fatesOf(cluster.here, model.account, model.sent, false)).toEqual(fates);
}
