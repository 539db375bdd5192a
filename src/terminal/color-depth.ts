import type { WriteStream } from 'node:tty';

/**
 * Bits of colour that a terminal has: 1, 4, 8 or 24. A CI variable in the environment makes a real terminal no less of
 * one.
 */
export function colorDepthOf(terminal: WriteStream, environment: NodeJS.ProcessEnv): number {
  const { CI: _, ...rest } = environment;
  return terminal.getColorDepth(rest);
}
