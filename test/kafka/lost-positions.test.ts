/** Inboxes whose commit is gone, or has forgotten a part: nobody is told what nobody knows. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Accepted } from '../../src/core/inboxes.ts';
import type { Storage } from '../../src/core/storage.ts';
import { DeliveredOffsets } from '../../src/storage/kafka/groups/delivered-offsets.ts';
import { deleteGroup } from '../../src/storage/kafka/groups/group-member.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';
import { appendInTurn, eventually, fatesOf, numbered, observe, uniqueName } from '../contracts/cluster.ts';
import { testConfig, witness } from './cluster.ts';
import { deleteBelow } from './delete-records.ts';
import { commitRaw } from './raw-commit.ts';

describe('a position that is lost', () => {
  let engine: Storage;
  const logged: Record<string, unknown>[] = [];

  beforeAll(async () => {
    const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    engine = await openKafkaStorage(testConfig(), log);
  });
  afterAll(async () => {
    await engine?.close();
  });

  const make = (stem: string): Promise<Account> => engine.accounts.create({ name: uniqueName(stem) });
  const topicOf = ({ name }: Account) => `milena.inbox.${name}`;

  const send = (to: Account, from: Account, bodies: readonly string[]) =>
    appendInTurn(engine, to, from, bodies);
  const fates = (to: Account, sent: readonly Accepted[], inLog = true) => fatesOf(engine, to, sent, inLog);

  /** Logs in, takes and acknowledges so many, and leaves. */
  async function take(owner: Account, count: number) {
    const { inbox, pushed, bodies } = await observe(engine, owner, { deliver: 'all' });
    await eventually(() => expect(pushed.length).toBeGreaterThanOrEqual(count));
    for (const { offset } of pushed) inbox.acknowledge(offset, offset);
    await inbox.close();
    return { bodies: bodies(), surprise: inbox.surprise };
  }

  async function forget(owner: Account, how: 'deleted' | 'reset'): Promise<void> {
    if (how === 'reset') return commitRaw(owner, 2, '');
    const cluster = new Cluster({ bootstrap: testBrokers(), clientId: 'operator' });
    await deleteGroup(cluster, topicOf(owner));
    await cluster.close();
  }

  it.each(['deleted', 'reset'] as const)(
    '(%s) makes nothing gone that was received and trimmed',
    async (how) => {
      const [to, from] = [await make('to'), await make('from')];
      const sent = await send(to, from, numbered('m', 6));
      await take(to, 6);
      await deleteBelow(to.name, 4);
      const delivered = Array(6).fill('delivered');
      expect(await fates(to, sent)).toEqual(delivered);
      await forget(to, how);
      expect(await fates(to, sent)).toEqual(Array(6).fill('waiting'));
      expect(await take(to, 2)).toEqual({ bodies: ['m 4', 'm 5'], surprise: { again: 0, gone: 0 } });
      for (const inLog of [false, true])
        expect(await fates(to, sent, inLog)).toEqual([...Array(4).fill('waiting'), ...delivered.slice(4)]);
      const lines = logged.filter(({ topic }) => topic === topicOf(to));
      expect(lines).toEqual([
        expect.objectContaining({ start: 4, end: 6, msg: expect.stringContaining('lost') }),
      ]);
      const later = await send(to, from, ['later']);
      await deleteBelow(to.name, 7);
      expect(await fates(to, later), 'from then on it is known again').toEqual(['undeliverable']);
      expect((await take(to, 0)).surprise).toEqual({ again: 0, gone: 1 });
    },
  );

  it('is not that of a new account: there is a commit before anybody has logged in', async () => {
    const [to, from] = [await make('to'), await make('from')];
    const admin = witness().admin();
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId: topicOf(to), topics: [topicOf(to)] });
    await admin.disconnect();
    expect(found?.partitions).toMatchObject([{ partition: 0, offset: '0' }]);
    await send(to, from, numbered('m', 2));
    expect(await take(to, 2)).toEqual({ bodies: ['m 0', 'm 1'], surprise: { again: 0, gone: 0 } });
    expect(logged.filter(({ topic }) => topic === topicOf(to))).toEqual([]);
  });

  it('in part, with the epochs of long ago, has the record itself tell, and nobody where that was trimmed', async () => {
    const [to, from] = [await make('to'), await make('from')];
    const sent = await send(to, from, numbered('m', 4));
    await take(to, 4);
    // Everything is delivered; of the first three nobody knows under which leader any more.
    await commitRaw(to, 4, new DeliveredOffsets(4).encode(to.incarnation, '', '3@9'));
    const [first, second] = sent as [Accepted, Accepted];
    // What lay there before, and was lost.
    const lost = [first, second].map((accepted) => ({
      ...accepted,
      acceptedAt: accepted.acceptedAt - 5_000,
    }));
    expect(await fates(to, [first, second])).toEqual(['delivered', 'delivered']);
    expect(await fates(to, lost)).toEqual(['undeliverable', 'undeliverable']);
    await deleteBelow(to.name, 1);
    expect(await fates(to, [first, second])).toEqual(['waiting', 'delivered']);
    expect(await fates(to, lost)).toEqual(['waiting', 'undeliverable']);
  });
});
