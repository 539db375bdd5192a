import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import type { InboxMessage } from '../../../src/core/inboxes.ts';
import { sized } from '../../size.ts';
import { eventually, message, observe, type TestCluster, uniqueName } from '../cluster.ts';

const ALL = { maxBytes: 10_000_000 };
const ROUNDS = sized(2, 6);
const STEPS = 120;

/** Whatever way a message takes to its reader, each comes once and in the order of the log. */
export function interleavingContract(cluster: () => TestCluster): void {
  const people = async (): Promise<{ to: Account; from: Account }> => {
    const { here, elsewhere } = cluster();
    const to = await here.accounts.create({ name: uniqueName('reader') });
    const from = await here.accounts.create({ name: uniqueName('writer') });
    await elsewhere.accounts.find(to.name);
    return { to, from };
  };

  describe('interleaving', () => {
    it('is in the order of the log, from near, from far and from outside', async () => {
      const { here, elsewhere, produceRaw } = cluster();
      const { to, from } = await people();
      const reader = await observe(here, to);
      const sending: Promise<unknown>[] = [];
      for (let i = 0; i < 60; i++) {
        sending.push(here.inboxes.append(to, message(from, `near ${i}`)));
        if (i % 3 === 0) sending.push(elsewhere.inboxes.append(to, message(from, `far ${i}`)));
        if (i % 5 === 0 && produceRaw) sending.push(produceRaw(to, { value: `raw ${i}` }));
        if (i % 7 === 0) await sleep(randomInt(4));
      }
      await Promise.all(sending);
      await eventually(() => expect(reader.pushed.length).toBeGreaterThanOrEqual(sending.length));
      expectRising(reader.pushed);
      expect(reader.pushed).toHaveLength(sending.length);
      const near = reader.bodies().filter((body) => body.startsWith('near'));
      expect(near).toEqual(Array.from({ length: 60 }, (_, i) => `near ${i}`));
      await reader.inbox.close();
    });

    it('tells the same of a message, whichever way it came', async () => {
      const { here, elsewhere } = cluster();
      const { to, from } = await people();
      const reader = await observe(here, to);
      const odd = [
        { ...message(from, 'half a pair: \ud83d, and a NUL: \0'), contentType: 'text/x-odd; a=b' },
        message(to, 'to myself'),
        message(from, 'čau ☕ \u{1f600}'),
      ];
      for (const outgoing of odd) await here.inboxes.append(to, outgoing);
      await eventually(() => expect(reader.pushed).toHaveLength(odd.length));
      await reader.inbox.close();
      const again = await observe(elsewhere, to, { deliver: 'all' });
      await eventually(() => expect(again.pushed).toEqual(reader.pushed));
      await again.inbox.close();
    });

    it('loses nothing and repeats nothing, whatever the reader does meanwhile', async () => {
      const { here, elsewhere, produceRaw } = cluster();
      for (let round = 0; round < ROUNDS; round++) {
        const { to, from } = await people();
        const seen = new Map<number, InboxMessage>();
        const acknowledged = new Set<number>();
        const sending: Promise<unknown>[] = [];
        let reader = await observe(here, to, { deliver: 'all' });
        const log: string[] = [];
        /** Everything of this stay, checked and noted. */
        const review = (): void => {
          expectRising(reader.pushed);
          for (const pushed of reader.pushed) {
            expect(seen.get(pushed.offset) ?? pushed, log.join(' ')).toEqual(pushed);
            seen.set(pushed.offset, pushed);
          }
        };
        for (let step = 0; step < STEPS; step++) {
          const dice = randomInt(100);
          if (dice < 50) sending.push(here.inboxes.append(to, message(from, `near ${step}`)));
          else if (dice < 60) sending.push(elsewhere.inboxes.append(to, message(from, `far ${step}`)));
          else if (dice < 65 && produceRaw) sending.push(produceRaw(to, { value: `raw ${step}` }));
          else if (dice < 72) reader.inbox.pause();
          else if (dice < 80) reader.inbox.resume();
          else if (dice < 90) {
            const some = reader.pushed[randomInt(Math.max(1, reader.pushed.length))];
            if (some) {
              reader.inbox.acknowledge(some.offset, some.offset);
              acknowledged.add(some.offset);
            }
          } else if (dice < 93) {
            await reader.inbox.close();
            review();
            const before = reader;
            reader = await observe(here, to, { deliver: 'all' });
            // What was acknowledged before the close does not come again.
            expect(before.lost).toEqual([]);
          } else await sleep(randomInt(8));
          log.push(String(dice));
        }
        await Promise.all(sending);
        reader.inbox.resume();
        await eventually(() => {
          review();
          expect(seen.size).toBe(sending.length);
        });
        await eventually(async () => expect(await reader.inbox.read(ALL)).toEqual([]));
        await reader.inbox.close();

        // Kafka agrees about what is left.
        const last = await observe(elsewhere, to, { deliver: 'all' });
        const left = sending.length - acknowledged.size;
        await eventually(() => expect(last.pushed).toHaveLength(left));
        expect(last.pushed.filter(({ offset }) => acknowledged.has(offset))).toEqual([]);
        await last.inbox.close();
      }
    });

    it('ends with a takeover, however many appends are under way', async () => {
      const { here, elsewhere } = cluster();
      const { to, from } = await people();
      const old = await observe(here, to, { deliver: 'all' });
      let pushedAtLoss = Number.NaN;
      let going = true;
      const sent: Promise<unknown>[] = [];
      const writer = (async () => {
        for (let i = 0; going; i++) {
          sent.push(here.inboxes.append(to, message(from, `m ${i}`)));
          if (old.lost.length > 0 && Number.isNaN(pushedAtLoss)) pushedAtLoss = old.pushed.length;
          await sleep(1);
        }
      })();
      await eventually(() => expect(old.pushed.length).toBeGreaterThan(5));
      const next = await observe(elsewhere, to, { deliver: 'all', takeover: true });
      await eventually(() => expect(old.lost).toEqual(['fenced']));
      await sleep(50);
      going = false;
      await writer;
      await Promise.all(sent);
      await eventually(() => expect(next.pushed.length).toBeGreaterThanOrEqual(sent.length));
      expectRising(next.pushed);
      expect(next.pushed).toHaveLength(sent.length);
      expect(old.pushed).toHaveLength(pushedAtLoss);
      await next.inbox.close();
    });
  });
}

function expectRising(messages: readonly InboxMessage[]): void {
  const offsets = messages.map(({ offset }) => offset);
  expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
}
