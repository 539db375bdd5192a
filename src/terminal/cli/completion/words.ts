/* What the completion scripts of all shells are made of. */
import { SETTING_NAMES, TABLE, THEMES } from '../../setting-table.ts';
import { COMMAND_NAMES, COMMANDS, type CommandEntry, type CommandName } from '../commands.ts';
import { aboutOptions } from '../help-text.ts';

/** What a shell offers behind an option; `none`: it takes a value that nobody can guess, null: it takes none. */
export type Offer = 'name' | 'file' | 'folder' | 'theme' | 'none' | null;

export interface OptionWords {
  /** Without its dashes. */
  readonly flag: string;
  readonly offer: Offer;
  /** What it does, in a few words. */
  readonly about: string;
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
    const { flag, about } = TABLE[name];
    return { flag, about, offer: offerOf(name) };
  }),
  { flag: 'no-links', offer: null, about: 'no links' },
  { flag: 'no-mouse', offer: null, about: "the mouse is the terminal's" },
  { flag: 'no-bell', offer: null, about: 'no bell' },
  { flag: 'no-history', offer: null, about: 'keep nothing on disk' },
  { flag: 'no-stay-logged-in', offer: null, about: 'keep no login for the next start' },
  { flag: 'help', offer: null, about: 'explain' },
];

function offerOf(name: (typeof SETTING_NAMES)[number]): Offer {
  const { json, isPath } = TABLE[name];
  if (json === 'boolean') return null;
  if (name === 'user') return 'name';
  if (name === 'theme') return 'theme';
  if (isPath) return name === 'dataDir' ? 'folder' : 'file';
  return 'none';
}

/** The options of one command. */
export function optionsOf(name: CommandName): readonly OptionWords[] {
  const abouts = aboutOptions(name);
  return Object.entries(entryOf(name).options).map(([flag, { type, value }]) => ({
    flag,
    about: abouts.get(flag) ?? '',
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
