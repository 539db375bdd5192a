import { describe, expect, it } from 'vitest';
import { LeaseChecks } from '../../src/storage/kafka/groups/lease-checks.ts';
import { eventually } from '../contracts/cluster.ts';

describe('checks of leases', () => {
  it('are one at a time for each inbox, and one more after it however often somebody asked meanwhile', async () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const checks = new LeaseChecks<string>((inbox) => {
      begun.push(inbox);
      return new Promise((resolve) => ends.push(resolve));
    });
    for (let i = 0; i < 100_000; i++) checks.ask(i % 2 === 0 ? 'anna' : 'bert');
    expect(begun).toEqual(['anna', 'bert']);
    ends[0]?.();
    await eventually(() => expect(begun).toEqual(['anna', 'bert', 'anna']));
    ends[2]?.();
    ends[1]?.();
    await eventually(() => expect(begun).toEqual(['anna', 'bert', 'anna', 'bert']));
    ends[3]?.();
    checks.ask('anna');
    await eventually(() => expect(begun).toHaveLength(5));
    checks.close();
  });

  it('are few at the same time, and all of them come', async () => {
    let [underWay, most] = [0, 0];
    const seen = new Set<number>();
    const checks = new LeaseChecks<number>(async (inbox) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      seen.add(inbox);
    });
    for (let i = 0; i < 500; i++) checks.ask(i);
    await eventually(() => expect(seen.size).toBe(500));
    expect(most).toBeLessThanOrEqual(16);
    checks.close();
  });
});
