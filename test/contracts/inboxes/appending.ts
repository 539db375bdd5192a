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

/** `append`: order, what is stored, what is refused. */
export function appendingContract(cluster: () => TestCluster): void {
  describe('append', () => {
    it('stores calls to one inbox in the order of the calls', async () => {
      const { here } = cluster();
      const to = await here.accounts.create({ name: uniqueName('order') });
      const from = await here.accounts.create({ name: uniqueName('writer') });
      const bodies = numbered('in order', 300);
      const offsets = await appendAll(here, to, from, bodies);
      for (const [i, offset] of offsets.entries()) {
        expect(Number.isSafeInteger(offset)).toBe(true);
        if (i > 0) expect(offset).toBeGreaterThan(offsets[i - 1] ?? Number.POSITIVE_INFINITY);
      }
      const { inbox } = await observe(here, to);
      const stored = await inbox.read(ALL);
      expect(stored.map(textOf)).toEqual(bodies);
      expect(stored.map(({ offset }) => offset)).toEqual(offsets);
      await inbox.close();
    });

    it('stores what was given, whole: id, sender, text, time', async () => {
      const { here, elsewhere } = cluster();
      const to = await here.accounts.create({ name: uniqueName('whole') });
      const from = await elsewhere.accounts.create({ name: uniqueName('sender') });
      const outgoing = message(from, 'Grüße 👋\r\n\tzwei\u0000Zeilen \u202e rtl');
      const accepted = await elsewhere.inboxes.append(to, outgoing);
      const tenMinutes = 600_000;
      expect(Math.abs(accepted.acceptedAt - Date.now())).toBeLessThan(tenMinutes);
      const { inbox } = await observe(here, to);
      expect(await inbox.read(ALL)).toEqual([
        {
          offset: accepted.offset,
          id: outgoing.id,
          from: { kind: 'user', name: from.name, incarnation: from.incarnation },
          body: outgoing.body,
          contentType: 'text/plain; charset=utf-8',
          acceptedAt: accepted.acceptedAt,
        },
      ]);
      await inbox.close();
    });

    it('stores bytes that are no text as they are', async () => {
      const { here, elsewhere } = cluster();
      const to = await here.accounts.create({ name: uniqueName('bytes') });
      const body = Buffer.from(Array.from({ length: 512 }, (_, i) => i));
      const contentType = 'application/octet-stream';
      const reader = await observe(here, to);
      await here.inboxes.append(to, { ...message(to, ''), body, contentType });
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      await reader.inbox.close();
      const { inbox } = await observe(elsewhere, to);
      for (const stored of [...reader.pushed, ...(await inbox.read(ALL))]) {
        expect(Buffer.compare(stored.body, body)).toBe(0);
        expect(stored.contentType).toBe(contentType);
      }
      await inbox.close();
    });

    it('stores the media type that the sender gave', async () => {
      const { here } = cluster();
      const to = await here.accounts.create({ name: uniqueName('typed') });
      await here.inboxes.append(to, { ...message(to, '# Title'), contentType: 'text/markdown' });
      await here.inboxes.append(to, message(to, 'plain'));
      const { inbox } = await observe(here, to);
      const types = (await inbox.read(ALL)).map(({ contentType }) => contentType);
      expect(types).toEqual(['text/markdown', 'text/plain; charset=utf-8']);
      await inbox.close();
    });

    it('takes messages to many inboxes at once, and to oneself', async () => {
      const { here, elsewhere } = cluster();
      const people = await Promise.all(
        Array.from({ length: 6 }, () => here.accounts.create({ name: uniqueName('crowd') })),
      );
      await Promise.all(
        people.flatMap((to) =>
          people.map((from, i) =>
            (i % 2 === 0 ? here : elsewhere).inboxes.append(to, message(from, `to ${to.name}`)),
          ),
        ),
      );
      for (const person of people) {
        const { inbox } = await observe(elsewhere, person);
        const stored = await inbox.read(ALL);
        expect(stored.map(textOf)).toEqual(people.map(() => `to ${person.name}`));
        expect(stored.map(({ from }) => from.name).sort()).toEqual(people.map(({ name }) => name).sort());
        await inbox.close();
      }
    });

    it('takes a body of 64 KiB and refuses one that no inbox takes, without harm to its neighbours', async () => {
      const { here } = cluster();
      const to = await here.accounts.create({ name: uniqueName('large') });
      const from = await here.accounts.create({ name: uniqueName('author') });
      const largest = 'x'.repeat(65_536);
      const attempts = await Promise.allSettled([
        here.inboxes.append(to, message(from, 'before')),
        here.inboxes.append(to, message(from, largest)),
        here.inboxes.append(to, message(from, 'y'.repeat(200_000))),
        here.inboxes.append(to, message(from, 'after')),
      ]);
      expect(attempts.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(attempts[2]).toMatchObject({ reason: { name: 'EngineError', code: 'TOO_LARGE' } });
      const { inbox } = await observe(here, to);
      expect((await inbox.read(ALL)).map(textOf)).toEqual(['before', largest, 'after']);
      await inbox.close();
    });
  });
}
