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
