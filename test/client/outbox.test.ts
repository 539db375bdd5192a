import { describe, expect, test } from 'vitest';
import { type Entry, Outbox } from '../../src/client/outbox.ts';

const RECEIPT = Uint8Array.of(1);

/** An outbox that is logged in, with messages `1` to `n` to bob. */
function outboxWith(...ids: string[]): Outbox {
  const outbox = new Outbox();
  outbox.begin();
  for (const id of ids) outbox.add(id, 'bob', `text ${id}`);
  return outbox;
}

function ids(entries: readonly { id: string }[]): string[] {
  return entries.map(({ id }) => id);
}

function states(entries: readonly Entry[]): string[] {
  return entries.map(({ id, state }) => `${id} ${state.kind}`);
}

describe('one after the other', () => {
  test('nothing overtakes an unanswered message to the same recipient', () => {
    const outbox = outboxWith('1', '2');
    outbox.add('3', 'carol', 'other');
    expect(ids(outbox.take())).toEqual(['1', '3']);
    expect(outbox.take()).toEqual([]);
    expect(states(outbox.accepted('1', RECEIPT))).toEqual(['1 stored']);
    expect(ids(outbox.take())).toEqual(['2']);
  });

  test('a refused message makes way for the next one', () => {
    const outbox = outboxWith('1', '2');
    outbox.take();
    expect(outbox.refused('1', 'full')[0]?.state).toEqual({ kind: 'refused', reason: 'full' });
    expect(ids(outbox.take())).toEqual(['2']);
  });

  test('only so many are on their way at a time', () => {
    const outbox = new Outbox();
    outbox.begin();
    for (let count = 0; count < 30; count++) outbox.add(`${count}`, `user${count}`, 'x');
    expect(outbox.take()).toHaveLength(8);
    outbox.accepted('3', RECEIPT);
    expect(ids(outbox.take())).toEqual(['8']);
  });
});

describe('a lost connection', () => {
  test('what had no answer waits, and goes again with the same id in the same order', () => {
    const outbox = outboxWith('1', '2');
    outbox.take();
    expect(states(outbox.interrupt())).toEqual(['1 waiting', '2 waiting']);
    expect(outbox.take()).toEqual([]);
    expect(outbox.add('3', 'bob', 'x')?.state.kind).toBe('waiting');
    expect(states(outbox.begin())).toEqual(['1 on-its-way', '2 on-its-way', '3 on-its-way']);
    expect(ids(outbox.take())).toEqual(['1']);
  });

  test('what was stored has to be asked for; what waits still is asked for again, behind the others', () => {
    const outbox = outboxWith('1', '2', '3');
    for (const id of ['1', '2', '3']) {
      outbox.take();
      outbox.accepted(id, RECEIPT);
    }
    expect(outbox.toAskFor(10)).toEqual([]);
    outbox.interrupt();
    expect(ids(outbox.toAskFor(2))).toEqual(['1', '2']);
    expect(states(outbox.told(['1', '2'], ['waiting', 'delivered']))).toEqual(['2 delivered']);
    expect(ids(outbox.toAskFor(10))).toEqual(['3', '1']);
    const told = outbox.told(['3', '1'], ['undeliverable', 'unknown']);
    // Nothing is known of 1 any more, so its receipt is of no use.
    expect(states(told)).toEqual(['3 undeliverable', '1 stored']);
    expect(told[1]?.receipt).toBeNull();
    expect(outbox.toAskFor(10)).toEqual([]);
  });
});

describe('answers out of the usual order', () => {
  test('delivered before the answer', () => {
    const outbox = outboxWith('1', '2');
    outbox.take();
    expect(states(outbox.settled(['1'], 'delivered'))).toEqual(['1 delivered']);
    expect(outbox.accepted('1', RECEIPT)).toEqual([]);
    outbox.interrupt();
    expect(outbox.toAskFor(10)).toEqual([]);
  });

  test('fates of messages that were never sent, or are not known, mean nothing', () => {
    const outbox = outboxWith('1', '2');
    outbox.take();
    expect(outbox.settled(['2', 'nonsense'], 'delivered')).toEqual([]);
    expect(outbox.unanswered).toBe(2);
  });

  test('an answer after the time-out counts, and until then nothing goes again', () => {
    const outbox = outboxWith('1', '2');
    outbox.take();
    expect(states(outbox.unheard('1'))).toEqual(['1 waiting']);
    expect(outbox.take()).toEqual([]);
    expect(states(outbox.accepted('1', RECEIPT))).toEqual(['1 stored']);
  });
});

test('a server without room: everything waits, then goes on with the refused one first', () => {
  const outbox = outboxWith('1', '2');
  outbox.take();
  expect(states(outbox.pause('1', false))).toEqual(['1 waiting', '2 waiting']);
  expect(outbox.take()).toEqual([]);
  expect(outbox.add('3', 'carol', 'x')?.state.kind).toBe('waiting');
  expect(states(outbox.resume())).toEqual(['1 on-its-way', '2 on-its-way', '3 on-its-way']);
  expect(ids(outbox.take())).toEqual(['1', '3']);
});

test('another account: what was sent may be stored, what was not is refused', () => {
  const outbox = outboxWith('1', '2');
  outbox.take();
  expect(states(outbox.abandon('logged out'))).toEqual(['1 unsure', '2 refused']);
  outbox.begin();
  expect(outbox.take()).toEqual([]);
});

