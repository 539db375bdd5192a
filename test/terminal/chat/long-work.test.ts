import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportTo } from '../../../src/terminal/chat/export-file.ts';
import { LongWork } from '../../../src/terminal/chat/long-work.ts';
import { History } from '../../../src/terminal/history/history.ts';
import type { Peer } from '../../../src/terminal/history/types.ts';
import { found } from '../history/harness.ts';
import { turnsDuring } from './turns.ts';

const BOB: Peer = { kind: 'user', name: 'bob' };
const MANY = 20_000;
let folder: string;
let history: History;
let told: (string | null)[];
let work: LongWork;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-work-'));
  history = History.open({ directory: null, server: 'test:1', account: 'anna' });
  told = [];
  work = new LongWork({ working: (words) => void told.push(words) });
});
afterEach(() => {
  history.close();
  rmSync(folder, { recursive: true });
});

function fill(count = MANY): void {
  for (let i = 1; i <= count; i++)
    history.received({ peer: BOB, at: i, body: `message ${i}\nmore`, key: null });
}

describe('an export of many messages', () => {
  test('gives others their turns, says how far it is, and is whole', async () => {
    fill();
    const file = join(folder, 'bob.txt');
    const turns = await turnsDuring(() => work.run((pause) => exportTo(file, history, BOB, pause)));
    expect(turns).toBeGreaterThan(5);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(2 * MANY);
    expect(lines.at(-2)).toMatch(new RegExp(`bob: message ${MANY}$`));
  });

  test('given up at the end of the program leaves no half a file', async () => {
    fill();
    const running = work.run((pause) => exportTo(join(folder, 'bob.txt'), history, BOB, pause));
    const given = expect(running).rejects.toThrow(/Given up/);
    await setImmediate();
    expect(readdirSync(folder)).toEqual(['bob.txt']);
    await work.stop();
    await given;
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is one at a time', async () => {
    fill();
    const first = work.run((pause) => exportTo(join(folder, 'one.txt'), history, BOB, pause));
    await expect(work.run((pause) => exportTo(join(folder, 'two.txt'), history, BOB, pause))).rejects.toThrow(
      /Something is under way/,
    );
    await first;
    await work.run((pause) => exportTo(join(folder, 'two.txt'), history, BOB, pause));
    expect(readdirSync(folder).sort()).toEqual(['one.txt', 'two.txt']);
  });
});

test('of short work the first piece is done at once, and no more than that', async () => {
  const used: number[] = [];
  /** Each takes two milliseconds, however long the whole is kept from the processor. */
  function* steps(count: number): Generator<number, number> {
    for (let step = 1; step <= count; step++) {
      for (const end = performance.now() + 2; performance.now() < end; );
      yield step;
    }
    return count;
  }
  const use = (step: number) => void used.push(step);
  expect(work.take(steps(0), String, use)).toBeUndefined();
  expect(used).toEqual([0]);
  const turns = await turnsDuring(async () => {
    const others = work.take(steps(200), (step) => `step ${step}`, use);
    expect(used).toHaveLength(1);
    expect(() => work.take(steps(0), String, use)).not.toThrow();
    await expect(work.take(steps(25), String, use)).rejects.toThrow(/Something is under way/);
    await others;
  });
  expect(used).toHaveLength(3);
  expect(turns).toBeGreaterThan(5);
  expect(told[0]).toMatch(/^step \d+$/);
  expect(told.at(-1)).toBeNull();
});

test('what takes a while says how far it is, and then that it is over', async () => {
  await work.run(async (pause) => {
    const end = performance.now() + 600;
    for (let step = 0; performance.now() < end; step += 1) await pause(() => `step ${step}`);
  });
  expect(told.length).toBeGreaterThan(1);
  expect(told.length).toBeLessThan(10);
  expect(told[0]).toMatch(/^step \d+$/);
  expect(told.at(-1)).toBeNull();
  await work.run(async () => undefined);
  expect(told.filter((words) => words === null)).toHaveLength(1);
});

test('a conversation is forgotten in steps, except what comes meanwhile', () => {
  fill(2_000);
  const upTo = history.conversation(BOB)?.lastId ?? 0;
  const steps = [history.forget(BOB, upTo)];
  const later = history.received({ peer: BOB, at: 1, body: 'later', key: null, highlight: true });
  for (let removed = -1; removed !== 0; ) {
    removed = history.forget(BOB, upTo);
    steps.push(removed);
  }
  expect(steps).toEqual([500, 500, 500, 500, 0]);
  expect(history.conversation(BOB)).toMatchObject({ unread: 1, firstUnread: later?.id, highlights: 1 });
  expect(history.size(BOB)).toBe(1);
  expect(found(history, 'message').count).toBe(0);
});

test('what the person does with it while it is forgotten stays', () => {
  fill(1_200);
  const upTo = history.conversation(BOB)?.lastId ?? 0;
  history.received({ peer: BOB, at: 1, body: 'later', key: null, highlight: true });
  expect(history.forget(BOB, upTo)).toBe(500);
  expect(history.conversation(BOB)).toMatchObject({ unread: 1, highlights: 1 });
  history.read(BOB, Number.MAX_SAFE_INTEGER);
  history.draft(BOB, 'half a sentence');
  history.notify(BOB, 'nothing');
  while (history.forget(BOB, upTo) > 0);
  expect(history.conversation(BOB)).toMatchObject({
    unread: 0,
    highlights: 0,
    firstUnread: null,
    draft: 'half a sentence',
    notify: 'nothing',
  });
});
