import type { Usage } from './commands.ts';

/** What can be typed, and the keys, in rows that fit 80 columns; together with its title on a screen of 24 rows. */
export function helpRows(commands: readonly Usage[], keys: readonly string[]): string[] {
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  return [...commands.map(({ usage, does }) => `${usage.padEnd(width)}  ${does}`), '', ...keys];
}
