import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
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

/** `onMessage`: what is pushed, in which order, and how the reader stops it. */
export function deliveryContract(cluster: () => TestCluster): void {
  const pair = async (): Promise<{ to: Account; from: Account }> => {
    const { here } = cluster();
    const to = await here.accounts.create({ name: uniqueName('reader') });
    const from = await here.accounts.create({ name: uniqueName('writer') });
    return { to, from };
  };

  /** Returns when a message through another inbox of the same engine has arrived: what was due before is here. */
  const barrier = async (): Promise<void> => {
    const { here } = cluster();
    const { to, from } = await pair();
    const other = await observe(here, to);
    await here.inboxes.append(to, message(from, 'barrier'));
    await eventually(() => expect(other.bodies()).toEqual(['barrier']));
    await other.inbox.close();
  };

  describe('delivery', () => {
    it('is live, in order, each once, wherever it was sent', async () => {
      const { here, elsewhere } = cluster();
      const { to, from } = await pair();
      const reader = await observe(here, to);
      await appendAll(here, to, from, numbered('near', 50));
      await elsewhere.accounts.find(to.name);
      const offsets = await appendAll(elsewhere, to, from, numbered('far', 50));
      const expected = [...numbered('near', 50), ...numbered('far', 50)];
      await eventually(() => expect(reader.pushed).toHaveLength(expected.length));
      await barrier();
      expect(reader.bodies()).toEqual(expected);
      expect(reader.pushed.slice(50).map(({ offset }) => offset)).toEqual(offsets);
      await reader.inbox.close();
    });

    it('tells the same of a message live and when read', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const first = await observe(here, to);
      const outgoing = message(from, 'seen twice');
      const accepted = await here.inboxes.append(to, outgoing);
      await eventually(() => expect(first.pushed).toHaveLength(1));
      expect(first.pushed[0]).toEqual({
        offset: accepted.offset,
        acceptedAt: accepted.acceptedAt,
        id: outgoing.id,
        from: { kind: 'user', name: from.name, incarnation: from.incarnation },
        body: outgoing.body,
        contentType: 'text/plain; charset=utf-8',
      });
      await first.inbox.close();
      const second = await observe(here, to);
      expect(await second.inbox.read(ALL)).toEqual(first.pushed);
      await second.inbox.close();
    });

    it('leaves the backlog to read when live', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      await appendAll(here, to, from, numbered('old', 3));
      const reader = await observe(here, to, { deliver: 'live' });
      await appendAll(here, to, from, numbered('new', 2));
      await eventually(() => expect(reader.pushed).toHaveLength(2));
      expect(reader.bodies()).toEqual(numbered('new', 2));
      expect((await reader.inbox.read(ALL)).map(textOf)).toEqual(numbered('old', 3));
      expect(await reader.inbox.undelivered()).toBe(5);
      await reader.inbox.close();
    });

    it('starts with the backlog when asked for all', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      await appendAll(here, to, from, numbered('old', 60));
      const reader = await observe(here, to, { deliver: 'all' });
      await appendAll(here, to, from, numbered('new', 60));
      await eventually(() => expect(reader.pushed).toHaveLength(120));
      expect(reader.bodies()).toEqual([...numbered('old', 60), ...numbered('new', 60)]);
      expect(await reader.inbox.read(ALL)).toEqual([]);
      await reader.inbox.close();
    });

    it('misses nothing that is appended while it opens', async () => {
      const { here, elsewhere } = cluster();
      for (let round = 0; round < 5; round++) {
        const { to, from } = await pair();
        const [reader] = await Promise.all([
          observe(here, to, { deliver: 'live' }),
          appendAll(elsewhere, to, from, numbered('meanwhile', 20)),
        ]);
        const read: string[] = [];
        // A message on the border is backlog or live, never both and never neither.
        await eventually(async () => {
          for (const each of await reader.inbox.read(ALL)) {
            const { offset } = each;
            read.push(textOf(each));
            reader.inbox.acknowledge(offset, offset);
          }
          expect([...read, ...reader.bodies()]).toEqual(numbered('meanwhile', 20));
        });
        await reader.inbox.close();
      }
    });

    it('stops at once when paused, and goes on without gap or repetition', async () => {
      const { here, elsewhere } = cluster();
      const { to, from } = await pair();
      const expected = numbered('paused', 200);
      const reader = await observe(here, to, {
        onMessage: () => {
          if (reader.pushed.length % 7 === 0) reader.inbox.pause();
        },
      });
      await appendAll(elsewhere, to, from, expected);
      for (let stop = 7; stop < expected.length; stop += 7) {
        await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(stop));
        expect(reader.bodies()).toEqual(expected.slice(0, stop));
        reader.inbox.resume();
      }
      await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(expected.length));
      await barrier();
      expect(reader.bodies()).toEqual(expected);
      await reader.inbox.close();
    });

    it('keeps what comes to a paused inbox, and holds up nobody else', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const reader = await observe(here, to);
      reader.inbox.pause();
      await appendAll(here, to, from, numbered('kept', 30));
      await barrier();
      expect(reader.pushed).toEqual([]);
      expect(await reader.inbox.undelivered()).toBe(30);
      reader.inbox.resume();
      await eventually(() => expect(reader.bodies()).toEqual(numbered('kept', 30)));
      await reader.inbox.close();
    });

    it('waits for the first word where it is opened at rest', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      await appendAll(here, to, from, numbered('before', 3));
      const reader = await observe(here, to, { deliver: 'all', isPaused: true });
      await appendAll(here, to, from, ['since']);
      await barrier();
      expect(reader.pushed).toEqual([]);
      reader.inbox.resume();
      await eventually(() => expect(reader.bodies()).toEqual([...numbered('before', 3), 'since']));
      await reader.inbox.close();
    });

    it('bears any number of pauses and resumes in a row', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const reader = await observe(here, to);
      for (let i = 0; i < 50; i++) {
        reader.inbox.pause();
        reader.inbox.pause();
        await here.inboxes.append(to, message(from, `flutter ${i}`));
        reader.inbox.resume();
        reader.inbox.resume();
      }
      await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(50));
      await barrier();
      expect(reader.bodies()).toEqual(numbered('flutter', 50));
      await reader.inbox.close();
    });

    it('is to many inboxes at once, to each its own', async () => {
      const { here, elsewhere } = cluster();
      const people = await Promise.all(
        Array.from({ length: 12 }, () => here.accounts.create({ name: uniqueName('guest') })),
      );
      await Promise.all(people.map(({ name }) => elsewhere.accounts.find(name)));
      const readers = await Promise.all(
        people.map((person, i) => observe(i % 2 === 0 ? here : elsewhere, person)),
      );
      const [from] = people;
      if (from === undefined) throw new Error('there are twelve');
      await Promise.all(
        people.map((to, i) =>
          appendAll(i % 3 === 0 ? here : elsewhere, to, from, numbered(`for ${to.name}`, 10)),
        ),
      );
      for (const [i, reader] of readers.entries()) {
        const own = numbered(`for ${people[i]?.name}`, 10);
        await eventually(() => expect(reader.bodies()).toEqual(own));
      }
      await Promise.all(readers.map(({ inbox }) => inbox.close()));
    });

    it('ends with the close', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const reader = await observe(here, to);
      await here.inboxes.append(to, message(from, 'before'));
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      await reader.inbox.close();
      await here.inboxes.append(to, message(from, 'after'));
      await barrier();
      expect(reader.bodies()).toEqual(['before']);
      expect(reader.lost).toEqual([]);
    });
  });
}
