#!/usr/bin/env bash
# Several Kafka brokers and frontends on this machine, to try out and to test what more of them bring.
#
#   scripts/cluster.sh start [--brokers 3] [--frontends 2]
#   scripts/cluster.sh status
#   scripts/cluster.sh stop [--wipe [--yes]]
#
# Brokers are Java processes (Java 17 or later, and Maven the first time); with three, everything is kept three times
# and any one may be killed. All listen on 127.0.0.1, on free ports that are chosen at the first start and kept.
#   --wipe   also deletes the cluster's data: all its accounts and messages. Asks first.
#   --yes    does not ask: for use without a terminal
# ./stop_everything.sh stops all of it, too.
#
#   MILENA_CLUSTER_HEAP   limit of the Java heap of each broker (512m)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"
. "$ROOT/scripts/cluster-brokers.sh"

MILENA_CLUSTER_HEAP=${MILENA_CLUSTER_HEAP:-512m}
need_heap MILENA_CLUSTER_HEAP "$MILENA_CLUSTER_HEAP"

free_ports() {
  node -e '
    const { createServer } = require("node:net");
    const servers = Array.from({ length: Number(process.argv[1]) }, () => createServer().listen(0, "127.0.0.1"));
    let left = servers.length;
    for (const server of servers) server.once("listening", () => {
      if (--left > 0) return;
      for (const one of servers) console.log(one.address().port);
      for (const one of servers) one.close();
    });' "$1"
}

node_port() { sed -n "s/^$1 \([0-9]*\) .*/\1/p" "$CLUSTER/nodes"; }
bootstrap() { sed -n 's/^[0-9]* \([0-9]*\) .*/127.0.0.1:\1/p' "$CLUSTER/nodes" | paste -s -d , -; }
frontend_ports() { [ ! -f "$CLUSTER/frontends" ] || cat "$CLUSTER/frontends"; }

# The number of brokers is fixed for the life of the data, as its copies are.
choose_nodes() {
  local count=$1 ports id
  [ ! -f "$CLUSTER/nodes" ] || return 0
  ports=($(free_ports $((2 * count))))
  for ((id = 1; id <= count; id++)); do
    echo "$id ${ports[id - 1]} ${ports[count + id - 1]}"
  done >"$CLUSTER/nodes.new"
  mv "$CLUSTER/nodes.new" "$CLUSTER/nodes"
}

node_settings() {
  local id=$1 port=$2 controller=$3 count copies in_sync voters
  count=$(node_ids | wc -l)
  copies=$((count < 3 ? count : 3))
  in_sync=$((count < 3 ? 1 : 2))
  voters=$(sed 's/^\([0-9]*\) [0-9]* \([0-9]*\)$/\1@127.0.0.1:\2/' "$CLUSTER/nodes" | paste -s -d , -)
  cat "$ROOT/kafka/server.properties"
  cat <<PROPERTIES

# Added by scripts/cluster.sh
node.id=$id
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
log.dirs=data
default.replication.factor=$copies
offsets.topic.replication.factor=$copies
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$in_sync
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$in_sync
PROPERTIES
}

start_node() {
  local id=$1 port=$2 controller=$3 class_path=$4 folder=$CLUSTER/$1 pid
  mkdir -p "$folder"
  node_settings "$id" "$port" "$controller" >"$folder/server.properties"
  cp "$ROOT/kafka/log4j2.properties" "$folder/"
  format_data "$folder" "$class_path" MilenaCluster000000001 "$folder/format.log"
  set -m # a process group of its own: Ctrl+C in this terminal is not for it
  CLASSPATH=$class_path in_folder "$folder" nohup "$(java_command)" "@$ROOT/kafka/jvm.options" "-Xmx$MILENA_CLUSTER_HEAP" \
    "$(node_marker "$id")" "${LOGGING[@]}" kafka.Kafka server.properties >"$folder/console.log" 2>&1 </dev/null &
  pid=$!
  set +m
  disown "$pid" 2>/dev/null || true
  echo "$pid" >"$folder/pid"
  started="$started $pid"
}

# What a signal, or a failure, ends before it is whole is taken back.
started='' started_frontends=''
undo_start() {
  local pid
  for pid in $started_frontends; do end_process "$pid" "$(marker_of frontend "$pid")" 1; done
  for pid in $started; do kill -KILL "$pid" 2>/dev/null; done
}
at_end="$at_end undo_start"

