import { describe, expect, test } from 'vitest';
import type { History } from '../../../src/terminal/history/history.ts';
import type { Peer } from '../../../src/terminal/history/types.ts';
import { BOB, bodies, CAROL, newDirectory, open } from './harness.ts';

const OPS: Peer = { kind: 'room', name: '#ops' };

function come(history: History, peer: Peer, ...seqs: readonly number[]): void {
  const author = peer.kind === 'room' ? { author: BOB } : {};
  for (const seq of seqs) {
    history.received({ peer, at: seq, body: `${seq}`, key: `${peer.name} ${seq}`, seq, ...author });
  }
}

function unread(history: History, peer: Peer): number {
  return history.conversation(peer)?.unread ?? 0;
}

function lastId(history: History, peer: Peer): number {
  return history.conversation(peer)?.lastId ?? 0;
}

describe('what is read here', () => {
  test('is told by its place, until it is said that it was, also after another start', () => {
    const directory = newDirectory();
    const first = open(directory);
    first.begin('life', 'inbox');
    come(first, BOB, 3, 4, 9);
    come(first, CAROL, 5);
    expect(first.untold(10)).toEqual([]);
    first.read(BOB, lastId(first, BOB) - 1);
    expect(first.untold(10)).toMatchObject([{ peer: BOB, seq: 4 }]);
    first.close();
    const history = open(directory);
    history.begin('life', 'inbox');
    const [untold] = history.untold(10);
    if (untold === undefined) throw new Error('it was forgotten');
    history.read(BOB, Number.MAX_SAFE_INTEGER);
    // What was read since then is not told yet.
    history.told(untold);
    expect(history.untold(10)).toMatchObject([{ peer: BOB, seq: 9 }]);
    for (const one of history.untold(10)) history.told(one);
    expect(history.untold(10)).toEqual([]);
  });

  test('has no place that means anything in another inbox', () => {
    const history = open();
    history.begin('life', 'inbox');
    come(history, BOB, 3, 4);
    come(history, OPS, 7);
    history.begin('life', 'another inbox');
    for (const peer of [BOB, OPS]) history.read(peer, Number.MAX_SAFE_INTEGER);
    expect(history.untold(10)).toMatchObject([
      { peer: BOB, seq: -1 },
      { peer: OPS, seq: 7 },
    ]);
  });
});

describe('what is read elsewhere', () => {
  test('is read here up to the same place, and not told back', () => {
    const history = open();
    come(history, BOB, 3, 4, 9);
    history.readElsewhere(BOB, 5);
    expect(unread(history, BOB)).toBe(1);
    expect(history.conversation(BOB)?.firstUnread).toBe(lastId(history, BOB));
    // An older word takes nothing back.
    history.readElsewhere(BOB, 3);
    expect(unread(history, BOB)).toBe(1);
    history.readElsewhere(CAROL, 5);
    expect(history.conversation(CAROL)).toBeNull();
    expect(history.untold(10)).toEqual([]);
  });

  test('of a room, is read as soon as it comes: the word may be faster than the messages', () => {
    const history = open();
    history.joinedAre(['#ops']);
    history.readElsewhere(OPS, 5);
    come(history, OPS, 4, 5, 6);
    expect(unread(history, OPS)).toBe(1);
    // Who comes into it again, or into another one of that name, counts anew.
    history.joinedAre([]);
    history.joinedAre(['#ops']);
    come(history, OPS, 1, 2);
    expect(unread(history, OPS)).toBe(3);
  });
});

describe('what was sent elsewhere', () => {
  test('is one’s own, read and settled, and there once', () => {
    const history = open();
    history.begin('life', 'inbox');
    const sent = { messageId: 'a1', to: 'bob', at: 7, body: 'from the phone' };
    expect(history.sentElsewhere(sent)).toMatchObject({
      peer: BOB,
      direction: 'out',
      fate: { kind: 'stored' },
    });
    expect(history.sentElsewhere(sent)).toBeNull();
    expect(history.conversation(BOB)).toMatchObject({ unread: 0 });
    expect(history.unsettled()).toEqual([]);
  });

  test('to a room comes back to everybody: of this life of the account it is one’s own', () => {
    const history = open();
    history.begin('life', 'inbox');
    const here = history.sent({
      messageId: 'a1',
      to: '#ops',
      at: 1,
      body: 'here',
      fate: { kind: 'on-its-way' },
    });
    expect(here.peer).toEqual(OPS);
    const said = (messageId: string, life: string, body: string) => {
      const author = { kind: 'user', name: 'maria' } as const;
      return history.received({ peer: OPS, at: 2, body, key: messageId, author, sent: { messageId, life } });
    };
    expect(said('a1', 'life', 'here')).toBeNull();
    expect(said('b2', 'life', 'there')).toMatchObject({ direction: 'out', fate: { kind: 'stored' } });
    expect(said('c3', 'former life', 'long ago')).toMatchObject({
      direction: 'in',
      author: { kind: 'user', name: 'maria' },
    });
    expect(bodies(history.all(OPS))).toEqual(['here', 'there', 'long ago']);
    expect(unread(history, OPS)).toBe(1);
  });
});

test('a room that one is in is listed though nothing was said there, and not when one is in it no more', () => {
  const history = open();
  history.joinedAre(['#ops', '#soup']);
  expect(history.conversations().map(({ peer, joined, notify }) => [peer.name, joined, notify])).toEqual([
    ['#soup', true, 'highlights'],
    ['#ops', true, 'highlights'],
  ]);
  come(history, OPS, 1);
  history.joinedAre(['#soup']);
  expect(history.conversations().map(({ peer, joined }) => [peer.name, joined])).toEqual([
    ['#ops', false],
    ['#soup', true],
  ]);
  history.joinedAre([]);
  expect(history.conversations().map(({ peer }) => peer.name)).toEqual(['#ops']);
});
