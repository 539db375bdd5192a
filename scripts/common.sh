# shellcheck shell=bash
# Sourced by every script: messages, settings, ports, waiting; the rest is in the files that it sources in turn.
# Written for bash 3.2 (macOS) and later. Of the tools only `readlink -f` is newer than that: macOS has it since 12.3,
# and Node 24 needs 13.5.
set -euo pipefail
# `cd` would look for folders elsewhere, and print where it went.
unset CDPATH
# What is made here can be used by whoever made it, and changed by nobody else; otherwise as the person likes it.
umask u=rwx,go-w

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# Exit codes, from sysexits.h: wrong usage; something that is needed is not there; a setting does not fit.
EX_USAGE=64
EX_UNAVAILABLE=69
# shellcheck disable=SC2034  # used by the scripts
EX_CONFIG=78

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
# die CODE LINE...: the lines to standard error, then exit.
die() {
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# shown VALUE: what somebody gave, safe for a terminal
shown() { case $1 in *[[:cntrl:]]*) printf '%q' "$1" ;; *) printf '%s' "$1" ;; esac; }

# usage: the comment block at the head of the calling script, without its hashes.
usage() { sed -n -e '1d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$0"; }
# wrong_usage MESSAGE
wrong_usage() {
  warn "$1"
  warn ''
  usage >&2
  exit "$EX_USAGE"
}

# Whoever asks for help gets it whatever the settings are.
case ${1:-} in -h | --help) usage; exit 0 ;; esac

# --- settings ------------------------------------------------------------------------------------------------------

. "$ROOT/scripts/env-file.sh"
load_env_file "$ROOT/.env"

# in_root PATH: a relative one is meant from the project's folder, from wherever the script is called.
in_root() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$ROOT/$1" ;; esac; }

