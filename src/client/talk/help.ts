import type { Usage } from './commands.ts';

const KEYS: readonly string[] = [
  'Enter sends · Alt+Enter new line · Tab completes · Ctrl+_ takes back a change',
  'Alt+A next unread · Alt+M what concerns you · Ctrl+B list · Alt+↑ Alt+↓ other',
  'PageUp PageDown scroll · Ctrl+R looks back · Ctrl+C leaves · /help keys: all',
];

/** What can be typed, and the keys, in rows that fit 80 columns; together with its title on a screen of 24 rows. */
export function helpRows(commands: readonly Usage[], keys: readonly string[] = KEYS): string[] {
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  return [...commands.map(({ usage, does }) => `${usage.padEnd(width)}  ${does}`), '', ...keys];
}
