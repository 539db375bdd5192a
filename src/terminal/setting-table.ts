/*
 * Every setting of the client: its flag, its variable, its key in the file. docs/commands.md has the table for people;
 * a test holds the two together. By hand and not by a schema library, which would take longer to load than most
 * commands take to run.
 */

import { isUsername, parseServers } from '../client/index.ts';
import { CLIPBOARD_CHOICES } from './clipboard.ts';
import { parseNotifyCommand, parseOpenCommand, wordsOf } from './command-line.ts';
import { DESKTOP_CHOICES } from './notify/desktop.ts';
import { MAX_WORD_CHARACTERS, MAX_WORDS } from './notify/highlight.ts';

export const THEMES = ['auto', 'dark', 'light', 'high-contrast', 'mono'] as const;
export type ThemeChoice = (typeof THEMES)[number];
const SIGNS = ['auto', 'unicode', 'ascii'] as const;
export type SignsChoice = (typeof SIGNS)[number];

/** Messages that a device may begin with, at most: the server's limit. */
const MAX_LAST = 1_000;

export interface SettingRow<Value> {
  readonly flag: string;
  readonly variable: string;
  /** In a few words, for completions and the manual. */
  readonly about: string;
  /** Its type in the file. */
  readonly json: 'string' | 'boolean';
  /** Whether it names a file or folder, which is relative to where it was written. */
  readonly isPath: boolean;
  /** Undefined for what is no value of it. */
  readonly parse: (text: string) => Value | undefined;
  /** What it must be, behind "must be". */
  readonly expected: string;
  readonly example: string;
}

const WORDS_EXPECTED = `words with commas between them, at most ${MAX_WORDS} of up to ${MAX_WORD_CHARACTERS} characters, each with a letter or a digit`;
const COMMAND_EXPECTED =
  'a program and its arguments, with no other places in these than {from} and {text}, and none in a script (sh -c)';
const OPEN_EXPECTED =
  'a program and its arguments, in which {url} stands by itself or in a word without blanks';

const ROWS = {
  server: about(
    'the server, or several of the same Milena',
    text('server', 'MILENA_SERVER', parseServers, 'HOST:PORT', '127.0.0.1:8080,[::1]:8081'),
  ),
  user: about(
    'the account',
    text('user', 'MILENA_USER', parseUser, 'a username (a-z, 0-9, _ and -, at most 32)', 'alice'),
  ),
  device: about(
    "this machine's name among the account's devices",
    text('device', 'MILENA_DEVICE', parseUser, 'a name (a-z, 0-9, _ and -, at most 32)', 'laptop'),
  ),
  last: about(
    'so many of the newest messages for a device that is new',
    text('last', 'MILENA_LAST', parseLast, `a number from 1 to ${MAX_LAST}`, '100'),
  ),
  passwordFile: about(
    'file with its password',
    path('password-file', 'MILENA_PASSWORD_FILE', 'the path of a file', '~/.milena-password'),
  ),
  passwordCommand: about(
    'program that prints its password',
    text(
      'password-command',
      'MILENA_PASSWORD_COMMAND',
      wordsOf,
      'a program and its arguments, quoted as in a shell',
      'pass show milena',
    ),
  ),
  tls: about('encrypt the connection', flag('tls', 'MILENA_TLS', 'true')),
  ca: about(
    'trust only the authority in this file (PEM)',
    path('ca', 'MILENA_TLS_CA', 'the path of a file', '/etc/milena/ca.pem'),
  ),
  insecure: about('speak plain text with another machine', flag('insecure', 'MILENA_INSECURE', 'true')),
  theme: about("the chat's colours", choice('theme', 'MILENA_THEME', THEMES, 'dark')),
  signs: about('the ticks, in Unicode or ASCII', choice('signs', 'MILENA_SIGNS', SIGNS, 'ascii')),
  links: about('make links of addresses', flag('links', 'MILENA_LINKS', 'true')),
  bell: about("ring the terminal's bell", flag('bell', 'MILENA_BELL', 'false')),
  mouse: about('the wheel scrolls, a click opens', flag('mouse', 'MILENA_MOUSE', 'false')),
  highlight: about(
    'words that concern you, with commas between them',
    text('highlight', 'MILENA_HIGHLIGHT', parseWords, WORDS_EXPECTED, 'deploy,db-3'),
  ),
  desktop: about(
    'notifications by the terminal',
    choice('desktop', 'MILENA_DESKTOP', DESKTOP_CHOICES, 'osc777'),
  ),
  notify: about(
    'program to run for a notification',
    text('notify', 'MILENA_NOTIFY', parseNotifyCommand, COMMAND_EXPECTED, 'notify-send {from} {text}'),
  ),
  open: about(
    'program that opens an address',
    text('open', 'MILENA_OPEN', parseOpenCommand, OPEN_EXPECTED, 'firefox --new-tab {url}'),
  ),
  clipboard: about(
    "copy to the terminal's clipboard",
    choice('clipboard', 'MILENA_CLIPBOARD', CLIPBOARD_CHOICES, 'on'),
  ),
  plain: about('the chat line by line', flag('plain', 'MILENA_PLAIN', 'true')),
  history: about('keep messages and the outbox on disk', flag('history', 'MILENA_HISTORY', 'false')),
  stayLoggedIn: about(
    'the next chat needs no password',
    flag('stay-logged-in', 'MILENA_STAY_LOGGED_IN', 'false'),
  ),
  dataDir: about(
    'folder of the histories',
    path('data-dir', 'MILENA_DATA_DIR', 'the path of a folder', '~/.local/share/milena'),
  ),
};

