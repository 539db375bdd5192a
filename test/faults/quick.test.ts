/** The fault row that has most in it; `npm run test:faults` plays all of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { javaUsable } from '../broker/java.ts';
import { built } from '../e2e/running-frontend.ts';
import { FULL } from '../size.ts';
import { BUILD } from './frontend.ts';
import { play } from './play.ts';
import { lineOf } from './report.ts';
import { ROWS } from './rows/index.ts';
import { World } from './world.ts';

const SEED = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const NAMES = FULL ? ['a frontend killed', 'everything killed at once'] : ['everything killed at once'];
const hasJava = await javaUsable();

describe.skipIf(!hasJava)(
  'nothing accepted is lost (skipped without Java: it kills brokers of its own)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'milena-faults-'));
    let world: World;
    let isBroken = false;

    beforeAll(async () => {
      await built();
      world = await World.start({ kind: 'one', build: BUILD, folder });
    });
    afterAll(async () => {
      await world?.stop();
      if (!isBroken) rmSync(folder, { recursive: true });
    });

    it.each(NAMES)(`%s (seed ${SEED})`, { timeout: 300_000 }, async (name) => {
      const row = ROWS.find((other) => other.name === name);
      if (row === undefined) throw new Error('no such row');
      const outcome = await play({ ...row, people: 16 }, world, { seed: SEED, folder });
      isBroken ||= outcome.folder !== null;
      expect(outcome.complaints, lineOf(outcome)).toEqual([]);
      expect(outcome.verdict.accepted).toBeGreaterThan(100);
    });
  },
);
