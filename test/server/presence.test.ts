import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Inbox } from '../../src/core/inboxes.ts';
import { LIMITS, type Limits } from '../../src/server/limits.ts';
import { PresenceRegistry } from '../../src/server/presence.ts';
import { Semaphore } from '../../src/util/semaphore.ts';
import { eventually, observe } from '../contracts/cluster.ts';
import { idOf } from '../ids.ts';
import { FaultyStore } from '../storage/faulty-store.ts';

const account = (name: string, incarnation = 'first'): Account => ({
  name,
  incarnation: idOf(incarnation),
  topicId: name,
  displayName: null,
  credential: null,
  disabled: false,
  blocked: [],
  createdAt: 0,
});

/** Questions are answered when the test says so. */
function open(limits: Partial<Limits> = {}) {
  const asked: { names: string[]; answer: (held: boolean[] | Error) => void }[] = [];
  const presence = new PresenceRegistry(
    {
      held: (accounts) =>
        new Promise((resolve, reject) => {
          const answer = (held: boolean[] | Error) => (held instanceof Error ? reject(held) : resolve(held));
          asked.push({ names: accounts.map(({ name }) => name), answer });
        }),
    },
    { ...LIMITS, ...limits },
  );
  return { presence, asked };
}

async function seat(name: string): Promise<{ account: Account; inbox: Inbox }> {
  const engine = new FaultyStore().open();
  const owner = await engine.accounts.create({ name });
  return { account: owner, inbox: (await observe(engine, owner)).inbox };
}

describe('who is logged in', () => {
  it('is known at once of those who are here', async () => {
    const { presence, asked } = open();
    const anna = await seat('anna');
    presence.entered(anna);
    expect(await presence.isLoggedIn(anna.account)).toBe(true);
    expect(asked).toEqual([]);
  });

  it('is asked of everybody else, many in one question, in batches', async () => {
    const { presence, asked } = open({ presenceBatch: 3 });
    const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => presence.isLoggedIn(account(name))));
    // Not before what else is to be done in this turn.
    expect(asked).toEqual([]);
    await eventually(() => expect(asked).toHaveLength(1));
    expect(asked[0]?.names).toEqual(['a', 'b', 'c']);
    asked[0]?.answer([true, false, true]);
    await eventually(() => expect(asked).toHaveLength(2));
    expect(asked[1]?.names).toEqual(['d', 'e']);
    asked[1]?.answer([false, true]);
    expect(await answers).toEqual([true, false, true, false, true]);
  });

  it('counts as not, where Kafka fails, is slow, or too many ask', async () => {
    const { presence, asked } = open({ presenceMs: 20, presenceQuestions: 2 });
    const failing = presence.isLoggedIn(account('a'));
    await eventually(() => expect(asked).toHaveLength(1));
    asked[0]?.answer(new EngineError('UNAVAILABLE', 'away'));
    expect(await failing).toBe(false);
    const first = presence.isLoggedIn(account('b'));
    await eventually(() => expect(asked).toHaveLength(2));
    const slow = [first, presence.isLoggedIn(account('c'))];
    const third = presence.isLoggedIn(account('d'));
    const fourth = presence.isLoggedIn(account('e'));
    expect(await fourth).toBe(false);
    expect(await Promise.all([...slow, third])).toEqual([false, false, false]);
    asked[1]?.answer([true]);
    await eventually(() => expect(asked).toHaveLength(3));
    expect(asked[2]?.names).toEqual(['c', 'd']);
  });

  it('does not mix up two lives of a name', async () => {
    const { presence, asked } = open();
    presence.entered(await seat('anna'));
    const answer = presence.isLoggedIn(account('anna', 'another'));
    await eventually(() => expect(asked).toHaveLength(1));
    asked[0]?.answer([false]);
    expect(await answer).toBe(false);
  });

  it('ends with the leaving, which a new login can wait for', async () => {
    const { presence, asked } = open();
    const anna = await seat('anna');
    presence.entered(anna);
    expect(presence.leave(anna.account, undefined)).toBeNull();
    const { promise, resolve } = Promise.withResolvers<void>();
    presence.leaving(anna, promise);
    const answer = presence.isLoggedIn(anna.account);
    await eventually(() => expect(asked).toHaveLength(1));
    asked[0]?.answer([false]);
    expect(await answer).toBe(false);
    const left = presence.leave(anna.account, undefined);
    expect(left).not.toBeNull();
    resolve();
    await left;
    expect(presence.leave(anna.account, undefined)).toBeNull();
  });

  it('does not end with the leaving of somebody else who held the account before', async () => {
    const { presence } = open();
    const [old, next] = [await seat('anna'), await seat('anna')];
    presence.entered(old);
    presence.entered(next);
    presence.leaving(old, Promise.resolve());
    expect(await presence.isLoggedIn(next.account)).toBe(true);
  });
});

describe('a semaphore', () => {
  it('lets so many through at once and no more, and everybody in the end', async () => {
    const semaphore = new Semaphore(3);
    const inside = new Set<number>();
    const leave: (() => void)[] = [];
    const sizes: number[] = [];
    const all = Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        semaphore.pass('one address', async () => {
          inside.add(i);
          sizes.push(inside.size);
          await new Promise<void>((resolve) => leave.push(resolve));
          inside.delete(i);
          if (i % 4 === 0) throw new Error('fell over');
          return i;
        }),
      ),
    );
    for (let gone = 0; gone < 10; gone++) {
      await eventually(() => expect(leave.length).toBeGreaterThan(gone));
      leave[gone]?.();
    }
    const results = await all;
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(
      Array.from({ length: 10 }, (_, i) => i % 4 !== 0),
    );
    expect(Math.max(...sizes)).toBe(3);
    expect(sizes).toHaveLength(10);
  });

  it('lets one address in after the other, however many of another wait', async () => {
    const semaphore = new Semaphore(1);
    const order: string[] = [];
    const pass = (whom: string) => semaphore.pass(whom, async () => void order.push(whom));
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'c'].map(pass));
    expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'a']);
  });
});
