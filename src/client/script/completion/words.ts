/* What the completion scripts of all shells are made of. */
import { SETTING_NAMES, TABLE, THEMES } from '../../setting-table.ts';
import { COMMAND_NAMES, COMMANDS, type CommandEntry, type CommandName } from '../commands.ts';

/** What a shell offers behind an option; `none`: it takes a value that nobody can guess, null: it takes none. */
export type Offer = 'name' | 'file' | 'folder' | 'theme' | 'none' | null;

export interface OptionWords {
  /** Without its dashes. */
  readonly flag: string;
  readonly offer: Offer;
}

export const THEME_WORDS = THEMES.join(' ');
export const SHELLS = 'bash zsh fish';
/** How names are asked for: quickly, not too many, and without a word if that does not work. */
export const LIST_OPTIONS = '--timeout 1 --limit 200 2>/dev/null';

export function entryOf(name: CommandName): CommandEntry {
  return COMMANDS[name];
}

/** The options of the settings, which every command takes. */
export const COMMON: readonly OptionWords[] = [
  ...SETTING_NAMES.map((name): OptionWords => {
    const { flag, json, isPath } = TABLE[name];
    if (json === 'boolean') return { flag, offer: null };
    if (name === 'user') return { flag, offer: 'name' };
    if (name === 'theme') return { flag, offer: 'theme' };
    if (isPath) return { flag, offer: name === 'dataDir' ? 'folder' : 'file' };
    return { flag, offer: 'none' };
  }),
  { flag: 'no-links', offer: null },
  { flag: 'no-bell', offer: null },
  { flag: 'no-mouse', offer: null },
  { flag: 'no-history', offer: null },
  { flag: 'help', offer: null },
];

/** The options of one command. */
export function optionsOf(name: CommandName): readonly OptionWords[] {
  return Object.entries(entryOf(name).options).map(([flag, { type, value }]) => ({
    flag,
    offer: type === 'boolean' ? null : (value ?? 'none'),
  }));
}

/** Every option that takes a value, once. */
export function withValues(): readonly OptionWords[] {
  const all = [...COMMON, ...COMMAND_NAMES.flatMap(optionsOf)].filter(({ offer }) => offer !== null);
  return [...new Map(all.map((option) => [option.flag, option])).values()];
}

/** The flags whose value is offered so, as the pattern of a shell's `case`; null if there are none. */
export function patternFor(offer: Offer): string | null {
  const flags = withValues().filter((option) => option.offer === offer);
  return flags.length === 0 ? null : flags.map(({ flag }) => `--${flag}`).join('|');
}
