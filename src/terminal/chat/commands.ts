import { ClientError, parsePattern, parseRecipient, parseUsername } from '../../client/index.ts';
import { suggest } from '../../util/suggest.ts';
import type { NotifyLevel } from '../history/types.ts';
import { parseRoomCommand, type RoomCommand, RoomUsage } from './parse-room-command.ts';

/** What has to do with the server. */
export type ServerCommand =
  | { readonly type: 'create' | 'login'; readonly name: string }
  | { readonly type: 'logout' | 'delete' | 'passwd' | 'retrieve' | 'quit' }
  /** Without a name: shows who is blocked. */
  | { readonly type: 'block'; readonly name: string | null }
  | { readonly type: 'unblock'; readonly name: string }
  /** Without a name: shows which there are. */
  | { readonly type: 'devices'; readonly forget: string | null }
  | { readonly type: 'who'; readonly names: readonly string[] }
  | { readonly type: 'list'; readonly pattern: string }
  | RoomCommand
  /** Text for somebody, or for a room; empty text only turns to them. */
  | { readonly type: 'message'; readonly to: string; readonly text: string }
  /** Text for the open conversation. */
  | { readonly type: 'say'; readonly text: string };

/** What a line that a person entered asks for. */
export type ChatCommand =
  | ServerCommand
  | LocalCommand
  | { readonly type: 'nothing' | 'help' | 'keys' | 'next' | 'activity' | 'close' | 'clear' }
  | { readonly type: 'mistake'; readonly text: string };

/** What the history on this machine is enough for. */
export type LocalCommand =
  | { readonly type: 'mute' | 'forget' | 'read' }
  /** Without a level: says which one it is. */
  | { readonly type: 'notify'; readonly level: NotifyLevel | null }
  /** Empty: shows again what was found last. */
  | { readonly type: 'search'; readonly words: string }
  /** An address of the conversation by its number, the newest is 1; null: shows them. */
  | { readonly type: 'open'; readonly number: number | null }
  /** The last block of code, or the last message. */
  | { readonly type: 'copy' }
  /** Empty: a name is made up. */
  | { readonly type: 'export'; readonly file: string };

export interface Usage {
  readonly usage: string;
  readonly does: string;
}

/** For /help: what to type, and what it does. Together with the keys they fit a screen of 24 rows: some share one. */
export const COMMAND_USAGES: readonly Usage[] = [
  { usage: '/msg NAME [TEXT]', does: 'open the conversation with NAME, and say TEXT' },
  { usage: '/join #ROOM, /leave, /members', does: 'go into a room; out of it; who is in it' },
  { usage: '/room, /invite, /kick NAME', does: 'about rooms; let into this one; put out of it' },
  { usage: '/holders, /raw [PLACE]', does: 'who has this message; the record that it shows' },
  { usage: '/list [PATTERN], /who NAME…', does: 'accounts (* any characters); who is there' },
  { usage: '/next, /read, /close, /clear', does: 'next unread; all here read; leave; empty window' },
  { usage: '/search WORDS, /activity', does: 'look for words, from: in: …; what concerns you' },
  { usage: '/open [N], /copy', does: 'an address said here; the last code block' },
  { usage: '/export [FILE], /forget', does: 'this conversation to a file; out of the history' },
  { usage: '/notify LEVEL, /mute', does: 'bell and count here: all, highlights or nothing' },
  { usage: '/block [NAME], /unblock NAME', does: 'take no messages, or again' },
  { usage: '/create NAME, /login NAME', does: 'make an account, or enter it' },
  { usage: '/passwd, /devices, /retrieve', does: 'your password; your devices; what has waited' },
  { usage: '/logout, /delete, /quit', does: 'log out; delete the account; leave' },
];

/** What can be typed, and the keys, in rows that fit 80 columns; together with its title on a screen of 24 rows. */
export function helpRows(commands: readonly Usage[], keys: readonly string[]): string[] {
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  return [...commands.map(({ usage, does }) => `${usage.padEnd(width)}  ${does}`), '', ...keys];
}

/** What people used to other programs type, and how it is called here. */
const ALSO: Readonly<Record<string, string>> = {
  '/q': '/quit',
  '/exit': '/quit',
  '/bye': '/quit',
  '/query': '/msg',
  '/m': '/msg',
  '/dm': '/msg',
  '/w': '/msg',
  '/part': '/leave',
  '/names': '/members',
  '/rooms': '/room',
  '/channels': '/room',
  '/whois': '/who',
  '/ignore': '/block',
  '/unignore': '/unblock',
  '/url': '/open',
  '/urls': '/open',
  '/links': '/open',
  '/yank': '/copy',
  '/lastlog': '/search',
  '/find': '/search',
  '/register': '/create',
  '/disconnect': '/logout',
};

/** What there is elsewhere and not here, and what does it. */
const NOT_HERE: Readonly<Record<string, string>> = {
  '/me': 'There is no /me: a text says who does what as well.',
  '/topic': 'What a room is about is said by /room set about TEXT.',
  '/nick': 'A name stays as it is: /create NAME makes another account.',
  '/away': 'Whoever is logged out is away: /logout, or /quit.',
  '/back': 'Whoever is logged in is there: /login NAME.',
  '/connect': 'Another server is named at the start: milena --server HOST:PORT.',
  '/server': 'Another server is named at the start: milena --server HOST:PORT.',
  '/set': 'Settings are in a file, in variables, or flags at the start: milena --help.',
};

