/* A thread that fuzzes, so that one that hangs or has no memory left can be told from one that works. */
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '../protocol/random.ts';
import type { Told, WorkerData } from './fuzz.ts';
import { TARGETS } from './targets.ts';

/** Rounds between two looks at the memory. */
const LOOK_EVERY = 4_096;

const { names, frames, seed, progress } = workerData as WorkerData;
const tell = (told: Told) => parentPort?.postMessage(told);
const rounds = new Int32Array(progress);

// Most of what is thrown is caught, and stacks cost more than all the rest.
Error.stackTraceLimit = 0;
for (const [index, name] of names.entries()) {
  const target = await TARGETS[name]?.();
  if (target === undefined) throw new Error(`no target ${name}`);
  const { unit } = target;
  const cpu = process.cpuUsage();
  let count = 0;
  let mostBytes = 0;
  let round = 0;
  Atomics.store(rounds, 1, index);
  for (; count < frames; round++) {
    Atomics.store(rounds, 0, round);
    if (round % LOOK_EVERY === 0) mostBytes = Math.max(mostBytes, heldBytes());
    const random = new Random(seed + round);
    try {
      count += target.judge(random);
    } catch {
      tell({
        type: 'failed',
        name,
        seed: seed + round,
        reason: reasonOf(() => target.judge(new Random(seed + round))),
      });
      process.exit();
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  tell({ type: 'done', name, unit, count, rounds: round, cpuSeconds: (user + system) / 1e6, mostBytes });
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Once more, to see where. */
function reasonOf(fail: () => void): string {
  Error.stackTraceLimit = 10;
  try {
    fail();
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  return 'it goes wrong behind others, and not alone';
}
