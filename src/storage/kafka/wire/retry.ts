import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../../core/errors.ts';
import { KafkaError } from './kafka-error.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

/** Milliseconds on the monotonic clock; deadlines are values of it. */
export function now(): number {
  return performance.now();
}

/**
 * Repeats `attempt` until it returns, pausing 10 ms and up to 500 ms (doubling, with jitter) between tries.
 * Tried again: what the network did, and Kafka's passing errors. Thrown at once: everything else.
 * @param what for the error message
 * @param deadline on the clock of `now`
 * @throws EngineError `UNAVAILABLE` when the deadline has passed
 */
export async function retry<T>(what: string, deadline: number, attempt: () => Promise<T>): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = longerPause(pause, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!worthRetrying(error)) throw error;
      const rest = pause * (0.5 + Math.random());
      if (now() + rest > deadline) {
        throw new EngineError('UNAVAILABLE', `${what}: ${reasonOf(error)}`, { cause: error });
      }
      await sleep(rest);
    }
  }
}

/**
 * What many were asked at once, where each of them has to have its answer.
 * @param ask an answer, or its error, for each
 * @throws as `retry`
 */
export function retryAll<T>(
  what: string,
  deadline: number,
  ask: () => Promise<readonly (T | Error)[]>,
): Promise<T[]> {
  return retry(what, deadline, async () =>
    (await ask()).map((answer) => {
      if (answer instanceof Error) throw answer;
      return answer;
    }),
  );
}

/** True for network errors of the Kafka library (it names them by `code`) and for passing KafkaErrors. */
export function worthRetrying(error: unknown): boolean {
  if (error instanceof KafkaError) return error.passing;
  return isOfNetwork(error);
}

/** What the network did, as the Kafka library names it. */
export function isOfNetwork(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'PLT_KFK_NETWORK' || code === 'PLT_KFK_TIMEOUT';
}

/**
 * Why something failed, for the log. A stack only where that tells something: what Kafka said and what the network did is in
 * the sentence, and the stack says where this program waited.
 */
export function whyOf(error: unknown): { readonly reason: string } | { readonly err: unknown } {
  const cause = lastCause(error);
  const isSaid = cause instanceof KafkaError || cause instanceof EngineError || isOfNetwork(cause);
  return isSaid ? { reason: reasonOf(cause) } : { err: error };
}

/** What the last try met, where something was tried again for a while; otherwise the error itself. */
export function lastCause(error: unknown): unknown {
  return error instanceof EngineError && error.cause !== undefined ? error.cause : error;
}

/** Twice as long as the last time, up to a bound, in milliseconds. */
export function longerPause(pause: number, longest: number): number {
  return Math.min(pause * 2, longest);
}

/** The sentence at the bottom of a chain of causes: the one that says what happened. */
export function reasonOf(error: unknown): string {
  let root = error;
  for (let depth = 0; root instanceof Error && root.cause instanceof Error && depth < 10; depth++)
    root = root.cause;
  return root instanceof Error ? root.message : String(root);
}
