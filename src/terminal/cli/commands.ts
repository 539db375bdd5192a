/*
 * Every command, and what it takes. The texts for people stand in help.ts, the code in loaders.ts; the completion scripts are
 * made from this.
 */
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
  readonly offers?: 'name' | 'shell' | 'command' | 'action';
}

/** What `milena room` does. */
export const ROOM_ACTIONS = [
  'list',
  'create',
  'set',
  'join',
  'leave',
  'members',
  'holders',
  'raw',
  'invite',
  'kick',
  'owner',
  'delete',
] as const;
export type RoomAction = (typeof ROOM_ACTIONS)[number];

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
  },
  listen: {
    summary: 'print messages as they come',
    options: { takeover: FLAG, json: FLAG, once: FLAG, from: NAME, room: TEXT },
  },
  retrieve: {
    summary: 'print what waited, and leave',
    options: { ...LOGIN, json: FLAG, limit: TEXT },
  },
  list: {
    summary: 'list accounts',
    options: { ...ONLINE, json: FLAG, limit: TEXT },
    offers: 'name',
  },
  status: {
    summary: 'who is logged in',
    options: { ...LOGIN, json: FLAG },
    offers: 'name',
  },
  room: {
    summary: 'list, make, join, change rooms',
    options: {
      ...{ ...LOGIN, json: FLAG, mine: FLAG, invited: FLAG, back: TEXT, force: FLAG },
      ...{ policy: TEXT, description: TEXT, keep: TEXT, backlog: TEXT },
      ...{ topic: TEXT, where: TEXT, as: TEXT, preview: TEXT },
    },
    offers: 'action',
  },
  create: {
    summary: 'make an account',
    options: { ...ONLINE, invite: TEXT },
  },
  delete: {
    summary: 'delete your account',
    options: { ...LOGIN, force: FLAG, yes: FLAG },
  },
  passwd: {
    summary: 'change your password',
    options: { ...LOGIN, 'new-password-file': FILE },
  },
  search: {
    summary: 'search the local history',
    options: { json: FLAG, limit: TEXT, with: NAME },
  },
  export: {
    summary: 'print a conversation of the local history',
    options: { json: FLAG, external: FLAG },
    offers: 'name',
  },
  doctor: {
    summary: 'find out what is wrong',
    options: { json: FLAG, kafka: FLAG, repair: FLAG, free: NAME, yes: FLAG },
  },
  completion: {
    summary: 'print a completion script for your shell',
    options: {},
    offers: 'shell',
  },
  help: {
    summary: 'explain a command',
    options: {},
    offers: 'command',
  },
} as const satisfies Record<string, CommandEntry>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

export function isCommand(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}
