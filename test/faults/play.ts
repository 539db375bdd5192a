import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '../../bench/load/clock.ts';
import { Random } from '../protocol/random.ts';
import type { Role } from './actor.ts';
import { check, PROMISES, type PromiseName, type Verdict } from './checker.ts';
import { Company } from './company.ts';
import { returns, silences, type Times } from './figures.ts';
import { HistoryReader, Recorder, readHistory } from './history.ts';
import { type Row, Stage } from './row.ts';
import type { World } from './world.ts';

const PEOPLE = 24;
const PROCESSES = 2;
const WARM_MS = 1_500;
const CALM_MS = 2_000;
const GRACE_MS = 3_000;
/** Only a run that fails waits that long. */
const PATIENCE_MS = 90_000;
const IDLE_MS = 20_000;

export interface Outcome {
  readonly row: string;
  readonly seed: number;
  readonly verdict: Verdict;
  readonly faults: number;
  /** Longest time without an accepted message, of each sender or inbox. */
  readonly silence: Times | null;
  /** From the fault to being logged in again, of each client that was cut off. */
  readonly back: Times | null;
  readonly seconds: number;
  /** What is wrong; empty where the row has passed. */
  readonly complaints: readonly string[];
  /** Where the history is, if it was kept. */
  readonly folder: string | null;
}

export interface PlayOptions {
  readonly seed: number;
  /** Where histories go, one folder each. */
  readonly folder: string;
  /** Also that of a run that has passed. */
  readonly isKept?: boolean;
  /** How long people talk on once the fault is over, milliseconds. */
  readonly calmMs?: number;
}

let plays = 0;

/** Plays one row in a world that runs, and leaves that as it was. The history of a run that fails is kept. */
export async function play(
  row: Row,
  world: World,
  { seed, folder, isKept = false, calmMs = CALM_MS }: PlayOptions,
): Promise<Outcome> {
  const began = performance.now();
  const random = new Random(seed);
  const tag = `${seed.toString(36)}${(++plays).toString(36)}`;
  const own = join(folder, `${row.name.replaceAll(/[^a-z0-9]+/g, '-')}-${tag}`);
  mkdirSync(own, { recursive: true });
  const people = Array.from({ length: row.people ?? PEOPLE }, (_, i) => `p${i}-${tag}`);
  const company = new Company({ folder: own, seed });
  const recorder = new Recorder(own, 'rows');
  const stage = new Stage({ world, company, recorder, random, people, folder: own }, row);
  try {
    await perform(row, stage, own, calmMs);
  } catch (error) {
    stage.complaints.push(`it could not be played: ${error instanceof Error ? error.stack : error}`);
  } finally {
    company.end();
    recorder.close();
  }
  const history = readHistory(own);
  const { graceMs = GRACE_MS, mayComeAgain = false } = row;
  const verdict = check(history, { graceMs, mayComeAgain });
  const complaints = [
    ...stage.complaints,
    ...brokenOf(verdict),
    ...history.flatMap((event) => {
      const isOdd = event.kind === 'ended' && !(row.ends ?? []).includes(event.code);
      return isOdd ? [`${event.client} ended: ${event.code}`] : [];
    }),
    ...(stage.complaints.length === 0 ? (row.see?.({ history, verdict, stage }) ?? []) : []),
  ];
  await world.heal().catch((error: unknown) => complaints.push(`the world cannot be mended: ${error}`));
  const isGone = complaints.length === 0 && !isKept;
  if (isGone) rmSync(own, { recursive: true });
  return {
    row: row.name,
    seed,
    verdict,
    faults: stage.faults,
    silence: silences(history, row.by ?? 'from'),
    back: returns(history),
    seconds: (performance.now() - began) / 1_000,
    complaints,
    folder: isGone ? null : own,
  };
}

/** People talk, the fault comes, and all is said and read; then everybody comes back with nothing in mind. */
async function perform(row: Row, stage: Stage, folder: string, calmMs: number): Promise<void> {
  const { world, company, people } = stage;
  const { devices = [] } = row;
  /** Everybody at each of these seats, by the next server each time. */
  const seated = (seats: readonly (string | undefined)[], offset: number, more?: Partial<Role>) =>
    people.flatMap((person, i) =>
      seats.map((device, at) => stage.role(person, 'plain', i + at + offset, { device, ...more })),
    );
  const again = (offset: number) => seated([undefined, ...devices], offset, { manner: 'prompt' });
  for (let i = 0; i < PROCESSES; i++) await company.hire();
  await company.enter(people.map((person, i) => stage.role(person, 'create', row.server?.(i) ?? i)));
  await company.enter(seated(devices, 1));
  await stage.talkOn();
  await pause(WARM_MS);
  await row.act(stage);
  await pause(calmMs);
  const isAnswered = await company.hush(PATIENCE_MS);
  stage.demand(isAnswered, `messages had no answer ${PATIENCE_MS} ms after the end`);
  await world.heal();
  await company.hurry();
  await allShown(folder);
  await company.leave('logout');
  await company.enter(again(1));
  await allShown(folder);
  await pause(500);
  await company.leave('logout');
  await company.enter(again(0));
  const waiting = await company.undelivered();
  stage.demand(
    waiting.length === 0,
    `waits for somebody who has acknowledged everything: ${waiting.join(', ')}`,
  );
  await company.leave('logout');
}

/** Waits until nothing that was accepted is missing, or no more of it comes. */
export async function allShown(folder: string): Promise<void> {
  const reader = new HistoryReader(folder);
  let fewest = Number.POSITIVE_INFINITY;
  for (let since = Date.now(); Date.now() - since < IDLE_MS; await pause(250)) {
    const missing = check(reader.read(), { graceMs: 0 }).broken.lost.length;
    if (missing === 0) return;
    if (missing < fewest) since = Date.now();
    fewest = Math.min(fewest, missing);
  }
}

/** In words, what of the promises was not kept. */
export function brokenOf(verdict: Verdict): string[] {
  const names = Object.keys(PROMISES) as PromiseName[];
  const broken = names.filter((name) => verdict.broken[name].length > 0);
  const told = broken.map((name) => {
    const cases = verdict.broken[name];
    return `${name}: ${cases.length} ${PROMISES[name]}, such as ${cases.slice(0, 3).join('; ')}`;
  });
  return verdict.unanswered === 0 ? told : [...told, `unanswered: ${verdict.unanswered}`];
}
