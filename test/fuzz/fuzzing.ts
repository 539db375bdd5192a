/*
 * What fuzzing shares. Seeded: MILENA_FUZZ_SEED repeats a run, MILENA_FUZZ_ROUNDS makes it longer. A failure
 * prints its seed.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';

export const SEED = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
export const ROUNDS = Number(process.env.MILENA_FUZZ_ROUNDS ?? sized(400, 1_500));

/** Something that takes what strangers say. */
export interface Target {
  readonly name: string;
  /** What is counted: `frames`, `batches`. */
  readonly unit: string;
  /**
   * Makes an input of `random`, puts it in, and throws where what comes of it breaks a promise.
   * @returns how many of its unit the input had
   */
  readonly judge: (random: Random) => number;
}

/** Runs `act` with a generator of its own for each number, so that a failing round can be run alone. */
export function rounds(act: (random: Random) => void): void {
  for (let round = 0; round < ROUNDS; round++) {
    try {
      act(new Random(SEED + round));
    } catch (cause) {
      const repeat = `MILENA_FUZZ_SEED=${SEED + round} MILENA_FUZZ_ROUNDS=1`;
      throw new Error(`round ${round} failed; repeat it with ${repeat}\n${String(cause)}`, { cause });
    }
  }
}

/** Throws unless it is so. @param what says what should be, only where it is not */
export function demand(isSo: boolean, what: () => string): asserts isSo {
  if (!isSo) throw new Error(what());
}

/** Throws unless both are the same through and through. */
export function demandSame(found: unknown, wanted: unknown, input: unknown): void {
  demand(isDeepStrictEqual(found, wanted), () => {
    const [one, other, of] = [found, wanted, input].map((value) => inspect(value, { depth: 8 }));
    return `found ${one}\nwanted ${other}\nof ${of}`;
  });
}

/** One of several ways, of which only that one is gone. */
export function either<Value>(random: Random, ways: readonly (() => Value)[]): Value {
  return random.pick(ways)();
}

/** One or more of: a changed, inserted, removed or doubled stretch, a cut end, a changed size field. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(result.length + 1);
    const length = random.below(random.pick([2, 8, 64]));
    const [head, tail] = [result.subarray(0, at), result.subarray(at)];
    result = either(random, [
      () => Buffer.concat([head, random.bytes(length), tail]),
      () => Buffer.concat([head, random.bytes(Math.min(length, tail.length)), tail.subarray(length)]),
      () => Buffer.concat([head, tail.subarray(length)]),
      () => Buffer.concat([head, tail.subarray(0, length), tail]),
      () => Buffer.from(head),
      () => Buffer.concat([head, encodeFrame(1, random.below(256), random.bytes(length)), tail]),
      // A length, a count or a size is one more or less than it should be.
      () => nudged(result, at, random.pick([1, 0xff])),
    ]);
  }
  return result;
}

function nudged(bytes: Buffer, at: number, by: number): Buffer {
  const changed = Buffer.from(bytes);
  if (at < changed.length) changed[at] = ((changed[at] ?? 0) + by) & 0xff;
  return changed;
}

/** Decodes, or says that the frame was refused in the one allowed way. */
export function orRefusal<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError && !error.fatal) return undefined;
    throw error;
  }
}