describe('whether it may be stored', () => {
  test('is known beforehand of what goes out at once, and told of everything else when it goes', () => {
    const outbox = outboxWith('1');
    expect(outbox.add('2', 'bob', 'x')?.mayBeStored).toBe(false);
    expect(outbox.take()).toMatchObject([{ id: '1', isNews: false }]);
    outbox.accepted('1', RECEIPT);
    expect(outbox.take()).toMatchObject([{ id: '2', isNews: true, mayBeStored: true }]);
    expect(outbox.interrupt()).toMatchObject([{ id: '2', mayBeStored: true }]);
    outbox.begin();
    expect(outbox.take()).toMatchObject([{ id: '2', isNews: false }]);
  });

  test.each([
    ['did not go out', (outbox: Outbox) => outbox.putBack('1')],
    ['met a server without room', (outbox: Outbox) => outbox.pause('1', false)],
  ])('is not so of what %s', (_, happens) => {
    const outbox = outboxWith('1');
    outbox.take();
    happens(outbox);
    expect(states(outbox.abandon('logged out'))).toEqual(['1 refused']);
  });

  test.each([
    ['a lost connection', (outbox: Outbox) => outbox.interrupt()],
    ['no answer', (outbox: Outbox) => outbox.unheard('1')],
    ['a server that does not know itself', (outbox: Outbox) => outbox.pause('1', true)],
  ])('is so after %s, also when the next try is refused', (_, happens) => {
    const outbox = outboxWith('1');
    outbox.take();
    happens(outbox);
    outbox.interrupt();
    outbox.begin();
    outbox.take();
    outbox.pause('1', false);
    expect(states(outbox.abandon('logged out'))).toEqual(['1 unsure']);
  });
});

test('is bounded in messages, in bytes, and in what it waits for', () => {
  const outbox = new Outbox();
  for (let count = 0; count < 200; count++) expect(outbox.add(`${count}`, 'bob', 'x')).not.toBeNull();
  expect(outbox.add('more', 'bob', 'x')).toBeNull();
  outbox.abandon('');
  const large = 'x'.repeat(65_000);
  for (let count = 0; count < 64; count++) expect(outbox.add(`${count}`, 'bob', large)).not.toBeNull();
  expect(outbox.add('more', 'bob', large)).toBeNull();
  outbox.abandon('');
  outbox.begin();
  for (let count = 0; count < 2_100; count++) {
    outbox.add(`${count}`, 'bob', 'x');
    outbox.take();
    outbox.accepted(`${count}`, RECEIPT);
  }
  outbox.interrupt();
  expect(outbox.toAskFor(10_000)).toHaveLength(2_000);
  expect(outbox.toAskFor(1)[0]?.id).toBe('100');
});

describe('what an earlier process left', () => {
  const left = (id: string, receipt: Uint8Array | null = null, body = 'x'): Entry => {
    const kind = receipt === null ? 'on-its-way' : 'stored';
    return { id, to: 'bob', body, state: { kind }, receipt, mayBeStored: true };
  };

  test('and never sent is surely not stored, until it goes out', () => {
    const outbox = new Outbox();
    outbox.restore([{ ...left('1'), state: { kind: 'waiting' }, mayBeStored: false }, left('2')]);
    expect(states(outbox.abandon('logged out'))).toEqual(['1 refused', '2 unsure']);
    outbox.restore([{ ...left('1'), state: { kind: 'waiting' }, mayBeStored: false }]);
    outbox.begin();
    expect(outbox.take()).toMatchObject([{ id: '1', mayBeStored: true, isNews: true }]);
    expect(states(outbox.abandon('logged out'))).toEqual(['1 unsure']);
  });

  test('goes again in its order, before what is new; it may have been sent', () => {
    const outbox = new Outbox();
    expect(outbox.restore([left('1'), left('2')])).toEqual([]);
    outbox.begin();
    outbox.add('3', 'bob', 'new');
    expect(ids(outbox.take())).toEqual(['1']);
    outbox.accepted('1', RECEIPT);
    expect(ids(outbox.take())).toEqual(['2']);
    expect(states(outbox.abandon('logged out'))).toEqual(['2 unsure', '3 refused']);
    const other = new Outbox();
    other.restore([left('1'), left('2')]);
    // Not sent by this process, perhaps by the one before.
    expect(states(other.settled(['2'], 'delivered'))).toEqual(['2 delivered']);
    expect(states(other.abandon('logged out'))).toEqual(['1 unsure']);
  });

  test('what is stored is asked for', () => {
    const outbox = new Outbox();
    outbox.restore([left('1'), left('2', RECEIPT), left('3', RECEIPT)]);
    expect(outbox.toAskFor(10)).toMatchObject([
      { id: '2', receipt: RECEIPT },
      { id: '3', receipt: RECEIPT },
    ]);
    expect(outbox.unanswered).toBe(1);
  });

  test('has the same bounds: what has no room is given up', () => {
    const many = Array.from({ length: 202 }, (_, count) => left(`${count}`));
    const outbox = new Outbox();
    expect(states(outbox.restore(many))).toEqual(['200 unsure', '201 unsure']);
    expect(outbox.unanswered).toBe(200);
    const stored = Array.from({ length: 2_100 }, (_, count) => left(`${count}`, RECEIPT));
    const other = new Outbox();
    expect(other.restore(stored)).toEqual([]);
    expect(ids(other.toAskFor(10_000))).toEqual(ids(stored.slice(100)));
    const large = ['1', '2', '3'].map((id) => left(id, null, 'x'.repeat(2 * 1024 * 1024)));
    expect(states(new Outbox().restore(large))).toEqual(['3 unsure']);
  });
});
