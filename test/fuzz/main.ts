/*
 * Fuzzes for long: npm run fuzz -- [--frames 10000000] [--target NAME] [--seed N]
 * Prints a line for each target; the first promise that is broken ends it, with the seed that repeats it.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const { values } = parseArgs({
  options: { frames: { type: 'string' }, target: { type: 'string' }, seed: { type: 'string' } },
});
const frames = Number(values.frames ?? 100_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const names = Object.keys(TARGETS).filter((name) => name === (values.target ?? name));
if (names.length === 0 || !Number.isSafeInteger(frames) || !Number.isSafeInteger(seed)) {
  console.error(`A target is one of: ${Object.keys(TARGETS).join(', ')}; frames and seed are whole numbers.`);
  process.exit(64);
}
console.log(`seed ${seed}`);
try {
  await fuzz(names, frames, seed, ({ name, unit, count, rounds, cpuSeconds, mostBytes }) =>
    console.log(
      `${name}: ${count} ${unit} in ${rounds} rounds, nothing wrong; ${cpuSeconds.toFixed(1)} s of CPU, ` +
        `${Math.round(count / cpuSeconds)} a second, ${Math.ceil(mostBytes / 2 ** 20)} MiB at most`,
    ),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
