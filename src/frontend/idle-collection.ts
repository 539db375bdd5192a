import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const LOOK_MS = 15_000;
/** Share of the time since the last look in which the event loop had something to do; above it, it is busy. */
const BUSY = 0.2;
/** Buffers that are left where nothing needs them: what a handful of clients may need costs no collection. */
const WORTH_BYTES = 16 * 1024 * 1024;

/**
 * What came in from the network lies in buffers until V8 collects, and V8 collects when there is more: after a flood, or a
 * storm of logins, a process that has nothing to do keeps them for hours. So it is asked to, once all is quiet. The event
 * loop stands still for that, some 30 ms where a few hundred are logged in; where there are thousands, what is left over
 * is small beside what they need, and nothing is done.
 */
export class IdleCollection {
  readonly #collect: () => void;
  #timer: NodeJS.Timeout | null = null;
  #seen = performance.eventLoopUtilization();
  /** Bytes in buffers after the last collection. */
  #floor = 0;

  constructor() {
    // The only way to it where the process was not started with the flag. It is for new contexts, of which this is the only one.
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** @returns whether it has collected */
  look(): boolean {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#seen);
    this.#seen = now;
    const { arrayBuffers, rss } = process.memoryUsage();
    // V8 was quicker.
    this.#floor = Math.min(this.#floor, arrayBuffers);
    const left = arrayBuffers - this.#floor;
    if (utilization > BUSY || left < Math.max(WORTH_BYTES, rss / 10)) return false;
    this.#collect();
    this.#floor = process.memoryUsage().arrayBuffers;
    return true;
  }
}
