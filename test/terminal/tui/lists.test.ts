/** The parts of the list of conversations: names that are cut, numbers, days. */
import { describe, expect, test } from 'vitest';
import type { Conversation } from '../../../src/terminal/history/types.ts';
import { cells } from '../../../src/terminal/tui/cells.ts';
import { cutName, cutNames } from '../../../src/terminal/tui/cut-names.ts';
import { DayHeadings } from '../../../src/terminal/tui/days.ts';
import { addNotice, Notices } from '../../../src/terminal/tui/notices.ts';
import { numbered, numberOf } from '../../../src/terminal/tui/numbers.ts';

describe('names that are cut', () => {
  test('keep both ends', () => {
    expect(cutName('deploy-bot-production-eu-1', 12)).toBe('deploy…-eu-1');
    expect(cutName('short', 12)).toBe('short');
    expect(cutName('deploy-bot', 4)).toBe('dep…');
    expect(cutName('deploy-bot', 0)).toBe('');
  });

  test.each([1, 5, 6, 7, 10, 15])('take at most %i cells, wide characters too', (columns) => {
    for (const name of ['日本語の長い名前です', '👩‍👩‍👧 family of three 👩‍👩‍👧', 'e\u0301'.repeat(40)]) {
      expect(cells(cutName(name, columns))).toBeLessThanOrEqual(columns);
    }
  });

  test('stay apart where their ends are alike, and are the same whoever else is there', () => {
    const names = ['alert-bot-database-eu-1', 'alert-bot-frontend-eu-1', 'alert-bot-frontend-us-1', 'bob'];
    const cut = cutNames(names, [12, 12, 12, 12]);
    expect(new Set(cut).size).toBe(4);
    expect(cut[2]).toBe('alert-…-us-1');
    expect(cut[3]).toBe('bob');
    expect(cut[0]).toMatch(/^alert-bo…~[0-9a-f]{2}$/);
    expect(cutNames(names.slice(0, 2).reverse(), [12, 12]).reverse()).toEqual(cut.slice(0, 2));
    for (const text of cut) expect(cells(text)).toBeLessThanOrEqual(12);
    // The same name twice is no two names.
    expect(cutNames(['alert-bot-database-eu-1', 'alert-bot-database-eu-1'], [12, 12])[0]).toBe(
      'alert-…-eu-1',
    );
  });
});

describe('numbers', () => {
  const named = (name: string): Conversation => ({
    peer: { kind: 'user', name },
    lastId: 1,
    lastAt: 1,
    unread: 0,
    firstUnread: null,
    highlights: 0,
    notify: 'all',
    joined: false,
    activity: 1,
    draft: '',
  });
  const list = (...names: string[]) => names.map(named);

  test('stay what they are while the list changes, and go no further than there are keys', () => {
    const first = numbered([], list('carol', 'bob'));
    expect(first.map(({ name }) => name)).toEqual(['carol', 'bob']);
    expect(numbered(first, list('bob', 'carol'))).toBe(first);
    const more = numbered(first, list('dave', 'bob', 'carol'));
    expect(more.map(({ name }) => name)).toEqual(['carol', 'bob', 'dave']);
    expect(numbered(more, list('bob')).map(({ name }) => name)).toEqual(['carol', 'bob', 'dave']);
    const all = numbered(more, list(...'0123456789abcdef'));
    expect(all).toHaveLength(9);
    expect(numberOf(all, { kind: 'user', name: 'dave' })).toBe(3);
    expect(numberOf(all, { kind: 'external', name: 'dave' })).toBeNull();
    expect(numbered(all, list('someone'))).toBe(all);
  });
});

describe('headings of days', () => {
  const at = (date: number, hour: number) => new Date(2026, 10, date, hour).getTime();
  const headings = (...times: (number | null)[]) => {
    const days = new DayHeadings(at(21, 12));
    return times.map((time) => days.before(time) !== null);
  };

  test('a day begins once, whatever the clocks of those who write', () => {
    expect(headings(at(20, 23), at(21, 0), at(20, 22), at(21, 1), at(20, 23), at(21, 2))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test('a day that is still to come takes no heading from another', () => {
    expect(headings(at(20, 1), at(28, 1), at(28, 2), at(21, 1), null, at(21, 2))).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
    ]);
  });
});

describe('notices', () => {
  const said = (id: number) => ({ notice: { id, at: 0, kind: 'info' as const, text: `x ${id}` }, after: 0 });

  test('have bounds: in a conversation, and in the number of conversations', () => {
    const notices = new Notices();
    const home = notices.of(null);
    for (let id = 1; id <= 1_000; id++) addNotice(home, said(id));
    expect(home).toHaveLength(200);
    expect(home.at(-1)?.notice.id).toBe(1_000);
    addNotice(notices.of({ kind: 'user', name: 'first' }), said(1));
    for (let count = 0; count < 99; count++)
      addNotice(notices.of({ kind: 'user', name: `${count}` }), said(1));
    expect(notices.of({ kind: 'user', name: 'first' })).toHaveLength(1);
    for (let count = 0; count < 200; count++) notices.of({ kind: 'external', name: `${count}` });
    expect(notices.of({ kind: 'user', name: 'first' })).toHaveLength(0);
  });

  test('of conversations go with the person, those of no conversation stay', () => {
    const notices = new Notices();
    addNotice(notices.of(null), said(1));
    addNotice(notices.of({ kind: 'user', name: 'bob' }), said(2));
    notices.forget();
    expect(notices.of(null)).toHaveLength(1);
    expect(notices.of({ kind: 'user', name: 'bob' })).toHaveLength(0);
  });
});
