/* The manual page docs/milena.1, of what --help says of each command and the settings' table say: man(7). */
import { COMMAND_NAMES, COMMANDS } from '../terminal/cli/commands.ts';
import { HELP } from '../terminal/cli/help.ts';
import { type HelpPart, helpParts } from '../terminal/cli/help-text.ts';
import { SETTING_NAMES, TABLE } from '../terminal/setting-table.ts';
import { PACKAGE_VERSION } from '../util/package-version.ts';

/** When somebody last looked at the page as a whole; manuals have a day. */
const CHANGED = '2026-12-01';
const COLUMNS = 78;

const EXIT_CODES: readonly (readonly [code: string, means: string])[] = [
  ['0', 'Done.'],
  ['64', 'Wrong arguments or settings (but of doctor: 78), or no password.'],
  ['65', 'The text is empty, too long or not UTF-8; or the new password is too weak.'],
  ['67', 'There is no such user or room, or not any more.'],
  ['69', 'No connection to the server; nothing was sent.'],
  ['70', 'A fault in the client or the server.'],
  ['73', 'The name is taken.'],
  ['74', 'A file or a pipe cannot be read or written.'],
  ['75', 'It may work later; the message says whether something was stored already.'],
  [
    '77',
    'Not permitted: a wrong password, a block, messages that wait, or a room that one is not in or does not own.',
  ],
  ['78', 'Of doctor: a setting cannot be used, or does not fit Kafka.'],
  ['129, 130, 143', 'Ended by SIGHUP, SIGINT, SIGTERM.'],
];

const FILES: readonly (readonly [path: string, is: string])[] = [
  ['~/.config/milena/settings.json', 'The settings, one JSON object.'],
  ['~/.config/milena/keys.conf', 'Other keys for the chat; /help keys has their names.'],
  ['~/.local/share/milena/', 'Histories, one for each account and server.'],
  ['~/.local/share/milena/accounts.json', 'The last account on each server.'],
  ['~/.local/share/milena/servers.json', 'Of several servers the one that answered last.'],
  ['~/.local/share/milena/clipboard.json', 'That you want to copy by the terminal.'],
  [
    '~/.local/share/milena/logins/',
    'Logins that the next start of the chat goes on with: as secret as passwords.',
  ],
];

const EXAMPLES: readonly string[] = [
  'milena send ops "disk full on $(hostname)"',
  'dmesg | tail -50 | milena send ops -',
  'milena listen --json | while read -r line; do handle "$line"; done',
  'source <(milena completion bash)',
];

/** The whole page, with its end. */
export function manPage(): string {
  const lines = [
    '.\\" Made by: npm run docs:man',
    `.TH MILENA 1 ${CHANGED} "milena ${PACKAGE_VERSION}" "User Commands"`,
    '.SH NAME',
    escaped('milena - talk to people through Kafka: a chat, and commands for scripts'),
    '.SH SYNOPSIS',
    '.B milena',
    '.RI [ options ]',
    '.br',
    '.B milena',
    '.I command',
    '.RI [ options "] [" arguments ]',
    '.SH DESCRIPTION',
    ...prose(
      'Without a command milena opens the chat, in which /help shows what can be typed; --plain does the same line by line, for screen readers and pipes. With a command it does one thing and ends. Settings come from a file, the environment and the command line; the later ones count.',
    ),
    '.SH COMMANDS',
    ...COMMAND_NAMES.flatMap((name) => [
      `.SS ${escaped(`milena ${name} \u2013 ${COMMANDS[name].summary}`)}`,
      ...helpParts(HELP[name]).flatMap(partLines),
    ]),
    '.SH OPTIONS',
    ...prose(
      'Every command takes those of the settings. A flag without a value takes a setting back as --no-\u2026.',
    ),
    ...SETTING_NAMES.flatMap((name) => {
      const { flag, variable, json, about } = TABLE[name];
      return [
        '.TP',
        json === 'boolean' ? `.B ${escaped(`--${flag}`)}` : `.BI ${escaped(`--${flag}`)} " value"`,
        ...prose(`${sentence(about)} In the environment ${variable}, in the file ${name}.`),
      ];
    }),
    ...tagged('--invite INVITE', "For the chat: the operator's leave to make an account."),
    ...tagged('--help, --version', 'Explain, of a command that command; print the version.'),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, means]) => tagged(code, means)),
    '.SH ENVIRONMENT',
    ...tagged('MILENA_PASSWORD, MILENA_NEW_PASSWORD', 'The password, and the new one of passwd.'),
    ...tagged('MILENA_SETTINGS', 'Another file of settings.'),
    ...tagged(
      'XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME',
      'Where settings, histories and compiled code are instead.',
    ),
    ...tagged('TERM', 'With dumb the chat goes line by line.'),
    ...tagged('NO_COLOR', 'No colours.'),
    '.SH FILES',
    ...FILES.flatMap(([path, is]) => tagged(path, is)),
    '.SH EXAMPLES',
    ...exampleLines(EXAMPLES),
    '.SH SEE ALSO',
    ...prose('docs/client.md, docs/commands.md and docs/security.md of the sources.'),
  ];
  return `${lines.join('\n')}\n`;
}

function partLines(part: HelpPart): string[] {
  switch (part.type) {
    case 'usage':
      return part.lines.flatMap((line, index) => [...(index > 0 ? ['.br'] : []), `.B ${escaped(line)}`]);
    case 'prose':
      return ['.PP', ...prose(part.text)];
    case 'example':
      return ['.PP', ...exampleLines(part.lines)];
    case 'option':
      return tagged(`--${part.flag}${part.value === '' ? '' : ` ${part.value}`}`, sentence(part.about));
  }
}

/** In lines that can be read in the source, too. */
function prose(text: string): string[] {
  const lines = [''];
  for (const word of escaped(text).split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > COLUMNS)
      lines.push(word.startsWith('.') ? `\\&${word}` : word);
    else lines.splice(-1, 1, line === '' ? word : `${line} ${word}`);
  }
  return lines;
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', `.B ${escaped(tag)}`, ...prose(text)];
}

function exampleLines(lines: readonly string[]): string[] {
  return ['.nf', ...lines.map(escaped), '.fi'];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Text that means nothing to roff: also at the start of a line, as an argument, and beyond ASCII. */
function escaped(text: string): string {
  const safe = text.replace(/[\\"'-]|[^\x20-\x7e]/gu, (character) => {
    if (character === '\\') return '\\e';
    if (character === '"') return '\\(dq';
    if (character === "'") return '\\(aq';
    if (character === '-') return '\\-';
    return `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
  });
  return safe.startsWith('.') ? `\\&${safe}` : safe;
}
