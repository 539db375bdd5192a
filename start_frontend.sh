#!/usr/bin/env bash
# Starts a frontend, which clients connect to, on 127.0.0.1:8080, in this terminal: Ctrl+C ends it.
#
#   ./start_frontend.sh [--background] [--storage memory]
#
#   --background   returns when it serves; its log goes to .milena/logs/. Does nothing when one runs there already.
#
#   --storage memory   needs no Kafka: accounts and messages are gone when the frontend ends. For a try.
#
#   MILENA_HOST, MILENA_PORT   where it listens. Any number of frontends may run, each on its own port. The client and the
#                              other scripts find the one that runs without them.
#   MILENA_KAFKA_BROKERS       the Kafka it uses (that of ./start_kafka.sh)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"
. "$ROOT/scripts/same-kafka.sh"

background=''
while [ $# -gt 0 ]; do
  case $1 in
    --background) background=yes ;;
    --storage) [ $# -ge 2 ] || wrong_usage '--storage needs a value: kafka or memory'; MILENA_STORAGE=$2; shift ;;
    --storage=*) MILENA_STORAGE=${1#*=} ;;
    -h | --help) usage; exit 0 ;;
    *) wrong_usage "unknown argument: $1" ;;
  esac
  shift
done

need_storage
in_memory='' as_now=''
if [ "${MILENA_STORAGE:-}" = memory ]; then in_memory=yes as_now=' --storage memory'; fi
MEMORY_ONLY='It keeps accounts and messages in memory: they are gone when it ends.'

address=$FRONTEND_ADDRESS
program=$ROOT/dist/bin/frontend.js
# For the other scripts, which then need not be told; empty where it is that of ./start_kafka.sh.
brokers=${KAFKA_IS_GIVEN:+$MILENA_KAFKA_BROKERS}
[ -z "$in_memory" ] || brokers=memory
client=$(client_here)
# One heap of malloc's for all threads: a third less memory, and what is free goes back to the system.
export MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-1}
# A small nursery for young objects: the default of 16 MiB takes more memory than it saves time; with 4 MiB too much
# grows old. And all begin there: what a message needs is garbage soon, but V8 learns from logins to put some of it among
# the old objects.
FRONTEND_NODE_FLAGS=(--max-semi-space-size=8 --no-allocation-site-pretenuring --expose-gc)

# served_or_gone PID
served_or_gone() { port_open "$FRONTEND_HOST" "$MILENA_PORT" || process_gone "$1" "$program"; }

# own_kafka_port: that of the Kafka that was started here
own_kafka_port() {
  local port
  port=$(sed -n '1s/^[a-z]* //p' "$STATE/kafka/kind" 2>/dev/null || true)
  echo "${port:-$MILENA_KAFKA_PORT}"
}

ensure_build
# Two that start one here at the same moment: the second waits, and finds it.
lock "frontend-$MILENA_PORT"
own=$(process_at frontend "$address")
if [ -n "$own" ]; then
  program=$(marker_of frontend "$own") # another checkout's, where two share a state folder
  # Another terminal may have started it a moment ago.
  wait_for 40 served_or_gone "$own" || die "$EX_UNAVAILABLE" "The frontend at $address runs (process $own) but does not answer."
  if ! process_gone "$own" "$program"; then
    theirs=$(sed -n 3p "$STATE/run/frontend.$own" 2>/dev/null || true)
    other=''
    if [ "$theirs" = memory ] || [ -n "$in_memory" ]; then
      if [ "$theirs" != memory ]; then other='in Kafka, and not in memory'; elif [ -z "$in_memory" ]; then other='in memory, and not in Kafka'; fi
      other=${other:+which keeps everything $other}
    elif ! same_kafka "${theirs:-127.0.0.1:$(own_kafka_port)}" "$MILENA_KAFKA_BROKERS"; then
      other="with another Kafka: ${theirs:-that of ./start_kafka.sh}, and not $(shown "$MILENA_KAFKA_BROKERS")"
    fi
    if [ -n "$other" ]; then
      die "$EX_CONFIG" "A frontend is already running at $address (process $own), $other." \
        "Another one beside it:  $(as_here "MILENA_PORT=$(port_beside "$MILENA_PORT") ./start_frontend.sh$as_now" MILENA_KAFKA_BROKERS)" \
        "Or end it first:        $(as_here ./stop_everything.sh)"
    fi
    say "A frontend is already running at $address (process $own)."
    if [ "$ROOT/dist/.built" -nt "$STATE/run/frontend.$own" ]; then
      say "It was started before the last build; $(as_here ./stop_everything.sh) and a new start bring the newer one."
    fi
    [ -n "$background" ] || say "Another one beside it:  $(as_here "MILENA_PORT=$(port_beside "$MILENA_PORT") ./start_frontend.sh$as_now" MILENA_KAFKA_BROKERS)"
    exit 0
  fi
  program=$ROOT/dist/bin/frontend.js
