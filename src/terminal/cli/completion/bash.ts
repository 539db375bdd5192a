import { COMMAND_NAMES, type CommandEntry, ROOM_ACTIONS } from '../commands.ts';
import {
  COMMON,
  entryOf,
  LIST_OPTIONS,
  type OptionWords,
  optionsOf,
  patternFor,
  SHELLS,
  THEME_WORDS,
  withValues,
} from './words.ts';

/** For bash 3.2 and later. */
export function bashCompletion(): string {
  return `# bash completion for milena; made by: milena completion bash
_milena_names() {
  # Nothing else can be part of a name, and nothing else reaches the server's pattern.
  [[ $2 =~ ^[A-Za-z0-9_-]*$ ]] || return 0
  COMPREPLY=($(compgen -W "$("$1" list "$2*" ${LIST_OPTIONS})" -- "$2"))
}

# Words with what they are behind a tab: that is shown where several are listed, and never completed.
_milena_explained() {
  local line word about
  while IFS=$'\\t' read -r word about; do
    [[ $word == "$2"* ]] && COMPREPLY+=("$word"$'\\t'"$about")
  done <<<"$1"
  if [ "\${#COMPREPLY[@]}" -gt 1 ] && [ "\${COMP_TYPE:-9}" = 63 ]; then
    COMPREPLY=("\${COMPREPLY[@]/$'\\t'/  -- }")
  else
    COMPREPLY=("\${COMPREPLY[@]%%$'\\t'*}")
  fi
}

_milena() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev='' command='' count=0 i options
  COMPREPLY=()
  [ "$COMP_CWORD" -gt 0 ] && prev=\${COMP_WORDS[COMP_CWORD - 1]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      # bash breaks words at these: what follows belongs to what was before.
      : | =) i=$((i + 1)) ;;
      ${withValues()
        .map(({ flag }) => `--${flag}`)
        .join(' | ')}) i=$((i + 1)) ;;
      -?*) ;;
      *) if [ -z "$command" ]; then command=\${COMP_WORDS[i]}; else count=$((count + 1)); fi ;;
    esac
  done
  case $prev in
    ${patternFor('name')}) _milena_names "$1" "$cur"; return ;;
    ${patternFor('theme')}) COMPREPLY=($(compgen -W '${THEME_WORDS}' -- "$cur")); return ;;
    ${patternFor('file')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${patternFor('folder')}) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    ${patternFor('none')}|:|=) return ;;
  esac
  if [[ $cur == -* ]]; then
    options=${lines(COMMON)}
    case $command in
${COMMAND_NAMES.filter((name) => optionsOf(name).length > 0)
  .map((name) => `      ${name}) options=$options$'\\n'${lines(optionsOf(name))} ;;`)
  .join('\n')}
    esac
    _milena_explained "$options" "$cur"
    return
  fi
  case $command,$count in
    ,*) _milena_explained ${commandLines()} "$cur" ;;
    ${offering('name')},0|status,*) _milena_names "$1" "$cur" ;;
    ${offering('shell')},0) COMPREPLY=($(compgen -W '${SHELLS}' -- "$cur")) ;;
    ${offering('action')},0) COMPREPLY=($(compgen -W '${ROOM_ACTIONS.join(' ')}' -- "$cur")) ;;
    ${offering('command')},0) COMPREPLY=($(compgen -W '${COMMAND_NAMES.join(' ')}' -- "$cur")) ;;
  esac
}
complete -F _milena milena
`;
}

/** Each with what it does, as one word of the shell. */
function lines(options: readonly OptionWords[]): string {
  return quoted(options.map(({ flag, about }) => `--${flag}\t${about}`));
}

function commandLines(): string {
  return quoted(COMMAND_NAMES.map((name) => `${name}\t${entryOf(name).summary}`));
}

function quoted(words: readonly string[]): string {
  return `'${words.join('\n').replaceAll("'", "'\\''")}'`;
}

/** The commands that offer this for their first argument. */
function offering(what: CommandEntry['offers']): string {
  return COMMAND_NAMES.filter((name) => entryOf(name).offers === what).join(',0|');
}
