/** Microseconds on the machine's monotonic clock: the same in every process, so one may stamp and another compare. */
export function nowUs(): number {
  return performance.now() * 1_000 + offsetUs;
}

const [seconds, nanoseconds] = process.hrtime();
const offsetUs = seconds * 1e6 + nanoseconds / 1e3 - performance.now() * 1_000;

/** Resolves after that many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
