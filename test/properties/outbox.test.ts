/*
 * The outbox between a person, a disk and a server: connections end, servers have no room, the program crashes at any point. Each
 * message is stored once, in its order, or its sender was told that it is not.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Entry, Outbox } from '../../src/client/outbox.ts';
import { demand } from '../fuzz/fuzzing.ts';
import { holds } from './checking.ts';

const RECEIPT = Uint8Array.of(1);
const NAMES = ['ann', 'bob', 'cy'];
const FINAL = new Set(['delivered', 'undeliverable', 'refused']);

/** What the server does with a message that it has not stored yet; one that it has it confirms again. */
const VERDICTS = [
  'store',
  'store',
  'store',
  'busy',
  'unsure, stored',
  'unsure, not stored',
  'refuse',
] as const;

const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('enter' as const), to: fc.constantFrom(...NAMES) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('pump' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('reach' as const), verdict: fc.constantFrom(...VERDICTS) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('answer' as const), isLate: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resume' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('connect' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deliver' as const), which: fc.nat(100) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer One> ? One : never;
type Reply = 'sent' | 'busy' | 'unsure' | 'refused';

class World {
  outbox = new Outbox();
  /** As the disk has it once it is told to keep it, and as it was told since. */
  #durable = new Map<string, Entry>();
  #told = new Map<string, Entry>();
  readonly entered: { id: string; to: string }[] = [];
  /** Ids in the order in which the server stored them, each once. */
  readonly stored: string[] = [];
  readonly refused = new Set<string>();
  /** What each person last heard of a message. */
  readonly states = new Map<string, string>();
  /** On this connection: what has not reached the server, and what it has answered. */
  #flying: string[] = [];
  #replies: { id: string; reply: Reply }[] = [];
  #isOnline = false;

  take(step: Step): void {
    const acts: { readonly [Type in Step['type']]: (one: Extract<Step, { type: Type }>) => void } = {
      enter: ({ to }) => this.#enter(to),
      pump: () => this.#pump(),
      reach: ({ verdict }) => this.#reach(verdict),
      answer: ({ isLate }) => this.#answer(isLate),
      resume: () => this.#changed(this.outbox.resume()),
      cut: () => this.#cut(),
      connect: () => this.#connect(),
      crash: () => this.#crash(),
      deliver: ({ which }) => this.#deliver(this.stored[which % Math.max(1, this.stored.length)]),
    };
    const act = acts[step.type] as (one: Step) => void;
    act(step);
  }

