#!/usr/bin/env bash
# Stops all that was started of Milena from this checkout: clients (chats and commands, whether by ./start_client.sh or by
# ./milena), tools, frontends, Kafka, the brokers of a cluster. Nothing else on the machine.
#
#   ./stop_everything.sh [--wipe [--yes]]
#
# Data is kept: accounts and messages are there again after the next start.
#   --wipe   also deletes the data of the Kafka that was started here: all accounts and messages. Asks first. Keys, logs,
#            people's local histories, and what is in a Kafka named in MILENA_KAFKA_BROKERS stay. Only what these scripts
#            have made is deleted: a folder has their mark in it (.milena-data).
#   --yes    does not ask: for use without a terminal
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"
. "$ROOT/scripts/kafka-docker.sh"
. "$ROOT/scripts/cluster-brokers.sh"

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

if [ -n "$wipe" ]; then need_deletable kafka; fi
if [ -n "$wipe" ] && [ -z "$sure" ]; then
  if [ -n "$KAFKA_IS_GIVEN" ]; then say "The Kafka at $MILENA_KAFKA_BROKERS was not started here: nothing in it will be deleted."; fi
  confirm "This deletes all accounts and messages of $STATE for good." "$(as_here './stop_everything.sh --wipe --yes')"
fi

whose=Milena
[ "$STATE" = "$ROOT/.milena" ] || whose=$STATE

# Not while another script is starting it.
lock kafka
[ ! -d "$CLUSTER" ] || lock cluster
stopped=''
# Clients first, so that they can log out; frontends next, so that they can commit; Kafka last.
for kind in client tool frontend; do
  while read -r pid address; do
    end_process "$pid" "$(marker_of "$kind" "$pid")" 25
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

stop_nodes

# Which kinds have run here, and so may have data
kinds=''
if [ -f "$STATE/kafka/kind" ]; then kinds=$(cut -d ' ' -f 1 "$STATE/kafka/kind"); fi
had_data=''
if [ -d "$KAFKA_HOME/data" ]; then had_data=yes; fi
docker_silent=''
if docker_usable; then
  if docker_left; then
    docker_stop >/dev/null 2>&1 || die 1 "Docker Compose could not stop project $COMPOSE_PROJECT:" \
      "  docker compose -p $COMPOSE_PROJECT -f $ROOT/docker-compose.yml down"
    say "Stopped Kafka's container (project $COMPOSE_PROJECT)."
    stopped=yes
  fi
  if [ -n "$wipe" ] && docker_has_data; then
    compose down --volumes --remove-orphans >/dev/null 2>&1 ||
      die 1 "Docker Compose could not delete the data of project $COMPOSE_PROJECT; nothing was deleted." \
        "  docker compose -p $COMPOSE_PROJECT -f $ROOT/docker-compose.yml down --volumes"
    had_data=yes
  fi
else
  case $kinds in *docker*) docker_silent=yes ;; esac
fi

if [ -n "$wipe" ]; then
  delete_data kafka || true
  if [ -n "$had_data" ]; then
    say "Deleted the data of the Kafka that was started here: all its accounts and messages."
  else
    say 'There was no data here to delete: no Kafka has run from this folder.'
  fi
  if [ -n "$docker_silent" ]; then
    # It stays remembered, for the next start and the next --wipe.
    data_folder kafka
    echo "docker $MILENA_KAFKA_PORT" >"$STATE/kafka/kind"
  fi
  if [ -n "$KAFKA_IS_GIVEN" ]; then
    say "Not deleted: what is in the Kafka at $MILENA_KAFKA_BROKERS ($KAFKA_GIVEN_BY), which was not started here."
  fi
  if [ -d "$CLUSTER" ]; then say "Not deleted: the cluster's data. That is done by  scripts/cluster.sh stop --wipe"; fi
elif [ -n "$stopped" ] && [ -z "$docker_silent" ]; then
  say "Nothing of $whose is running any more. The data is kept (--wipe deletes it)."
elif [ -z "$docker_silent" ]; then
  say "Nothing of $whose was running."
fi
if [ -n "$docker_silent" ]; then
  warn "Kafka was started with Docker, which does not answer now: start Docker and run this again to remove the container${wipe:+ and the data, which is not deleted}."
  says=$(docker_says)
  [ -z "$says" ] || warn "$says"
  exit "$EX_UNAVAILABLE"
fi
say "Start again:  $(as_here ./start_everything.sh MILENA_KAFKA_BROKERS MILENA_HOST MILENA_PORT)"
