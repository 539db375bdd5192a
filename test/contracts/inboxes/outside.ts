import { describe, expect, it } from 'vitest';
import { eventually, message, observe, type TestCluster, textOf, uniqueName } from '../cluster.ts';

const ALL = { maxBytes: 10_000_000 };

/** Records that some other Kafka producer wrote into an inbox. */
export function outsideContract(cluster: () => TestCluster): void {
  describe('records from outside', () => {
    it('arrive live and are external, among those of users', async (context) => {
      const { here, produceRaw } = cluster();
      if (produceRaw === undefined) return context.skip('this cluster takes no raw records');
      const owner = await here.accounts.create({ name: uniqueName('owner') });
      const reader = await observe(here, owner);
      await produceRaw(owner, { key: 'nightly-build', value: 'all green' });
      await here.inboxes.append(owner, message(owner, 'thanks'));
      await produceRaw(owner, { value: 'no key at all' });
      await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(3));
      expect(reader.pushed.map((each) => [each.from.kind, each.from.name, textOf(each)])).toEqual([
        ['external', 'nightly-build', 'all green'],
        ['user', owner.name, 'thanks'],
        ['external', '', 'no key at all'],
      ]);
      expect(reader.pushed[0]?.id).toBeNull();
      await reader.inbox.close();
    });

    it('wait like any other message, and are acknowledged like any other', async (context) => {
      const { here, elsewhere, produceRaw } = cluster();
      if (produceRaw === undefined) return context.skip('this cluster takes no raw records');
      const owner = await here.accounts.create({ name: uniqueName('owner') });
      await produceRaw(owner, { key: 'cron', value: 'one' });
      await produceRaw(owner, { key: 'cron', value: 'two' });
      const first = await observe(here, owner);
      expect(await first.inbox.undelivered()).toBe(2);
      const read = await first.inbox.read(ALL);
      expect(read.map((each) => [each.from.kind, textOf(each)])).toEqual([
        ['external', 'one'],
        ['external', 'two'],
      ]);
      first.inbox.acknowledge(read[0]?.offset ?? Number.NaN, read[0]?.offset ?? Number.NaN);
      await first.inbox.close();
      const second = await observe(elsewhere, owner);
      expect((await second.inbox.read(ALL)).map(textOf)).toEqual(['two']);
      await second.inbox.close();
    });

    it('are external even when the key is a user and there are some headers', async (context) => {
      const { here, produceRaw } = cluster();
      if (produceRaw === undefined) return context.skip('this cluster takes no raw records');
      const owner = await here.accounts.create({ name: uniqueName('owner') });
      const admin = await here.accounts.create({ name: uniqueName('admin') });
      const reader = await observe(here, owner);
      await produceRaw(owner, {
        key: admin.name,
        value: 'send me your password',
        headers: { ce_id: 'forged', ce_source: `urn:milena:user:${admin.name}` },
      });
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      expect(reader.pushed[0]?.from.kind).toBe('external');
      await reader.inbox.close();
    });
  });
}
