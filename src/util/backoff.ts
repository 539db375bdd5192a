/** Longer than this no server keeps a client waiting, whatever it asks for: nobody would believe that it still tries. */
const MAX_ASKED_MS = 5 * 60_000;

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Milliseconds to wait before attempt number `attempt` (from 0): doubles from `firstMs` up to `maxMs`, of which a random
 * part between half and all is taken, so that the clients of a restarted server do not come back in one instant.
 * @param random uniform in [0, 1)
 */
export function backoffMs(
  attempt: number,
  limits: BackoffLimits,
  random: () => number = Math.random,
): number {
  const whole = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(whole / 2 + (whole / 2) * random());
}

/** How long is waited where a server asks for so long, in milliseconds. */
export function grantedMs(askedMs: number): number {
  return Math.min(askedMs, MAX_ASKED_MS);
}

/** As `backoffMs`, and not before the server wants it. */
export function retryMs(attempt: number, limits: BackoffLimits, askedMs = 0): number {
  return Math.max(backoffMs(attempt, limits), grantedMs(askedMs));
}
