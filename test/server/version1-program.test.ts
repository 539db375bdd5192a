import { it } from 'vitest';
import { playVersion1 } from '../e2e/version1-program.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { openHouse } from './house.ts';

it('a program written only from the table of version 1 gets exactly its replies', async () => {
  const { frontend } = await openHouse();
  await playVersion1(frontend.address, frontend.address, 'x');
});

it('and so it does through two frontends', async () => {
  const cluster = new FaultyStore();
  const north = await openHouse({ cluster });
  const south = await openHouse({ cluster });
  await playVersion1(north.frontend.address, south.frontend.address, 'y');
});
