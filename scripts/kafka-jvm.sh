# shellcheck shell=bash
# Sourced by start_kafka.sh and stop_everything.sh: the broker as a JVM process. Needs common.sh.

KAFKA_HOME=$STATE/kafka
# An argument of the JVM that says whose broker it is: two checkouts, or two state folders, never mistake each other's.
KAFKA_MARKER=-Dmilena.state=$STATE

java_command() { if [ -n "${JAVA_HOME:-}" ]; then echo "$JAVA_HOME/bin/java"; else echo java; fi; }

# java_version: its major number, or nothing
java_version() {
  "$(java_command)" -version 2>&1 | sed -n -e 's/.*version "1\.\([0-9]*\).*/\1/p' -e 's/.*version "\([0-9]*\).*/\1/p' | head -n 1
}

# jvm_usable: Java 17 or later, and Maven or the jars that it fetched earlier
jvm_usable() {
  local version
  version=$(java_version 2>/dev/null || true)
  [ -n "$version" ] && [ "$version" -ge 17 ] || return 1
  command -v mvn >/dev/null 2>&1 || [ -f "$ROOT/.milena/kafka-classpath" ]
}

jvm_pid() { cat "$KAFKA_HOME/pid" 2>/dev/null || true; }
jvm_running() { is_ours "$(jvm_pid)" "$KAFKA_MARKER"; }

# What the JVM takes in all is some 250 MB more than its heap.
jvm_start() {
  local java class_path settings=$KAFKA_HOME/server.properties log=$STATE/logs/kafka.log pid
  java=$(java_command)
  class_path=$("$ROOT/scripts/kafka-classpath.sh")
  mkdir -p "$KAFKA_HOME/data"
  jvm_settings >"$settings"
  local logging=("-Dlog4j2.configurationFile=$ROOT/kafka/log4j2.properties" "-Dmilena.kafka.log=$log")
  if [ ! -f "$KAFKA_HOME/data/meta.properties" ]; then
    "$java" -Xmx128m "${logging[@]}" -cp "$class_path" kafka.tools.StorageTool format \
      --cluster-id MilenaLocal00000000001 --config "$settings" >"$STATE/logs/kafka-format.log" 2>&1 || {
      tail -n 15 "$STATE/logs/kafka-format.log" >&2
      die 1 "Kafka could not prepare its data folder $KAFKA_HOME/data (see above)."
    }
  fi
  # With job control the process gets a group of its own: Ctrl+C in this terminal is not for it. The class path goes by
  # the environment, which keeps the command line short.
  set -m
  CLASSPATH=$class_path nohup "$java" "@$ROOT/kafka/jvm.options" "-Xmx${MILENA_KAFKA_HEAP:-768m}" "$KAFKA_MARKER" \
    "${logging[@]}" kafka.Kafka "$settings" >"$STATE/logs/kafka-console.log" 2>&1 </dev/null &
  pid=$!
  set +m
  disown "$pid" 2>/dev/null || true
  echo "$pid" >"$KAFKA_HOME/pid"
}

jvm_settings() {
  local controller
  # The controller's port is nobody else's business: any free one, anew at each start.
  controller=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  cat "$ROOT/kafka/server.properties"
  cat <<PROPERTIES

# Added by scripts/kafka-jvm.sh
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$MILENA_KAFKA_PORT,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$MILENA_KAFKA_PORT
log.dirs=$KAFKA_HOME/data
PROPERTIES
}

jvm_log_tail() { tail -n 20 "$STATE/logs/kafka-console.log" "$STATE/logs/kafka.log" >&2 2>/dev/null || true; }

jvm_stop() {
  local pid
  pid=$(jvm_pid)
  # An orderly end writes everything out and makes the next start quick; it may take a while with many inboxes.
  end_process "$pid" "$KAFKA_MARKER" 60
  rm -f "$KAFKA_HOME/pid"
}
