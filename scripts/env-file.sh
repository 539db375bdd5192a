# shellcheck shell=bash
# Written for bash 3.2 (macOS) and later, as scripts/common.sh is.

# load_env_file FILE: its KEY=VALUE lines become environment variables; the real environment wins. Read, never executed:
# only MILENA_ names count, and quotes around a value are taken off. As Windows writes it is good, too: with a mark at its
# beginning (BOM), and CR before each line's end.
load_env_file() {
  local file=$1 line name value
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
    [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?(MILENA_[A-Z0-9_]+)[[:space:]]*=[[:space:]]*(.*)$ ]] || continue
    name=${BASH_REMATCH[2]}
    value=${BASH_REMATCH[3]}
    # Spaces at the end go, also those after a quote.
    value=${value%"${value##*[![:space:]]}"}
    case $value in
      \"*) value=${value#\"} value=${value%%\"*} ;;
      \'*) value=${value#\'} value=${value%%\'*} ;;
      # Without quotes a comment may follow.
      *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
    esac
    [ -n "${!name+set}" ] || export "$name=$value"
  done <"$file"
}
