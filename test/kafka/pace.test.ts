import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FetchPace, Rest } from '../../src/storage/kafka/fetch/fetch-pace.ts';
import { CommitPace, CommitSchedule } from '../../src/storage/kafka/groups/commit-schedule.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the pace of commits', () => {
  it('is half a second after the change where few have something to commit', async () => {
    const commits: number[] = [];
    const schedule = scheduleWith(new CommitPace(), async () => void commits.push(performance.now()));
    const start = performance.now();
    schedule.touch();
    schedule.touch();
    await vi.advanceTimersByTimeAsync(499);
    expect(commits).toEqual([]);
    await vi.advanceTimersByTimeAsync(60);
    expect(commits).toHaveLength(1);
    schedule.touch();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(commits).toHaveLength(2);
    expect((commits[1] ?? 0) - start).toBeGreaterThanOrEqual(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is 125 a second for all of them, in their order', async () => {
    const pace = new CommitPace();
    const begun: number[] = [];
    for (let i = 0; i < 1_000; i++) scheduleWith(pace, async () => void begun.push(i)).touch();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(begun.length).toBeGreaterThan(100);
    expect(begun.length).toBeLessThanOrEqual(135);
    await vi.advanceTimersByTimeAsync(7_500);
    expect(begun).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  });

  it('tries again what failed, and says so', async () => {
    let tries = 0;
    const failed = vi.fn();
    const commit = async () => {
      tries++;
      if (tries === 1) throw new Error('no answer');
    };
    scheduleWith(new CommitPace(), commit, failed).touch();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(tries).toBe(2);
    expect(failed).toHaveBeenCalledTimes(1);
  });

  it('leaves the last commit to whoever stops it', async () => {
    const commit = vi.fn(async () => {});
    const schedule = scheduleWith(new CommitPace(), commit);
    schedule.touch();
    schedule.stop();
    await vi.advanceTimersByTimeAsync(2_000);
    await schedule.settle();
    expect(commit).not.toHaveBeenCalled();
  });
});

describe('the pace of fetches', () => {
  it('is 60 answers a second over all sessions of 32 where nothing is new, and fewer where sessions are larger', () => {
    const last = (inboxes: number, answers: number) => {
      const pace = new FetchPace();
      return Array.from({ length: answers }, () => pace.broughtNothing(inboxes)).at(-1);
    };
    expect(last(32, 50)).toBe(0);
    expect(last(32, 80)).toBeCloseTo(500, 0);
    expect(last(96, 55)).toBeCloseTo(1_000, 0);
  });

  it('is never in debt for more than five seconds, so that it recovers as soon as that', () => {
    const pace = new FetchPace();
    for (let i = 0; i < 1_000; i++) expect(pace.broughtNothing(32)).toBeLessThanOrEqual(5_000);
    expect(pace.broughtNothing(32)).toBe(5_000);
    vi.advanceTimersByTime(5_100);
    expect(pace.broughtNothing(32)).toBe(0);
  });

  it('knows no rest where messages come one after the other', async () => {
    const rest = new Rest(new FetchPace());
    for (let i = 0; i < 2_000; i++) {
      expect(answer(rest, 1.5, true)).toBe(0);
    }
  });

  it('is a thousand answers a second over all sessions', () => {
    const pace = new FetchPace();
    const rests = Array.from({ length: 300 }, () => answer(new Rest(pace), 0, true));
    expect(rests.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 0));
    expect(rests.at(-1)).toBeCloseTo(200, 0);
  });

  it('slows down while fetches bring nothing new, and is quick again after a quiet time', () => {
    const rest = new Rest(new FetchPace());
    const rests = Array.from({ length: 6 }, () => answer(rest, 10, false));
    expect(rests).toEqual([4, 8, 16, 32, 50, 50]);
    expect(answer(rest, 10, true)).toBe(0);
    expect(answer(rest, 1_000, false)).toBe(4);
    expect(answer(rest, 5_000, null)).toBe(0);
  });
});

/** In each session. */
const INBOXES = 32;

/** One fetch that was parked for a while; `isNew` null: it brought nothing at all. */
function answer(rest: Rest, parkedMs: number, isNew: boolean | null): number {
  rest.asked();
  vi.advanceTimersByTime(parkedMs);
  rest.answered();
  if (isNew !== null) rest.brought(isNew);
  return rest.next(INBOXES);
}

function scheduleWith(
  pace: CommitPace,
  commit: () => Promise<void>,
  onFailed: (error: unknown) => void = () => {},
): CommitSchedule {
  return new CommitSchedule({ pace, commit, mayCommit: () => true, onFailed });
}

describe('the pace of unpacking', () => {
  const MIB = 1024 * 1024;

  it('lets an inbox wait past the budget of all, longer the more it took, and goes on as time goes by', async () => {
    const pace = new FetchPace();
    // Whatever else may run in this process.
    const before = vi.getTimerCount();
    expect(pace.unpacked(0)).toBeNull();
    for (let i = 0; i < 16; i++) expect(pace.unpacked(4 * MIB)).toBeNull();
    const done: string[] = [];
    const wait = (who: string, cost: number) => pace.unpacked(cost)?.then(() => void done.push(who));
    expect(wait('much', 16 * MIB)).toBeDefined();
    expect(wait('little', MIB / 16)).toBeDefined();
    expect(pace.unpacked(0)).toBeNull();
    await vi.advanceTimersByTimeAsync(10);
    expect(done).toEqual(['little']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done).toEqual(['little', 'much']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(pace.unpacked(4 * MIB)).toBeNull();
    expect(vi.getTimerCount()).toBe(before);
  });

  it('is the same for many who take much: each has a share', async () => {
    const pace = new FetchPace();
    void pace.unpacked(64 * MIB);
    let bytes = 0;
    const bomber = async () => {
      for (;;) {
        bytes += 4 * MIB;
        await pace.unpacked(4 * MIB);
      }
    };
    for (let i = 0; i < 50; i++) void bomber();
    await vi.advanceTimersByTimeAsync(20_000);
    // 64 MiB a second by the shares, and as much again that the budget gives back, beside the first ones of each.
    expect(bytes / MIB).toBeLessThan(2 * 64 * 20 + 50 * 4);
    expect(bytes / MIB).toBeGreaterThan(64 * 10);
  });
});
