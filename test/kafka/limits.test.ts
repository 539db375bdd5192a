import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { eventually, message, observe, textOf, uniqueName } from '../contracts/cluster.ts';
import { testConfig, testLog, witness } from './cluster.ts';

const MESSAGES = 40;

/** Small limits, so that they can be reached. */
describe('mailbox limits', () => {
  let engine: Storage;
  let elsewhere: Storage;

  beforeAll(async () => {
    const config = testConfig({
      MILENA_MAILBOX_MESSAGES: String(MESSAGES),
      MILENA_MAILBOX_MB: '0.01',
      MILENA_SENDER_SHARE: '0.5',
      MILENA_STRANGER_SHARE: '0.75',
    });
    engine = await openKafkaStorage(config, testLog);
    elsewhere = await openKafkaStorage(config, testLog);
  });
  afterAll(async () => {
    await engine.close();
    await elsewhere.close();
  });

  const make = (stem: string): Promise<Account> => engine.accounts.create({ name: uniqueName(stem) });

  /** Sends until refused; how many were taken. */
  async function fill(through: Storage, to: Account, from: Account, body = 'x'): Promise<number> {
    for (let taken = 0; ; taken++) {
      try {
        await through.inboxes.append(to, message(from, body));
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
        expect(error).toMatchObject({ code: 'MAILBOX_FULL' });
        return taken;
      }
    }
  }

  it('let one sender fill its share, and another the rest', async () => {
    const to = await make('to');
    const [anna, bert, carl] = [await make('anna'), await make('bert'), await make('carl')];
    expect(await fill(engine, to, anna)).toBe(MESSAGES / 2);
    expect(await fill(engine, to, bert)).toBe(MESSAGES / 4);
    expect(await fill(engine, to, carl)).toBe(0);
    // Another frontend sees the same by looking at Kafka.
    expect(await fill(elsewhere, (await elsewhere.accounts.find(to.name)) ?? to, carl)).toBe(0);
  });

  it('keep room for those whom the owner has written to, through any frontend, also after a restart', async () => {
    const to = await make('to');
    const [friend, other] = [await make('friend'), await make('other')];
    const first = await observe(engine, to);
    await engine.inboxes.append(friend, message(to, 'hello'));
    await first.inbox.close();
    // What the next login writes down keeps it.
    const second = await observe(engine, to);
    await engine.inboxes.append(other, message(to, 'hello, too'));
    await second.inbox.close();
    for (let i = 0; i < 12; i++) await fill(engine, to, await make('stranger'));
    expect(await fill(engine, to, await make('stranger'))).toBe(0);
    expect(await fill(elsewhere, to, await make('stranger'))).toBe(0);
    expect(await fill(elsewhere, to, friend)).toBe(MESSAGES / 4);
    expect(await fill(elsewhere, to, other)).toBe(0);
    // Another life of a friend's name is a stranger.
    await engine.accounts.remove(friend);
    const again = await engine.accounts.create({ name: friend.name });
    const reader = await observe(engine, to);
    const read = await reader.inbox.read({ maxBytes: 100_000, maxMessages: 5 });
    reader.inbox.acknowledge(read[0]?.offset ?? -1, read.at(-1)?.offset ?? -1);
    await eventually(() => engine.inboxes.append(to, message(other, 'there is room')));
    expect(await fill(engine, to, again)).toBe(0);
    await reader.inbox.close();
  });

  it('open again as soon as messages are acknowledged', async () => {
    const to = await make('to');
    const from = await make('from');
    expect(await fill(engine, to, from)).toBe(MESSAGES / 2);
    const { inbox } = await observe(engine, to);
    const read = await inbox.read({ maxBytes: 10_000 });
    inbox.acknowledge(read[0]?.offset ?? -1, read.at(-1)?.offset ?? -1);
    await eventually(() => engine.inboxes.append(to, message(from, 'again')));
    await inbox.close();
  });

  it('count bytes', async () => {
    const to = await make('to');
    const from = await make('from');
    expect(await fill(engine, to, from, 'x'.repeat(2_000))).toBe(Math.ceil((0.75 * 0.01 * 2 ** 20) / 2_000));
  });

  it('keep the order of one sender, however the looks at Kafka fall', async () => {
    const to = await make('to');
    const from = await make('from');
    const bodies = Array.from({ length: 15 }, (_, i) => String(i));
    await Promise.all(bodies.map((body) => engine.inboxes.append(to, message(from, body))));
    const reader = await observe(engine, to, { deliver: 'all' });
    await eventually(() => expect(reader.bodies()).toEqual(bodies));
    await reader.inbox.close();
  });
});

