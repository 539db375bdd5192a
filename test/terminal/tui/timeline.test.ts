import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { History } from '../../../src/terminal/history/history.ts';
import type { Peer, StoredMessage } from '../../../src/terminal/history/types.ts';
import { layoutFor } from '../../../src/terminal/tui/message-rows.ts';
import { textOf } from '../../../src/terminal/tui/rows.ts';
import { Timeline } from '../../../src/terminal/tui/timeline.ts';

const BOB: Peer = { kind: 'user', name: 'bob' };
const NOON = new Date(2026, 10, 21, 12, 0).getTime();
const LAYOUT = layoutFor(60, false, BOB);
const HEIGHT = 5;
let history: History;

function come(text: string, at = NOON): StoredMessage {
  const message = history.received({ peer: BOB, at, body: text, key: null });
  if (message === null) throw new Error('not new');
  return message;
}

function open(): Timeline {
  return new Timeline(history, BOB, LAYOUT, NOON);
}

/** The texts in the window, without times, names and lines between days. */
function texts(timeline: Timeline, height = HEIGHT): string[] {
  return timeline.window(height).map((row) =>
    textOf(row)
      .replace(/^ [\d: ]{5} {2}(bob|me|·)\s+/, '')
      .trim(),
  );
}

beforeEach(() => {
  history = History.open({ directory: null, server: 'test:1', account: 'anna' });
});

afterEach(() => history.close());

describe('following the newest', () => {
  test('shows the newest messages, and each that comes', () => {
    for (let i = 1; i <= 10; i++) come(`message ${i}`);
    const timeline = open();
    expect(texts(timeline)).toEqual([6, 7, 8, 9, 10].map((i) => `message ${i}`));
    timeline.arrived(come('message 11'));
    expect(texts(timeline)).toEqual([7, 8, 9, 10, 11].map((i) => `message ${i}`));
  });

  test('with few messages there are few rows', () => {
    come('only one');
    expect(texts(open())).toEqual(['Today', 'only one']);
  });

  test('holds a bounded part of a burst, and still has what came before it', () => {
    come('the first');
    const timeline = open();
    for (let i = 1; i <= 5_000; i++) timeline.arrived(come(`message ${i}`));
    expect(texts(timeline).at(-1)).toBe('message 5000');
    timeline.toStart(HEIGHT);
    expect(texts(timeline)[1]).toBe('the first');
  });
});

describe('a flood of long messages', () => {
  const long = (i: number) => `message ${i} ${'x'.repeat(500_000)}`;

  test.each([
    ['while the newest is in sight', false],
    ['while somebody reads further above', true],
  ])('is not held as a whole, %s, and nothing is missing', (_, isAbove) => {
    for (let i = 1; i <= 20; i++) come(`before ${i}`);
    const timeline = open();
    texts(timeline);
    if (isAbove) timeline.scroll(-5, HEIGHT);
    const above = texts(timeline);
    for (let i = 1; i <= 100; i++) timeline.arrived(come(long(i)));
    expect(timeline.heldCharacters).toBeLessThan(20_000_000);
    if (isAbove) expect(texts(timeline)).toEqual(above);
    timeline.toEnd();
    timeline.arrived(come('the last'));
    expect(texts(timeline).at(-1)).toBe('the last');
  });

  test('nor is it where somebody scrolls through it, and nothing is missing', () => {
    come('the first');
    for (let i = 1; i <= 120; i++) come(`message ${i}\n${'x'.repeat(250_000)}`);
    for (let i = 1; i <= 20; i++) come(`behind ${i}`);
    const timeline = open();
    const far = 20_000;
    for (let count = 0; count < 5; count++) {
      timeline.scroll(-far, HEIGHT);
      expect(timeline.heldCharacters).toBeLessThan(17_000_000);
    }
    timeline.scroll(far, HEIGHT);
    expect(timeline.heldCharacters).toBeLessThan(17_000_000);
    timeline.toStart(HEIGHT);
    expect(texts(timeline)[1]).toBe('the first');
    timeline.toEnd();
    expect(texts(timeline).at(-1)).toBe('behind 20');
  });

  test('nor are many short ones while somebody reads further above', () => {
    for (let i = 1; i <= 20; i++) come(`before ${i}`);
    const timeline = open();
    texts(timeline);
    timeline.scroll(-5, HEIGHT);
    for (let i = 1; i <= 5_000; i++) timeline.arrived(come('x'.repeat(100)));
    expect(timeline.heldCharacters).toBeLessThan(200_000);
    timeline.toEnd();
    expect(timeline.isAtEnd).toBe(true);
  });
});