# Everything that is made while running lies here: data of the JVM broker, logs, pid files.
STATE=$(in_root "${MILENA_STATE_DIR:-.milena}")
. "$ROOT/scripts/state-folder.sh"
# Locks and the jars' list are the checkout's; one that is installed for everybody needs neither.
[ ! -w "$ROOT" ] || claim_folder "$ROOT/.milena"
claim_folder "$STATE"
STATE=$(cd "$STATE" && pwd -P)
inner_folder run
inner_folder logs
need_files "$STATE"/run/*
. "$ROOT/scripts/processes.sh"

# with_port HOST PORT: as one word; an IPv6 address in brackets
with_port() { case $1 in *:*) printf '[%s]:%s' "$1" "$2" ;; *) printf '%s:%s' "$1" "$2" ;; esac; }
# without_brackets HOST: they belong to an address with a port; the host alone has none.
without_brackets() { case $1 in \[*\]) set -- "${1#\[}" && printf '%s' "${1%\]}" ;; *) printf '%s' "$1" ;; esac; }
# reachable HOST: where a client on this machine reaches what listens there
reachable() {
  set -- "$(without_brackets "$1")"
  case $1 in 0.0.0.0) printf 127.0.0.1 ;; ::) printf ::1 ;; *) printf '%s' "$1" ;; esac
}

# A script that another one has called has the address from it, not from a person.
[ "${MILENA_KAFKA_BROKERS:-}" != "${MILENA_OWN_KAFKA:-}" ] || MILENA_KAFKA_BROKERS=''
KAFKA_GIVEN_BY=MILENA_KAFKA_BROKERS
# shellcheck disable=SC2034  # for start_client.sh
ADDRESS_IS_GIVEN=${MILENA_HOST:-}${MILENA_PORT:-}
. "$ROOT/scripts/chosen.sh"
take_chosen

# need_port NAME VALUE: is the setting a port?
need_port() {
  [[ $2 =~ ^[1-9][0-9]{0,4}$ ]] && [ "$2" -le 65535 ] && return 0
  die "$EX_USAGE" "$1=$(shown "$2") is not a port: give a number from 1 to 65535, for example $1=$3"
}
MILENA_KAFKA_PORT=${MILENA_KAFKA_PORT:-9092}
need_port MILENA_KAFKA_PORT "$MILENA_KAFKA_PORT" 9092
MILENA_PORT=${MILENA_PORT:-8080}
need_port MILENA_PORT "$MILENA_PORT" 8080
MILENA_HOST=$(without_brackets "${MILENA_HOST:-127.0.0.1}")
[[ $MILENA_HOST =~ ^[A-Za-z0-9._:%-]+$ ]] ||
  die "$EX_USAGE" "MILENA_HOST=$(shown "$MILENA_HOST") is neither a name nor an address, for example MILENA_HOST=127.0.0.1 or MILENA_HOST=::1"
# need_storage: is it a storage, where one is named? Then the frontend is to know it, too.
need_storage() {
  case ${MILENA_STORAGE:-} in
    '') ;;
    kafka | memory) export MILENA_STORAGE ;;
    *) die "$EX_USAGE" "MILENA_STORAGE=$(shown "$MILENA_STORAGE") is no storage: give kafka or memory, for example --storage memory" ;;
  esac
}
# need_heap NAME VALUE: is the setting a size as Java writes it?
need_heap() {
  [[ $2 =~ ^[1-9][0-9]{0,5}[kmgKMG]$ ]] || die "$EX_USAGE" "$1=$(shown "$2") is not a size: give a number with k, m or g, for example $1=768m"
}
MILENA_KAFKA_HEAP=${MILENA_KAFKA_HEAP:-768m}
need_heap MILENA_KAFKA_HEAP "$MILENA_KAFKA_HEAP"
# An address that somebody gave means a Kafka that is not ours to start or stop.
KAFKA_IS_GIVEN=${MILENA_KAFKA_BROKERS:+yes}
MILENA_OWN_KAFKA=127.0.0.1:$MILENA_KAFKA_PORT
if [ -n "$KAFKA_IS_GIVEN" ]; then MILENA_OWN_KAFKA=''; fi
MILENA_KAFKA_BROKERS=${MILENA_KAFKA_BROKERS:-$MILENA_OWN_KAFKA}
# One key for all frontends of this checkout, from whichever folder they are started.
MILENA_CLUSTER_KEY_FILE=$(in_root "${MILENA_CLUSTER_KEY_FILE:-$STATE/cluster.key}")
export MILENA_KAFKA_PORT MILENA_PORT MILENA_HOST MILENA_KAFKA_HEAP MILENA_KAFKA_BROKERS MILENA_OWN_KAFKA MILENA_CLUSTER_KEY_FILE

FRONTEND_HOST=$(reachable "$MILENA_HOST")
# shellcheck disable=SC2034
FRONTEND_ADDRESS=$(with_port "$FRONTEND_HOST" "$MILENA_PORT")

# as_here COMMAND [NAME...]: the command for a line that says what to do next, with those settings in front of it without
# which it would mean another Milena: the state folder, and the named ones. What is the default, or stands in .env, is not said.
as_here() {
  local command=$1 name value line=''
  shift
  for name in MILENA_STATE_DIR "$@"; do
    case "${ENV_FILE_NAMES:-}" in *" $name "*) continue ;; esac
    value=${!name:-}
    case $name in
      MILENA_STATE_DIR)
        value=$STATE
        [ "$STATE" != "$ROOT/.milena" ] || continue
        ;;
      MILENA_KAFKA_BROKERS) [ -n "$KAFKA_IS_GIVEN" ] || continue ;;
      MILENA_HOST) [ "$value" != 127.0.0.1 ] || continue ;;
      MILENA_PORT) [ "$value" != 8080 ] || continue ;;
      MILENA_KAFKA_PORT) [ "$value" != 9092 ] || continue ;;
      *) [ -n "$value" ] || continue ;;
    esac
    line="$line$name=$(printf '%q' "$value") "
  done
  printf '%s' "$line$command"
}

# client_here: how to open the client on the frontend at FRONTEND_ADDRESS
client_here() {
  if [ "$FRONTEND_ADDRESS" = 127.0.0.1:8080 ]; then as_here ./start_client.sh; else as_here "./start_client.sh --server $FRONTEND_ADDRESS"; fi
}

# --- ports and waiting ---------------------------------------------------------------------------------------------

# port_beside PORT: another one, to propose where that is taken
port_beside() { echo $(($1 < 65535 ? $1 + 1 : $1 - 1)); }

# port_open HOST PORT: does something accept connections there?
port_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# is_local HOST: answers a connection attempt at once, one way or the other
is_local() { case $1 in localhost | 127.* | ::1) return 0 ;; *) return 1 ;; esac; }

# wait_for SECONDS COMMAND...: until the command succeeds. Fails when the time is over.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# kafka_seems_up: false only where that is certain at once, so that a script can say what to start. Addresses on other
# machines are left to the programs, which wait for them with a limit.
kafka_seems_up() {
  local address host addresses
  IFS=, read -r -a addresses <<<"$MILENA_KAFKA_BROKERS"
  for address in "${addresses[@]}"; do
    host=${address%:*} host=${host#\[} host=${host%\]}
    is_local "$host" || return 0
    port_open "$host" "${address##*:}" && return 0
  done
  return 1
}
need_kafka() {
  kafka_seems_up && return 0
  if [ -n "$KAFKA_IS_GIVEN" ]; then
    die "$EX_UNAVAILABLE" "No Kafka answers at $(shown "$MILENA_KAFKA_BROKERS") ($KAFKA_GIVEN_BY)."
  fi
  die "$EX_UNAVAILABLE" "No Kafka answers at $MILENA_KAFKA_BROKERS. Start it with:  $(as_here ./start_kafka.sh MILENA_KAFKA_PORT)" \
    '(or name another one in MILENA_KAFKA_BROKERS)'
}

. "$ROOT/scripts/signals.sh"
. "$ROOT/scripts/packages.sh"
