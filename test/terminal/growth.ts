/** Less than this, in milliseconds, says more of the clock and the compiler than of the work: then it is done again and again. */
const MEASURABLE_MS = 5;
const RUNS = 5;

/**
 * How many times as long work takes for so many times as much: about `times` where it is linear, 1 where it is bounded, `times`
 * squared where it is quadratic. The fastest of several runs each, in CPU of this thread: a machine with other work tells no
 * other story.
 */
export function growth(work: (size: number) => void, size: number, times: number): number {
  const [few, many] = [fastest(() => work(size)), fastest(() => work(size * times))];
  return many / few;
}

/** What this thread has worked since its start, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function fastest(work: () => void): number {
  return Math.min(...Array.from({ length: RUNS }, () => durationOf(work)));
}

function durationOf(work: () => void): number {
  const began = cpuMs();
  for (let done = 1; ; done += 1) {
    work();
    const duration = cpuMs() - began;
    if (duration >= MEASURABLE_MS) return duration / done;
  }
}
