import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import type { Accepted } from '../../../src/core/inboxes.ts';
import {
  eventually,
  message,
  numbered,
  observe,
  type TestCluster,
  type TestEngine,
  uniqueName,
} from '../cluster.ts';

const NOWHERE: Accepted = { offset: -1, acceptedAt: 0, epoch: -1 };

function sendAll(
  engine: TestEngine,
  to: Account,
  from: Account,
  bodies: readonly string[],
): Promise<Accepted[]> {
  return Promise.all(bodies.map((body) => engine.inboxes.append(to, message(from, body))));
}

/** `fates`: what became of accepted messages, by what is committed. */
export function receiptsContract(cluster: () => TestCluster): void {
  const make = (stem: string): Promise<Account> => cluster().here.accounts.create({ name: uniqueName(stem) });
  /** Asked through both frontends: none of them needs to hold the inbox. */
  const everywhere = async (to: Account, sent: readonly Accepted[], isDelivered: readonly boolean[]) => {
    const receipts = sent.map((accepted) => ({ to, ...accepted }));
    const expected = isDelivered.map((yes) => (yes ? 'delivered' : 'waiting'));
    for (const engine of [cluster().here, cluster().elsewhere]) {
      for (const inLog of [false, true]) {
        expect(await engine.inboxes.fates(receipts, { inLog })).toEqual(expected);
      }
    }
  };

  describe('fates', () => {
    it('answers nothing to no question', async () => {
      expect(await cluster().here.inboxes.fates([], { inLog: true })).toEqual([]);
    });

    it('says no where nobody ever logged in, and while messages are only pushed or read', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const sent = await sendAll(here, to, from, numbered('waiting', 3));
      await everywhere(to, sent, [false, false, false]);
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(3));
      await everywhere(to, sent, [false, false, false]);
      await reader.inbox.close();
      await everywhere(to, sent, [false, false, false]);
    });

    it('says yes soon after the acknowledgement, while the inbox is still held', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const sent = await sendAll(here, to, from, numbered('soon', 3));
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(3));
      const [first, second] = sent;
      reader.inbox.acknowledge(first?.offset ?? -1, second?.offset ?? -1);
      await eventually(() => everywhere(to, sent, [true, true, false]));
      await reader.inbox.close();
    });

    it('knows acknowledgements out of order, and knows them after the inbox was given back', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const sent = await sendAll(here, to, from, numbered('gaps', 5));
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(5));
      for (const place of [1, 4]) {
        const offset = sent[place]?.offset ?? -1;
        reader.inbox.acknowledge(offset, offset);
      }
      await reader.inbox.close();
      await everywhere(to, sent, [false, true, false, false, true]);
      await everywhere(to, [...sent].reverse(), [true, false, false, true, false]);
    });

    it('answers for many inboxes at once, each question in its place', async () => {
      const { here } = cluster();
      const from = await make('from');
      const people = await Promise.all(numbered('p', 6).map(() => make('many')));
      const receipts = [];
      for (const [i, to] of people.entries()) {
        const [first = NOWHERE, second = NOWHERE] = await sendAll(here, to, from, numbered('m', 2));
        const reader = await observe(here, to, { deliver: 'all' });
        await eventually(() => expect(reader.pushed).toHaveLength(2));
        if (i % 2 === 0) reader.inbox.acknowledge(first.offset, first.offset);
        await reader.inbox.close();
        receipts.push({ to, ...second }, { to, ...first });
      }
      expect(await cluster().elsewhere.inboxes.fates(receipts, { inLog: true })).toEqual(
        receipts.map((_, i) => (i % 4 === 1 ? 'delivered' : 'waiting')),
      );
    });

    it('says no for an offset that does not exist yet', async () => {
      const { here } = cluster();
      const [to, from] = [await make('to'), await make('from')];
      const [only = NOWHERE] = await sendAll(here, to, from, ['only']);
      const reader = await observe(here, to, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      reader.inbox.acknowledge(only.offset, only.offset);
      await reader.inbox.close();
      await everywhere(to, [only, { ...only, offset: only.offset + 1_000 }], [true, false]);
    });

    it('says no for a life that is over, whatever its successor has acknowledged', async () => {
      const { here } = cluster();
      const [first, from] = [await make('reborn'), await make('from')];
      const [lost = NOWHERE] = await sendAll(here, first, from, ['for the first life']);
      await here.accounts.remove(first);
      await everywhere(first, [lost], [false]);
      const second = await here.accounts.create({ name: first.name });
      const [only = NOWHERE] = await sendAll(here, second, from, ['for the second life']);
      const reader = await observe(here, second, { deliver: 'all' });
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      reader.inbox.acknowledge(only.offset, only.offset);
      await reader.inbox.close();
      await everywhere(second, [only], [true]);
      await everywhere(first, [lost], [false]);
    });
  });
}