/** The commands' words, for Tab. */
export function commandWords(): string[] {
  return COMMAND_USAGES.flatMap(({ usage }) => usage.match(/\/[a-z]+/g) ?? []);
}

/** Blanks in front of it make no text of a command: a password could follow. */
const BEGINS = /^(\s*)\/(\/?)/u;

/**
 * Reads what was entered: a text is what was typed, its blanks included. Never throws: what cannot be read is a `mistake`
 * with a sentence about it.
 */
export function parseCommand(entered: string): ChatCommand {
  if (entered.trim() === '') return { type: 'nothing' };
  const [, blanks = '', second] = BEGINS.exec(entered) ?? [];
  if (second === undefined) return { type: 'say', text: entered };
  if (second !== '') return { type: 'say', text: blanks + entered.slice(blanks.length + 1) };
  const { word, rest } = firstWord(entered.trimStart());
  try {
    const lower = word.toLowerCase();
    return command(ALSO[lower] ?? lower, rest.trim(), rest);
  } catch (error) {
    if (error instanceof ClientError) return { type: 'mistake', text: error.message };
    throw error;
  }
}

/** A text that would be taken for a command, as one that is not. */
export function asText(text: string): string {
  return text.replace(BEGINS, '$1//$2');
}

/** @param exact what stands behind the command, blanks included */
function command(word: string, rest: string, exact: string): ChatCommand {
  switch (word) {
    case '/create':
    case '/login':
      if (rest === '') return usage(`${word} NAME`);
      return { type: word === '/create' ? 'create' : 'login', name: parseUsername(rest) };
    case '/list':
      return { type: 'list', pattern: parsePattern(rest) };
    case '/msg': {
      if (rest === '') return usage('/msg NAME [TEXT]');
      const to = firstWord(exact.trimStart());
      // One blank parts name and text; more of them are the text's.
      return { type: 'message', to: parseRecipient(to.word), text: to.rest.trim() === '' ? '' : to.rest };
    }
    case '/who':
      return { type: 'who', names: rest === '' ? [] : rest.split(/[\s,;]+/u).map(parseUsername) };
    case '/block':
      return { type: 'block', name: rest === '' ? null : parseUsername(rest) };
    case '/unblock':
      return rest === '' ? usage('/unblock NAME') : { type: 'unblock', name: parseUsername(rest) };
    case '/join':
    case '/leave':
    case '/members':
    case '/invite':
    case '/kick':
    case '/holders':
    case '/raw':
    case '/room': {
      const asked = parseRoomCommand(word, rest);
      return asked instanceof RoomUsage ? usage(asked.text) : asked;
    }
    case '/devices':
      return devices(rest);
    case '/search':
      return { type: 'search', words: rest };
    case '/open':
      return /^(?:[1-9]\d{0,3})?$/.test(rest)
        ? { type: 'open', number: rest === '' ? null : Number(rest) }
        : usage('/open [NUMBER]');
    case '/export':
      return { type: 'export', file: rest };
    case '/help':
      // With a command behind it, that is among them.
      return { type: rest === 'keys' ? 'keys' : 'help' };
    case '/notify':
      return notify(rest.toLowerCase());
    case '/logout':
    case '/passwd':
    case '/delete':
    case '/retrieve':
    case '/next':
    case '/read':
    case '/activity':
    case '/close':
    case '/clear':
    case '/mute':
    case '/copy':
    case '/forget': {
      const type = word.slice(1) as WithoutArgument;
      return rest === '' ? { type } : usage(word);
    }
    case '/quit':
      // A last word for the others is of other programs.
      return { type: 'quit' };
    default:
      return { type: 'mistake', text: NOT_HERE[word] ?? unknown(word) };
  }
}

type WithoutArgument =
  | 'logout'
  | 'delete'
  | 'passwd'
  | 'retrieve'
  | 'next'
  | 'read'
  | 'activity'
  | 'close'
  | 'clear'
  | 'mute'
  | 'copy'
  | 'forget';

const LEVELS: readonly NotifyLevel[] = ['all', 'highlights', 'nothing'];

function notify(word: string): ChatCommand {
  const level = LEVELS.find((known) => known === word) ?? null;
  return level === null && word !== '' ? usage(`/notify ${LEVELS.join('|')}`) : { type: 'notify', level };
}

function devices(rest: string): ChatCommand {
  if (rest === '') return { type: 'devices', forget: null };
  const [, name] = /^forget\s+(\S+)$/i.exec(rest) ?? [];
  return name === undefined
    ? usage('/devices [forget NAME]')
    : { type: 'devices', forget: parseUsername(name) };
}

function unknown(word: string): string {
  const close = suggest(word, commandWords());
  const hint = close === null ? '/help shows them all.' : `Is ${close} meant?`;
  return `There is no command ${word}. ${hint}`;
}

function usage(text: string): ChatCommand {
  return { type: 'mistake', text: `Usage: ${text}` };
}

function firstWord(text: string): { word: string; rest: string } {
  const match = /^(\S+)\s?(.*)$/su.exec(text);
  return { word: match?.[1] ?? '', rest: match?.[2] ?? '' };
}
