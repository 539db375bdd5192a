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

/** `read`, `acknowledge`, `undelivered`: what is still to come, and what is not. */
export function readingContract(cluster: () => TestCluster): void {
  const pair = async (): Promise<{ to: Account; from: Account }> => {
    const { here } = cluster();
    const to = await here.accounts.create({ name: uniqueName('reader') });
    const from = await here.accounts.create({ name: uniqueName('writer') });
    return { to, from };
  };

  describe('reading', () => {
    it('finds nothing in a new inbox', async () => {
      const { to } = await pair();
      const { inbox, pushed } = await observe(cluster().here, to, { deliver: 'all' });
      expect(await inbox.read(ALL)).toEqual([]);
      expect(await inbox.undelivered()).toBe(0);
      expect(pushed).toEqual([]);
      expect(inbox.owner).toEqual(to);
      await inbox.close();
    });

    it('reads again what was read and not acknowledged', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      await appendAll(here, to, from, numbered('again', 5));
      const { inbox } = await observe(here, to);
      const first = await inbox.read(ALL);
      expect(first.map(textOf)).toEqual(numbered('again', 5));
      expect(await inbox.read(ALL)).toEqual(first);
      const [oldest] = first;
      if (oldest === undefined) throw new Error('there are five');
      inbox.acknowledge(oldest.offset, oldest.offset);
      expect(await inbox.read(ALL)).toEqual(first.slice(1));
      await inbox.close();
    });

    it('stops before the limit of bytes, of bodies alone, but gives at least one', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      // Two bytes a character: bytes count, not characters.
      const bodies = ['ä'.repeat(50), 'ö'.repeat(50), 'ü'.repeat(50)];
      await appendAll(here, to, from, bodies);
      const { inbox } = await observe(here, to);
      const count = async (maxBytes: number) => (await inbox.read({ maxBytes })).length;
      expect(await count(300)).toBe(3);
      expect(await count(299)).toBe(2);
      expect(await count(200)).toBe(2);
      expect(await count(199)).toBe(1);
      expect(await count(100)).toBe(1);
      expect(await count(1)).toBe(1);
      await inbox.close();
    });

    it('stops at the limit of messages', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      await appendAll(here, to, from, numbered('few', 5));
      const { inbox } = await observe(here, to);
      const bodies = async (maxMessages: number) => (await inbox.read({ ...ALL, maxMessages })).map(textOf);
      expect(await bodies(1)).toEqual(numbered('few', 1));
      expect(await bodies(3)).toEqual(numbered('few', 3));
      expect(await bodies(99)).toEqual(numbered('few', 5));
      await inbox.close();
    });

    it('reads a large backlog in pages, each message once', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const bodies = numbered('x'.repeat(10_000), 150);
      await appendAll(here, to, from, bodies);
      const { inbox } = await observe(here, to);
      const read: string[] = [];
      for (;;) {
        const page = await inbox.read({ maxBytes: 200_000 });
        const [first, last] = [page.at(0), page.at(-1)];
        if (first === undefined || last === undefined) break;
        expect(page.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)).toBeLessThanOrEqual(200_000);
        read.push(...page.map(textOf));
        inbox.acknowledge(first.offset, last.offset);
      }
      expect(read).toEqual(bodies);
      expect(await inbox.undelivered()).toBe(0);
      await inbox.close();
    });

    it('counts what is not acknowledged, read or pushed or neither', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const [first, second] = await appendAll(here, to, from, numbered('old', 2));
      if (first === undefined || second === undefined) throw new Error('there are two');
      const reader = await observe(here, to);
      expect(await reader.inbox.undelivered()).toBe(2);
      await reader.inbox.read(ALL);
      expect(await reader.inbox.undelivered()).toBe(2);
      const { offset } = await here.inboxes.append(to, message(from, 'new'));
      await eventually(() => expect(reader.pushed).toHaveLength(1));
      expect(await reader.inbox.undelivered()).toBe(3);
      reader.inbox.acknowledge(offset, offset);
      expect(await reader.inbox.undelivered()).toBe(2);
      reader.inbox.acknowledge(first, first);
      reader.inbox.acknowledge(first, first);
      expect(await reader.inbox.undelivered()).toBe(1);
      reader.inbox.acknowledge(first, second);
      expect(await reader.inbox.undelivered()).toBe(0);
      await reader.inbox.close();
    });

    it('counts nothing that its owner was not given yet, whatever they acknowledge', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const reader = await observe(here, to, { deliver: 'all' });
      reader.inbox.pause();
      const offsets = await appendAll(here, to, from, numbered('not given', 3));
      const [first = Number.NaN, , last = Number.NaN] = offsets;
      reader.inbox.acknowledge(first, last + 10);
      expect(await reader.inbox.undelivered()).toBe(3);
      reader.inbox.resume();
      await eventually(() => expect(reader.pushed).toHaveLength(3));
      reader.inbox.acknowledge(first, last + 10);
      expect(await reader.inbox.undelivered()).toBe(0);
      await here.inboxes.append(to, message(from, 'one more'));
      await eventually(() => expect(reader.bodies()).toContain('one more'));
      expect(await reader.inbox.undelivered()).toBe(1);
      await reader.inbox.close();
    });

    it('counts what just arrived through another frontend', async () => {
      const { here, elsewhere } = cluster();
      const { to, from } = await pair();
      const reader = await observe(here, to);
      reader.inbox.pause();
      await elsewhere.accounts.find(to.name);
      for (let sent = 1; sent <= 5; sent++) {
        await elsewhere.inboxes.append(to, message(from, `counted ${sent}`));
        expect(await reader.inbox.undelivered()).toBe(sent);
      }
      await reader.inbox.close();
    });

    it('does not take what was pushed for delivered', async () => {
      const { here } = cluster();
      const owner = await here.accounts.create({ name: uniqueName('owner') });
      await appendAll(here, owner, owner, ['backlog']);
      const { inbox, pushed } = await observe(here, owner);
      await appendAll(here, owner, owner, ['live 1', 'live 2', 'live 3']);
      await eventually(() => expect(pushed).toHaveLength(3));
      inbox.pause();
      await appendAll(here, owner, owner, ['rest']);
      expect((await inbox.read({ maxBytes: 10_000 })).map(textOf)).toEqual(['backlog', 'rest']);
      expect(await inbox.undelivered()).toBe(5);
      await inbox.close();
      const again = await observe(here, owner, { deliver: 'all' });
      await eventually(() =>
        expect(again.bodies()).toEqual(['backlog', 'live 1', 'live 2', 'live 3', 'rest']),
      );
      await again.inbox.close();
    });

    it('keeps the backlog through a session that acknowledged only live messages', async () => {
      const { here, elsewhere } = cluster();
      const { to, from } = await pair();
      await appendAll(here, to, from, numbered('backlog', 4));
      const first = await observe(here, to);
      await appendAll(here, to, from, numbered('live', 3));
      await eventually(() => expect(first.pushed).toHaveLength(3));
      for (const { offset } of first.pushed) first.inbox.acknowledge(offset, offset);
      await first.inbox.close();

      const second = await observe(elsewhere, to);
      expect(await second.inbox.undelivered()).toBe(4);
      expect((await second.inbox.read(ALL)).map(textOf)).toEqual(numbered('backlog', 4));
      expect(second.pushed).toEqual([]);
      await second.inbox.close();
    });

    it.each(['live', 'all'] as const)(
      'shows after a reopening (%s) exactly what is left',
      async (deliver) => {
        const { here, elsewhere } = cluster();
        const { to, from } = await pair();
        const offsets = await appendAll(here, to, from, numbered('n', 12));
        const at = (index: number): number => offsets[index] ?? Number.NaN;
        const first = await observe(here, to);
        await first.inbox.read(ALL);
        first.inbox.acknowledge(at(8), at(9));
        first.inbox.acknowledge(at(2), at(3));
        first.inbox.acknowledge(at(5), at(5));
        await first.inbox.close();
        const left = [0, 1, 4, 6, 7, 10, 11].map((i) => `n ${i}`);

        const second = await observe(elsewhere, to, { deliver });
        expect(await second.inbox.undelivered()).toBe(left.length);
        if (deliver === 'live') {
          expect((await second.inbox.read(ALL)).map(textOf)).toEqual(left);
        } else {
          await eventually(() => expect(second.pushed.length).toBeGreaterThanOrEqual(left.length));
          expect(second.bodies()).toEqual(left);
        }
        // The gaps close in any order, and what was acknowledged in between stays so.
        second.inbox.acknowledge(at(6), at(7));
        second.inbox.acknowledge(at(0), at(1));
        await second.inbox.close();

        const third = await observe(here, to);
        expect((await third.inbox.read(ALL)).map(textOf)).toEqual(['n 4', 'n 10', 'n 11']);
        third.inbox.acknowledge(at(0), at(11));
        await third.inbox.close();

        const fourth = await observe(here, to);
        expect(await fourth.inbox.undelivered()).toBe(0);
        expect(await fourth.inbox.read(ALL)).toEqual([]);
        await fourth.inbox.close();
      },
    );

    it('gives again what was pushed and not acknowledged', async () => {
      const { here } = cluster();
      const { to, from } = await pair();
      const first = await observe(here, to);
      await appendAll(here, to, from, numbered('unseen', 4));
      await eventually(() => expect(first.pushed).toHaveLength(4));
      const second = first.pushed[1]?.offset ?? Number.NaN;
      first.inbox.acknowledge(second, second);
      expect(await first.inbox.read(ALL)).toEqual([]);
      await first.inbox.close();
      const again = await observe(here, to);
      expect((await again.inbox.read(ALL)).map(textOf)).toEqual(['unseen 0', 'unseen 2', 'unseen 3']);
      await again.inbox.close();
    });
  });
}
