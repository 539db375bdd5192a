/* What a storage in memory keeps, and how it says that there is no more room. */
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Room } from '../../src/core/rooms.ts';
import type { Storage } from '../../src/core/storage.ts';
import { MEMORY_LIMITS, type MemoryLimits } from '../../src/storage/memory/mailbox.ts';
import { openMemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { MemoryStore } from '../../src/storage/memory/memory-store.ts';
import { appendInTurn, message, numbered, observe } from '../contracts/cluster.ts';

const FULL = { name: 'EngineError', code: 'MAILBOX_FULL' };

function open(limits: Partial<MemoryLimits['mailbox']>, maxBytes = MEMORY_LIMITS.maxBytes): Storage {
  return openMemoryStorage(new MemoryStore({ maxBytes, mailbox: { ...MEMORY_LIMITS.mailbox, ...limits } }));
}

/** How many messages with this body are taken, of as many as are tried. */
async function taken(storage: Storage, to: Account, from: Account, tries: number, body = 'x') {
  let count = 0;
  for (; count < tries; count++) {
    const failure = await storage.inboxes.append(to, message(from, body)).catch((error: unknown) => error);
    if (failure instanceof Error) {
      expect(failure).toMatchObject(FULL);
      break;
    }
  }
  return count;
}

describe('an inbox in memory', () => {
  it('takes so many messages, and more when some were acknowledged', async () => {
    const storage = open({ maxMessages: 4, senderShare: 1, strangerShare: 1 });
    const anna = await storage.accounts.create({ name: 'anna' });
    expect(await taken(storage, anna, anna, 9)).toBe(4);
    const reader = await observe(storage, anna);
    reader.inbox.acknowledge(1, 2);
    expect(await reader.inbox.undelivered()).toBe(2);
    expect(await taken(storage, anna, anna, 9)).toBe(2);
  });

  it('takes so many bytes', async () => {
    const storage = open({ maxBytes: 1_000, strangerShare: 1 });
    const anna = await storage.accounts.create({ name: 'anna' });
    expect(await taken(storage, anna, anna, 99, 'x'.repeat(100))).toBe(10);
  });

  it('leaves room for others than one sender, and for those whom its owner has written to', async () => {
    const storage = open({ maxMessages: 8, senderShare: 0.25, strangerShare: 0.5 });
    const { accounts, inboxes } = storage;
    const anna = await accounts.create({ name: 'anna' });
    const strangers = await Promise.all(numbered('s', 3).map((name) => accounts.create({ name })));
    const friend = await accounts.create({ name: 'friend' });
    await inboxes.append(friend, message(anna, 'hello'));
    const counts: number[] = [];
    for (const stranger of strangers) counts.push(await taken(storage, anna, stranger, 9));
    expect(counts).toEqual([2, 2, 0]);
    expect(await taken(storage, anna, friend, 9)).toBe(2);
  });

  it('knows a friend by the life of the account, not by the name', async () => {
    const storage = open({ maxMessages: 4, senderShare: 1, strangerShare: 0.5 });
    const { accounts, inboxes } = storage;
    const anna = await accounts.create({ name: 'anna' });
    const friend = await accounts.create({ name: 'friend' });
    await inboxes.append(friend, message(anna, 'hello'));
    await accounts.remove(friend);
    const other = await accounts.create({ name: 'friend' });
    expect(await taken(storage, anna, other, 9)).toBe(2);
  });
});

describe('a storage in memory', () => {
  it('keeps so many bytes in all, and has room again for what was acknowledged or removed', async () => {
    const storage = open({}, 100_000);
    const { accounts, inboxes } = storage;
    const [anna, bert, carl] = await Promise.all(
      ['anna', 'bert', 'carl'].map((name) => accounts.create({ name })),
    );
    if (!anna || !bert || !carl) throw new Error('just made');
    const body = 'x'.repeat(9_000);
    const most = (await taken(storage, anna, carl, 5, body)) + (await taken(storage, bert, carl, 99, body));
    expect(most).toBe(10);
    await expect(inboxes.append(carl, message(anna, body))).rejects.toMatchObject(FULL);
    const reader = await observe(storage, anna);
    reader.inbox.acknowledge(0, 2);
    expect(await taken(storage, carl, anna, 99, body)).toBe(3);
    await accounts.remove(bert);
    expect(await taken(storage, carl, anna, 99, body)).toBe(5);
  });

  it('counts what a message takes beside its body', async () => {
    const storage = open({ strangerShare: 1, senderShare: 1 }, 100_000);
    const anna = await storage.accounts.create({ name: 'anna' });
    expect(await taken(storage, anna, anna, 100_000, 'x')).toBeLessThan(200);
  });

  it('keeps no part of the buffers that messages came in', async () => {
    const storage = open({});
    const anna = await storage.accounts.create({ name: 'anna' });
    const chunk = Buffer.from('before hello after');
    const id = Buffer.alloc(64, 7).subarray(8, 24);
    await storage.inboxes.append(anna, { ...message(anna, ''), id, body: chunk.subarray(7, 12) });
    chunk.fill(0);
    id.fill(0);
    const { inbox } = await observe(storage, anna);
    const [stored] = await inbox.read({ maxBytes: 100 });
    expect(Buffer.from(stored?.body ?? []).toString()).toBe('hello');
    expect(stored?.id).toEqual(new Uint8Array(16).fill(7));
    expect(stored?.body.buffer.byteLength).toBe(5);
  });

  it('acknowledges a range of any length, and one behind a long backlog, in no time', async () => {
    const storage = open({ maxMessages: 50_000, senderShare: 1, strangerShare: 1 });
    const anna = await storage.accounts.create({ name: 'anna' });
    await appendInTurn(storage, anna, anna, numbered('m', 20_000));
    const { inbox } = await observe(storage, anna);
    const before = performance.now();
    for (let offset = 19_999; offset >= 10_000; offset--) inbox.acknowledge(offset, offset);
    expect(await inbox.undelivered()).toBe(10_000);
    inbox.acknowledge(5_000, Number.MAX_SAFE_INTEGER);
    expect(await inbox.undelivered()).toBe(5_000);
    // Some milliseconds; along the whole backlog each time it would be half a minute.
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('gives back what it holds when it is closed', async () => {
    const store = new MemoryStore();
    const [here, elsewhere] = [openMemoryStorage(store), openMemoryStorage(store)];
    const anna = await here.accounts.create({ name: 'anna' });
    await observe(here, anna);
    await here.close();
    expect(await elsewhere.inboxes.held([anna])).toEqual([false]);
  });
});

describe('rooms in memory', () => {
  const made = async (storage: Storage, owner: Account, name: string) =>
    storage.rooms.create({
      ...{ name, owner: { name: owner.name, incarnation: owner.incarnation }, policy: 'open' as const },
      ...{ description: '', retentionMs: 3_600_000, history: 0 },
    });

  it('keep a quarter of all, from the newest back, and are nothing any more when they are removed', async () => {
    const storage = open({ senderShare: 1, strangerShare: 1 }, 40_000);
    const anna = await storage.accounts.create({ name: 'anna' });
    const say = async (room: Room, count: number) => {
      for (const body of numbered('m', count)) await storage.rooms.append(room, message(anna, body));
    };
    const [one, two] = [await made(storage, anna, '#one'), await made(storage, anna, '#two')];
    await say(one, 50);
    const { start, end } = await storage.rooms.bounds(one);
    expect(end).toBe(50);
    // 10,000 bytes, at 768 and some for each.
    expect(end - start).toBe(12);
    await say(two, 4);
    expect(await storage.rooms.bounds(two)).toEqual({ start: 0, end: 4 });
    expect(await storage.rooms.bounds(one)).toEqual({ start: 42, end: 50 });
    // The rest is for inboxes.
    expect(await taken(storage, anna, anna, 99)).toBe(39);
    for (const room of [one, two]) await storage.rooms.remove(room);
    expect(await taken(storage, anna, anna, 99)).toBe(13);
  });
});

it('notes of somebody’s own devices are no undelivered messages', async () => {
  const storage = open({ maxMessages: 2, senderShare: 1, strangerShare: 1 });
  const { accounts, inboxes } = storage;
  const first = await accounts.create({ name: 'anna' });
  const anna = await accounts.update(first, { devices: [{ name: 'phone', lastLogin: Date.now() }] });
  for (let upTo = 0; upTo < 5; upTo++)
    await inboxes.note(anna, 'phone', { kind: 'read', conversation: 'bert', upTo });
  const { inbox } = await observe(storage, anna);
  expect(await inbox.undelivered()).toBe(0);
  expect(await taken(storage, anna, anna, 9)).toBe(2);
  expect(await inbox.undelivered()).toBe(2);
  await inboxes.forget(anna, 'phone', { takeover: true });
  expect(await inbox.undelivered()).toBe(2);
});
