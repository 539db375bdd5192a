/*
 * Every command: what it takes, and where it is. The texts for people stand in help.ts; the completion scripts are made
 * from this.
 */
import type { Context } from './context.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  /** What to offer behind it in a shell. */
  readonly value?: 'name' | 'file';
}

export interface CommandEntry {
  /** In a few words, for lists. */
  readonly summary: string;
  /** Beside those of the settings, which every command takes. */
  readonly options: Readonly<Record<string, Option>>;
  /** What its arguments are, for a shell to offer; absent: nothing that a shell could know. */
  readonly offers?: 'name' | 'shell' | 'command';
  /** Loaded only when it runs: each brings what it needs and no more. */
  readonly load: () => Promise<{ readonly run: (context: Context) => Promise<void> }>;
}

const FLAG = { type: 'boolean' } as const;
const TEXT = { type: 'string' } as const;
const FILE = { type: 'string', value: 'file' } as const;
const NAME = { type: 'string', value: 'name' } as const;
/** For whatever speaks with the server. */
const ONLINE = { timeout: TEXT } as const;
/** For whatever logs in. */
const LOGIN = { ...ONLINE, takeover: FLAG } as const;

export const COMMANDS = {
  send: {
    summary: 'send a message',
    options: { ...LOGIN, 'wait-delivered': FLAG, json: FLAG },
    offers: 'name',
    load: () => import('./send.ts'),
  },
  listen: {
    summary: 'print messages as they come',
    options: { takeover: FLAG, json: FLAG, once: FLAG, from: NAME },
    load: () => import('./listen.ts'),
  },
  retrieve: {
    summary: 'print what waited, and leave',
    options: { ...LOGIN, json: FLAG, limit: TEXT },
    load: () => import('./retrieve.ts'),
  },
  list: {
    summary: 'list accounts',
    options: { ...ONLINE, json: FLAG, limit: TEXT },
    offers: 'name',
    load: () => import('./list.ts'),
  },
  status: {
    summary: 'who is logged in',
    options: { ...LOGIN, json: FLAG },
    offers: 'name',
    load: () => import('./status.ts'),
  },
  create: {
    summary: 'make an account',
    options: { ...ONLINE, invite: TEXT },
    load: () => import('./create.ts'),
  },
  delete: {
    summary: 'delete your account',
    options: { ...LOGIN, force: FLAG, yes: FLAG },
    load: () => import('./delete.ts'),
  },
  passwd: {
    summary: 'change your password',
    options: { ...LOGIN, 'new-password-file': FILE },
    load: () => import('./passwd.ts'),
  },
  search: {
    summary: 'search the local history',
    options: { json: FLAG, limit: TEXT, with: NAME },
    load: () => import('./search.ts'),
  },
  export: {
    summary: 'print a conversation of the local history',
    options: { json: FLAG, external: FLAG },
    offers: 'name',
    load: () => import('./export.ts'),
  },
  doctor: {
    summary: 'find out what is wrong',
    options: { json: FLAG, kafka: FLAG, repair: FLAG, free: NAME, yes: FLAG },
    load: () => import('./doctor.ts'),
  },
  completion: {
    summary: 'print a completion script for your shell',
    options: {},
    offers: 'shell',
    load: () => import('./completion.ts'),
  },
  help: {
    summary: 'explain a command',
    options: {},
    offers: 'command',
    load: () => import('./help-command.ts'),
  },
} as const satisfies Record<string, CommandEntry>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

export function isCommand(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}