start() {
  local class_path id port controller count frontends=$2 copies
  jvm_usable || die "$EX_UNAVAILABLE" 'The brokers need Java 17 or later with Maven here. Install them:' \
    '  Debian, Ubuntu:  sudo apt install openjdk-17-jre-headless maven' '  macOS:           brew install openjdk maven'
  ensure_build
  data_folder cluster
  choose_nodes "$1"
  count=$(node_ids | wc -l)
  [ "$count" -eq "$1" ] || die "$EX_USAGE" "This cluster's data is that of $((count)) brokers." \
    "Start it with as many, or delete it first:  $(as_here 'scripts/cluster.sh stop --wipe')"
  find_jars
  LOGGING+=(-Dmilena.kafka.log=kafka.log)
  while read -r id port controller; do
    node_runs "$id" || start_node "$id" "$port" "$controller" "$class_path"
  done <"$CLUSTER/nodes"
  for id in $(node_ids); do
    if ! interruptible node "$ROOT/dist/tools/await-kafka.js" "127.0.0.1:$(node_port "$id")" 90 "$(node_pid "$id")"; then
      tail -n 20 "$CLUSTER/$id/console.log" >&2
      die "$EX_UNAVAILABLE" "Broker $id did not start (see above; whole log: $CLUSTER/$id/console.log)."
    fi
  done
  # Kafka keeps this in itself, not in the brokers' files: a lease or watermark must not roll back with a broker.
  if [ "$count" -ge 3 ] && [ ! -f "$CLUSTER/in-sync" ]; then
    CLASSPATH=$class_path interruptible "$(java_command)" -Xmx128m "${ONE_SHOT[@]}" -Dlog4j2.level=ERROR kafka.admin.ConfigCommand \
      --bootstrap-server "$(bootstrap)" --alter --entity-type brokers --entity-default \
      --add-config min.insync.replicas=2 >"$CLUSTER/in-sync.log" 2>&1 || {
      cat "$CLUSTER/in-sync.log" >&2
      die 1 'The cluster could not be told to keep two copies in step (see above).'
    }
    touch "$CLUSTER/in-sync"
  fi
  copies=$((count < 3 ? 1 : 3))
  while [ "$(frontend_ports | wc -l)" -lt "$frontends" ]; do free_ports 1 >>"$CLUSTER/frontends"; done
  for port in $(frontend_ports | head -n "$frontends"); do
    [ -z "$(process_at frontend "127.0.0.1:$port")" ] || continue
    MILENA_HOST=127.0.0.1 MILENA_PORT=$port MILENA_KAFKA_BROKERS=$(bootstrap) MILENA_REPLICATION_FACTOR=$copies \
      MILENA_CLUSTER_KEY_FILE=$CLUSTER/cluster.key interruptible "$ROOT/start_frontend.sh" --background >/dev/null
    started_frontends="$started_frontends $(process_at frontend "127.0.0.1:$port")"
  done
  started='' started_frontends=''
  status
}

status() {
  local id port pid
  for id in $(node_ids); do
    if node_runs "$id"; then
      say "broker $id 127.0.0.1:$(node_port "$id") process $(node_pid "$id")"
    else
      say "broker $id 127.0.0.1:$(node_port "$id") stopped"
    fi
  done
  for port in $(frontend_ports); do
    pid=$(process_at frontend "127.0.0.1:$port")
    if [ -n "$pid" ]; then say "frontend 127.0.0.1:$port process $pid"; else say "frontend 127.0.0.1:$port stopped"; fi
  done
  [ -n "$(node_ids)" ] || say "There is no cluster. Start one:  $(as_here 'scripts/cluster.sh start')"
}

stop() {
  local port pid
  # Frontends first, so that they can commit.
  for port in $(frontend_ports); do
    pid=$(process_at frontend "127.0.0.1:$port")
    [ -n "$pid" ] || continue
    end_process "$pid" "$(marker_of frontend "$pid")" 25
    rm -f "$STATE/run/frontend.$pid"
    say "Stopped the frontend at 127.0.0.1:$port (process $pid)."
  done
  stop_nodes
  [ -n "$1" ] || return 0
  if delete_data cluster; then say "Deleted the cluster's data."; else say 'There was no cluster to delete.'; fi
}

command=${1:-}
case $command in
  start | status | stop) shift ;;
  '') wrong_usage 'start, status or stop?' ;;
  *) wrong_usage "unknown command: $command" ;;
esac
brokers=3 frontends=2 wipe='' sure=''
while [ $# -gt 0 ]; do
  case $command$1 in
    start--brokers) brokers=${2:-}; shift ;;
    start--frontends) frontends=${2:-}; shift ;;
    stop--wipe) wipe=yes ;;
    stop--yes) sure=yes ;;
    *-h | *--help) usage; exit 0 ;;
    *) wrong_usage "unknown argument: $1" ;;
  esac
  shift
done
for number in "$brokers" "$frontends"; do
  [[ $number =~ ^[1-9]$ ]] || wrong_usage 'a number from 1 to 9, please'
done
[ -z "$sure" ] || [ -n "$wipe" ] || wrong_usage '--yes belongs to --wipe'
if [ -n "$wipe" ]; then
  need_deletable cluster
  if [ -z "$sure" ] && [ -d "$CLUSTER" ]; then
    confirm "This deletes all accounts and messages of the cluster in $CLUSTER for good." "$(as_here 'scripts/cluster.sh stop --wipe --yes')"
  fi
fi
[ "$command" = status ] || lock cluster
case $command in
  start) start "$brokers" "$frontends" ;;
  status) status ;;
  stop) stop "$wipe" ;;
esac
