import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CoordinatorQueries } from '../../src/server/commands/questions.ts';
import { LIMITS } from '../../src/server/limits.ts';
import { eventually } from '../contracts/cluster.ts';
import { openHouse } from './house.ts';

const many = Array.from({ length: 130 }, (_, i) => i);

describe('questions that cost a look', () => {
  it('go in small batches, and the answers come in their order', async () => {
    const questions = new CoordinatorQueries(LIMITS);
    const sizes: number[] = [];
    const answers = await questions.ask('anna', many, async (some) => {
      sizes.push(some.length);
      return some.map((n) => -n);
    });
    expect(answers).toEqual(many.map((n) => -n));
    expect(sizes).toEqual([50, 50, 30]);
    expect(await questions.ask('anna', [], async () => [])).toEqual([]);
  });

  it('are asked few at once, and accounts take turns', async () => {
    const questions = new CoordinatorQueries({ ...LIMITS, questionBatchesAtOnce: 1, questionBatch: 10 });
    const order: string[] = [];
    let atOnce = 0;
    const ask = (name: string) =>
      questions.ask(name, many.slice(0, 40), async (some) => {
        atOnce += 1;
        expect(atOnce).toBe(1);
        order.push(name);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        return some;
      });
    // Twenty sessions of one account, and one of another.
    await Promise.all([...Array.from({ length: 20 }, () => ask('greedy')), ask('honest')]);
    expect(order.lastIndexOf('honest')).toBeLessThan(12);
  });

  it('of who has asked too many wait, and those of others do not', async () => {
    const questionsPerAccount = { burst: 100, perSecond: 1 };
    const questions = new CoordinatorQueries({ ...LIMITS, questionsPerAccount });
    const same = async (some: readonly number[]) => some;
    await questions.ask('greedy', many.slice(0, 100), same);
    let isAnswered = false;
    void questions.ask('greedy', many.slice(0, 100), same).then(() => {
      isAnswered = true;
    });
    await questions.ask('honest', many.slice(0, 100), same);
    expect(isAnswered).toBe(false);
  });

  it('fail as they were answered', async () => {
    const questions = new CoordinatorQueries(LIMITS);
    const failing = questions.ask('anna', many, () => Promise.reject(new Error('no answer')));
    await expect(failing).rejects.toThrow('no answer');
    expect(await questions.ask('anna', [1], async (some) => some)).toEqual([1]);
  });
});

describe('a session that asks for much', () => {
  it('has its receipts and its status answered all the same', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const receipts = [];
    for (let i = 0; i < 60; i++) {
      await house.engine.accounts.create({ name: `away-${i}` });
      receipts.push((await anna.send(`away-${i}`, 'x')).receipt);
    }
    const answer = await anna.expect('fates', { type: 'receipts', receipts: [...receipts, randomBytes(30)] });
    expect(answer.fates).toEqual([...receipts.map(() => 'waiting'), 'unknown']);
    const names = ['away-1', 'anna', 'nobody', ...Array.from({ length: 60 }, (_, i) => `away-${i}`)];
    expect(await anna.ask({ type: 'status', names })).toEqual({ type: 'status', loggedIn: ['anna'] });
  });

  it('may change its block list only so often', async () => {
    const house = await openHouse({ limits: { changesPerAccount: { burst: 3, perSecond: 0.01 } } });
    const anna = await house.person2('anna');
    await house.person2('bert');
    const block = (blocked: boolean) => ({ type: 'block', name: 'bert', blocked }) as const;
    for (const blocked of [true, false, true]) await anna.expect('blocked', block(blocked));
    expect(await anna.expect('failure', block(false))).toMatchObject({ code: 'RATE_LIMITED' });
    await eventually(async () =>
      expect(await anna.ask({ type: 'block' })).toMatchObject({ blocked: ['bert'] }),
    );
  });
});
