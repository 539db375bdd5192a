import { type Bench, type Cost, percentiles, progress, type Result, round } from './bench.ts';
import { nowUs, pause } from './clock.ts';
import { Histogram, type HistogramData } from './histogram.ts';
import type { Inspector } from './inspector.ts';
import { ready } from './phases.ts';
import { usageOfAll } from './proc.ts';
import { RoomFiller } from './room-filler.ts';
import type { RoomsOfUsers, RunResult } from './tasks.ts';

/** How many, how long; what is undefined is as each phase has it. */
export interface RoomSizes {
  readonly people: number | undefined;
  /** Said one after the other; of the phase "waiting": those that wait. */
  readonly messages: number | undefined;
  readonly idleSeconds: number;
}

/** @param inspector of the frontend */
export type RoomPhase = (bench: Bench, sizes: RoomSizes, inspector: Inspector) => Promise<Result[]>;

/** What logins and brokers' starts leave to do is over by then. */
const SETTLE_MS = 20_000;
/** Commits a second, over all groups (docs/architecture.md). */
const COMMITS_PER_SECOND = 125;
/** Before anything is timed. */
const WARM_UP_MESSAGES = 20;
/** Between two messages: four times what a delivery may take for each member, so that one is over before the next. */
const GAP_US_EACH = 150;
const LEAST_GAP_MS = 50;
/** Less than a window. */
const MOST_UNACKNOWLEDGED = 200;
/** Each half of this many turns; with a window of 256 the slow one is full in the first. */
const SLOW_BLOCKS = 4;

/** One room on one frontend: when the last one has a message, and what a delivery and its acknowledgement cost. */
export function oneRoom(phase: string, standard: number): RoomPhase {
  return async (bench, { people = standard, messages = 50 }, inspector) => {
    const rooms = { prefix: `bench-${phase}-`, people };
    await online(bench, rooms, people);
    const without = await inspector.memory();
    return withRooms(bench, rooms, people, async () => {
      await bench.pool.all('startRun', { run: bench.nextRun(), fromUs: 0, toUs: Number.MAX_VALUE });
      await said(bench, people, 1, 1);
      await committed(people);
      await pause(SETTLE_MS);
      const within = await inspector.memory();
      const { cost: idle } = await bench.costOf(() => pause(SETTLE_MS / 2));
      await measured(bench, people, WARM_UP_MESSAGES);
      progress(`${messages} messages to ${people}, acknowledged`);
      const acknowledged = await measured(bench, people, messages);
      const unanswered = Math.min(messages, MOST_UNACKNOWLEDGED);
      progress(`${unanswered} messages to ${people}, not acknowledged`);
      await listen(bench, { acknowledges: false });
      const unacknowledged = await measured(bench, people, unanswered);
      await listen(bench, {});
      return [
        {
          ...{ phase, people, messages },
          lastMs: percentiles([acknowledged.last]),
          deliverMs: percentiles([acknowledged.deliver]),
          cpuMicrosecondsEach: {
            unacknowledged: costEach(unacknowledged.cost, idle, people * unanswered),
            acknowledged: costEach(acknowledged.cost, idle, people * messages),
          },
          bytesEach: Math.round((heapOf(within) - heapOf(without)) / people),
          frontendMiB: Math.round(within.rss / 2 ** 20),
        },
      ];
    });
  };
}

/** Rooms of ten in which nothing is said, beside the same people in none. */
export async function idleRooms(
  bench: Bench,
  { people = 10_000, idleSeconds }: RoomSizes,
  inspector: Inspector,
): Promise<Result[]> {
  const rooms = { prefix: 'bench-idle-', people: 10 };
  await online(bench, rooms, people);
  const without = await idleness(bench, idleSeconds, inspector);
  return withRooms(bench, rooms, people, async () => {
    await bench.pool.all('startRun', { run: bench.nextRun(), fromUs: 0, toUs: Number.MAX_VALUE });
    await said(bench, people, 1, 1);
    await committed(people);
    await pause(SETTLE_MS);
    const within = await idleness(bench, idleSeconds, inspector);
    const ratio = (of: keyof typeof within) => round(within[of] / without[of]);
    return [
      {
        ...{ phase: 'idle', people, rooms: Math.ceil(people / rooms.people), seconds: idleSeconds },
        ...{ without, within },
        ratio: { frontend: ratio('frontendCpuPercent'), broker: ratio('brokerCpuPercent') },
        bytesEach: Math.round((2 ** 20 * (within.frontendHeapMiB - without.frontendHeapMiB)) / people),
      },
    ];
  });
}

