/**
 * People talk for a long time on the same processes: nothing is lost, and memory stays what it was.
 *
 *     npm run soak -- --minutes N [--people N] [--pause MS] [--seed N]
 *
 * Each two minutes are checked by themselves, with clients that begin anew. The figures go into docs/guarantees.md where it
 * took ten minutes or more. Exit code 1 where a promise was broken, or memory grew by more than a quarter.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pause } from '../../bench/load/clock.ts';
import { usageOf } from '../../bench/process-usage.ts';
import type { Role } from './actor.ts';
import { check, type Verdict } from './checker.ts';
import { Company } from './company.ts';
import { BUILD } from './frontend.ts';
import { readHistory } from './history.ts';
import { allShown, brokenOf } from './play.ts';
import { replaceBetween } from './report.ts';
import { World } from './world.ts';

const SEGMENT_MS = 120_000;
const SAMPLE_MS = 2_000;
const PATIENCE_MS = 60_000;
/** Before that everything is still being compiled, and first allocated. */
const WARM_MS = 60_000;
const MOST_GROWTH = 1.25;
const LONG_ENOUGH_MINUTES = 10;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    people: { type: 'string', default: '40' },
    pause: { type: 'string', default: '250' },
    seed: { type: 'string', default: '1' },
  },
});
// What it has started ends with it, however that comes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const minutes = Number(values.minutes);
const people = Array.from({ length: Number(values.people) }, (_, i) => `soak${i}`);
const folder = mkdtempSync(join(tmpdir(), 'milena-soak-'));

/** MiB of one process, in the order of time. */
const samples = new Map<string, number[]>();
const complaints: string[] = [];
let [accepted, shown, operations] = [0, 0, 0];

const world = await World.start({ kind: 'one', build: BUILD, folder });
const began = Date.now();
const timer = setInterval(() => {
  if (Date.now() - began > Math.min(WARM_MS, (minutes * 60_000) / 10)) sample();
}, SAMPLE_MS);
try {
  for (let segment = 1; Date.now() - began < minutes * 60_000; segment++) {
    const leftMs = minutes * 60_000 - (Date.now() - began);
    const verdict = await talk(segment, Math.min(SEGMENT_MS, leftMs));
    accepted += verdict.accepted;
    shown += verdict.shown;
    operations += verdict.operations;
    complaints.push(...brokenOf(verdict));
    console.log(`${Math.round((Date.now() - began) / 1_000)} s: ${accepted} accepted, ${shown} shown`);
  }
} finally {
  clearInterval(timer);
  await world.stop();
}
for (const [name, list] of samples) {
  const { first, last } = halves(list);
  if (last > first * MOST_GROWTH) complaints.push(`${name} grew from ${first} to ${last} MiB`);
}
const text = [
  `${new Date().toISOString().slice(0, 16)}Z, ${minutes} minutes, ${people.length} people: ${operations} operations,`,
  `${accepted} accepted = ${shown} shown; complaints: ${complaints.length}. Memory in MiB, mean of the first and of the last half:`,
  [...samples].map(([name, list]) => `${name} ${halves(list).first} → ${halves(list).last}`).join(', '),
].join('\n');
console.log([text, ...complaints].join('\n'));
if (minutes >= LONG_ENOUGH_MINUTES) replaceBetween('soak', text);
if (complaints.length === 0) rmSync(folder, { recursive: true });
process.exitCode = complaints.length === 0 ? 0 : 1;

/** One segment: everybody comes in, talks, has everything, and leaves. */
async function talk(segment: number, milliseconds: number): Promise<Verdict> {
  const own = join(folder, `${segment}`);
  mkdirSync(own);
  const company = new Company({ folder: own, seed: Number(values.seed) + 1_000 * segment });
  try {
    for (let i = 0; i < 2; i++) await company.hire();
    await company.enter(
      people.map((person, i): Role => {
        const how = segment === 1 ? 'create' : 'plain';
        const manner = i % 4 === 3 ? 'lazy' : 'prompt';
        return { person, life: 1, ordinal: segment, how, manner, servers: world.serversFrom(i) };
      }),
    );
    await company.talk({ to: people, pauseMs: Number(values.pause) });
    await pause(milliseconds);
    if (!(await company.hush(PATIENCE_MS))) complaints.push(`segment ${segment}: messages had no answer`);
    await company.hurry();
    await allShown(own);
    await company.leave('logout');
  } finally {
    company.end();
  }
  const verdict = check(readHistory(own), { graceMs: 0 });
  if (brokenOf(verdict).length === 0) rmSync(own, { recursive: true });
  return verdict;
}

function sample(): void {
  const named: [string, number][] = [
    ...world.frontends.map(({ pid }, i): [string, number] => [`frontend ${i + 1}`, pid]),
    ...world.nodes.map(({ pid = 0 }): [string, number] => ['broker', pid]),
  ];
  for (const [name, pid] of named) {
    const list = samples.get(name) ?? [];
    samples.set(name, [...list, usageOf(pid).memoryMiB]);
  }
}

function halves(list: readonly number[]): { first: number; last: number } {
  const middle = Math.floor(list.length / 2);
  const mean = (some: readonly number[]) =>
    Math.round(some.reduce((sum, value) => sum + value, 0) / Math.max(1, some.length));
  return { first: mean(list.slice(0, middle)), last: mean(list.slice(middle)) };
}
