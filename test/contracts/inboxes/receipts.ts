import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/kafka/accounts.ts';
import { appendAll, eventually, numbered, observe, type TestCluster, uniqueName } from '../cluster.ts';

/** `acknowledged`: what became of accepted messages, by what is committed. */
export function receiptsContract(cluster: () => TestCluster): void {
  const make = (stem: string): Promise<Account> => cluster().here.accounts.create({ name: uniqueName(stem) });
  /** Asked through both frontends: none of them needs to hold the inbox. */
  const everywhere = async (to: Account, offsets: readonly number[], expected: readonly boolean[]) => {
    const receipts = offsets.map((offset) => ({ to, offset }));
    for (const engine of [cluster().here, cluster().elsewhere]) {
      expect(await engine.inboxes.acknowledged(receipts)).toEqual(expected);
    }
  };

  describe('acknowledged', () => {
    it('answers nothing to no question', async () => {
      expect(await cluster().here.inboxes.acknowledged([])).toEqual([]);
    });

    it('says no where nobody ever logged in, and while messages are only pushed or read', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const offsets = await appendAll(here, to, from, numbered('waiting', 3));
      await everywhere(to, offsets, [false, false, false]);
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(3));
      await everywhere(to, offsets, [false, false, false]);
      await reader.inbox.close();
      await everywhere(to, offsets, [false, false, false]);
    });

    it('says yes soon after the acknowledgement, while the inbox is still held', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const offsets = await appendAll(here, to, from, numbered('soon', 3));
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(3));
      const [first = -1, second = -1] = offsets;
      reader.inbox.acknowledge(first, second);
      await eventually(() => everywhere(to, offsets, [true, true, false]));
      await reader.inbox.close();
    });

    it('knows acknowledgements out of order, and knows them after the inbox was given back', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const offsets = await appendAll(here, to, from, numbered('gaps', 5));
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(5));
      for (const place of [1, 4]) {
        const offset = offsets[place] ?? -1;
        reader.inbox.acknowledge(offset, offset);
      }
      await reader.inbox.close();
      await everywhere(to, offsets, [false, true, false, false, true]);
      await everywhere(to, [...offsets].reverse(), [true, false, false, true, false]);
    });

    it('answers for many inboxes at once, each question in its place', async () => {
      const { here } = cluster();
      const from = await make('from');
      const people = await Promise.all(numbered('p', 6).map(() => make('many')));
      const receipts = [];
      for (const [i, to] of people.entries()) {
        const [first = -1, second = -1] = await appendAll(here, to, from, numbered('m', 2));
        const reader = await observe(here, to, { deliver: 'all' });
        await eventually(() => expect(reader.pushed).toHaveLength(2));
        if (i % 2 === 0) reader.inbox.acknowledge(first, first);
        await reader.inbox.close();
        receipts.push({ to, offset: second }, { to, offset: first });
      }
      expect(await cluster().elsewhere.inboxes.acknowledged(receipts)).toEqual(
        receipts.map((_, i) => i % 4 === 1),
      );
    });

    it('says no for an offset that does not exist yet', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const [offset = -1] = await appendAll(here, to, from, ['only']);
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      reader.inbox.acknowledge(offset, offset);
      await reader.inbox.close();
      await everywhere(to, [offset, offset + 1_000], [true, false]);
    });

    it('says no for a life that is over, whatever its successor has acknowledged', async () => {
      const { here } = cluster();
      const [first, from] = [await make('reborn'), await make('from')];
      const [lost = -1] = await appendAll(here, first, from, ['for the first life']);
      await here.accounts.remove(first);
      await everywhere(first, [lost], [false]);
      const second = await here.accounts.create({ name: first.name });
      const [offset = -1] = await appendAll(here, second, from, ['for the second life']);
      const reader = await observe(here, second, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      reader.inbox.acknowledge(offset, offset);
      await reader.inbox.close();
      await everywhere(second, [offset], [true]);
      await everywhere(first, [lost], [false]);
    });
  });
}
