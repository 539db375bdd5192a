# shellcheck shell=bash
# Sourced by every script at the top level: settings, messages, Node, dependencies, build, ports, waiting.
# Written for bash 3.2 (macOS) and later; nothing here needs GNU tools.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# Exit codes, from sysexits.h: wrong usage; something that is needed is not there.
EX_USAGE=64
EX_UNAVAILABLE=69

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
# die CODE LINE...: the lines to standard error, then exit.
die() {
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# usage: the comment block at the head of the calling script, without its hashes.
usage() { sed -n -e '1d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$0"; }
# wrong_usage MESSAGE
wrong_usage() {
  warn "$1"
  warn ''
  usage >&2
  exit "$EX_USAGE"
}

# --- settings ------------------------------------------------------------------------------------------------------

. "$ROOT/scripts/env-file.sh"
load_env_file "$ROOT/.env"

# Everything that is made while running lies here: data of the JVM broker, logs, pid files.
STATE=${MILENA_STATE_DIR:-$ROOT/.milena}
mkdir -p "$STATE/run" "$STATE/logs" "$ROOT/.milena"
STATE=$(cd "$STATE" && pwd -P)

# need_port NAME VALUE: is the setting a port?
need_port() {
  [[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$2" -ge 1 ] && [ "$2" -le 65535 ] && return 0
  die "$EX_USAGE" "$1=$2 is not a port: give a number from 1 to 65535, for example $1=$3"
}
MILENA_KAFKA_PORT=${MILENA_KAFKA_PORT:-9092}
need_port MILENA_KAFKA_PORT "$MILENA_KAFKA_PORT" 9092
MILENA_PORT=${MILENA_PORT:-8080}
need_port MILENA_PORT "$MILENA_PORT" 8080
MILENA_HOST=${MILENA_HOST:-127.0.0.1}
# An address that somebody gave means a Kafka that is not ours to start or stop.
KAFKA_IS_GIVEN=${MILENA_KAFKA_BROKERS:+yes}
MILENA_KAFKA_BROKERS=${MILENA_KAFKA_BROKERS:-127.0.0.1:$MILENA_KAFKA_PORT}
# One key for all frontends of this checkout, from whichever folder they are started.
MILENA_CLUSTER_KEY_FILE=${MILENA_CLUSTER_KEY_FILE:-$STATE/cluster.key}
export MILENA_KAFKA_PORT MILENA_PORT MILENA_HOST MILENA_KAFKA_BROKERS MILENA_CLUSTER_KEY_FILE

# Where a client on this machine reaches the frontend.
# shellcheck disable=SC2034  # used by the scripts
case $MILENA_HOST in
  0.0.0.0 | :: | '[::]') FRONTEND_HOST=127.0.0.1 ;;
  *) FRONTEND_HOST=$MILENA_HOST ;;
esac

# --- ports and waiting ---------------------------------------------------------------------------------------------

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
  local address IFS=,
  for address in $MILENA_KAFKA_BROKERS; do
    is_local "${address%:*}" || return 0
    port_open "${address%:*}" "${address##*:}" && return 0
  done
  return 1
}
need_kafka() {
  kafka_seems_up && return 0
  if [ -n "$KAFKA_IS_GIVEN" ]; then
    die "$EX_UNAVAILABLE" "No Kafka answers at $MILENA_KAFKA_BROKERS, the address in MILENA_KAFKA_BROKERS."
  fi
  die "$EX_UNAVAILABLE" "No Kafka answers at $MILENA_KAFKA_BROKERS. Start it with:  ./start_kafka.sh" \
    '(or name another one in MILENA_KAFKA_BROKERS)'
}

# --- one at a time -------------------------------------------------------------------------------------------------

# lock NAME / unlock NAME: between scripts of this checkout, for what two terminals must not do at once.
lock() {
  local folder=$ROOT/.milena/lock.$1 told='' owner tries=0
  until mkdir "$folder" 2>/dev/null; do
    owner=$(cat "$folder/pid" 2>/dev/null || true)
    tries=$((tries + 1))
    # Its owner died: later, or (ten looks without a name in it) before it could write its name.
    if { [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; } || { [ -z "$owner" ] && [ "$tries" -gt 10 ]; }; then
      rm -rf "$folder"
      continue
    fi
    [ -n "$told" ] || warn "Waiting for another Milena script (process ${owner:-?}) to finish the same step ..."
    told=yes
    sleep 0.3
  done
  echo $$ >"$folder/pid"
}
unlock() { rm -rf "$ROOT/.milena/lock.$1"; }

# --- Node, dependencies, build -------------------------------------------------------------------------------------

# The packages bring the Node they need; only installing them takes the machine's own.
node_path() {
  PATH=$ROOT/node_modules/.bin:$PATH
  export PATH
  # kafkajs computes time-outs that Node 24 finds negative; harmless, and nothing a person can do about.
  export NODE_OPTIONS="${NODE_OPTIONS:-} --disable-warning=TimeoutNegativeWarning"
}

dependencies_current() {
  local installed=$ROOT/node_modules/.package-lock.json
  [ -x "$ROOT/node_modules/.bin/node" ] && [ -f "$installed" ] || return 1
  [ "$(cat "$ROOT/node_modules/.milena-lock" 2>/dev/null)" = "$(cksum <"$ROOT/package-lock.json")" ] ||
    [ "$installed" -nt "$ROOT/package-lock.json" ]
}

ensure_dependencies() {
  if ! dependencies_current; then
    lock packages
    # Another script may have done it while this one waited.
    dependencies_current || install_dependencies
    unlock packages
  fi
  node_path
}

install_dependencies() {
  local version
  if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    unlock packages
    die "$EX_UNAVAILABLE" 'Milena needs Node 20 or later with npm. Install it from https://nodejs.org or with your' \
      'package manager (for example: apt install nodejs npm; brew install node), then run this again.'
  fi
  version=$(node -p 'process.versions.node')
  if [ "${version%%.*}" -lt 20 ]; then
    unlock packages
    die "$EX_UNAVAILABLE" "Milena needs Node 20 or later; this machine has $version. See https://nodejs.org"
  fi
  warn 'Installing the packages (npm ci) ...'
  if ! (cd "$ROOT" && npm ci --no-fund --no-audit --loglevel=error) >&2; then
    unlock packages
    die "$EX_UNAVAILABLE" 'npm could not install the packages (see above): is the network there?'
  fi
  cksum <"$ROOT/package-lock.json" >"$ROOT/node_modules/.milena-lock"
}

build_current() {
  local stamp=$ROOT/dist/.built
  [ -f "$stamp" ] &&
    [ -z "$(find "$ROOT/src" "$ROOT/tsconfig.json" "$ROOT/tsconfig.build.json" "$ROOT/package-lock.json" -newer "$stamp" -print)" ]
}

# ensure_build: compiles src/ to dist/ when a source is newer than the last build.
ensure_build() {
  ensure_dependencies
  build_current && return 0
  lock build
  if ! build_current; then
    warn 'Building ...'
    mkdir -p "$ROOT/dist"
    # The time of the stamp is the time before the build: what is saved meanwhile is built the next time.
    touch "$ROOT/dist/.building"
    if ! (cd "$ROOT" && npm run --silent build) >&2; then
      unlock build
      die 1 'The build failed (see above).'
    fi
    mv "$ROOT/dist/.building" "$ROOT/dist/.built"
  fi
  unlock build
}

# --- processes -----------------------------------------------------------------------------------------------------

# command_of PID: its command line, or nothing
command_of() {
  if [ -r "/proc/$1/cmdline" ]; then
    tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null || true
  else
    ps -ww -o command= -p "$1" 2>/dev/null || true
  fi
}

# is_ours PID MARKER: does that process live, with the marker as one of its arguments? A pid in a file proves nothing:
# after a restart of the machine another program may have the number.
is_ours() {
  [[ ${1:-} =~ ^[0-9]+$ ]] || return 1
  kill -0 "$1" 2>/dev/null || return 1
  case " $(command_of "$1") " in *" $2 "*) return 0 ;; *) return 1 ;; esac
}

