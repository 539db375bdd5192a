import { describe, expect, it } from 'vitest';
import type { Inbox } from '../../../src/core/inboxes.ts';
import { sized } from '../../size.ts';
import {
  appendAll,
  eventually,
  message,
  numbered,
  type ObservedInbox,
  observe,
  type TestCluster,
  type TestEngine,
  textOf,
  uniqueName,
} from '../cluster.ts';

const ALL = { maxBytes: 10_000_000 };
const RACES = sized(10, 40);

/** `open`, `close`, `discard`, `held`, `onLost`: one holder per inbox. */
export function holdingContract(cluster: () => TestCluster): void {
  const person = (stem: string) => cluster().here.accounts.create({ name: uniqueName(stem) });
  const engines = (): TestEngine[] => [cluster().here, cluster().elsewhere];

  describe('holding', () => {
    it('is exclusive, here and elsewhere, and disturbs the holder in nothing', async () => {
      const owner = await person('owner');
      const holder = await observe(cluster().here, owner);
      for (const engine of engines()) {
        await expect(observe(engine, owner)).rejects.toMatchObject({
          name: 'EngineError',
          code: 'ALREADY_LOGGED_IN',
        });
      }
      await cluster().elsewhere.inboxes.append(owner, message(owner, 'still there?'));
      await eventually(() => expect(holder.bodies()).toEqual(['still there?']));
      expect(holder.lost).toEqual([]);
      await holder.inbox.close();
    });

    it('is given back by a close, at once, to anybody', async () => {
      const owner = await person('owner');
      for (let round = 0; round < 6; round++) {
        const engine = engines()[round % 2];
        if (engine === undefined) throw new Error('there are two');
        const holder = await observe(engine, owner);
        await holder.inbox.close();
        await holder.inbox.close();
        expect(holder.lost).toEqual([]);
      }
    });

    it('a second close waits for the first', async () => {
      const owner = await person('owner');
      const holder = await observe(cluster().here, owner);
      void holder.inbox.close();
      await holder.inbox.close();
      const next = await observe(cluster().elsewhere, owner);
      await next.inbox.close();
    });

    it(`has exactly one holder after each of ${RACES} races through two frontends`, async () => {
      const owner = await person('prize');
      for (let round = 0; round < RACES; round++) {
        const attempts = await Promise.allSettled(engines().map((engine) => observe(engine, owner)));
        const winners: ObservedInbox[] = [];
        for (const attempt of attempts) {
          if (attempt.status === 'fulfilled') winners.push(attempt.value);
          else expect(attempt.reason).toMatchObject({ name: 'EngineError', code: 'ALREADY_LOGGED_IN' });
        }
        expect(winners).toHaveLength(1);
        await winners[0]?.inbox.close();
        expect(winners[0]?.lost).toEqual([]);
      }
    });

    it('has exactly one holder after a race through one frontend', async () => {
      const owner = await person('prize');
      for (let round = 0; round < sized(4, 10); round++) {
        const attempts = await Promise.allSettled(
          Array.from({ length: 3 }, () => observe(cluster().here, owner)),
        );
        const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        await winners[0]?.value.inbox.close();
      }
    });

    it('is known everywhere', async () => {
      const { here, elsewhere } = cluster();
      const [in1, out, in2] = [await person('in'), await person('out'), await person('in')];
      const first = await observe(here, in1);
      const second = await observe(elsewhere, in2);
      for (const engine of engines()) {
        expect(await engine.inboxes.held([in1, out, in2])).toEqual([true, false, true]);
        expect(await engine.inboxes.held([])).toEqual([]);
      }
      await first.inbox.close();
      await second.inbox.close();
      for (const engine of engines()) expect(await engine.inboxes.held([in2, in1])).toEqual([false, false]);
    });

    it('moves by takeover, and the old holder is told once and gets nothing more', async () => {
      const { here, elsewhere } = cluster();
      const owner = await person('moved');
      const old = await observe(here, owner);
      const [seen] = await appendAll(here, owner, owner, numbered('before', 2));
      await eventually(() => expect(old.pushed).toHaveLength(2));

      const next = await observe(elsewhere, owner, { deliver: 'all', takeover: true });
      // An acknowledgement by the old holder is its commit, which Kafka refuses: it counts for nothing.
      old.inbox.acknowledge(seen ?? Number.NaN, seen ?? Number.NaN);
      await eventually(() => expect(old.lost).toEqual(['fenced']));
      await elsewhere.inboxes.append(owner, message(owner, 'after'));
      const expected = [...numbered('before', 2), 'after'];
      await eventually(() => expect(next.pushed.length).toBeGreaterThanOrEqual(3));
      expect(next.bodies()).toEqual(expected);
      expect(old.bodies()).toEqual(numbered('before', 2));
      expect(old.lost).toEqual(['fenced']);
      await expect(old.inbox.read(ALL)).rejects.toMatchObject({ name: 'EngineError', code: 'LOST' });
      await expect(old.inbox.undelivered()).rejects.toMatchObject({ name: 'EngineError', code: 'LOST' });

      // Closing what is lost takes nothing from the new holder.
      await old.inbox.close();
      await old.inbox.discard();
      expect(await here.inboxes.held([owner])).toEqual([true]);
      await expect(observe(here, owner)).rejects.toMatchObject({ code: 'ALREADY_LOGGED_IN' });
      expect(await next.inbox.undelivered()).toBe(3);
      await next.inbox.close();
      expect(next.lost).toEqual([]);
    });

    it('keeps through a takeover what the old holder had committed', async () => {
      const { here, elsewhere } = cluster();
      const owner = await person('handed');
      const offsets = await appendAll(here, owner, owner, numbered('n', 4));
      const first = await observe(here, owner);
      first.inbox.acknowledge(offsets[1] ?? Number.NaN, offsets[2] ?? Number.NaN);
      await first.inbox.close();
      const second = await observe(here, owner);
      const third = await observe(elsewhere, owner, { takeover: true });
      expect((await third.inbox.read(ALL)).map(textOf)).toEqual(['n 0', 'n 3']);
      await third.inbox.close();
      await second.inbox.close();
    });

    it('is taken over from nobody as well', async () => {
      const owner = await person('empty');
      const holder = await observe(cluster().here, owner, { takeover: true });
      expect(await cluster().elsewhere.inboxes.held([owner])).toEqual([true]);
      await holder.inbox.close();
    });

    it('has one holder at the end when two take over at the same time', async () => {
      for (let round = 0; round < 5; round++) {
        const owner = await person('contested');
        const old = await observe(cluster().here, owner);
        const attempts = await Promise.allSettled(
          engines().map((engine) => observe(engine, owner, { takeover: true })),
        );
        const winners: Inbox[] = [];
        for (const attempt of attempts) {
          if (attempt.status === 'fulfilled') winners.push(attempt.value.inbox);
          else {
            expect(attempt.reason).toMatchObject({ name: 'EngineError' });
            expect(attempt.reason).not.toMatchObject({ code: 'ALREADY_LOGGED_IN' });
          }
        }
        expect(winners.length).toBeGreaterThanOrEqual(1);
        expect(await cluster().elsewhere.inboxes.held([owner])).toEqual([true]);
        await expect(observe(cluster().here, owner)).rejects.toMatchObject({ code: 'ALREADY_LOGGED_IN' });
        await Promise.all([old.inbox.close(), ...winners.map((inbox) => inbox.close())]);
        expect(await cluster().elsewhere.inboxes.held([owner])).toEqual([false]);
      }
    });

    it('is given back by a discard, which the owner may follow with the removal', async () => {
      const { here, elsewhere } = cluster();
      const owner = await person('leaving');
      const holder = await observe(here, owner);
      await holder.inbox.discard();
      await holder.inbox.discard();
      await holder.inbox.close();
      expect(await elsewhere.inboxes.held([owner])).toEqual([false]);
      expect(holder.lost).toEqual([]);
      await here.accounts.remove(owner);
    });
  });
}
