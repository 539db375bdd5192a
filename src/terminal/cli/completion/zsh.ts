import { COMMAND_NAMES, ROOM_ACTIONS } from '../commands.ts';
import { COMMON, entryOf, LIST_OPTIONS, type OptionWords, optionsOf, SHELLS, THEME_WORDS } from './words.ts';

/** For zsh 5; works sourced, and as a file _milena in fpath. */
export function zshCompletion(): string {
  return `#compdef milena
# zsh completion for milena; made by: milena completion zsh
_milena_names() {
  local -a names
  # Nothing else can be part of a name, and nothing else reaches the server's pattern.
  [[ $PREFIX =~ '^[A-Za-z0-9_-]*$' ]] || return 1
  names=(\${(f)"$(milena list "$PREFIX*" ${LIST_OPTIONS})"})
  compadd -a names
}

_milena() {
  local context state state_descr line
  typeset -A opt_args
  local -a common=(
${COMMON.map((option) => `    ${specOf(option)}`).join('\n')}
  )
  _arguments -C $common '1: :->command' '*:: :->argument'
  case $state in
    command)
      local -a commands=(
${COMMAND_NAMES.map((name) => `        ${quoted(`${name}:${entryOf(name).summary}`)}`).join('\n')}
      )
      _describe command commands ;;
    argument)
      case $words[1] in
${COMMAND_NAMES.map((name) => `        ${name}) _arguments $common ${[...optionsOf(name).map(specOf), ...positionals(name)].join(' ')} ;;`).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _milena ]]; then _milena "$@"; else compdef _milena milena; fi
`;
}

function specOf({ flag, offer, about }: OptionWords): string {
  const values = {
    name: ':name:_milena_names',
    file: ':file:_files',
    folder: ':folder:_files -/',
    theme: `:theme:(${THEME_WORDS})`,
    none: ':value: ',
  };
  const explained = `--${flag}[${about.replaceAll(/[\\[\]]/g, '\\$&')}]`;
  return quoted(`${explained}${offer === null ? '' : values[offer]}`);
}

function positionals(name: (typeof COMMAND_NAMES)[number]): string[] {
  switch (entryOf(name).offers) {
    case 'name':
      return [quoted(name === 'status' ? '*:name:_milena_names' : '1:name:_milena_names')];
    case 'shell':
      return [quoted(`1:shell:(${SHELLS})`)];
    case 'action':
      return [quoted(`1:action:(${ROOM_ACTIONS.join(' ')})`)];
    case 'command':
      return [quoted(`1:command:(${COMMAND_NAMES.join(' ')})`)];
    default:
      return [];
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
