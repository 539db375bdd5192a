import { describe, expect, it } from 'vitest';
import {
  appendAll,
  eventually,
  message,
  numbered,
  observe,
  type TestCluster,
  textOf,
  uniqueName,
} from '../cluster.ts';

const ALL = { maxBytes: 10_000_000 };

/** What becomes of an inbox whose account is removed, and of one that gets the name afterwards. */
export function livesContract(cluster: () => TestCluster): void {
  describe('lives of a name', () => {
    it('refuses a message to an account that is gone', async () => {
      const { here, elsewhere } = cluster();
      const gone = await here.accounts.create({ name: uniqueName('gone') });
      const from = await here.accounts.create({ name: uniqueName('writer') });
      await here.inboxes.append(gone, message(from, 'in time'));
      await here.accounts.remove(gone);
      for (const engine of [here, elsewhere]) {
        await expect(engine.inboxes.append(gone, message(from, 'too late'))).rejects.toMatchObject({
          name: 'EngineError',
          code: 'NO_SUCH_USER',
        });
      }
      // The failure was its own: the next message to somebody else goes through.
      await here.inboxes.append(from, message(from, 'to myself'));
    });

    it('opens no inbox of an account that is gone', async () => {
      const { here, elsewhere } = cluster();
      const gone = await here.accounts.create({ name: uniqueName('gone') });
      await here.accounts.remove(gone);
      for (const engine of [here, elsewhere]) {
        await expect(observe(engine, gone)).rejects.toMatchObject({
          name: 'EngineError',
          code: 'NO_SUCH_USER',
        });
      }
    });

    it('tells the holder that the inbox was deleted', async () => {
      const { here, elsewhere } = cluster();
      const owner = await here.accounts.create({ name: uniqueName('removed') });
      const holder = await observe(here, owner);
      const found = await elsewhere.accounts.find(owner.name);
      if (found === undefined) throw new Error('just made');
      await elsewhere.accounts.remove(found);
      await eventually(() => expect(holder.lost).toEqual(['deleted']));
      await expect(holder.inbox.read(ALL)).rejects.toMatchObject({ name: 'EngineError', code: 'LOST' });
      await holder.inbox.close();
      expect(holder.lost).toEqual(['deleted']);
    });

    it.each(['live', 'all'] as const)(
      'never shows the new owner of a name what the old one had (%s)',
      async (deliver) => {
        const { here, elsewhere } = cluster();
        const from = await here.accounts.create({ name: uniqueName('writer') });
        const first = await here.accounts.create({ name: uniqueName('name') });
        const offsets = await appendAll(here, first, from, numbered('secret', 6));
        const held = await observe(here, first);
        // The old life's commit says "past offset 3": it must not skip anything in the new one.
        held.inbox.acknowledge(offsets[0] ?? Number.NaN, offsets[3] ?? Number.NaN);
        await held.inbox.close();
        await here.accounts.remove(first);

        const second = await elsewhere.accounts.create({ name: first.name });
        // Somebody who has not noticed yet writes to the old life. It may be refused or be lost, but not be shown.
        await Promise.allSettled([here.inboxes.append(first, message(from, 'secret too late'))]);
        await appendAll(here, second, from, numbered('hello', 3));
        const reader = await observe(elsewhere, second, { deliver });
        if (deliver === 'live') {
          expect((await reader.inbox.read(ALL)).map(textOf)).toEqual(numbered('hello', 3));
        } else {
          await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(3));
          expect(reader.bodies()).toEqual(numbered('hello', 3));
        }
        await reader.inbox.close();
      },
    );

    it('starts empty', async () => {
      const { here } = cluster();
      const first = await here.accounts.create({ name: uniqueName('empty') });
      await appendAll(here, first, first, numbered('mine', 5));
      await here.accounts.remove(first);
      const second = await here.accounts.create({ name: first.name });
      const reader = await observe(here, second);
      expect(await reader.inbox.undelivered()).toBe(0);
      expect(await reader.inbox.read(ALL)).toEqual([]);
      await reader.inbox.close();
    });

    it('lets nobody in the new life count as the old one', async () => {
      const { here, elsewhere } = cluster();
      const first = await here.accounts.create({ name: uniqueName('two') });
      const to = await here.accounts.create({ name: uniqueName('friend') });
      await here.inboxes.append(to, message(first, 'from the first'));
      await here.accounts.remove(first);
      const second = await here.accounts.create({ name: first.name });
      await here.inboxes.append(to, message(second, 'from the second'));
      const { inbox } = await observe(elsewhere, to);
      const read = await inbox.read(ALL);
      expect(read.map(({ from }) => (from.kind === 'user' ? from.incarnation : ''))).toEqual([
        first.incarnation,
        second.incarnation,
      ]);
      await inbox.close();
    });
  });
}
