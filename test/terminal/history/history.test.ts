import { describe, expect, test } from 'vitest';
import { BOB, bodies, CAROL, found, newDirectory, open, receive, send } from './harness.ts';

const RECEIPT = Uint8Array.of(1, 2, 3);

/** The same, from the disk and without it. */
describe.each([
  ['on disk', () => newDirectory()],
  ['in memory', () => null],
])('%s', (_, where) => {
  test('gives back what came and went, by conversation', () => {
    const history = open(where());
    const first = receive(history, BOB, 'hello');
    const second = send(history, 'bob', 'hi', 'a1');
    receive(history, CAROL, 'psst');
    expect(first).toEqual({
      id: 1,
      peer: BOB,
      direction: 'in',
      at: 1_000,
      body: 'hello',
      fate: null,
      highlight: false,
    });
    expect(second).toMatchObject({ peer: BOB, direction: 'out', at: 2_000, fate: { kind: 'on-its-way' } });
    expect(history.before(BOB, null, 10)).toEqual([first, second]);
    expect(history.message(second.id)).toEqual(second);
    expect(history.message(99)).toBeNull();
  });

  test('beyond its bytes the oldest messages go, a few at a time', () => {
    const history = open(where(), { maxBytes: 8 * 1024 ** 2 });
    const body = 'word '.repeat(20_000);
    for (let count = 0; count < 200; count++) receive(history, BOB, `${count} ${body}`);
    const kept = bodies(history.before(BOB, null, 1_000)).map((text) => Number.parseInt(text, 10));
    // Some are gone, and what is left is the newest ones without a gap; so many as there was room for, about.
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 200 - kept.length + at));
    expect(kept.length).toBeGreaterThan(30);
    expect(kept.length).toBeLessThan(110);
    expect(history.conversation(BOB)?.unread).toBe(kept.length);
    expect(found(history, 'word')).toMatchObject({ count: kept.length });
  });

  test('pages lead through a conversation both ways', () => {
    const history = open(where());
    const ids = Array.from({ length: 10 }, (_, at) => {
      receive(history, CAROL, 'between');
      return receive(history, BOB, `${at}`).id;
    });
    expect(bodies(history.before(BOB, null, 3))).toEqual(['7', '8', '9']);
    expect(bodies(history.before(BOB, ids[7] ?? 0, 3))).toEqual(['4', '5', '6']);
    expect(bodies(history.before(BOB, ids[1] ?? 0, 3))).toEqual(['0']);
    expect(bodies(history.after(BOB, ids[7] ?? 0, 10))).toEqual(['8', '9']);
    expect(bodies(history.after(BOB, 0, 2))).toEqual(['0', '1']);
    for (const limit of [0, -1, Number.NaN]) expect(history.before(BOB, null, limit)).toEqual([]);
    expect(history.before({ kind: 'user', name: 'nobody' }, null, 10)).toEqual([]);
  });

  test('all messages, however many pages they are', () => {
    const history = open(where());
    for (let count = 0; count < 1_203; count++) receive(history, BOB, `${count}`);
    expect(bodies(history.all(BOB))).toEqual(Array.from({ length: 1_203 }, (_, count) => `${count}`));
  });

  test('a key is taken once, an outgoing message is inserted once', () => {
    const history = open(where());
    receive(history, BOB, 'once', 'k');
    expect(history.received({ peer: CAROL, at: 2, body: 'twice', key: 'k' })).toBeNull();
    expect([history.hasSeen('k'), history.hasSeen('other')]).toEqual([true, false]);
    for (const body of ['x', 'x']) history.received({ peer: CAROL, at: null, body, key: null });
    expect(history.before(CAROL, null, 9).map(({ at }) => at)).toEqual([null, null]);
    const sent = send(history, 'bob', 'out', 'a1');
    expect(send(history, 'bob', 'again', 'a1')).toEqual(sent);
    expect(bodies(history.all(BOB))).toEqual(['once', 'out']);
  });

  test('a user and a program of the same name are two conversations; odd names are kept, long ones cut', () => {
    const history = open(where());
    const names = ['bob', '', "'; DROP TABLE messages; --", '\u202eevil\0\x1b[2J', 'ü'.repeat(300), '\ud800'];
    for (const name of names) receive(history, { kind: 'external', name }, name);
    receive(history, BOB, 'the user');
    expect(bodies(history.all(BOB))).toEqual(['the user']);
    for (const name of names) {
      const kept = name.slice(0, 256).toWellFormed();
      const message = history.before({ kind: 'external', name }, null, 1)[0];
      expect(message).toMatchObject({ peer: { kind: 'external', name: kept }, body: name.toWellFormed() });
    }
    expect(history.conversations()).toHaveLength(names.length + 1);
  });

  test('times that no clock shows do no harm', () => {
    const history = open(where());
    const times = [Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY, 1.5, -1];
    for (const at of times) history.received({ peer: BOB, at, body: 'x', key: null });
    const kept = history.before(BOB, null, 9).map(({ at }) => at);
    expect(kept).toEqual([Number.MAX_SAFE_INTEGER, null, null, 1, -1]);
  });

  describe('conversations', () => {
    test('the newest activity first, with what is unread', () => {
      const history = open(where());
      receive(history, BOB, '1');
      const second = receive(history, CAROL, '2');
      receive(history, CAROL, '3');
      const last = send(history, 'bob', '4', 'a1');
      expect(history.conversations()).toMatchObject([
        { peer: BOB, lastId: last.id, unread: 1, firstUnread: 1, notify: 'all', draft: '' },
        { peer: CAROL, unread: 2, firstUnread: second.id },
      ]);
    });

    test('what was read stays read', () => {
      const history = open(where());
      const [one, two, three] = ['1', '2', '3'].map((body) => receive(history, BOB, body).id);
      history.read(BOB, two ?? 0);
      expect(history.conversation(BOB)).toMatchObject({ unread: 1, firstUnread: three });
      history.read(BOB, one ?? 0);
      expect(history.conversation(BOB)).toMatchObject({ unread: 1, firstUnread: three });
      // Beyond the newest: what comes afterwards is unread all the same.
      for (const upTo of [1e9, Number.NaN, Number.POSITIVE_INFINITY]) history.read(BOB, upTo);
      expect(history.conversation(BOB)).toMatchObject({ unread: 0, firstUnread: null });
      send(history, 'bob', 'mine', 'a1');
      const four = receive(history, BOB, '4');
      expect(history.conversation(BOB)).toMatchObject({ unread: 1, firstUnread: four.id });
      history.read(CAROL, 1);
      expect(history.conversation(CAROL)).toBeNull();
    });

    test('highlighted messages are counted apart, and found in all conversations', () => {
      const history = open(where());
      const come = (peer: typeof BOB, body: string, highlight: boolean) =>
        history.received({ peer, at: 1, body, key: null, highlight })?.id ?? 0;
      come(BOB, '1', false);
      const two = come(BOB, '2', true);
      const three = come(BOB, '3', true);
      const four = come(CAROL, '4', true);
      send(history, 'bob', 'mine', 'a1');
      expect(history.conversation(BOB)).toMatchObject({ unread: 3, highlights: 2 });
      history.read(BOB, two);
      expect(history.conversation(BOB)).toMatchObject({ unread: 1, highlights: 1, firstUnread: three });
      history.read(CAROL, four);
      expect(history.highlighted(2).map(({ id }) => id)).toEqual([four, three]);
      expect(history.highlighted(9)).toHaveLength(3);
      expect(bodies(history.unread())).toEqual(['3']);
      expect(history.countIncoming(BOB, 1, Number.MAX_SAFE_INTEGER)).toBe(3);
      expect(history.countIncoming(BOB, two, three)).toBe(1);
      expect(history.firstIncoming(BOB, three)).toBeNull();
      expect(history.firstIncoming(BOB, two)).toBe(three);
    });

    test('the order is that in which things were said, however the clock is set meanwhile', () => {
      let now = 1_000_000;
      const history = open(where(), { now: () => now });
      receive(history, BOB, '1');
      now -= 500_000;
      receive(history, CAROL, '2');
      expect(history.conversations().map(({ peer }) => peer)).toEqual([CAROL, BOB]);
      now -= 400_000;
      send(history, 'bob', '3', 'a1');
      expect(history.conversations().map(({ peer }) => peer)).toEqual([BOB, CAROL]);
      history.draft({ kind: 'user', name: 'dave' }, 'half');
      expect(history.conversations()[0]?.peer.name).toBe('dave');
    });

    test('a message that was sent has the time at which the server stored it', () => {
      const history = open(where());
      send(history, 'bob', 'hi', 'a1');
      history.fate('a1', { kind: 'stored' }, null, true, 5_000);
      expect(history.before(BOB, null, 1)[0]?.at).toBe(5_000);
      history.fate('a1', { kind: 'delivered' }, null);
      expect(history.before(BOB, null, 1)[0]?.at).toBe(5_000);
    });

    test('drafts and muting; a draft makes a conversation', () => {
      const history = open(where());
      history.draft(BOB, 'half a thou');
      history.notify(CAROL, 'nothing');
      expect(history.conversations()).toMatchObject([{ peer: BOB, lastId: 0, draft: 'half a thou' }]);
      expect(history.conversation(CAROL)).toMatchObject({ notify: 'nothing' });
      history.draft(BOB, '');
      expect(history.conversations()).toEqual([]);
      receive(history, CAROL, 'x');
      expect(history.conversations()).toMatchObject([{ peer: CAROL, notify: 'nothing', unread: 1 }]);
      history.notify(CAROL, 'all');
      expect(history.conversation(CAROL)?.notify).toBe('all');
    });
  });

  describe('fates', () => {
    test('go forward only, and a refusal keeps its reason', () => {
      const history = open(where());
      send(history, 'bob', 'x', 'a1');
      expect(history.fate('a1', { kind: 'waiting' }, null)?.fate).toEqual({ kind: 'waiting' });
      expect(history.fate('a1', { kind: 'stored' }, RECEIPT)?.fate).toEqual({ kind: 'stored' });
      expect(history.fate('a1', { kind: 'waiting' }, null)?.fate).toEqual({ kind: 'stored' });
      expect(history.fate('a1', { kind: 'delivered' }, null)?.fate).toEqual({ kind: 'delivered' });
      expect(history.fate('a1', { kind: 'unsure' }, null)?.fate).toEqual({ kind: 'delivered' });
      send(history, 'bob', 'y', 'a2');
      history.fate('a2', { kind: 'refused', reason: 'No.' }, null);
      expect(history.before(BOB, null, 1)[0]?.fate).toEqual({ kind: 'refused', reason: 'No.' });
      expect(history.fate('unknown', { kind: 'stored' }, RECEIPT)).toBeNull();
    });

    test('what is not settled can be taken up again by the same life of the account only', () => {
      const history = open(where());
      send(history, 'bob', 'before any login', 'a0');
      history.begin('life 1');
      expect(history.unsettled()).toEqual([]);
      expect(history.before(BOB, null, 1)[0]?.fate).toEqual({ kind: 'unsure' });
      for (const id of ['a1', 'a2', 'a3', 'a4']) send(history, 'bob', id, id);
      history.fate('a1', { kind: 'stored' }, RECEIPT);
      history.fate('a3', { kind: 'delivered' }, null);
      history.fate('a4', { kind: 'waiting' }, null);
      const unanswered = { to: 'bob', receipt: null, mayBeStored: true };
      const expected = [
        { ...unanswered, id: 'a2', body: 'a2', state: { kind: 'on-its-way' } },
        { ...unanswered, id: 'a4', body: 'a4', state: { kind: 'waiting' } },
        { id: 'a1', to: 'bob', body: 'a1', state: { kind: 'stored' }, receipt: RECEIPT, mayBeStored: true },
      ];
      expect(history.unsettled()).toEqual(expected);
      history.begin('life 1');
      expect(history.unsettled()).toEqual(expected);
      history.begin('life 2');
      expect(history.unsettled()).toEqual([]);
      expect(history.before(BOB, null, 4).map(({ fate }) => fate?.kind)).toEqual([
        'stored',
        'unsure',
        'delivered',
        'unsure',
      ]);
      history.begin('life 1');
      expect(history.unsettled()).toEqual([]);
    });

    test('of what an earlier life of the account wrote only what went out is unsure', () => {
      const directory = where();
      const history = open(directory);
      history.begin('life 1');
      const out = { to: 'bob', at: 1, body: 'x', fate: { kind: 'waiting' } } as const;
      history.sent({ ...out, messageId: 'a1', mayBeStored: false });
      history.sent({ ...out, messageId: 'a2', mayBeStored: false });
      history.fate('a2', { kind: 'on-its-way' }, null, true);
      history.sent({ ...out, messageId: 'a3', mayBeStored: true });
      expect(history.unsettled().map(({ mayBeStored }) => mayBeStored)).toEqual([false, true, true]);
      history.begin('life 2');
      expect(history.before(BOB, null, 3).map(({ fate }) => fate)).toEqual([
        { kind: 'refused', reason: 'the account that wrote it is gone' },
        { kind: 'unsure' },
        { kind: 'unsure' },
      ]);
    });

    test('a stored message without a receipt is not asked for', () => {
      const history = open(where());
      history.begin('life 1');
      send(history, 'bob', 'x', 'a1');
      history.fate('a1', { kind: 'stored' }, RECEIPT);
      history.fate('a1', { kind: 'stored' }, null);
      expect(history.unsettled()).toEqual([]);
    });
  });

  test('only so many messages are kept, and all counters agree', () => {
    const history = open(where(), { maxMessages: 500 });
    receive(history, CAROL, 'old and unread');
    history.notify(CAROL, 'nothing');
    receive(history, { kind: 'external', name: 'bot' }, 'old, of nobody');
    const first = receive(history, BOB, 'searched for').id;
    for (let count = 0; count < 1_000; count++) receive(history, BOB, `number ${count}`);
    const left = history.before(BOB, null, 10_000);
    expect(left.length).toBeGreaterThanOrEqual(500);
    expect(left.length).toBeLessThan(500 + 64);
    expect(history.conversations()).toMatchObject([
      { peer: BOB, unread: left.length, firstUnread: left[0]?.id },
    ]);
    expect(history.conversation(CAROL)).toMatchObject({ unread: 0, firstUnread: null, notify: 'nothing' });
    expect(history.conversation({ kind: 'external', name: 'bot' })).toBeNull();
    expect(history.message(first)).toBeNull();
    expect(found(history, 'searched')).toMatchObject({ count: 0, messages: [] });
    history.read(BOB, left[9]?.id ?? 0);
    expect(history.conversation(BOB)?.unread).toBe(left.length - 10);
  });
});

