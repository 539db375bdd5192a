/* Where a command stands in a command line. It loads little: the chat's first moments depend on it. */
import { SETTING_OPTIONS } from '../setting-table.ts';
import type { Option } from './commands.ts';

/** What the chat takes beside the settings. */
export const CHAT_OPTIONS = { invite: { type: 'string' } } as const satisfies Readonly<
  Record<string, Option>
>;

const VALUED: Readonly<Record<string, Option>> = { ...SETTING_OPTIONS, ...CHAT_OPTIONS };

/** The first argument that is neither an option nor an option's value; -1 without one. */
export function commandAt(args: readonly string[]): number {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') return -1;
    if (!arg.startsWith('-')) return at;
    const option = VALUED[optionName(arg)];
    if (option?.type === 'string' && !arg.includes('=')) at += 1;
  }
  return -1;
}

/** Without its dashes, its `no-` and its value. */
export function optionName(arg: string): string {
  return arg.replace(/^--?(no-)?|=.*$/gs, '');
}
