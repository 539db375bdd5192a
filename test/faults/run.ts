/**
 * Plays the fault rows, and tells what became of each.
 *
 *     npm run test:faults -- [--row TEXT] [--seed N] [--times N] [--keep] [--list] [--folder FOLDER] [--build FOLDER]
 *
 * `--row` plays those whose names have that text in them, or one of several with commas between them, `--seed` with the same
 * random choices as before, `--build` frontends from another folder than dist/, which may be src/. Without `--row` people talk on
 * for longer after each fault, and the figures go into docs/guarantees.md. Exit code 1 where a promise was broken: the history
 * is kept then, and its folder told.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILD } from './frontend.ts';
import { type Outcome, play } from './play.ts';
import { lineOf, summaryOf, writeFigures } from './report.ts';
import type { Row } from './row.ts';
import { ROWS } from './rows/index.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    row: { type: 'string', default: '' },
    seed: { type: 'string' },
    times: { type: 'string', default: '1' },
    folder: { type: 'string' },
    build: { type: 'string', default: BUILD },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

/** All rows together are to have 300,000 messages in half an hour. */
const LONG_CALM_MS = 15_000;

const calm = values.row === '' ? { calmMs: LONG_CALM_MS } : {};
const wanted = values.row.split(',').map((text) => text.trim());
const isNamed = (text: string) => ROWS.some(({ name }) => name === text);
const chosen = ROWS.filter(({ name }) =>
  wanted.some((text) => (isNamed(text) ? name === text : name.includes(text))),
);
if (chosen.length === 0) throw new Error(`no row has "${values.row}" in its name: --list tells their names`);
if (values.list) {
  for (const { name, fault } of chosen) console.log(`${name}: ${fault}`);
  process.exit(0);
}

// What it has started ends with it, however that comes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'milena-faults-'));
mkdirSync(folder, { recursive: true });
const outcomes: Outcome[] = [];
const skipped: string[] = [];
const began = Date.now();
console.log(`seed ${seed}, ${chosen.length} rows; logs and histories in ${folder}`);
let world: World | undefined;
try {
  for (const row of chosen) {
    const why = row.why?.();
    if (why !== undefined) {
      skipped.push(`${row.name}: ${why}`);
      console.log(`- ${row.name}: skipped, since ${why}`);
      continue;
    }
    world = await worldFor(row);
    for (let time = 0; time < Number(values.times); time++) {
      const outcome = await play(row, world, { seed: seed + time, folder, isKept: values.keep, ...calm });
      outcomes.push(outcome);
      console.log(lineOf(outcome));
    }
  }
} finally {
  await world?.stop();
}
const seconds = Math.round((Date.now() - began) / 1_000);
console.log(summaryOf(outcomes, seconds));
if (values.row === '') {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  writeFigures({ outcomes, skipped, seconds, seed, commit });
}
process.exitCode = outcomes.some(({ complaints }) => complaints.length > 0) ? 1 : 0;

/** The same one as for the row before where that will do. */
async function worldFor({ world: kind }: Row): Promise<World> {
  if (world?.kind === kind) return world;
  await world?.stop();
  world = undefined;
  return World.start({ kind, build: values.build, folder });
}