describe('history', () => {
  it('is removed after its time, and nothing undelivered with it', async () => {
    // A window of 3.6 s is looked at every 0.15 s.
    const engine = await openKafkaStorage(testConfig({ MILENA_HISTORY_HOURS: '0.001' }), testLog);
    const owner = await engine.accounts.create({ name: uniqueName('archive') });
    const topic = `milena.inbox.${owner.name}`;
    for (let i = 0; i < 6; i++) await engine.inboxes.append(owner, message(owner, `old ${i}`));
    const { inbox } = await observe(engine, owner);
    await inbox.read({ maxBytes: 1_000, maxMessages: 4 });
    inbox.acknowledge(0, 3);
    const admin = witness().admin();
    await admin.connect();
    const start = async () => Number((await admin.fetchTopicOffsets(topic))[0]?.low);
    await eventually(async () => expect(await start()).toBe(4));
    // Older than the window by now, but nobody has them yet.
    expect((await inbox.read({ maxBytes: 1_000 })).map(textOf)).toEqual(['old 4', 'old 5']);
    expect(await inbox.undelivered()).toBe(2);
    await inbox.close();
    const again = await observe(engine, owner, { deliver: 'all' });
    await eventually(() => expect(again.bodies()).toEqual(['old 4', 'old 5']));
    await again.inbox.close();
    await admin.disconnect();
    await engine.close();
  });

  it('keeps what another device has still to get', async () => {
    const engine = await openKafkaStorage(testConfig({ MILENA_HISTORY_HOURS: '0.001' }), testLog);
    const made = await engine.accounts.create({ name: uniqueName('archive') });
    const devices = [{ name: 'phone', lastLogin: Date.now() }];
    const owner = await engine.accounts.update(made, { devices });
    const topic = `milena.inbox.${owner.name}`;
    for (let i = 0; i < 6; i++) await engine.inboxes.append(owner, message(owner, `old ${i}`));
    const phone = await observe(engine, owner, { device: 'phone' });
    await phone.inbox.read({ maxBytes: 1_000, maxMessages: 2 });
    phone.inbox.acknowledge(0, 1);
    await phone.inbox.close();
    const { inbox } = await observe(engine, owner);
    await inbox.read({ maxBytes: 1_000 });
    inbox.acknowledge(0, 5);
    const admin = witness().admin();
    await admin.connect();
    const start = async () => Number((await admin.fetchTopicOffsets(topic))[0]?.low);
    await eventually(async () => expect(await start()).toBe(2));
    // Some looks later as well.
    await sleep(600);
    expect(await start()).toBe(2);
    await inbox.close();
    await admin.disconnect();
    await engine.close();
  });
});

describe('takeover', () => {
  it('is heard of at once by the frontend that loses, without waiting for its next heartbeat', async () => {
    const [here, elsewhere] = await Promise.all([
      openKafkaStorage(testConfig(), testLog),
      openKafkaStorage(testConfig(), testLog),
    ]);
    const owner = await here.accounts.create({ name: uniqueName('wanted') });
    const first = await observe(here, owner);
    const known = (await elsewhere.accounts.find(owner.name)) ?? owner;
    const second = await observe(elsewhere, known, { takeover: true });
    // The inbox's own heartbeat would come only after 100 s.
    await eventually(() => expect(first.lost).toEqual(['fenced']));
    await second.inbox.close();
    await Promise.all([here.close(), elsewhere.close()]);
  });
});
