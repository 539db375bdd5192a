#!/usr/bin/env bash
# Sets up and starts all of Milena on this machine: packages, Kafka, a frontend; then opens the client.
#
#   ./start_everything.sh [--demo] [--storage memory]
#
#   --demo             plays a short conversation of two accounts instead of opening the client. So it does without a terminal.
#   --storage memory   needs no Kafka, and starts none: accounts and messages are gone when the frontend ends. For a try.
#
# Needed: Node 20 or later with npm, and either Docker with Compose or Java 17 or later with Maven.
# With MILENA_KAFKA_BROKERS=host:port it uses that Kafka and starts none. Stop all: ./stop_everything.sh
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/quiet-terminal.sh"
. "${here%/*}/scripts/common.sh"
at_end="$at_end echo_again"

demo=''
while [ $# -gt 0 ]; do
  case $1 in
    --demo) demo=yes ;;
    --storage) [ $# -ge 2 ] || wrong_usage '--storage needs a value: kafka or memory'; MILENA_STORAGE=$2; shift ;;
    --storage=*) MILENA_STORAGE=${1#*=} ;;
    *) wrong_usage "unknown argument: $1" ;;
  esac
  shift
done
need_storage
if [ ! -t 0 ] || [ ! -t 1 ]; then demo=yes; fi

# part COMMAND...: what it says, as part of this script's words
part() { "$@" | sed -e '/^Next:/d' -e 's/^/   /'; }

say "1. Packages and build"
ensure_build
say "   ready ($SECONDS s)"
say "2. Kafka"
if [ "${MILENA_STORAGE:-}" = memory ]; then
  say '   none: the frontend keeps everything in memory'
elif [ -n "$KAFKA_IS_GIVEN" ]; then
  say "   given: $MILENA_KAFKA_BROKERS ($KAFKA_GIVEN_BY)"
else
  interruptible part "$ROOT/start_kafka.sh"
fi
say "3. Frontend"
interruptible part "$ROOT/start_frontend.sh" --background
say "   all up after $SECONDS s"

# It was meant for no conversation that the client may open.
drop_typed
if [ -z "$demo" ]; then exec "$ROOT/start_client.sh"; fi

say "4. A conversation"
status=0
interruptible node "$ROOT/dist/tools/demo.js" "$FRONTEND_ADDRESS" || status=$?
say ''
if [ "$status" -ne 0 ]; then
  die 1 "The demo failed. Logs: $STATE/logs/      Stop all:  $(as_here ./stop_everything.sh)"
fi
say "Done after $SECONDS s. What was started keeps running. Next:"
say "  $(client_here)            chat yourself; open it in two terminals"
say "  $(as_here ./stop_everything.sh)         stop all that was started here"
