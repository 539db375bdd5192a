/** Messages that were deleted before anybody had read them: never delivered, for whoever sent them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Accepted } from '../../src/core/inboxes.ts';
import {
  appendInTurn,
  eventually,
  fatesOf,
  numbered,
  observe,
  type TestCluster,
  uniqueName,
} from '../contracts/cluster.ts';
import { kafkaCluster } from './cluster.ts';
import { deleteBelow } from './delete-records.ts';

describe('messages that were deleted unread', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await kafkaCluster();
  });
  afterAll(async () => {
    await cluster.close();
  });

  const make = (stem: string): Promise<Account> => cluster.here.accounts.create({ name: uniqueName(stem) });

  const send = (to: Account, from: Account, bodies: readonly string[]) =>
    appendInTurn(cluster.elsewhere, to, from, bodies);
  const fates = (to: Account, sent: readonly Accepted[], inLog = true) =>
    fatesOf(cluster.elsewhere, to, sent, inLog);

  it('are undeliverable at once, and after the recipient has gone on behind them', async () => {
    const [to, from] = [await make('to'), await make('from')];
    const [read] = await send(to, from, ['read']);
    const reader = await observe(cluster.here, to, { deliver: 'all' });
    await eventually(() => expect(reader.bodies()).toEqual(['read']));
    reader.inbox.acknowledge(0, 0);
    await reader.inbox.close();
    const gone = await send(to, from, numbered('gone', 3));
    await deleteBelow(to.name, 4);
    expect(await fates(to, gone)).toEqual(Array(3).fill('undeliverable'));
    const [after] = await send(to, from, ['after']);
    const all = [read, ...gone, after] as Accepted[];
    const later = await observe(cluster.here, to, { deliver: 'all' });
    expect(later.inbox.surprise).toEqual({ again: 0, gone: 3 });
    await eventually(() => expect(later.bodies()).toEqual(['after']));
    later.inbox.acknowledge(4, 4);
    await later.inbox.close();
    const expected = ['delivered', ...Array(3).fill('undeliverable'), 'delivered'];
    for (const inLog of [false, true]) expect(await fates(to, all, inLog)).toEqual(expected);
    const again = await observe(cluster.here, to, { deliver: 'all' });
    expect(again.inbox.surprise, 'told once').toEqual({ again: 0, gone: 0 });
    await again.inbox.close();
    expect(await fates(to, all, false)).toEqual(expected);
  });

  it('are undeliverable where nobody ever logged in', async () => {
    const [to, from] = [await make('to'), await make('from')];
    const gone = await send(to, from, numbered('gone', 2));
    await deleteBelow(to.name, 2);
    const reader = await observe(cluster.here, to, { deliver: 'all' });
    expect(reader.inbox.surprise).toEqual({ again: 0, gone: 2 });
    const rest = await send(to, from, ['rest']);
    await eventually(() => expect(reader.bodies()).toEqual(['rest']));
    reader.inbox.acknowledge(2, 2);
    await reader.inbox.close();
    expect(await fates(to, [...gone, ...rest], false)).toEqual([
      'undeliverable',
      'undeliverable',
      'delivered',
    ]);
  });

  it('are undeliverable between others that were acknowledged out of order', async () => {
    const [to, from] = [await make('to'), await make('from')];
    const sent = await send(to, from, numbered('m', 6));
    const reader = await observe(cluster.here, to, { deliver: 'all' });
    await eventually(() => expect(reader.pushed).toHaveLength(6));
    for (const offset of [0, 2, 4]) reader.inbox.acknowledge(offset, offset);
    await reader.inbox.close();
    await deleteBelow(to.name, 5);
    const later = await observe(cluster.here, to, { deliver: 'all' });
    expect(later.inbox.surprise).toEqual({ again: 0, gone: 2 });
    await eventually(() => expect(later.bodies()).toEqual(['m 5']));
    later.inbox.acknowledge(5, 5);
    await later.inbox.close();
    const [yes, no] = ['delivered', 'undeliverable'];
    expect(await fates(to, sent)).toEqual([yes, no, yes, no, yes, yes]);
  });

  it.each(['follows', 'retrieves'])('end the session of who %s, and the next one is told', async (how) => {
    const [to, from] = [await make('to'), await make('from')];
    const before = await send(to, from, numbered('before', 2));
    const deliver = how === 'follows' ? 'all' : 'live';
    const reader = await observe(cluster.here, to, { deliver });
    reader.inbox.pause();
    const more = await send(to, from, numbered('more', 3));
    await deleteBelow(to.name, 5);
    const [rest] = await send(to, from, ['rest']);
    if (how === 'follows') reader.inbox.resume();
    else await expect(reader.inbox.read({ maxBytes: 1_000 })).rejects.toMatchObject({ code: 'LOST' });
    await eventually(() => expect(reader.lost).toEqual(['changed']));
    await reader.inbox.close();
    const later = await observe(cluster.here, to, { deliver: 'all' });
    expect(later.inbox.surprise).toEqual({ again: 0, gone: 5 });
    await eventually(() => expect(later.bodies()).toEqual(['rest']));
    later.inbox.acknowledge(5, 5);
    await later.inbox.close();
    expect(await fates(to, [...before, ...more, rest as Accepted])).toEqual([
      ...Array(5).fill('undeliverable'),
      'delivered',
    ]);
  });
});
