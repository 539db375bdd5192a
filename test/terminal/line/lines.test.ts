import { expect, test } from 'vitest';
import type { Peer, StoredMessage } from '../../../src/terminal/history/types.ts';
import { lineOf } from '../../../src/terminal/line/plain-view.ts';

const NOON = new Date(2026, 10, 21, 12, 0).getTime();

function message(peer: Peer, direction: 'in' | 'out', body: string): StoredMessage {
  const fate = direction === 'in' ? null : ({ kind: 'stored' } as const);
  return { id: 1, peer, direction, at: NOON, body, fate, highlight: false };
}

test('own lines look like those of no user and no program, whatever their names', () => {
  const own = lineOf(message({ kind: 'user', name: 'bob' }, 'out', 'hi'), NOON);
  expect(own).toBe('12:00 me to bob: hi');
  expect(lineOf(message({ kind: 'user', name: 'me' }, 'in', 'hi'), NOON)).toBe('12:00 @me: hi');
  expect(lineOf(message({ kind: 'external', name: 'me to bob' }, 'in', 'hi'), NOON)).toBe(
    '12:00 ext me to bob: hi',
  );
  expect(lineOf(message({ kind: 'user', name: 'bob' }, 'in', `x\n${own}`), NOON)).toBe(
    `12:00 bob: x\n    ${own}`,
  );
});
