import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniqueName } from '../contracts/cluster.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { Wanderer } from './wanderer.ts';

/** MILENA_TEST_SEED repeats a run: the same people do the same things in the same order each. */
const SEED = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const OPERATIONS = Number(process.env.MILENA_TEST_OPERATIONS ?? sized(1_500, 10_000));
const PEOPLE = 25;

/** Limits out of the way: what is looked at here is what gets lost. */
const SETTINGS = { MILENA_OPEN_ACCOUNTS: 'true' };

describe('random operations over two frontends', () => {
  let frontends: FrontendHere[] = [];

  beforeAll(async () => {
    frontends = await Promise.all([openFrontendHere(SETTINGS), openFrontendHere(SETTINGS)]);
  });
  afterAll(async () => {
    await Promise.all(frontends.map((frontend) => frontend.remove()));
  });

  it(`lose nothing, repeat nothing, mix nothing up (seed ${SEED})`, { timeout: 240_000 }, async () => {
    const addresses = frontends.map(({ address }) => address);
    const people = Array.from(
      { length: PEOPLE },
      (_, i) => new Wanderer(uniqueName(`w${i}`), addresses, new Random(SEED + i)),
    );
    const names = people.map(({ name }) => name);
    await Promise.all(people.map((person) => person.enter('create')));
    await Promise.all(people.map((person, i) => live(person, names, new Random(SEED + 1_000 + i))));

    // Everybody comes back, and stays until all is said and read.
    await Promise.all(people.map((person) => settle(person)));
    const accepted = () => people.flatMap((person) => person.accepted);
    const shown = () => people.flatMap((person) => person.shown.map(({ body }) => body));
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline && !new Set(accepted()).isSubsetOf(new Set(shown()))) {
      for (const person of people) person.acknowledge('all');
      await sleep(50);
    }

    const missing = [...new Set(accepted()).difference(new Set(shown()))];
    expect(missing, 'accepted and never shown').toEqual([]);
    expect(shown().length, 'shown twice').toBe(new Set(shown()).size);
    expect(accepted().length).toBeGreaterThan(OPERATIONS / 3);
    for (const person of people) {
      const letters = person.shown.map(({ body, seq }) => {
        const [from = '', to = '', count = ''] = body.split(' ');
        return { from, to, count: Number(count), seq };
      });
      expect(
        letters.filter(({ to }) => to !== person.name),
        'shown to the wrong person',
      ).toEqual([]);
      for (const name of names) {
        const inOrder = letters.filter(({ from }) => from === name).sort((a, b) => a.seq - b.seq);
        const counts = inOrder.map(({ count }) => count);
        expect(counts, `${name} to ${person.name}`).toEqual(counts.toSorted((a, b) => a - b));
      }
      expect(person.surprises.filter((text) => !isExpected(text))).toEqual([]);
    }

    // All of it was acknowledged, so nothing is left for the next login.
    for (const person of people) {
      person.acknowledge('all');
      await person.request({ type: 'logout' });
      person.cut();
      await person.enter('login');
      const reply = await person.request({ type: 'retrieve' });
      expect(reply?.type === 'retrieved' && reply.messages).toEqual([]);
      person.cut();
    }
  });

  /** One person's share of the operations. */
  async function live(person: Wanderer, names: readonly string[], random: Random): Promise<void> {
    for (let step = 0; step < OPERATIONS / PEOPLE; step++) {
      if (!person.isOnline && random.below(4) > 0) {
        await person.enter('login', random.below(4) === 0 ? 'live' : 'all');
      }
      const dice = random.below(100);
      if (dice < 60) person.send(random.pick(names));
      else if (dice < 78) person.acknowledge('some');
      else if (dice < 82) person.acknowledge('all');
      else if (dice < 87) person.cut();
      else if (dice < 89) {
        await person.request({ type: 'logout' });
        person.cut();
      } else if (dice < 94) await person.retrieve();
      else if (dice < 96) await person.request({ type: 'status', names: [random.pick(names)] });
      else if (dice < 98) await person.request({ type: 'list', pattern: 'w*', limit: 10 });
      else await person.request({ type: 'ping' });
      // Room for what others do, of a length that is not the same for all.
      await sleep(random.below(12));
    }
  }

  /** Online with everything delivered, and nothing left to send. */
  async function settle(person: Wanderer): Promise<void> {
    person.cut();
    const deadline = Date.now() + 60_000;
    do {
      await person.enter('login', 'all');
      await sleep(50);
      person.acknowledge('all');
    } while (Date.now() < deadline && (person.outboxSize > 0 || !person.isOnline));
    expect(person.outboxSize, `${person.name} cannot get rid of: ${person.surprises.slice(-3)}`).toBe(0);
  }
});

/** What a person who is thrown out and comes back in the same moment may be told. */
function isExpected(surprise: string): boolean {
  return /^(login|create|send): (ALREADY_LOGGED_IN|BUSY|REPLACED|NOT_LOGGED_IN|RATE_LIMITED|UNAVAILABLE|BAD_CREDENTIALS)/.test(
    surprise,
  );
}