/** What was said while nobody was there comes to all when they log in: once, and in order. */
export async function waiting(
  bench: Bench,
  { people = 100, messages = 10_000 }: RoomSizes,
): Promise<Result[]> {
  const rooms = { prefix: 'bench-waiting-', people };
  await online(bench, rooms, people);
  await bench.leave(0, Number.MAX_SAFE_INTEGER);
  return withRooms(bench, rooms, people, async (filler) => {
    const run = bench.nextRun();
    progress(`${messages} messages wait`);
    await filler.say(messages, run, bench.options.bodyBytes);
    await pause(SETTLE_MS / 4);
    const misplacedBefore = await misplaced(bench);
    await bench.pool.all('startRun', { run, fromUs: 0, toUs: Number.MAX_VALUE });
    progress(`${people} log in`);
    const beganUs = nowUs();
    const expected = people * messages;
    const { cost } = await bench.costOf(async () => {
      await bench.bringOnline(people);
      await bench.arrived(expected);
    });
    // What would come twice would come by then.
    await pause(2_000);
    const ends = await bench.pool.all('endRun', {});
    const received = total(ends);
    const seconds = (Math.max(...ends.map((end) => end.lastUs)) - beganUs) / 1e6;
    return [
      {
        ...{ phase: 'waiting', people, messages, expected, received },
        misplaced: (await misplaced(bench)) - misplacedBefore,
        ...{ seconds: round(seconds), perSecond: Math.round(received / seconds) },
        cpuMicrosecondsEach: costEach(cost, null, received),
      },
    ];
  });
}

/** One member does not read: the others' times beside those when all do, in turn. */
export async function slowMember(
  bench: Bench,
  { people = 1_000, messages = 300 }: RoomSizes,
): Promise<Result[]> {
  const rooms = { prefix: 'bench-slow-', people };
  await online(bench, rooms, people);
  return withRooms(bench, rooms, people, async () => {
    await measured(bench, people, WARM_UP_MESSAGES);
    const found: Record<'calm' | 'slow', HistogramData[]> = { calm: [], slow: [] };
    for (let block = 0; block < SLOW_BLOCKS; block++) {
      const isSlow = block % 2 === 1;
      progress(`${messages} messages to ${people}, ${isSlow ? 'one does not read' : 'all read'}`);
      await listen(bench, { from: people - 1, reads: !isSlow });
      const { deliver } = await measured(bench, isSlow ? people - 1 : people, messages);
      found[isSlow ? 'slow' : 'calm'].push(deliver);
    }
    await listen(bench, {});
    const calmMs = percentiles(found.calm);
    const slowMs = percentiles(found.slow);
    const ratio = { p50: round(slowMs.p50 / calmMs.p50), p99: round(slowMs.p99 / calmMs.p99) };
    return [{ phase: 'slow', people, messages, calmMs, slowMs, ratio }];
  });
}

/** In the order of a whole run. */
export const ROOM_PHASES: Readonly<Record<string, RoomPhase>> = {
  room: oneRoom('room', 1_000),
  slow: slowMember,
  waiting,
  large: oneRoom('large', 10_000),
  idle: idleRooms,
};

/** Everybody on one frontend by clients that know rooms; there are no rooms yet. */
async function online(bench: Bench, rooms: RoomsOfUsers, people: number): Promise<void> {
  bench.rooms = rooms;
  await ready(bench, people);
  await listen(bench, {});
  await pause(SETTLE_MS);
}

/** Makes the rooms, in which those who are online then are, and removes them in the end. */
async function withRooms(
  bench: Bench,
  rooms: RoomsOfUsers,
  people: number,
  action: (filler: RoomFiller) => Promise<Result[]>,
): Promise<Result[]> {
  progress(`${people} into rooms of ${rooms.people}`);
  const filler = await RoomFiller.open(bench.stage);
  try {
    await filler.fill(rooms, bench.options.prefix, people);
    return await action(filler);
  } finally {
    await filler.close();
  }
}

