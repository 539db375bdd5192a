import { Worker } from 'node:worker_threads';

export interface WorkerData {
  readonly names: readonly string[];
  /** Of each target at least so many of what it counts. */
  readonly frames: number;
  readonly seed: number;
  /** Two numbers: the round that is under way, and the target that it is of. */
  readonly progress: SharedArrayBuffer;
}

/** What became of one target. */
export interface Done {
  readonly type: 'done';
  readonly name: string;
  readonly unit: string;
  readonly count: number;
  readonly rounds: number;
  readonly cpuSeconds: number;
  /** On the heap and beside it, as often as it was looked at. */
  readonly mostBytes: number;
}

export type Told =
  | Done
  | { readonly type: 'failed'; readonly name: string; readonly seed: number; readonly reason: string };

/** So long a round may take: most take some microseconds. */
const PATIENCE_MS = 30_000;
/** What all rounds together may hold on the heap. */
const MAX_HEAP_MIB = 256;

/**
 * Fuzzes these targets one after the other, in a thread.
 * @param onDone is told of each when it is done
 * @throws Error for the first round that breaks a promise, hangs, or takes too much memory, with its seed
 */
export async function fuzz(
  names: readonly string[],
  frames: number,
  seed: number,
  onDone: (done: Done) => void,
): Promise<void> {
  const progress = new SharedArrayBuffer(8);
  const rounds = new Int32Array(progress);
  const workerData: WorkerData = { names, frames, seed, progress };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  let failure: Error | undefined;
  const fail = (name: string, at: number, reason: string) => {
    failure ??= new Error(
      `${name}: repeat it with \`npm run fuzz -- --target ${name} --seed ${at} --frames 1\`\n${reason}`,
    );
  };
  const failUnderWay = (reason: string) => fail(names[rounds[1] ?? 0] ?? '', seed + (rounds[0] ?? 0), reason);
  let before = -1;
  const watch = setInterval(() => {
    const now = rounds[0] ?? 0;
    if (now === before) {
      failUnderWay(`a round has taken ${PATIENCE_MS} ms, and is not over`);
      void worker.terminate();
    }
    before = now;
  }, PATIENCE_MS);
  worker.on('message', (told: Told) => {
    if (told.type === 'done') onDone(told);
    else fail(told.name, told.seed, told.reason);
  });
  worker.on('error', (error) => failUnderWay(String(error)));
  await new Promise((resolve) => worker.on('exit', resolve));
  clearInterval(watch);
  if (failure !== undefined) throw failure;
}