describe('what is durable', () => {
  test('is there again, with everything', () => {
    const directory = newDirectory();
    const history = open(directory);
    history.begin('life 1');
    const received = receive(history, BOB, 'hello', 'k');
    const sent = send(history, 'bob', 'hi', 'a1');
    history.fate('a1', { kind: 'stored' }, RECEIPT);
    history.draft(CAROL, 'dear');
    history.notify(BOB, 'highlights');
    history.notify(CAROL, 'nothing');
    history.close();
    const again = open(directory);
    expect(again.before(BOB, null, 9)).toEqual([received, { ...sent, fate: { kind: 'stored' } }]);
    expect(again.hasSeen('k')).toBe(true);
    expect(again.conversation(CAROL)).toMatchObject({ draft: 'dear', notify: 'nothing' });
    expect(again.conversation(BOB)?.notify).toBe('highlights');
    again.begin('life 1');
    expect(again.unsettled()).toMatchObject([{ id: 'a1', receipt: RECEIPT }]);
    expect(receive(again, BOB, 'next').id).toBeGreaterThan(sent.id);
  });

  test('another connection sees it after a commit, after a message was sent, and after a moment', async () => {
    const directory = newDirectory();
    const [writer, reader] = [open(directory), open(directory)];
    receive(writer, BOB, '1');
    expect(reader.before(BOB, null, 9)).toEqual([]);
    writer.commit();
    writer.commit();
    expect(bodies(reader.before(BOB, null, 9))).toEqual(['1']);
    receive(writer, BOB, '2');
    send(writer, 'bob', '3', 'a1');
    expect(bodies(reader.before(BOB, null, 9))).toEqual(['1', '2', '3']);
    writer.fate('a1', { kind: 'stored' }, RECEIPT);
    await expect.poll(() => reader.before(BOB, null, 1)[0]?.fate?.kind).toBe('stored');
  });
});