fi
if port_open "$FRONTEND_HOST" "$MILENA_PORT"; then
  die "$EX_UNAVAILABLE" "Port $MILENA_PORT is taken by another program, so the frontend cannot listen there. Choose another port:" \
    "  $(as_here "MILENA_PORT=$(port_beside "$MILENA_PORT") ./start_frontend.sh")      (or write it into .env, for all scripts)"
fi
[ -n "$in_memory" ] || need_kafka

if [ -z "$background" ]; then
  say "Starting the frontend at $address; Ctrl+C ends it. In another terminal:  $client"
  [ -z "$in_memory" ] || say "$MEMORY_ONLY"
  note_process frontend $$ "$program" "$address" "$brokers"
  unlock "frontend-$MILENA_PORT"
  exec node "${FRONTEND_NODE_FLAGS[@]}" "$program"
fi

log=$STATE/logs/frontend-$MILENA_PORT.log
need_files "$log"
# One old log is kept, so that they do not grow without end.
if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt 10000000 ]; then mv "$log" "$log.1"; fi

log_begin=0
[ ! -f "$log" ] || log_begin=$(wc -c <"$log")

# What a signal, or a failure, ends before it serves is taken back.
pid=''
undo_start() {
  [ -n "$pid" ] || return 0
  end_process "$pid" "$program" 5
  rm -f "$STATE/run/frontend.$pid"
}
at_end="$at_end undo_start"
set -m # a process group of its own: Ctrl+C in this terminal is not for it
nohup node "${FRONTEND_NODE_FLAGS[@]}" "$program" >>"$log" 2>&1 </dev/null &
pid=$!
set +m
note_process frontend "$pid" "$program" "$address" "$brokers"

# It may not be node yet: then its command is not ours yet, either.
served_or_ended() { port_open "$FRONTEND_HOST" "$MILENA_PORT" || ! kill -0 "$pid" 2>/dev/null; }
wait_for 40 served_or_ended || true
if ! is_ours "$pid" "$program" || ! port_open "$FRONTEND_HOST" "$MILENA_PORT"; then
  tail -c "+$((log_begin + 1))" "$log" | tail -n 10 >&2
  status=$EX_UNAVAILABLE
  if ! kill -0 "$pid" 2>/dev/null; then wait "$pid" || status=$?; fi
  # What it says of settings and Kafka, it says by its exit code, too.
  [ "$status" -eq "$EX_CONFIG" ] || status=$EX_UNAVAILABLE
  die "$status" "The frontend did not start (see above; whole log: $log)."
fi
disown "$pid" 2>/dev/null || true
started=$pid
pid=''
say "The frontend is running at $address (process $started, log: $log)."
[ -z "$in_memory" ] || say "$MEMORY_ONLY"
# What it has warned of so far would be read by nobody else. It serves all the same where this report fails.
tail -c "+$((log_begin + 1))" "$log" | node "$ROOT/dist/tools/log-warnings.js" "$(as_here './milena doctor --kafka' MILENA_KAFKA_BROKERS)" || true
say "Next:  $client      Stop it alone:  kill $started      Stop all:  $(as_here ./stop_everything.sh)"
