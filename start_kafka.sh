#!/usr/bin/env bash
# Starts Kafka for Milena on 127.0.0.1:9092 and waits until it answers. Does nothing when it runs already.
#
#   ./start_kafka.sh [--switch]
#
# With Docker and Compose it runs in a container, otherwise as a Java process (Java 17 or later, and Maven the first
# time). Its data is kept when it is stopped: ./stop_everything.sh. When it dies it is started again.
#
#   --switch   the two have their data apart: where one has some the other is not started, unless this says so
#
#   MILENA_KAFKA=docker|jvm   one of the two, whatever is there
#   MILENA_KAFKA_PORT         the port (that of the last start, or 9092); the other scripts find it by themselves
#   MILENA_KAFKA_IMAGE        the image for Docker (apache/kafka:4.3.1)
#   MILENA_KAFKA_HEAP         limit of the Java heap (768m)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"
. "$ROOT/scripts/kafka-docker.sh"

case ${MILENA_KAFKA:-} in
  '' | docker | jvm) ;;
  *) die "$EX_USAGE" "MILENA_KAFKA=$(shown "$MILENA_KAFKA") is neither docker nor jvm (Java's), for example MILENA_KAFKA=jvm" ;;
esac
switch=''
case ${1:-} in
  '') ;;
  --switch) switch=yes ;;
  *) wrong_usage "unknown argument: $1" ;;
esac
[ $# -le 1 ] || wrong_usage "unknown argument: $2"
[ -z "$switch" ] || [ -n "${MILENA_KAFKA:-}" ] || wrong_usage 'To which one? MILENA_KAFKA=docker or MILENA_KAFKA=jvm belongs to --switch.'

address=127.0.0.1:$MILENA_KAFKA_PORT
kind_file=$STATE/kafka/kind

name_of() { if [ "$1" = docker ]; then echo "Docker's"; else echo "Java's"; fi; }
has_data() { if [ "$1" = docker ]; then docker_has_data; else jvm_has_data; fi; }

need_docker() {
  local says
  docker_usable && return 0
  says=$(docker_says)
  die "$EX_UNAVAILABLE" "$1" ${says:+"$says"} \
    'Start Docker, or install it with its compose plugin: https://docs.docker.com/engine/install/' "${@:2}"
}
need_jvm() {
  jvm_usable || die "$EX_UNAVAILABLE" "$1" \
    '  Debian, Ubuntu:  sudo apt install openjdk-17-jre-headless maven' '  macOS:           brew install openjdk maven' "${@:2}"
}

# choose_kind: sets kind. What answered last is what has the accounts and messages, and is taken again.
choose_kind() {
  local says
  kind=${MILENA_KAFKA:-}
  case $kind in
    docker) need_docker 'MILENA_KAFKA=docker, but no Docker engine with Compose answers.' ;;
    jvm) need_jvm 'MILENA_KAFKA=jvm, but Java 17 or later and Maven are not both there. Install them:' ;;
    '')
      kind=$data_kind
      if [ "$kind" = docker ]; then
        need_docker 'The accounts and messages are in the Kafka that ran with Docker, and no Docker engine with Compose answers.' \
          'An empty Kafka beside it:  MILENA_KAFKA=jvm ./start_kafka.sh --switch'
      elif [ "$kind" = jvm ]; then
        need_jvm 'The accounts and messages are in the Kafka that ran with Java, and Java 17 or later and Maven are not both there:' \
          'An empty Kafka beside it:  MILENA_KAFKA=docker ./start_kafka.sh --switch'
      elif docker_usable; then
        kind=docker
      elif jvm_usable; then
        kind=jvm
      else
        says=$(docker_says)
        die "$EX_UNAVAILABLE" 'Kafka needs Docker, or Java 17 or later with Maven; this machine has neither. Install one of them:' \
          ${says:+"  $says"} \
          '  Docker with Compose:    https://docs.docker.com/engine/install/' \
          '  Java and Maven:         sudo apt install openjdk-17-jre-headless maven   (Debian, Ubuntu)' \
          '                          brew install openjdk maven                       (macOS)' \
          'or name a Kafka that runs elsewhere in MILENA_KAFKA_BROKERS=host:port (then this script is not needed).'
      fi
      ;;
  esac
  if [ -n "$data_kind" ] && [ "$kind" != "$data_kind" ] && [ -z "$switch" ]; then
    die "$EX_UNAVAILABLE" "The accounts and messages are in $(name_of "$data_kind") Kafka, which ran last; they are not in $(name_of "$kind")." \
      "That one again:                MILENA_KAFKA=$data_kind ./start_kafka.sh" \
      "The other one all the same:    MILENA_KAFKA=$kind ./start_kafka.sh --switch"
  fi
}

# write_kinds FIRST: both kinds' lines, that one's first: it is taken again. --wipe deletes the data of both.
write_kinds() {
  {
    sed -n "/^$1 /p" <<<"$kinds"
    sed "/^$1 /d; /^\$/d" <<<"$kinds"
  } >"$kind_file.new"
  mv "$kind_file.new" "$kind_file"
}

