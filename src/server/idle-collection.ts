import { performance } from 'node:perf_hooks';

const SAMPLE_MS = 15_000;
/** Share of the time since the last look in which the event loop had something to do; above it, it is busy. */
const BUSY = 0.2;
/** Buffers that are left where nothing needs them: what a handful of clients may need costs no collection. */
const WORTH_BYTES = 16 * 1024 * 1024;

/** Where more is in use a collection would be felt by everybody, and what it gives back would be little beside it. */
const LARGEST_HEAP_BYTES = 128 * 1024 * 1024;

/**
 * What came in from the network lies in buffers until V8 collects, and V8 collects when there is more: after a flood, or a
 * storm of logins, a process that has nothing to do keeps them for hours. So it is asked to, once all is quiet. The event
 * loop stands still for that, some 30 ms where a few hundred are logged in.
 */
export class IdleCollection {
  readonly #collect: () => void;
  #seen = performance.eventLoopUtilization();
  /** Bytes in buffers after the last collection. */
  #floor = 0;

  /** @param collect V8's collection, as `--expose-gc` gives it */
  constructor(collect: () => void) {
    this.#collect = collect;
  }

  start(): void {
    setInterval(() => {
      const now = performance.eventLoopUtilization();
      this.sample(performance.eventLoopUtilization(now, this.#seen).utilization);
      this.#seen = now;
    }, SAMPLE_MS).unref();
  }

  /**
   * @param utilization of the event loop since the last look, from 0 to 1
   * @returns whether it has collected
   */
  sample(utilization: number): boolean {
    const { arrayBuffers, heapUsed, rss } = process.memoryUsage();
    // V8 was quicker.
    this.#floor = Math.min(this.#floor, arrayBuffers);
    const left = arrayBuffers - this.#floor;
    if (utilization > BUSY || heapUsed > LARGEST_HEAP_BYTES) return false;
    if (left < Math.max(WORTH_BYTES, rss / 10)) return false;
    this.#collect();
    this.#floor = process.memoryUsage().arrayBuffers;
    return true;
  }
}