  /** A good connection to the end. */
  finish(): void {
    this.#cut();
    this.#connect();
    for (let left = this.entered.length + 1; left > 0; left--) {
      this.#pump();
      while (this.#flying.length > 0) this.#reach('store');
      while (this.#replies.length > 0) this.#answer(false);
    }
  }

  /** What was last told to be surely not stored is not. */
  check(): void {
    const stored = new Set(this.stored);
    for (const known of [this.#told, this.#durable]) {
      for (const { id, mayBeStored } of known.values())
        demand(mayBeStored || !stored.has(id), () => `${id} was told not to be stored`);
    }
    for (const id of this.refused) demand(!stored.has(id), () => `${id} was refused`);
  }

  #enter(to: string): void {
    const id = `${this.entered.length}`;
    const entry = this.outbox.add(id, to, 'x');
    if (entry === null) return;
    this.entered.push({ id, to });
    this.#changed([entry]);
    this.#commit();
  }

  #pump(): void {
    const taken = this.outbox.take();
    if (taken.length === 0) return;
    demand(this.#isOnline, () => 'sent without a connection');
    this.#changed(taken.filter(({ isNews }) => isNews));
    this.#commit();
    for (const { id, to } of taken) {
      const open = [...this.#flying, ...this.#replies.map((reply) => reply.id)];
      const before = open.filter((other) => !FINAL.has(this.states.get(other) ?? ''));
      demand(!before.some((other) => this.#to(other) === to), () => `${id} overtakes`);
      this.#flying.push(id);
    }
  }

  #reach(verdict: (typeof VERDICTS)[number]): void {
    const id = this.#flying.shift();
    if (id === undefined) return;
    const isStored = this.stored.includes(id);
    if (!isStored && (verdict === 'store' || verdict === 'unsure, stored')) this.stored.push(id);
    const reply: Reply = verdict.startsWith('unsure')
      ? 'unsure'
      : isStored || verdict === 'store'
        ? 'sent'
        : verdict === 'busy'
          ? 'busy'
          : 'refused';
    this.#replies.push({ id, reply });
  }

  #answer(isLate: boolean): void {
    const next = this.#replies.shift();
    if (next === undefined) return;
    const { id, reply } = next;
    if (isLate) this.#changed(this.outbox.unheard(id));
    if (reply === 'sent') this.#changed(this.outbox.accepted(id, RECEIPT));
    else if (reply === 'refused') {
      const told = this.outbox.refused(id, 'no');
      for (const entry of told) this.refused.add(entry.id);
      this.#changed(told);
    } else this.#changed(this.outbox.pause(id, reply === 'unsure'));
  }

  #cut(): void {
    this.#isOnline = false;
    this.#flying = [];
    this.#replies = [];
    this.#changed(this.outbox.interrupt());
  }

  #connect(): void {
    if (this.#isOnline) return;
    this.#isOnline = true;
    this.#changed(this.outbox.begin());
    const asked = this.outbox.toAskFor(5).map(({ id }) => id);
    this.#changed(
      this.outbox.told(
        asked,
        asked.map((id) => (Number(id) % 2 === 0 ? 'delivered' : 'waiting')),
      ),
    );
  }

  #crash(): void {
    this.#isOnline = false;
    this.#flying = [];
    this.#replies = [];
    this.#told = new Map(this.#durable);
    this.outbox = new Outbox();
    const left = [...this.#durable.values()];
    for (const { id, state } of left) {
      this.states.set(id, state.kind);
      // Whoever read of it a moment ago does not find it again.
      this.refused.delete(id);
    }
    for (const { id } of this.entered) if (!this.#durable.has(id)) this.#settledBefore(id);
    const unanswered = left.filter(({ receipt }) => receipt === null);
    const stored = left.filter(({ receipt }) => receipt !== null);
    this.#changed(this.outbox.restore([...unanswered, ...stored]));
  }

  /** What is no more on the disk has come to an end. */
  #settledBefore(id: string): void {
    demand(/^(stored|delivered|refused)$/.test(this.states.get(id) ?? ''), () => `${id} is lost`);
  }

  #deliver(id: string | undefined): void {
    // Only this connection is told of it.
    if (id !== undefined && this.#isOnline) this.#changed(this.outbox.settled([id], 'delivered'));
  }

  #to(id: string): string | undefined {
    return this.entered[Number(id)]?.to;
  }

  #changed(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { id, state, receipt } = entry;
      const before = this.states.get(id) ?? 'new';
      if (FINAL.has(before)) throw new Error(`${id} was ${before} and became ${state.kind}`);
      demand(before !== 'stored' || ['delivered', 'stored'].includes(state.kind), () => `${id} was stored`);
      this.states.set(id, state.kind);
      const isSettled = FINAL.has(state.kind) || (state.kind === 'stored' && receipt === null);
      if (isSettled) this.#told.delete(id);
      else this.#told.set(id, entry);
    }
  }

  #commit(): void {
    this.#durable = new Map(this.#told);
  }
}

test('whatever happens: each message is stored once, in its order, or refused', () => {
  holds(steps, 150, 80, (all) => {
    const world = new World();
    for (const step of all) {
      world.take(step);
      world.check();
    }
    world.finish();
    expect(world.outbox.unanswered).toBe(0);
    for (const name of NAMES) {
      const mine = world.entered.filter(({ to }) => to === name).map(({ id }) => id);
      const stored = world.stored.filter((id) => mine.includes(id));
      expect(stored).toEqual(mine.filter((id) => !world.refused.has(id)));
    }
    for (const { id } of world.entered) expect(world.states.get(id)).toMatch(/^(stored|delivered|refused)$/);
  });
});
