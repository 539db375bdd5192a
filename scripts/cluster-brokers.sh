# shellcheck shell=bash
# Sourced by cluster.sh and stop_everything.sh: which brokers a cluster has, which of them run, and ending those. Needs
# common.sh.

CLUSTER=$STATE/cluster
need_files "$CLUSTER"/{nodes,nodes.new,frontends,in-sync,in-sync.log} \
  "$CLUSTER"/[1-9]/{pid,server.properties,format.properties,log4j2.properties,console.log,format.log,kafka.log}

# node_marker ID: the argument of a broker's JVM that says whose it is
node_marker() { echo "-Dmilena.cluster.node=$CLUSTER/$1"; }
node_pid() { cat "$CLUSTER/$1/pid" 2>/dev/null || true; }
node_runs() { is_ours "$(node_pid "$1")" "$(node_marker "$1")"; }
# node_ids: of all brokers that the cluster has
node_ids() { [ ! -f "$CLUSTER/nodes" ] || cut -d ' ' -f 1 "$CLUSTER/nodes"; }

# stop_nodes: sets stopped where there was one. All are asked at once: the last ones would wait for the others otherwise.
stop_nodes() {
  local id pid
  local ran=() # by number
  for id in $(node_ids); do
    node_runs "$id" || continue
    ran[$id]=$(node_pid "$id")
    kill -TERM "${ran[$id]}" 2>/dev/null || true
  done
  for id in $(node_ids); do
    pid=${ran[$id]:-}
    [ -n "$pid" ] || continue
    end_process "$pid" "$(node_marker "$id")" 30
    say "Stopped broker $id (process $pid)."
    # shellcheck disable=SC2034  # for who asks
    stopped=yes
  done
}
