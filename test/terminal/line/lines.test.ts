import { expect, test } from 'vitest';
import type { Peer, StoredMessage } from '../../../src/terminal/history/types.ts';
import { lineOf } from '../../../src/terminal/line/plain-view.ts';

const NOON = new Date(2026, 10, 21, 12, 0).getTime();

function message(peer: Peer, direction: 'in' | 'out', body: string): StoredMessage {
  const fate = direction === 'in' ? null : ({ kind: 'stored' } as const);
  return { id: 1, peer, direction, at: NOON, body, fate, highlight: false };
}

test('in a room each line has the room and who said it, whatever that is called', () => {
  const room: Peer = { kind: 'room', name: '#ops' };
  const said = (author: Peer) => lineOf({ ...message(room, 'in', 'hi'), author }, NOON);
  expect(said({ kind: 'user', name: 'bob' })).toBe('12:00 #ops bob: hi');
  expect(said({ kind: 'user', name: 'me' })).toBe('12:00 #ops @me: hi');
  expect(said({ kind: 'external', name: 'bob\u001b[2J\n12:00 #ops' })).toBe(
    '12:00 #ops ext bob␛[2J 12:00 #ops: hi',
  );
  expect(lineOf(message(room, 'out', 'hi'), NOON)).toBe('12:00 me to #ops: hi');
});

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
