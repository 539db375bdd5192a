import { expect, test } from 'vitest';
import { openHouse } from '../server/house.ts';
import { inFull } from '../size.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { People } from './rooms.ts';

const PLENTY = { burst: 1e9, perSecond: 1e9 };

/** A window that is often full, and nobody who is told to wait. */
const LIMITS = {
  ...{ window: 8, sendsPerSecond: 1e9, sendBurst: 1e9 },
  ...{ changesPerAccount: PLENTY, newRoomsPerAccount: PLENTY },
};

async function play(messages: number): Promise<void> {
  const seed = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const cluster = new FaultyStore();
  const houses = [await openHouse({ cluster, limits: LIMITS }), await openHouse({ cluster, limits: LIMITS })];
  const people = new People(houses, randomFrom(seed));
  try {
    while (people.sent < messages) await people.step();
    await people.settle();
    await people.agreeOnRead();
  } catch (error) {
    throw new Error(`step ${people.steps} of MILENA_TEST_SEED=${seed}`, { cause: error });
  }
  expect(people.sent).toBeGreaterThanOrEqual(messages);
}

/** Numbers below 1, the same for a seed each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAME =
  'every device gets what it is owed, once and in order, and nothing else, whatever people and rooms do';

test(NAME, () => play(150));
inFull(`${NAME}: 50,000 messages`, () => play(50_000), 1_800_000);
