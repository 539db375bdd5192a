import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ClientError, parseRecipient, parseRoom, parseUsername } from '../../client/index.ts';
import { suggest } from '../../util/suggest.ts';
import { harmless } from '../sanitise.ts';
import type { Flags } from '../setting-sources.ts';
import { SETTING_OPTIONS } from '../setting-table.ts';
import type { Settings } from '../settings.ts';
import { CHAT_OPTIONS, commandAt, optionName } from './command-place.ts';
import { COMMANDS, type CommandName, isCommand, type Option } from './commands.ts';
import { EXIT, Failure } from './exit.ts';

type Options = Readonly<Record<string, Option>>;

/** What was given for the options of one command. */
export type OptionValues<Given extends Options> = {
  readonly [Name in keyof Given]?: (Given[Name]['type'] extends 'boolean' ? boolean : string) | undefined;
};

export interface Arguments<Given extends Options> {
  readonly values: OptionValues<Given>;
  readonly positionals: readonly string[];
  readonly flags: Flags;
}

const ALWAYS = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } } as const;

const EVERY_OPTION: Options = Object.assign({}, ...Object.values(COMMANDS).map(({ options }) => options));

/** What a command line asks for. */
export type Invocation =
  | { readonly type: 'screen'; readonly flags: Flags }
  | { readonly type: 'help'; readonly command: CommandName | null }
  | { readonly type: 'version' }
  /** `args` without the command's name. */
  | { readonly type: 'command'; readonly name: CommandName; readonly args: readonly string[] };

/**
 * Finds the command in a command line; options of the settings may stand before it.
 * @throws Failure `USAGE`
 */
export function invocationOf(args: readonly string[]): Invocation {
  forbidPasswords(args);
  const at = commandAt(args);
  if (at === -1) {
    const { flags } = parse(args, CHAT_OPTIONS);
    if (flags.help === true) return { type: 'help', command: null };
    return flags.version === true ? { type: 'version' } : { type: 'screen', flags };
  }
  const name = args[at] ?? '';
  if (!isCommand(name)) {
    // What stands behind an option that nobody knows may be its value.
    parse(args.slice(0, at), EVERY_OPTION);
    const close = suggest(name, Object.keys(COMMANDS));
    const hint = close === null ? 'milena --help lists them.' : `Is "${close}" meant?`;
    throw new Failure(EXIT.USAGE, `There is no command ${quoted(name)}. ${hint}`);
  }
  const rest = args.toSpliced(at, 1);
  const end = rest.indexOf('--');
  const asksForHelp = rest.some(
    (arg, index) => ['--help', '-h'].includes(arg) && (end === -1 || index < end),
  );
  return asksForHelp ? { type: 'help', command: name } : { type: 'command', name, args: rest };
}

/**
 * The options and arguments of a command.
 * @throws Failure `USAGE`, `DATA`
 */
export function argumentsOf<Name extends CommandName>(
  name: Name,
  args: readonly string[],
): Arguments<(typeof COMMANDS)[Name]['options']> {
  const { flags, positionals } = parse(args, COMMANDS[name].options);
  // A text has its own answer, whatever is wrong with it: see bodyOf.
  if (name !== 'send') demandUtf8(args);
  // parseArgs has looked at their types.
  return { values: flags as OptionValues<(typeof COMMANDS)[Name]['options']>, positionals, flags };
}

/** No more arguments than a command knows. @throws Failure `USAGE` */
export function atMost(positionals: readonly string[], count: number, usage: string): void {
  if (positionals.length > count) throw new Failure(EXIT.USAGE, `That is too much: ${usage}`);
}

/** An option's seconds in milliseconds. @throws Failure `USAGE` */
export function timeoutOf(text: string | undefined, defaultMs: number): number {
  if (text === undefined) return defaultMs;
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= 86_400) return Math.ceil(seconds * 1_000);
  throw new Failure(
    EXIT.USAGE,
    `--timeout ${quoted(text)}: it must be seconds, up to a day. For example: --timeout 30`,
  );
}

/** An option that counts. @throws Failure `USAGE` */
export function limitOf(text: string | undefined, unset: number): number {
  if (text === undefined) return unset;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Failure(
    EXIT.USAGE,
    `--limit ${quoted(text)}: it must be a number from 1 on. For example: --limit 10`,
  );
}

/** A whole number from 0 on. @param what it is for @throws Failure `USAGE` */
export function wholeNumberOf(what: string, text: string, most: number): number {
  if (/^\d{1,16}$/.test(text) && Number(text) <= most) return Number(text);
  throw new Failure(EXIT.USAGE, `${what} ${quoted(text)}: it must be a number, from 0 to ${most}.`);
}