/** The settings as somebody gives them. */
export type Given = {
  readonly [Name in keyof typeof ROWS]: (typeof ROWS)[Name] extends SettingRow<infer Value> ? Value : never;
};
export const TABLE: { readonly [Name in keyof Given]: SettingRow<Given[Name]> } = ROWS;
export const SETTING_NAMES = Object.keys(TABLE) as (keyof Given)[];

/** A setting of former versions, which could speak the protocol's first version, too: as flag, variable and in the file. */
export const FORMER = { flag: 'protocol', variable: 'MILENA_PROTOCOL', name: 'protocol' } as const;

/** The flags of all settings, for `parseArgs`; those without a value also as `--no-…`. */
export const SETTING_OPTIONS: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>> = {
  ...Object.fromEntries(SETTING_NAMES.map((name) => [TABLE[name].flag, { type: TABLE[name].json }])),
  [FORMER.flag]: { type: 'string' },
};

/** Empty ones, as behind a comma at the end, are passed over. */
function parseWords(list: string): readonly string[] | undefined {
  const words = list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const isGood = (word: string) =>
    word.length <= MAX_WORD_CHARACTERS && /[\p{L}\p{N}]/u.test(word) && !/\p{C}/u.test(word);
  return words.length > 0 && words.length <= MAX_WORDS && words.every(isGood) ? words : undefined;
}

type Unexplained<Value> = Omit<SettingRow<Value>, 'about'>;

function about<Value>(words: string, row: Unexplained<Value>): SettingRow<Value> {
  return { ...row, about: words };
}

function parseUser(name: string): string | undefined {
  const lower = name.toLowerCase();
  return isUsername(lower) ? lower : undefined;
}

function parseLast(number: string): number | undefined {
  return /^[1-9]\d{0,3}$/.test(number) && Number(number) <= MAX_LAST ? Number(number) : undefined;
}

function parseFlag(value: string): boolean | undefined {
  const lower = value.toLowerCase();
  if (['true', '1', 'yes'].includes(lower)) return true;
  return ['false', '0', 'no'].includes(lower) ? false : undefined;
}

function text<Value>(
  flag: string,
  variable: string,
  parse: SettingRow<Value>['parse'],
  expected: string,
  example: string,
): Unexplained<Value> {
  return { flag, variable, json: 'string', isPath: false, parse, expected, example };
}

function choice<Choice extends string>(
  flag: string,
  variable: string,
  choices: readonly Choice[],
  example: Choice,
): Unexplained<Choice> {
  const parse = (word: string) => choices.find((known) => known === word);
  return text(flag, variable, parse, `one of ${choices.join(', ')}`, example);
}

function path(flag: string, variable: string, expected: string, example: string): Unexplained<string> {
  const parse = (name: string) => (name === '' || name.includes('\0') ? undefined : name);
  return { flag, variable, json: 'string', isPath: true, parse, expected, example };
}

function flag(name: string, variable: string, example: string): Unexplained<boolean> {
  return {
    flag: name,
    variable,
    json: 'boolean',
    isPath: false,
    parse: parseFlag,
    expected: 'true or false',
    example,
  };
}
