# shellcheck shell=bash
# Written for bash 3.2 (macOS) and later, as scripts/common.sh is.

# load_env_file FILE: its KEY=VALUE lines become environment variables; the real environment wins. Read, never executed:
# only MILENA_ names count, and quotes around a value are taken off.
load_env_file() {
  local file=$1 line name value
  [ -f "$file" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
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