# Every program that a script starts notes itself in $STATE/run/KIND.PID: marker, then the address it serves.
# note_process KIND PID MARKER [ADDRESS]
note_process() {
  live_processes "$1" >/dev/null # removes the notes of those that ended by themselves
  printf '%s\n%s\n' "$3" "${4:-}" >"$STATE/run/$1.$2"
}

# live_processes KIND: `PID ADDRESS` of each that runs; the notes of dead ones are removed.
live_processes() {
  local file pid marker address
  for file in "$STATE/run/$1".*; do
    [ -f "$file" ] || continue
    pid=${file##*.}
    { read -r marker && read -r address; } <"$file" || true
    if is_ours "$pid" "$marker"; then
      echo "$pid $address"
    else
      rm -f "$file"
    fi
  done
}

process_gone() { ! is_ours "$1" "$2"; }

# end_process PID MARKER SECONDS: asks it to end, then makes it.
end_process() {
  is_ours "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null || true
  if ! wait_for "$3" process_gone "$1" "$2"; then
    warn "Process $1 did not end within $3 seconds: killed."
    kill -KILL "$1" 2>/dev/null || true
    wait_for 10 process_gone "$1" "$2" || true
  fi
}

# run_tool KIND FILE ARGUMENT...: becomes one of our programs, noted so that stop_everything.sh finds it.
run_tool() {
  local kind=$1 file=$2
  shift 2
  note_process "$kind" $$ "$file"
  exec node "$file" "$@"
}
