import { describe, expect, it, onTestFinished } from 'vitest';
import { Lane } from '../../src/server/net/lane.ts';
import { TickQuota, TickQuotas } from '../../src/server/net/tick-quota.ts';
import { FairLine } from '../../src/util/fair-line.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Keeps the event loop busy, so that what follows finds its time used up. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function everything(line: FairLine<string>): string[] {
  const order: string[] = [];
  while (line.size > 0) order.push(line.shift() ?? '');
  return order;
}

describe('a fair line', () => {
  it('serves one address after the other, each in the order in which they came', () => {
    const line = new FairLine<string>();
    for (const item of ['a1', 'a2', 'a3', 'a4']) line.push('a', item);
    line.push('b', 'b1');
    line.push('c', 'c1');
    line.push('c', 'c2');
    expect(line.size).toBe(7);
    expect(everything(line)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
    expect(line.shift()).toBeUndefined();
    expect(line.size).toBe(0);
  });

  it('lets newcomers of an address go before those that have asked for much', () => {
    const line = new FairLine<string>();
    for (const item of ['a1', 'a2', 'a3']) line.push('a', item, 'known');
    line.push('a', 'new', 'fresh');
    expect(everything(line)).toEqual(['new', 'a1', 'a2', 'a3']);
  });
});

describe('a lane', () => {
  it('does at once what there is time for, and lets no tick of the event loop take more', async () => {
    const lane = new Lane({ tickMs: 1 });
    const turns: number[] = [];
    let turn = 0;
    let left = 100;
    const count = (): void => {
      turn += 1;
      if (left > 0) setImmediate(count);
    };
    setImmediate(count);
    const searches = Array.from({ length: 50 }, async (_, i) => {
      let steps = 2;
      await lane.inSteps(`127.0.0.${i % 5}`, () => {
        turns.push(turn);
        work(1.1);
        left -= 1;
        steps -= 1;
        return steps === 0;
      });
    });
    expect(turns).toEqual([0]);
    await Promise.all(searches);
    expect(turns).toHaveLength(100);
    // Each step takes more than the lane has for a turn: one a turn, whoever asks and however many.
    expect(new Set(turns).size).toBe(100);
    expect(lane.waiting).toBe(0);
  });

  it('takes no more than its quota in the long run, and goes on by itself', async () => {
    const lane = new Lane({ tickMs: 5, msPerSecond: 100 });
    const began = performance.now();
    let used = 0;
    await lane.inSteps('a', () => {
      work(4);
      used += 4;
      return used >= 60;
    });
    // 60 ms at a tenth of the time, less what was saved up at the start and what the last step took too much.
    expect(performance.now() - began).toBeGreaterThan(300);
  });

  it('gives back what a step throws', async () => {
    const lane = new Lane({ tickMs: 1 });
    const fails = (): never => {
      throw new Error('as it should');
    };
    await expect(lane.inSteps('a', fails)).rejects.toThrow('as it should');
    let isSecond = false;
    const failsLater = (): boolean => {
      if (isSecond) fails();
      isSecond = true;
      return false;
    };
    await expect(lane.inSteps('a', failsLater)).rejects.toThrow('as it should');
    // A machine that was late has used up this tick.
    await nextTurn();
    expect(lane.isFree).toBe(true);
  });
});

describe('the quota of one client', () => {
  const options = {
    loggedInTickMs: 1_000,
    loggedInMs: { burst: 1_000, perSecond: 1_000 },
    busyTickMs: 1_000,
    busyMsPerSecond: 1_000_000,
    anonymousTickMs: 1_000,
    anonymousMsPerSecond: 1_000_000,
    searchTickMs: 1,
    anonymousSearchMsPerSecond: 1_000,
  };

  it('is used up after sixteen requests, and whole again in the next turn, of which it is told once', async () => {
    let told = 0;
    const quota = new TickQuota(new TickQuotas(options), 'a', () => {
      told += 1;
    });
    quota.loggedIn();
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 16; i++) {
        expect(quota.mayBegin()).toBe(true);
        quota.use();
      }
      expect(quota.mayBegin()).toBe(false);
      expect(quota.mayBegin()).toBe(false);
      expect(told).toBe(round - 1);
      await nextTurn();
      expect(told).toBe(round);
    }
    await nextTurn();
    expect(told).toBe(3);
  });

  it('is four requests for a stranger', () => {
    const quota = new TickQuota(new TickQuotas(options), 'a', () => {});
    for (let i = 0; i < 4; i++) {
      expect(quota.mayBegin()).toBe(true);
      quota.use();
    }
    expect(quota.mayBegin()).toBe(false);
  });

  it('is nothing while others wait, until it is called', async () => {
    const quotas = new TickQuotas({ ...options, anonymousTickMs: 1 });
    const order: string[] = [];
    const client = (name: string): TickQuota => {
      const quota: TickQuota = new TickQuota(quotas, name, () => {
        while (quota.mayBegin() && order.length < 9) {
          quota.use();
          order.push(name);
          quotas.requests.anonymous.charge(2);
        }
      });
      return quota;
    };
    const first = client('first');
    expect(first.mayBegin()).toBe(true);
    first.use();
    quotas.requests.anonymous.charge(2);
    expect(first.mayBegin()).toBe(false);
    // Time is used up: whoever comes now waits as well, and each has one request a turn.
    expect(client('second').mayBegin()).toBe(false);
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(order.slice(0, 6)).toEqual(['first', 'second', 'first', 'second', 'first', 'second']);
  });

  it('comes after that of others once somebody who is logged in has used up their own, for as long as that lasts', async () => {
    const quotas = new TickQuotas({ ...options, loggedInMs: { burst: 5, perSecond: 20 } });
    const takes = (quota: TickQuota, ms: number): void => {
      quota.begin();
      work(ms);
      quota.end('asked');
    };
    const asksFor = (quota: TickQuota): number => {
      let requests = 0;
      for (; quota.mayBegin(); requests++) quota.use();
      return requests;
    };
    const told: string[] = [];
    const [bot, person] = ['bot', 'person'].map((name) => {
      const quota = new TickQuota(quotas, name, () => told.push(name));
      quota.loggedIn();
      return quota;
    });
    if (bot === undefined || person === undefined) throw new Error('there are two');
    takes(bot, 7);
    takes(person, 1);
    expect([asksFor(bot), asksFor(person)]).toEqual([4, 16]);
    await nextTurn();
    expect(told.toSorted()).toEqual(['bot', 'person']);
    // It owes no more than it may save up.
    takes(bot, 50);
    expect(asksFor(bot)).toBe(4);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(asksFor(bot)).toBe(16);
  });

  it('is not used up by messages that are stored', () => {
    const quotas = new TickQuotas({ ...options, loggedInMs: { burst: 1, perSecond: 1 } });
    const quota = new TickQuota(quotas, 'a', () => {});
    quota.loggedIn();
    const requests = (what: 'stored' | 'asked'): number => {
      quota.begin();
      work(5);
      quota.end(what);
      let count = 0;
      for (; quota.mayBegin(); count++) quota.use();
      return count;
    };
    expect(requests('stored')).toBe(16);
    const other = new TickQuota(quotas, 'a', () => {});
    other.loggedIn();
    other.begin();
    work(5);
    other.end('asked');
    let count = 0;
    for (; other.mayBegin(); count++) other.use();
    expect(count).toBe(4);
  });

  it('is one request at least for each who waits, whoever uses up all the time', async () => {
    const quotas = new TickQuotas({ ...options, anonymousTickMs: 0.1, anonymousMsPerSecond: 100 });
    const lane = quotas.requests.anonymous;
    const begun: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const quota: TickQuota = new TickQuota(quotas, name, () => {
        for (; quota.mayBegin(); quota.use()) begun.push(name);
      });
      lane.charge(1_000);
      expect(quota.mayBegin()).toBe(false);
    }
    // Connections are accepted all the time, say.
    const flood = setInterval(() => lane.charge(1_000), 1);
    onTestFinished(() => clearInterval(flood));
    await expect.poll(() => [...new Set(begun)], { timeout: 20_000 }).toEqual(['a', 'b', 'c']);
  });

  it('lets what has to be done wait for its time, before new requests, and charges it', async () => {
    const quotas = new TickQuotas({ ...options, anonymousTickMs: 1 });
    const done: string[] = [];
    const quota = new TickQuota(quotas, 'a', () => done.push('request'));
    quota.whenFree(() => {
      work(2);
      done.push('at once');
    });
    expect(done).toEqual(['at once']);
    expect(quota.mayBegin()).toBe(false);
    quota.whenFree(() => done.push('later'));
    const other = new TickQuota(quotas, 'a', () => {});
    other.whenFree(() => done.push('of another'));
    expect(done).toEqual(['at once']);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(done.slice(0, 3)).toEqual(['at once', 'request', 'later']);
    expect(done).toContain('of another');
  });

  it('holds nothing of whoever has closed', () => {
    const quotas = new TickQuotas({ ...options, anonymousTickMs: 1 });
    const quota = new TickQuota(quotas, 'a', () => {});
    quotas.requests.anonymous.charge(5);
    expect(quota.mayBegin()).toBe(false);
    expect(quotas.requests.anonymous.waiting).toBe(1);
    quota.close();
    expect(quotas.requests.anonymous.waiting).toBe(0);
  });

  it('does not call whoever has ended', async () => {
    let told = 0;
    const quota = new TickQuota(new TickQuotas(options), 'a', () => {
      told += 1;
    });
    for (let i = 0; i < 4; i++) quota.use();
    expect(quota.mayBegin()).toBe(false);
    quota.close();
    await nextTurn();
    await nextTurn();
    expect(told).toBe(0);
  });
});