function parse(args: readonly string[], options: Options): { flags: Flags; positionals: readonly string[] } {
  const known = { ...SETTING_OPTIONS, ...ALWAYS, ...options };
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: known,
      allowPositionals: true,
      allowNegative: true,
    });
    return { flags: values as Flags, positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Failure(EXIT.USAGE, mistakeIn(args, known, error));
  }
}

/** @throws Failure `USAGE` */
function forbidPasswords(args: readonly string[]): void {
  if (args.some((arg) => /^--password(=|$)/.test(arg))) {
    throw new Failure(
      EXIT.USAGE,
      'A password is never taken from an argument: everybody on this machine can read those, and the shell keeps ' +
        'them. Use --password-file FILE, --password-command COMMAND, MILENA_PASSWORD, or the prompt.',
    );
  }
}

function mistakeIn(args: readonly string[], known: Options, error: TypeError): string {
  const isUnknown = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
  const unknown = args.find((arg) => /^-./s.test(arg) && !Object.hasOwn(known, optionName(arg)));
  if (!isUnknown || unknown === undefined) return `${error.message.split('. ')[0]}.`;
  // What is behind "=" may be a secret.
  const told = quoted(unknown.replace(/=.*$/s, ''));
  const close = suggest(optionName(unknown), Object.keys(known));
  if (close !== null) return `There is no option ${told}. Is --${close} meant?`;
  return `There is no option ${told}. Text that begins with a dash goes behind "--".`;
}

/** What somebody wrote, for a sentence about it. */
export function quoted(text: string): string {
  return harmless(JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text));
}

/** What Node makes of each byte of an argument that is not UTF-8; somebody may also have meant it. */
const REPLACEMENT = '\ufffd';
const COMMAND_LINE = '/proc/self/cmdline';

/**
 * Arguments as they were given: none of them had bytes that Node replaced, so that another text would be sent, or sought,
 * than was meant. Linux has the bytes; where nobody knows them, what may have been replaced is refused.
 * @throws Failure `DATA`
 */
export function demandUtf8(
  args: readonly string[],
  commandLine: () => Buffer | null = readCommandLine,
): void {
  if (!args.some((arg) => arg.includes(REPLACEMENT))) return;
  const bytes = commandLine();
  if (bytes === null) {
    throw new Failure(
      EXIT.DATA,
      'An argument has U+FFFD in it, which may stand for bytes that are not UTF-8: nothing was done. ' +
        'A text with this character goes by standard input.',
    );
  }
  const given = bytes.toString('latin1').split('\0');
  if (given.every((arg) => isUtf8(Buffer.from(arg, 'latin1')))) return;
  throw new Failure(EXIT.DATA, 'An argument is not UTF-8: nothing was done.');
}

/** With what stands before the arguments, which does no harm; null where the system has no such file. */
function readCommandLine(): Buffer | null {
  try {
    const bytes = readFileSync(COMMAND_LINE);
    return bytes.length === 0 ? null : bytes;
  } catch {
    return null;
  }
}

/** A username as somebody gave it. @throws Failure `USAGE` */
export function usernameOf(text: string | undefined, usage: string): string {
  return given(text, usage, parseUsername, 'username');
}

/** A username, or a room with its `#`. @throws Failure `USAGE` */
export function recipientOf(text: string | undefined, usage: string): string {
  return given(text, usage, parseRecipient, text?.startsWith('#') ? 'room' : 'username');
}

/** A room, with its `#` or without it, which a shell takes for a comment where it is not quoted. @throws Failure `USAGE` */
export function roomOf(text: string | undefined, usage: string): string {
  return given(text, usage, (room) => parseRoom(room.startsWith('#') ? room : `#${room}`), 'room');
}

function given(
  text: string | undefined,
  usage: string,
  parse: (text: string) => string,
  kind: 'username' | 'room',
): string {
  if (text === undefined) throw new Failure(EXIT.USAGE, `A name is missing: ${usage}`);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new Failure(EXIT.USAGE, `${quoted(text)} is no ${kind}. ${error.message}`, { cause: error });
  }
}

/** Whose account it is. @throws Failure `USAGE` */
export function userOf({ user, file }: Settings): string {
  if (user !== null) return user;
  throw new Failure(
    EXIT.USAGE,
    `Which account? Use --user NAME or MILENA_USER, or put "user": "NAME" into ${file}.`,
  );
}