describe('scrolling', () => {
  test('row by row through everything, up and down, nothing missing and nothing twice', () => {
    const all = Array.from({ length: 2_500 }, (_, i) => `message ${i}`);
    for (const text of all) come(text);
    const timeline = open();
    const up: string[] = [];
    for (let seen = ''; ; timeline.scroll(-1, HEIGHT)) {
      const top = texts(timeline)[0] ?? '';
      if (top === seen) break;
      seen = top;
      up.push(top);
    }
    expect(up).toEqual(['Today', ...all].reverse().slice(HEIGHT - 1));
    const down = [...texts(timeline)];
    while (!timeline.isAtEnd) {
      timeline.scroll(1, HEIGHT);
      down.push(texts(timeline).at(-1) ?? '');
    }
    expect(down).toEqual(['Today', ...all]);
  });

  test('who reads further up goes on reading there', () => {
    for (let i = 1; i <= 20; i++) come(`message ${i}`);
    const timeline = open();
    timeline.scroll(-8, HEIGHT);
    const before = texts(timeline);
    timeline.arrived(come('one more'));
    timeline.arrived(come('and another'));
    expect(texts(timeline)).toEqual(before);
    timeline.toEnd();
    expect(texts(timeline).at(-1)).toBe('and another');
  });

  test('does not leave the top, nor the end', () => {
    for (let i = 1; i <= 7; i++) come(`message ${i}`);
    const timeline = open();
    timeline.scroll(-1_000, HEIGHT);
    expect(texts(timeline)[0]).toBe('Today');
    timeline.scroll(1_000, HEIGHT);
    expect(timeline.isAtEnd).toBe(true);
    expect(texts(timeline).at(-1)).toBe('message 7');
  });

  test('another width keeps the place', () => {
    for (let i = 1; i <= 60; i++) come(`message ${i} ${'word '.repeat(i % 20)}`);
    const timeline = open();
    timeline.scroll(-40, HEIGHT);
    const lowest = texts(timeline).at(-1);
    timeline.layOut(layoutFor(50, false, BOB), NOON);
    timeline.window(HEIGHT);
    timeline.layOut(LAYOUT, NOON);
    expect(texts(timeline).at(-1)).toBe(lowest);
  });

  test('goes to a message, wherever it is', () => {
    const found = Array.from({ length: 3_000 }, (_, i) => come(`message ${i}`))[500];
    const timeline = open();
    timeline.toMessage(found?.id ?? 0, HEIGHT);
    expect(texts(timeline)).toContain('message 500');
    timeline.toEnd();
    expect(texts(timeline).at(-1)).toBe('message 2999');
  });

  test('in a long message goes to what was looked for', () => {
    const long = Array.from({ length: 60 }, (_, line) => (line === 20 ? 'disk full' : `line ${line}`));
    const message = come(long.join('\n'));
    come('later');
    const timeline = open();
    const terms = [{ tokens: ['disk'], isWhole: false }];
    timeline.layOut(layoutFor(60, false, BOB, terms), NOON);
    timeline.toMessage(message.id, HEIGHT);
    expect(texts(timeline)).toEqual(['line 17', 'line 18', 'line 19', 'disk full', 'line 21']);
    const marked = timeline.window(HEIGHT).flatMap((row) => row.filter(({ role }) => role === 'found'));
    expect(textOf(marked)).toBe('disk');
  });
});

describe('what stands between messages', () => {
  test('days, each once, in words', () => {
    const day = 86_400_000;
    come('long ago', NOON - 400 * day);
    come('yesterday', NOON - day);
    come('later then', NOON - day + 60_000);
    come('today');
    expect(texts(open(), 20)).toEqual([
      'Fri 17 Oct 2025',
      'long ago',
      'Yesterday',
      'yesterday',
      'later then',
      'Today',
      'today',
    ]);
  });

  test('the line above what is unread', () => {
    come('read');
    const first = come('unread');
    const timeline = open();
    timeline.markUnread(first.id, 1);
    expect(texts(timeline)[2]).toMatch(/^─+ 1 new ─+$/);
  });

  test("the client's own lines stay where they were said", () => {
    come('before');
    const timeline = open();
    timeline.said({ id: 1, at: NOON, kind: 'info', text: 'in between' });
    timeline.arrived(come('after'));
    expect(texts(timeline, 20)).toEqual(['Today', 'before', 'in between', 'after']);
  });

  test('a fate that changes is seen', () => {
    const sent = history.sent({
      messageId: 'ab',
      to: 'bob',
      at: NOON,
      body: 'hi',
      fate: { kind: 'waiting' },
    });
    const timeline = open();
    expect(texts(timeline).at(-1)).toMatch(/^hi\s+⧖$/);
    const changed = history.fate('ab', { kind: 'refused', reason: 'There is no user called bob.' }, null);
    expect(changed?.id).toBe(sent.id);
    if (changed !== null) timeline.changed(changed);
    expect(texts(timeline).slice(-2)).toEqual([
      expect.stringMatching(/^hi\s+✗$/),
      '✗ not sent: There is no user called bob.',
    ]);
  });
});

describe('an emptied window', () => {
  test('has only what comes from then on, and the rest again for whoever goes up', () => {
    for (let i = 1; i <= 10; i++) come(`message ${i}`);
    const timeline = open();
    timeline.said({ id: 1, at: NOON, kind: 'info', text: 'a word' });
    timeline.clear();
    expect(texts(timeline)).toEqual([]);
    // The same once more takes the place of the first one.
    timeline.said({ id: 2, at: NOON, kind: 'info', text: 'a word' });
    timeline.arrived(come('message 11'));
    expect(texts(timeline)).toEqual(['a word', 'message 11']);
    timeline.scroll(-3, HEIGHT);
    expect(texts(timeline)).toEqual(['message 8', 'message 9', 'message 10', 'a word', 'message 11']);
    timeline.scroll(-1, HEIGHT);
    expect(texts(timeline)[0]).toBe('message 7');
    timeline.toEnd();
    expect(texts(timeline)).toHaveLength(HEIGHT);
  });

  test('is left by whoever looks for something above', () => {
    const first = come('message 1');
    for (let i = 2; i <= 10; i++) come(`message ${i}`);
    const timeline = open();
    timeline.clear();
    timeline.toMessage(first.id, HEIGHT);
    expect(texts(timeline)).toContain('message 1');
  });
});
