# shellcheck shell=bash
# Written for bash 3.2 (macOS) and later, as scripts/common.sh is.

# load_env_file FILE: its KEY=VALUE lines become environment variables; the real environment wins. Read, never executed:
# only MILENA_ names count, and quotes around a value are taken off; one of several lines is refused. ENV_FILE_NAMES has
# those that came from there. As Windows writes it is good, too: with a mark at its beginning (BOM), and CR before each
# line's end.
load_env_file() {
  local file=$1 line name value number=0
  [ -e "$file" ] || [ -L "$file" ] || return 0
  if [ ! -f "$file" ] || [ ! -r "$file" ]; then
    printf '%s\n' "$file cannot be read: it must be a text file of yours with lines NAME=value. Mend it, or move it away." >&2
    exit 64
  fi
  # NUL bytes: UTF-16, where every setting would be passed over without a word.
  if [ "$(LC_ALL=C tr -d '\0' <"$file" | wc -c)" -ne "$(wc -c <"$file")" ]; then
    printf '%s\n' "$file is not UTF-8 text. Save it as UTF-8, with lines such as MILENA_PORT=8080." >&2
    exit 64
  fi
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#$'\xef\xbb\xbf'}
    line=${line%$'\r'}
    number=$((number + 1))
    if [[ ! $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_.]*)[[:space:]]*=[[:space:]]*(.*)$ ]]; then
      [[ $line =~ ^[[:space:]]*(#|$) ]] ||
        env_file_says "$file, line $number is not NAME=value, and is passed over: write, for example, MILENA_PORT=8080."
      continue
    fi
    name=${BASH_REMATCH[2]}
    value=${BASH_REMATCH[3]}
    # As src/config/env-file.ts does.
    case $value in
      \"*\"* | \'*\'* | \`*\`*) ;;
      [\"\'\`]*)
        printf '%s\n' "$file, line $number: a quoted value must end on the line where it begins." >&2
        exit 64
        ;;
    esac
    [[ $name =~ ^MILENA_[A-Z0-9_]+$ ]] || continue
    # Spaces at the end go, also those after a quote.
    value=${value%"${value##*[![:space:]]}"}
    case $value in
      \"*) value=${value#\"} value=${value%%\"*} ;;
      \'*) value=${value#\'} value=${value%%\'*} ;;
      \`*) value=${value#\`} value=${value%%\`*} ;;
      # Without quotes a comment may follow.
      *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
    esac
    [ -z "${!name+set}" ] || continue
    case $value in
      '~' | '~/'*) env_file_says "$file, line $number: ~ is not your home there. Write the whole path:  $name=${HOME:-/home/you}${value#\~}" ;;
    esac
    export "$name=$value"
    ENV_FILE_NAMES="${ENV_FILE_NAMES:-} $name "
  done <"$file"
  # Scripts call each other: it is said once.
  export ENV_FILE_SAID=yes
}
env_file_says() { [ -n "${ENV_FILE_SAID:-}" ] || printf '%s\n' "$1" >&2; }
