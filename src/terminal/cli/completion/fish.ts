import { COMMAND_NAMES, ROOM_ACTIONS } from '../commands.ts';
import {
  COMMON,
  entryOf,
  LIST_OPTIONS,
  type OptionWords,
  optionsOf,
  SHELLS,
  THEME_WORDS,
  withValues,
} from './words.ts';

/** For fish 3. */
export function fishCompletion(): string {
  const lines = [
    '# fish completion for milena; made by: milena completion fish',
    'function __milena_names',
    '  set -l word (commandline -ct)',
    "  # Nothing else can be part of a name, and nothing else reaches the server's pattern.",
    "  string match -qr '^[A-Za-z0-9_-]*$' -- $word; or return",
    `  milena list "$word*" ${LIST_OPTIONS}`,
    'end',
    '# The command that stands there already: the first word that is neither an option nor its value.',
    'function __milena_is',
    '  set -l words (commandline -opc)',
    '  set -e words[1]',
    '  while set -q words[1]',
    '    switch $words[1]',
    `      case ${withValues()
      .map(({ flag }) => `--${flag}`)
      .join(' ')}`,
    '        set -e words[1]',
    "      case '-*'",
    "      case '*'",
    '        test "$words[1]" = "$argv[1]"',
    '        return',
    '    end',
    '    set -e words[1]',
    '  end',
    '  test -z "$argv[1]"',
    'end',
    'complete -c milena -f',
    ...COMMON.map((option) => `complete -c milena ${optionWords(option)}`),
  ];
  for (const name of COMMAND_NAMES) {
    const { summary, offers } = entryOf(name);
    const seen = `-n '__milena_is ${name}'`;
    lines.push(`complete -c milena -n __milena_is -a ${name} -d ${quoted(summary)}`);
    lines.push(...optionsOf(name).map((option) => `complete -c milena ${seen} ${optionWords(option)}`));
    if (offers === 'name') lines.push(`complete -c milena ${seen} -a '(__milena_names)'`);
    if (offers === 'shell') lines.push(`complete -c milena ${seen} -a '${SHELLS}'`);
    if (offers === 'action') lines.push(`complete -c milena ${seen} -a '${ROOM_ACTIONS.join(' ')}'`);
    if (offers === 'command') lines.push(`complete -c milena ${seen} -a '${COMMAND_NAMES.join(' ')}'`);
  }
  return `${lines.join('\n')}\n`;
}

function optionWords({ flag, offer, about }: OptionWords): string {
  const values = {
    name: " -x -a '(__milena_names)'",
    file: ' -r -F',
    folder: " -x -a '(__fish_complete_directories)'",
    theme: ` -x -a '${THEME_WORDS}'`,
    none: ' -x',
  };
  return `-l ${flag}${offer === null ? '' : values[offer]} -d ${quoted(about)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
