import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { Wanderer } from './wanderer.ts';

/** A frontend whose process stands still for longer than its lease: it does not know that when it wakes up. */
describe('a frozen frontend', () => {
  let frozen: RunningFrontend;
  let other: FrontendHere;

  beforeAll(async () => {
    await built();
    const settings = { MILENA_KAFKA_BROKERS: testBrokers().join(','), MILENA_FRONTEND_LEASE_MS: '6000' };
    [frozen, other] = await Promise.all([RunningFrontend.start(settings), openFrontendHere(settings)]);
  });
  afterAll(async () => {
    frozen?.child.kill('SIGCONT');
    await Promise.all([frozen?.remove(), other?.remove()]);
  });

  // That others get in when the lease has run out, late-turns.test.ts and documents' tests see, too.
  const WHEN: [string, boolean][] = [
    ['when they took over before that', true],
    ['when its lease has run out', false],
  ];
  it.each(WHEN.slice(0, sized(1, 2)))(
    'deletes and acknowledges nothing of those who are elsewhere now, %s',
    async (_when, takeover) => {
      const names = Array.from({ length: 6 }, () => uniqueName('sleeper'));
      const at = (frontend: Pick<FrontendHere, 'address'>, name: string) =>
        new Wanderer(name, [frontend.address], new Random(1));
      const friend = at(other, uniqueName('friend'));
      await friend.enter('create');
      const before = names.map((name) => at(frozen, name));
      for (const person of before) {
        await person.enter('create');
        await person.request({ type: 'logout' });
        person.cut();
        friend.send(person.name);
        await eventually(() => expect(friend.outboxSize).toBe(0));
        await person.enter('login', 'live');
      }

      frozen.child.kill('SIGSTOP');
      // Half of them ask for what waits, half want to be deleted; the requests lie in the sockets until it wakes up.
      const late = before.map((person, i) =>
        person.request(i % 2 === 0 ? { type: 'retrieve' } : { type: 'delete', force: true }),
      );
      friend.send(names[0] ?? '');
      const after = names.map((name) => at(other, name));
      await Promise.all(after.map((person) => person.enter('login', 'all', takeover)));
      await eventually(() => expect(after.map(({ shown }) => shown.length)).toEqual([2, 1, 1, 1, 1, 1]));
      for (const person of after) person.acknowledge('all');

      frozen.child.kill('SIGCONT');
      for (const reply of await Promise.all(late)) {
        // Whoever was taken over from may still be handed a message for a moment; that commits nothing.
        const allowed = takeover ? ['failure', 'gone', 'retrieved'] : ['failure', 'gone'];
        expect(allowed).toContain(reply?.type ?? 'gone');
      }
      if (!takeover) expect(before.flatMap(({ shown }) => shown)).toEqual([]);
      for (const person of after) {
        expect(await person.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
        expect(await person.request({ type: 'list', pattern: person.name })).toMatchObject({
          names: [person.name],
        });
        expect(person.shown).toHaveLength(person.name === names[0] ? 2 : 1);
      }
    },
  );
});
