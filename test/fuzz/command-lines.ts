/* Command lines: what was meant comes out, and whatever else is typed gets an answer in plain words. */
import {
  type Arguments,
  argumentsOf,
  invocationOf,
  limitOf,
  timeoutOf,
} from '../../src/terminal/cli/arguments.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName, type Option } from '../../src/terminal/cli/commands.ts';
import { EXIT, Failure } from '../../src/terminal/cli/exit.ts';
import { fillPlaces, parsePlaces, wordsOf } from '../../src/terminal/command-line.ts';
import { SETTING_OPTIONS } from '../../src/terminal/setting-table.ts';
import type { Random } from '../protocol/random.ts';
import { demand, demandSame, either, type Target } from './fuzzing.ts';

const SETTINGS: readonly (readonly [string, Option])[] = Object.entries(SETTING_OPTIONS);

export const commandLines: Target = {
  name: 'command-lines',
  unit: 'command lines',
  judge: (random) => {
    judgeMeant(random);
    judgeStrange(random);
    judgeWords(random);
    return 3;
  },
};

/** What somebody means, written in any of the ways that mean it. */
function judgeMeant(random: Random): void {
  const name = random.pick(COMMAND_NAMES);
  const options = [...SETTINGS, ...Object.entries<Option>(COMMANDS[name].options)];
  const flags = new Map<string, string | boolean>();
  const words: (readonly string[])[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const [flag, { type }] = random.pick(options);
    if (flags.has(flag)) continue;
    const value = type === 'boolean' ? random.below(4) > 0 : plainWord(random);
    flags.set(flag, value);
    words.push(written(random, flag, value));
  }
  const positionals = Array.from({ length: random.below(3) }, () => plainWord(random));
  // Before the command stand settings only: others' values could be taken for it.
  const isSetting = ([word = '']: readonly string[]) =>
    SETTINGS.some(([flag]) => word.replace(/^--(no-)?|=.*$/gs, '') === flag);
  const before = random.below(2) === 0 ? words.filter(isSetting) : [];
  const behind = words.filter((word) => !before.includes(word));
  for (const positional of positionals) behind.splice(random.below(behind.length + 1), 0, [positional]);
  const rest =
    random.below(3) === 0 ? ['--', ...Array.from({ length: random.below(3) }, () => random.text(3))] : [];
  const args = [...before.flat(), name, ...behind.flat(), ...rest];
  const invocation = invocationOf(args);
  demand(invocation.type === 'command' && invocation.name === name, () => JSON.stringify(args));
  const found: Arguments<Record<string, Option>> = argumentsOf(name, invocation.args);
  const inOrder = behind.filter(([word = '', ...more]) => more.length === 0 && !word.startsWith('--')).flat();
  demandSame({ ...found.flags }, Object.fromEntries(flags), args);
  demandSame(found.positionals, [...inOrder, ...rest.slice(1)], args);
}

function written(random: Random, flag: string, value: string | boolean): readonly string[] {
  if (typeof value === 'boolean') return [value ? `--${flag}` : `--no-${flag}`];
  return random.below(2) === 0 ? [`--${flag}`, value] : [`--${flag}=${value}`];
}

/** No option, and no name of a command. */
function plainWord(random: Random): string {
  return `w${random.below(1_000)}${random.pick(['', ' ', '=', ': x', '--', 'é', '\u202e'])}`;
}

const SECRET = 'hunter2';
const PIECES = [
  '-',
  '--',
  '--no-',
  '=',
  ' ',
  'x',
  '\n',
  '\r',
  '\u2028',
  '\u001b[2J',
  '\u009b',
  '\u202e',
  '\ud800',
  '\u0000',
]
  .concat([
    '__proto__',
    'constructor',
    'toString',
    'help',
    'h',
    'version',
    'json',
    'limit',
    'timeout',
    '5',
    '0.5',
  ])
  .concat(
    COMMAND_NAMES,
    SETTINGS.map(([flag]) => flag),
  );

/** Anything: never anything else than a meaning, or a sentence that acts on no terminal and gives no secret away. */
function judgeStrange(random: Random): void {
  const word = () => Array.from({ length: random.below(5) }, () => random.pick(PIECES)).join('');
  const args = Array.from({ length: random.below(6) }, word);
  if (random.below(50) === 0) args.push(random.pick(PIECES).repeat(random.below(20_000)));
  if (random.below(20) === 0) args.push(`--${random.pick(['password', 'pasword', 'tokn', 'x'])}=${SECRET}`);
  const [one, again] = [answer(args), answer(args)];
  demandSame(again, one, args);
  if (typeof one !== 'string') return;
  demand(!one.includes(SECRET), () => `tells the secret of ${JSON.stringify(args)}`);
  demand(!HARMFUL.test(one), () => `${JSON.stringify(one)} of ${JSON.stringify(args)}`);
  demand(one.length < 1_000, () => `${one.length} characters of ${JSON.stringify(args).slice(0, 200)}`);
}

/** A line break is written by whoever prints it. */
const HARMFUL = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;

/** What a command line asks for, or the sentence that it gets. */
function answer(args: readonly string[]): unknown {
  try {
    const invocation = invocationOf(args);
    if (invocation.type !== 'command') return invocation;
    const { values, positionals, flags } = argumentsOf(invocation.name as CommandName, invocation.args);
    const { limit, timeout }: { limit?: string; timeout?: string } = values as object;
    return {
      invocation,
      values,
      positionals,
      flags,
      limit: limitOf(limit, 1),
      timeout: timeoutOf(timeout, 1),
    };
  } catch (error) {
    if (error instanceof Failure && (error.code === EXIT.USAGE || error.code === EXIT.DATA))
      return error.message;
    throw error;
  }
}

/** Words of a setting that names a program come out as they were quoted, and nobody adds one to them. */
function judgeWords(random: Random): void {
  const words = Array.from({ length: 1 + random.below(4) }, () => random.text(4).replaceAll('\0', ''));
  const line = words.map((word) => quotedWord(random, word)).join(random.pick([' ', '  ', '\t']));
  demandSame(wordsOf(line), words[0] === '' ? undefined : words, line);
  const places = parsePlaces(either(random, [() => line, () => `${line} {text}`, () => `x ${line}`]), [
    'text',
  ]);
  if (places === undefined) return;
  const filled = fillPlaces(places, { text: random.pick(['-x', 'a b', '--help', '\u001b-']) });
  const isSafe = (word: string, at: number) =>
    !/\p{Cc}/u.test(word) && !(word.startsWith('-') && places[at]?.startsWith('{'));
  demand(filled.every(isSafe), () => `${JSON.stringify(line)} became ${JSON.stringify(filled)}`);
}

function quotedWord(random: Random, word: string): string {
  if (!word.includes("'") && random.below(2) === 0) return `'${word}'`;
  return `"${word.replaceAll(/["\\]/g, '\\$&')}"`;
}
