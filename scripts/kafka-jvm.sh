# shellcheck shell=bash
# Sourced by start_kafka.sh, stop_everything.sh and others: the broker as a JVM process. Needs common.sh.

KAFKA_HOME=$STATE/kafka
# An argument of the JVM that says whose broker it is: two checkouts, or two state folders, never mistake each other's.
KAFKA_MARKER=-Dmilena.state=$STATE
need_files "$KAFKA_HOME"/{kind,kind.new,pid,pid.new,keeper,server.properties,format.properties,log4j2.properties} \
  "$STATE"/logs/{kafka,kafka-console,kafka-format}.log

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

# find_jars: sets class_path. The first time Maven is asked, which takes a while and can be interrupted.
find_jars() {
  interruptible "$ROOT/scripts/kafka-classpath.sh" >/dev/null || exit
  class_path=$("$ROOT/scripts/kafka-classpath.sh")
}

# Two processes: the JVM, and scripts/keep-running.sh, which starts it again when it dies. Either proves that Kafka runs.
jvm_pid() { cat "$KAFKA_HOME/pid" 2>/dev/null || true; }
keeper_pid() { cat "$KAFKA_HOME/keeper" 2>/dev/null || true; }
jvm_running() { is_ours "$(jvm_pid)" "$KAFKA_MARKER" || is_ours "$(keeper_pid)" "$KAFKA_MARKER"; }
jvm_has_data() { [ -f "$KAFKA_HOME/data/meta.properties" ]; }

# in_folder FOLDER COMMAND...
in_folder() { cd "$1" && shift && exec "$@"; }

# format_data FOLDER CLASS_PATH CLUSTER_ID LOG: prepares FOLDER/data for the broker whose settings are in FOLDER. It gets
# its name when it is whole.
format_data() {
  local folder=$1
  # Those of earlier versions were readable for everybody.
  if [ -d "$folder/data" ]; then chmod 700 "$folder/data"; fi
  [ ! -f "$folder/data/meta.properties" ] || return 0
  [ ! -e "$folder/data" ] || rmdir "$folder/data" 2>/dev/null ||
    die 1 "$folder/data has something in it that is not Kafka's: look at it, and move it away."
  rm -rf "${folder:?}/data.new"
  sed 's/^log\.dirs=.*/log.dirs=data.new/' "$folder/server.properties" >"$folder/format.properties"
  interruptible in_folder "$folder" "$(java_command)" -Xmx128m "${ONE_SHOT[@]}" "${LOGGING[@]}" -cp "$2" kafka.tools.StorageTool format \
    --cluster-id "$3" --config format.properties >"$4" 2>&1 || {
    tail -n 15 "$4" >&2
    die 1 "Kafka could not prepare its data folder $folder/data (see above)."
  }
  chmod 700 "$folder/data.new"
  mv "$folder/data.new" "$folder/data"
}

# For a JVM that ends at once: the quick compiler and the plain collector take half of the CPU.
ONE_SHOT=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto)

# A broker runs in its own folder and knows its paths from there: Kafka and log4j would read commas, blanks and letters
# beyond ASCII in a path as something else.
LOGGING=(-Dlog4j2.configurationFile=log4j2.properties)

# What the JVM takes in all is some 250 MB more than its heap.
jvm_start() {
  local class_path
  find_jars
  jvm_settings >"$KAFKA_HOME/server.properties"
  cp "$ROOT/kafka/log4j2.properties" "$KAFKA_HOME/"
  LOGGING+=(-Dmilena.kafka.log=../logs/kafka.log)
  format_data "$KAFKA_HOME" "$class_path" MilenaLocal00000000001 "$STATE/logs/kafka-format.log"
  rm -f "$KAFKA_HOME/pid"
  # With job control the process gets a group of its own: Ctrl+C in this terminal is not for it. The class path goes by
  # the environment, which keeps the command line short.
  set -m
  CLASSPATH=$class_path in_folder "$KAFKA_HOME" nohup bash "$ROOT/scripts/keep-running.sh" pid "$(java_command)" \
    "@$ROOT/kafka/jvm.options" "-Xmx$MILENA_KAFKA_HEAP" "$KAFKA_MARKER" "${LOGGING[@]}" kafka.Kafka server.properties \
    >"$STATE/logs/kafka-console.log" 2>&1 </dev/null &
  keeper=$!
  set +m
  echo "$keeper" >"$KAFKA_HOME/keeper"
  disown "$keeper" 2>/dev/null || true
  wait_for 10 test -s "$KAFKA_HOME/pid" || true
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
log.dirs=data
PROPERTIES
}

jvm_log_tail() { tail -n 20 "$STATE/logs/kafka-console.log" "$STATE/logs/kafka.log" >&2 2>/dev/null || true; }

# jvm_abort: for a broker that has not answered anybody yet.
jvm_abort() {
  if is_ours "$(keeper_pid)" "$KAFKA_MARKER"; then kill -KILL -- "-$(keeper_pid)" 2>/dev/null || true; fi
  jvm_stop 1
}

# jvm_stop [SECONDS]: an orderly end writes everything out and makes the next start quick; it may take a while with many
# inboxes.
jvm_stop() {
  local keeper
  keeper=$(keeper_pid)
  # Both at once: the keeper ends without a word, and starts nothing any more.
  if is_ours "$keeper" "$KAFKA_MARKER"; then
    kill -TERM -- "-$keeper" 2>/dev/null || true
    end_process "$keeper" "$KAFKA_MARKER" 5
  fi
  end_process "$(jvm_pid)" "$KAFKA_MARKER" "${1:-60}"
  rm -f "$KAFKA_HOME/pid" "$KAFKA_HOME/keeper"
}