# already_running KIND NAME
already_running() {
  local port
  if [ -n "${MILENA_KAFKA:-}" ] && [ "$MILENA_KAFKA" != "$1" ]; then
    die "$EX_UNAVAILABLE" "$(name_of "$1") Kafka runs already ($2), and MILENA_KAFKA is $MILENA_KAFKA. The two have their data apart." \
      'Go on with the one that runs:  ./start_kafka.sh without MILENA_KAFKA (is it in .env?)' \
      "The other one in its place:    ./stop_everything.sh, then  MILENA_KAFKA=$MILENA_KAFKA ./start_kafka.sh --switch"
  fi
  port=$(sed -n "s/^$1 //p" <<<"$kinds")
  if [ "$port" != "$MILENA_KAFKA_PORT" ]; then
    die "$EX_UNAVAILABLE" "Kafka of this checkout runs already, on 127.0.0.1:$port ($2), and MILENA_KAFKA_PORT is $MILENA_KAFKA_PORT." \
      "Stop it first:  $(as_here ./stop_everything.sh)"
  fi
  ensure_build
  interruptible node "$ROOT/dist/tools/await-kafka.js" "$address" 60 ||
    die "$EX_UNAVAILABLE" "Kafka runs ($2) but does not answer at $address."
  write_kinds "$1"
  if [ "$1" = jvm ]; then set -- "$1" "Java process $(jvm_pid)"; fi # it may have died and come back meanwhile
  say "Kafka is already running ($2) at $address."
  exit 0
}

# What a signal, or a failure, ends before it has answered is taken back.
starting=''
undo_start() {
  case $starting in
    docker) docker_stop 5 >/dev/null 2>&1 ;;
    jvm) jvm_abort ;;
  esac
}
at_end="$at_end undo_start"

lock kafka
# `KIND PORT` of the last start of each, that which answered last first
kinds=''
if [ -f "$kind_file" ]; then
  kinds=$(<"$kind_file")
elif jvm_has_data; then
  kinds="jvm $MILENA_KAFKA_PORT"
fi
if jvm_running; then already_running jvm "Java process $(jvm_pid)"; fi
case $kinds in
  *docker*) if docker_running; then already_running docker "container of project $COMPOSE_PROJECT"; fi ;;
esac
# The one that answered last, of those that have data; one that was only tried comes after it
data_kind=''
for kind in $(cut -d ' ' -f 1 <<<"$kinds"); do
  if has_data "$kind"; then data_kind=$kind; break; fi
done
if [ "${kinds%% *}" = docker ] && [ "$data_kind" != docker ]; then
  warn "Docker's Kafka was started here last, and this engine has no data of it: there is no volume $DOCKER_VOLUME."
  warn 'Was it deleted, or is another engine in use (docker context ls)?'
fi

choose_kind
if port_open 127.0.0.1 "$MILENA_KAFKA_PORT"; then
  die "$EX_UNAVAILABLE" "Port $MILENA_KAFKA_PORT is taken by another program, so Kafka cannot start there. Choose another port:" \
    "  $(as_here "MILENA_KAFKA_PORT=$(port_beside "$MILENA_KAFKA_PORT") ./start_kafka.sh")      (or write it into .env, for all scripts)" \
    'If that program is a Kafka which Milena may use, name it instead: MILENA_KAFKA_BROKERS=127.0.0.1:'"$MILENA_KAFKA_PORT"
fi
ensure_build
data_folder kafka
kinds=$(sed "/^$kind /d" <<<"$kinds"; echo "$kind $MILENA_KAFKA_PORT")
# The other one's data is what people have until this one answers.
write_kinds "${data_kind:-$kind}"
starting=$kind
if [ "$kind" = docker ]; then
  say "Starting Kafka in a container, at $address: some seconds, on a busy machine up to a minute ..."
  docker_start
  interruptible node "$ROOT/dist/tools/await-kafka.js" "$address" 90 || {
    compose logs --tail 20 kafka >&2 || true
    die "$EX_UNAVAILABLE" "The container runs but Kafka does not answer at $address (see above)."
  }
  say "Kafka is running at $address (Docker Compose project $COMPOSE_PROJECT)."
else
  say "Starting Kafka as a Java process, at $address: some seconds, on a busy machine up to a minute ..."
  jvm_start
  # As long as the process lives, and not for ever.
  if ! interruptible node "$ROOT/dist/tools/await-kafka.js" "$address" 90 "$(jvm_pid)"; then
    jvm_log_tail
    die "$EX_UNAVAILABLE" "Kafka did not start (see above; whole log: $STATE/logs/kafka.log)."
  fi
  say "Kafka is running at $address (process $(jvm_pid), log: $STATE/logs/kafka.log)."
fi
write_kinds "$kind"
starting=''
say "Next:  $(as_here ./start_frontend.sh)      Stop it:  $(as_here ./stop_everything.sh)"
