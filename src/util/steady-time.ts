import { uptime } from 'node:os';

/** Clocks of a machine, in milliseconds. */
export interface MachineClocks {
  /** Since the epoch; operators and time servers set it. */
  readonly wall: () => number;
  /** Never set; may stand still while the machine is suspended. */
  readonly monotonic: () => number;
  /** Since the machine was started, with the time in which it was suspended; may be coarse. */
  readonly uptime: () => number;
}

const MACHINE: MachineClocks = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1_000,
};

/** The wall clock and the monotonic one are apart by more only where one was set, or the other stood still. */
const JUMP_MS = 1_000;

/**
 * The wall clock of the moment when this was called, gone on since by itself: who sets the machine's clock moves nothing,
 * and time in which the machine was suspended counts.
 * @returns milliseconds since the epoch at each call
 */
export function steadyTime({ wall, monotonic, uptime }: MachineClocks = MACHINE): () => number {
  const start = wall() - monotonic();
  const bootedAt = uptime() - monotonic();
  let apartMs = 0;
  let suspendedMs = 0;
  return () => {
    const moment = monotonic();
    const nowApartMs = wall() - moment - start;
    if (Math.abs(nowApartMs - apartMs) > JUMP_MS) {
      apartMs = nowApartMs;
      const missed = uptime() - moment - bootedAt;
      if (missed - suspendedMs > JUMP_MS) suspendedMs = missed;
    }
    return start + moment + suspendedMs;
  };
}
