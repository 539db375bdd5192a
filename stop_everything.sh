#!/usr/bin/env bash
# Stops all that Milena started from this checkout: clients, tools, frontends, Kafka. Nothing else on the machine.
#
#   ./stop_everything.sh [--wipe [--yes]]
#
# Data is kept: accounts and messages are there again after the next start.
#   --wipe   also deletes Kafka's data: all accounts and messages. Asks first.
#   --yes    does not ask
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"
. "$ROOT/scripts/kafka-docker.sh"

wipe='' sure=''
while [ $# -gt 0 ]; do
  case $1 in
    --wipe) wipe=yes ;;
    --yes) sure=yes ;;
    -h | --help) usage; exit 0 ;;
    *) wrong_usage "unknown argument: $1" ;;
  esac
  shift
done
[ -z "$sure" ] || [ -n "$wipe" ] || wrong_usage '--yes belongs to --wipe'

if [ -n "$wipe" ] && [ -z "$sure" ]; then
  printf 'This deletes all accounts and messages of %s for good. Type yes to go on: ' "$STATE"
  read -r answer || answer=''
  [ "$answer" = yes ] || die 1 '' 'Nothing was stopped and nothing was deleted.'
fi

stopped=''
# Clients first, so that they can log out; frontends next, so that they can commit; Kafka last.
for kind in client tool frontend; do
  while read -r pid address; do
    { read -r marker; } <"$STATE/run/$kind.$pid"
    end_process "$pid" "$marker" 25
    rm -f "$STATE/run/$kind.$pid"
    say "Stopped the $kind${address:+ at $address} (process $pid)."
    stopped=yes
  done < <(live_processes "$kind")
done

if jvm_running; then
  pid=$(jvm_pid)
  say "Stopping Kafka (process $pid) ..."
  jvm_stop
  say 'Stopped Kafka.'
  stopped=yes
fi

kind=''
if [ -f "$STATE/kafka/kind" ]; then read -r kind _ <"$STATE/kafka/kind" || true; fi
if docker_usable; then
  if docker_left; then
    compose down --remove-orphans >/dev/null 2>&1 || die 1 "Docker Compose could not stop project $COMPOSE_PROJECT:" \
      "  docker compose -p $COMPOSE_PROJECT -f $ROOT/docker-compose.yml down"
    say "Stopped Kafka's container (project $COMPOSE_PROJECT)."
    stopped=yes
  fi
  [ -z "$wipe" ] || compose down --volumes --remove-orphans >/dev/null 2>&1
elif [ "$kind" = docker ]; then
  warn "Kafka was started with Docker, which does not answer now: start Docker and run this again to remove the container${wipe:+ and the data}."
  exit "$EX_UNAVAILABLE"
fi

if [ -n "$wipe" ]; then
  rm -rf "$STATE/kafka"
  say 'Deleted the data: all accounts and messages.'
elif [ -n "$stopped" ]; then
  say 'Nothing of Milena is running any more. The data is kept (--wipe deletes it).'
else
  say 'Nothing of Milena was running.'
fi
say 'Start again:  ./start_everything.sh'
