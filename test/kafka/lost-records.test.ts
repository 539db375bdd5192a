/** Records that a log has lost from its midst: nobody hears *delivered* of them, and nothing that is not what was sent is shown. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Accepted } from '../../src/core/inboxes.ts';
import type { Storage } from '../../src/core/storage.ts';
import {
  changeSettings,
  otherSettings,
  TopicSettings,
} from '../../src/storage/kafka/check/topic-settings.ts';
import { readBounds, readLog } from '../../src/storage/kafka/fetch/log-reader.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster as RawCluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { INBOX_REQUIRES } from '../../src/storage/kafka/wire/topics.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { javaUsable } from '../broker/java.ts';
import { spoilLog } from '../broker/log-files.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import {
  appendInTurn,
  eventually,
  fatesOf,
  message,
  numbered,
  observe,
  textOf,
  uniqueName,
} from '../contracts/cluster.ts';
import { testConfig, testLog } from './cluster.ts';

const hasJava = await javaUsable();
const SEGMENT_MS = 1_000;
const COMPACTION = {
  'cleanup.policy': 'compact',
  'segment.ms': String(SEGMENT_MS),
  'min.cleanable.dirty.ratio': '0.01',
  'max.compaction.lag.ms': '1000',
};

describe.skipIf(!hasJava)('records that are lost', { timeout: 180_000 }, () => {
  let broker: TestBroker;
  let engine: Storage;
  let raw: RawCluster;
  const logged: Record<string, unknown>[] = [];

  beforeAll(async () => {
    broker = await borrowBroker();
    const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    const settings = { MILENA_KAFKA_BROKERS: broker.brokers, MILENA_REPLICATION_FACTOR: '1' };
    engine = await openKafkaStorage(testConfig(settings), log);
    raw = new RawCluster({ bootstrap: [broker.brokers], clientId: 'operator' });
  });
  afterAll(async () => {
    await raw?.close();
    await engine?.close();
    await broker?.stop();
  });

  const make = (stem: string): Promise<Account> => engine.accounts.create({ name: uniqueName(stem) });
  const topicOf = ({ name }: Account) => `milena.inbox.${name}`;

  const send = (to: Account, from: Account, bodies: readonly string[]) =>
    appendInTurn(engine, to, from, bodies);
  const fates = (to: Account, sent: readonly Accepted[], inLog = true) => fatesOf(engine, to, sent, inLog);

  /** Logs in, takes and acknowledges so many, and leaves. */
  async function take(owner: Account, count: number, deliver: 'all' | 'live' = 'all'): Promise<string[]> {
    const { inbox, pushed, bodies } = await observe(engine, owner, { deliver });
    if (deliver === 'live') {
      const read = await inbox.read({ maxBytes: 1_000_000 });
      for (const { offset } of read) inbox.acknowledge(offset, offset);
      await inbox.close();
      return read.map(textOf);
    }
    await eventually(() => expect(pushed.length).toBeGreaterThanOrEqual(count));
    for (const { offset } of pushed) inbox.acknowledge(offset, offset);
    await inbox.close();
    return bodies();
  }

  async function offsetsIn(owner: Account): Promise<number[]> {
    const topic = topicOf(owner);
    const deadline = now() + 20_000;
    const { topicId } = await raw.leader(topic);
    const { start, end } = await readBounds(raw, topic, deadline);
    const found: number[] = [];
    for (let offset = start; offset < end; ) {
      const read = await readLog(raw, { topic, topicId }, { offset, epoch: -1 }, 1_000_000, deadline);
      found.push(...read.records.map((record) => record.offset));
      offset = read.nextOffset;
    }
    return found;
  }

  it.each(['all', 'live'] as const)('to a compaction are undeliverable (%s)', async (deliver) => {
    const [to, from, other] = [await make('to'), await make('from'), await make('other')];
    const sent = await send(to, from, ['read']);
    expect(await take(to, 1)).toEqual(['read']);
    // Some of them in one batch, of which a part stays.
    const together = [from, other, from, from].map((sender, i) =>
      engine.inboxes.append(to, message(sender, `unread ${i}`)),
    );
    sent.push(...(await Promise.all(together)));
    sent.push(...(await send(to, from, numbered('single', 2))));
    await changeSettings(raw, [topicOf(to)], COMPACTION);
    // What comes then begins another segment, and the one before may be compacted.
    await eventually(() => expect(Date.now()).toBeGreaterThan((sent.at(-1)?.acceptedAt ?? 0) + SEGMENT_MS));
    sent.push(...(await send(to, from, ['last'])));
    const left = new Set<number>();
    await eventually(async () => {
      const offsets = await offsetsIn(to);
      expect(offsets).toEqual([2, 6, 7]);
      for (const offset of offsets) left.add(offset);
    });
    const had = await take(to, 3, deliver);
    expect(had).toEqual(['unread 1', 'single 1', 'last']);
    const expected = sent.map(({ offset }) =>
      offset === 0 || left.has(offset) ? 'delivered' : 'undeliverable',
    );
    for (const inLog of [false, true]) expect(await fates(to, sent, inLog)).toEqual(expected);
  });

  it('to a compaction are few: inboxes in use are soon set back', async () => {
    const [used, other] = [await make('used'), await make('other')];
    const topics = [used, other].map(topicOf);
    await changeSettings(raw, topics, { 'cleanup.policy': 'compact' });
    const { accounts, rooms } = engine;
    const settings = new TopicSettings({
      ...{ cluster: raw, log: testLog, accounts, rooms, inboxPrefix: 'milena.inbox.', inUseIntervalMs: 50 },
    });
    const done = settings.keepInUse(() => [used.name]);
    await eventually(async () =>
      expect(await otherSettings(raw, topics, INBOX_REQUIRES)).toEqual([topicOf(other)]),
    );
    settings.close();
    await done;
  });

  it.each(['all', 'live'] as const)('to a disk that changed them are not shown (%s)', async (deliver) => {
    const [to, from] = [await make('to'), await make('from')];
    const sent = await send(to, from, ['first', 'pay 10 to eve', 'last']);
    spoilLog(broker, topicOf(to), 'pay 10', 'pay 99');
    expect(await take(to, 2, deliver)).toEqual(['first', 'last']);
    expect(await fates(to, sent)).toEqual(['delivered', 'undeliverable', 'delivered']);
    const lines = logged.filter(({ topic }) => topic === topicOf(to));
    expect(lines).toEqual([expect.objectContaining({ first: 1, last: 1, reason: 'a wrong checksum' })]);
  });
});
