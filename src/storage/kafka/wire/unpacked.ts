/** More than the reader has room for. */
export class TooLarge extends RangeError {
  constructor(most: number) {
    super(`more than ${most} bytes when unpacked`);
  }
}

/** Shorter ones are copied byte by byte: a call costs more, and several of them where bytes are repeated. */
const SHORT = 16;
const SHORT_REPEATED = 72;

/** Appends that many bytes from `distance` before `at`; where that is less, what they make is repeated. */
export function repeat(out: Buffer, at: number, distance: number, length: number): void {
  const from = at - distance;
  if (length < (distance < length ? SHORT_REPEATED : SHORT)) {
    for (let i = 0; i < length; i++) out[at + i] = out[from + i] ?? 0;
    return;
  }
  // Each round copies all that is there from `from` on, which is a whole number of repetitions.
  for (let done = 0; done < length; ) {
    const some = Math.min(distance + done, length - done);
    out.copyWithin(at + done, from, from + some);
    done += some;
  }
}
