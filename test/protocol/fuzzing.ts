/*
 * What the fuzz tests share. Seeded: MILENA_FUZZ_SEED repeats a run, MILENA_FUZZ_ROUNDS makes it longer. A failure
 * prints its seed.
 */
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { sized } from '../size.ts';
import { Random } from './random.ts';

export const SEED = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
export const ROUNDS = Number(process.env.MILENA_FUZZ_ROUNDS ?? sized(400, 1_500));

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

/** One or more of: a changed, inserted, removed or doubled stretch, a cut end, a changed size field. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(result.length + 1);
    const length = random.below(random.pick([2, 8, 64]));
    const [head, tail] = [result.subarray(0, at), result.subarray(at)];
    result = random.pick([
      () => Buffer.concat([head, random.bytes(length), tail]),
      () => Buffer.concat([head, random.bytes(Math.min(length, tail.length)), tail.subarray(length)]),
      () => Buffer.concat([head, tail.subarray(length)]),
      () => Buffer.concat([head, tail.subarray(0, length), tail]),
      () => Buffer.from(head),
      () => Buffer.concat([head, encodeFrame(1, random.below(256), random.bytes(length)), tail]),
    ])();
  }
  return result;
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
