import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogEndPoller, type RestingSession } from '../../src/storage/kafka/fetch/log-end-poller.ts';
import { testLog } from './cluster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Brokers in memory: where each topic ends, and what they were asked. */
class World {
  readonly ends = new Map<string, number | Error>();
  readonly asked: { node: number; topics: readonly string[] }[] = [];
  answerMs = 1;
  readonly watch = new LogEndPoller(async (node, topics) => {
    this.asked.push({ node, topics });
    const found = new Map(topics.map((topic) => [topic, this.ends.get(topic) ?? 0]));
    await new Promise((resolve) => setTimeout(resolve, this.answerMs));
    return found;
  }, testLog);

  /** A session that follows so many topics from their ends. */
  session(name: string, size = 2, node = 1): Session {
    const members = Array.from({ length: size }, (_, i) => {
      const topic = `${name}-${i}`;
      this.ends.set(topic, 10);
      return { follower: { topic }, position: 10 };
    });
    const session = {
      node,
      size,
      members: () => members,
      woken: 0,
      wake: () => session.woken++,
      list: members,
    };
    return session;
  }
}

interface Session extends RestingSession {
  woken: number;
  readonly list: { position: number }[];
}

it('asks for the ends of sessions that rest, ten times a second, and for nothing afterwards', async () => {
  const world = new World();
  const session = world.session('a');
  world.watch.add(session);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(world.asked.length).toBeGreaterThanOrEqual(35);
  expect(world.asked.length).toBeLessThanOrEqual(50);
  expect(world.asked[0]).toEqual({ node: 1, topics: ['a-0', 'a-1'] });
  expect(session.woken).toBe(0);
  world.watch.remove(session);
  world.watch.remove(session);
  await vi.advanceTimersByTimeAsync(world.answerMs);
  expect(vi.getTimerCount()).toBe(0);
});

it('goes on with those that rest when another one rests no longer', async () => {
  const world = new World();
  const [first, second] = [world.session('a'), world.session('b')];
  world.watch.add(first);
  world.watch.add(second);
  world.watch.remove(first);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(world.asked.length).toBeGreaterThanOrEqual(5);
  expect(world.asked.at(-1)?.topics).toEqual(['b-0', 'b-1']);
});

it("wakes the session whose inbox somebody else has written to, and not for our own append's sake", async () => {
  const world = new World();
  const [written, own] = [world.session('a'), world.session('b')];
  world.watch.add(written);
  world.watch.add(own);
  world.ends.set('a-1', 11);
  world.ends.set('b-0', 11);
  setTimeout(() => {
    // The answer to our append comes later than the end that it has moved.
    for (const member of own.list.slice(0, 1)) member.position = 11;
  }, 130);
  await vi.advanceTimersByTimeAsync(200);
  expect(written.woken).toBe(1);
  expect(own.woken).toBe(0);
});

it('wakes a session one of whose inboxes has no end: a fetch tells why', async () => {
  const world = new World();
  const session = world.session('a');
  world.ends.set('a-0', new Error('not the leader'));
  world.watch.add(session);
  await vi.advanceTimersByTimeAsync(150);
  expect(session.woken).toBe(1);
});

it('goes on after a request that failed', async () => {
  const world = new World();
  const session = world.session('a');
  let tries = 0;
  const watch = new LogEndPoller(async () => {
    tries++;
    if (tries < 3) throw new Error('no answer');
    return new Map([['a-0', 99]]);
  }, testLog);
  watch.add(session);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(tries).toBeGreaterThanOrEqual(3);
  expect(session.woken).toBeGreaterThanOrEqual(1);
});

it('is not held up by a broker that hangs', async () => {
  const world = new World();
  const [healthy, hung] = [world.session('a', 2, 1), world.session('b', 2, 2)];
  const asked: number[] = [];
  const watch = new LogEndPoller(async (node, topics) => {
    asked.push(node);
    if (node === 2) await new Promise(() => {});
    return new Map(topics.map((topic) => [topic, 11]));
  }, testLog);
  watch.add(hung);
  watch.add(healthy);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked.filter((node) => node === 2)).toHaveLength(1);
  expect(asked.filter((node) => node === 1).length).toBeGreaterThan(5);
  expect(healthy.woken).toBeGreaterThan(0);
});

it('has nothing to do with a session that is over before the answer comes', async () => {
  const world = new World();
  world.answerMs = 50;
  const session = world.session('a');
  world.ends.set('a-0', 11);
  world.watch.add(session);
  await vi.advanceTimersByTimeAsync(130);
  world.watch.remove(session);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(session.woken).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it('has one request under way at a broker, about some dozens of inboxes', async () => {
  const world = new World();
  world.answerMs = 5;
  for (let i = 0; i < 60; i++) world.watch.add(world.session(`s${i}`, 8, i % 2));
  await vi.advanceTimersByTimeAsync(4_000);
  const topics = world.asked.flatMap((one) => one.topics);
  expect(new Set(topics).size).toBe(480);
  for (const one of world.asked) {
    expect(one.topics.length).toBeLessThanOrEqual(64);
    expect(new Set(one.topics.map((topic) => Number(topic.slice(1, topic.indexOf('-'))) % 2))).toEqual(
      new Set([one.node]),
    );
  }
});

it('looks at many inboxes less often: never at more than 3,000 a second', async () => {
  const world = new World();
  world.answerMs = 0;
  for (let i = 0; i < 240; i++) world.watch.add(world.session(`s${i}`, 42));
  await vi.advanceTimersByTimeAsync(12_000);
  const topics = world.asked.flatMap((one) => one.topics);
  expect(topics.length / 12).toBeLessThanOrEqual(3_300);
  const times = new Map<string, number>();
  for (const topic of topics) times.set(topic, (times.get(topic) ?? 0) + 1);
  expect(times.size).toBe(240 * 42);
  expect(Math.min(...times.values())).toBeGreaterThanOrEqual(2);
});