/** So many messages to each room; resolves when `listeners` have each, or throws. */
async function said(bench: Bench, listeners: number, messages: number, gapMs: number): Promise<void> {
  const answers = await bench.pool.all('say', { count: messages, gapMs });
  const failed = answers.find((answer) => answer.failed > 0);
  if (failed !== undefined) throw new Error(`messages were refused: ${JSON.stringify(failed.failures)}`);
  const expected = listeners * messages;
  const received = await bench.arrived(expected);
  if (received !== expected) throw new Error(`${received} of ${expected} messages arrived`);
}

interface Measured {
  /** Until the last one had it, of each message; microseconds. */
  readonly last: HistogramData;
  /** Of each delivery. */
  readonly deliver: HistogramData;
  /** With all commits that it brought about. */
  readonly cost: Cost;
}

/** Messages to one room whose `listeners` are online. */
async function measured(bench: Bench, listeners: number, messages: number): Promise<Measured> {
  const run = { run: bench.nextRun(), fromUs: 0, toUs: Number.MAX_VALUE, lasts: true };
  await bench.pool.all('startRun', run);
  const gapMs = Math.max(LEAST_GAP_MS, (listeners * GAP_US_EACH) / 1_000);
  const { cost } = await bench.costOf(async () => {
    await said(bench, listeners, messages, gapMs);
    await committed(listeners);
  });
  const ends = await bench.pool.all('endRun', {});
  const deliver = new Histogram();
  for (const end of ends) deliver.add(end.deliver);
  return { last: lastOf(ends), deliver: deliver.data(), cost };
}

/** Resolves when what so many people have acknowledged, or have come into, is committed: no earlier, on a machine that keeps up. */
function committed(people: number): Promise<void> {
  return pause(2_000 + (1_000 * people) / COMMITS_PER_SECOND);
}

/** By message, the last arrival in any of the workers. */
function lastOf(ends: readonly RunResult[]): HistogramData {
  const lasts = new Map<number, number>();
  for (const [timeUs, lastUs] of ends.flatMap((end) => end.lasts))
    lasts.set(timeUs, Math.max(lastUs, lasts.get(timeUs) ?? 0));
  const last = new Histogram();
  for (const [timeUs, lastUs] of lasts) last.record(lastUs - timeUs);
  return last.data();
}

/** From now on the users from this one on acknowledge and read, or do not. */
async function listen(
  bench: Bench,
  { from = 0, acknowledges = true, reads = true }: { from?: number; acknowledges?: boolean; reads?: boolean },
): Promise<void> {
  await bench.pool.all('listen', { from, to: Number.MAX_SAFE_INTEGER, acknowledges, reads });
}

function total(ends: readonly RunResult[]): number {
  return ends.reduce((sum, end) => sum + end.received, 0);
}

async function misplaced(bench: Bench): Promise<number> {
  return (await bench.pool.all('misplaced', {})).reduce((sum, count) => sum + count, 0);
}

/** @param idle what nothing costs, which is taken off */
function costEach(cost: Cost, idle: Cost | null, deliveries: number): Record<string, number> {
  const each = (of: 'frontend' | 'broker' | 'generator') => {
    const base = idle === null ? 0 : (idle[of] * cost.seconds) / idle.seconds;
    return round((1e6 * (cost[of] - base)) / deliveries);
  };
  return { frontend: each('frontend'), broker: each('broker'), generator: each('generator') };
}

function heapOf({ heapUsed, external }: NodeJS.MemoryUsage): number {
  return heapUsed + external;
}

async function idleness(bench: Bench, seconds: number, inspector: Inspector) {
  progress(`nothing for ${seconds} s`);
  const { cost } = await bench.costOf(() => pause(1_000 * seconds));
  const memory = await inspector.memory();
  return {
    frontendCpuPercent: round((100 * cost.frontend) / cost.seconds),
    brokerCpuPercent: round((100 * cost.broker) / cost.seconds),
    frontendHeapMiB: round(heapOf(memory) / 2 ** 20),
    frontendMiB: Math.round(memory.rss / 2 ** 20),
    brokerMiB: Math.round(usageOfAll(bench.stage.brokerPids).memoryMiB),
  };
}
