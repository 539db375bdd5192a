import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { History } from '../../../src/terminal/history/history.ts';
import type { Peer, StoredMessage } from '../../../src/terminal/history/types.ts';
import { layoutFor } from '../../../src/terminal/tui/message-rows.ts';
import type { Said } from '../../../src/terminal/tui/notices.ts';
import { Reading } from '../../../src/terminal/tui/reading.ts';
import { textOf } from '../../../src/terminal/tui/rows.ts';
import { Timeline } from '../../../src/terminal/tui/timeline.ts';

const BOB: Peer = { kind: 'user', name: 'bob' };
const NOON = new Date(2026, 10, 21, 12, 0).getTime();
const LAYOUT = layoutFor(60, false, BOB);
const HEIGHT = 10;
let history: History;
let timeline: Timeline;
let reading: Reading;

function come(count: number, text = (i: number) => `message ${i}`): StoredMessage[] {
  return Array.from({ length: count }, (_, i) => {
    const message = history.received({ peer: BOB, at: NOON, body: text(i + 1), key: null });
    if (message === null) throw new Error('not new');
    return message;
  });
}

function open(notices: Said[] = []): void {
  timeline = new Timeline(history, BOB, LAYOUT, NOON, notices);
  reading = new Reading(history, BOB, timeline, HEIGHT);
}

function arrive(count: number): void {
  for (const message of come(count)) timeline.arrived(message);
}

const unread = () => history.conversation(BOB)?.unread;
const rows = () => timeline.window(HEIGHT).map((row) => textOf(row).trim());

beforeEach(() => {
  history = History.open({ directory: null, server: 'test:1', account: 'anna' });
});

afterEach(() => history.close());

describe('what is unread', () => {
  test('is shown from its beginning, below some of what was read', () => {
    const read = come(20).at(-1)?.id ?? 0;
    history.read(BOB, read);
    come(30);
    open();
    expect(rows()[2]).toMatch(/^─+ 30 new ─+$/);
    expect(rows()[3]).toMatch(/message 1$/);
    expect(reading.look(HEIGHT, true)).toEqual({ outOfSight: { above: 0, below: 23 }, hasRead: true });
    expect(unread()).toBe(23);
    expect(reading.look(HEIGHT, true)).toEqual({ outOfSight: { above: 0, below: 23 }, hasRead: false });
  });

  test('stays unread while nobody looks, and is counted where it is', () => {
    come(30);
    open();
    timeline.toEnd();
    expect(reading.look(HEIGHT, false)).toEqual({ outOfSight: { above: 20, below: 0 }, hasRead: false });
    expect(reading.look(HEIGHT, true)).toEqual({ outOfSight: { above: 20, below: 0 }, hasRead: false });
    expect(unread()).toBe(30);
  });

  test('is read where few messages stand below notices', () => {
    const notices = Array.from({ length: 3 }, (_, id) => ({
      notice: { id, at: NOON, kind: 'info' as const, text: 'x' },
      after: 0,
    }));
    come(1);
    open(notices);
    expect(reading.look(HEIGHT, true)).toEqual({ outOfSight: { above: 0, below: 0 }, hasRead: true });
    expect(unread()).toBe(0);
  });

  test('of more than one screenful is read by as many steps, each message once in sight', () => {
    come(100);
    open();
    let steps = 0;
    const seen = new Set<string>();
    do {
      for (const row of rows()) seen.add(row.replace(/^.*bob +/, ''));
      reading.look(HEIGHT, true);
      steps += 1;
    } while (reading.next(HEIGHT));
    expect(unread()).toBe(0);
    expect(timeline.isAtEnd).toBe(true);
    for (let i = 1; i <= 100; i++) expect(seen).toContain(`message ${i}`);
    expect(steps).toBeLessThan(16);
  });

  test('is gone through where one message is longer than the window', () => {
    come(3, (i) => (i === 2 ? 'long '.repeat(400) : `message ${i}`));
    open();
    let steps = 0;
    do {
      reading.look(HEIGHT, true);
      steps += 1;
    } while (reading.next(HEIGHT) && steps < 50);
    expect(unread()).toBe(0);
    expect(steps).toBeGreaterThan(4);
    expect(steps).toBeLessThan(15);
  });
});

describe('the line above what is new', () => {
  test('stays while it is read, counts what comes, and moves when all was read', () => {
    come(30);
    open();
    const line = () => rows().find((row) => row.includes(' new '));
    reading.look(HEIGHT, true);
    arrive(2);
    reading.look(HEIGHT, true);
    reading.first(HEIGHT);
    timeline.toStart(HEIGHT);
    expect(line()).toMatch(/ 32 new /);
    while (reading.next(HEIGHT)) reading.look(HEIGHT, true);
    expect(reading.isDone).toBe(true);
    arrive(1);
    // Nobody is there.
    reading.look(HEIGHT, false);
    expect(line()).toMatch(/ 1 new /);
    expect(unread()).toBe(1);
    reading.look(HEIGHT, true);
    expect(unread()).toBe(0);
    arrive(1);
    reading.look(HEIGHT, true);
    expect(line()).toMatch(/ 1 new /);
    expect(unread()).toBe(0);
  });
});

test('counting stops at a thousand', () => {
  come(1_500);
  open();
  expect(reading.look(HEIGHT, false).outOfSight).toEqual({ above: 0, below: 1_000 });
});
