#!/usr/bin/env bash
# Starts Kafka for Milena on 127.0.0.1:9092 and waits until it answers. Does nothing when it runs already.
#
#   ./start_kafka.sh
#
# With Docker and Compose it runs in a container, otherwise as a Java process (Java 17 or later, and Maven the first
# time). Its data is kept when it is stopped: ./stop_everything.sh
#
#   MILENA_KAFKA=docker|jvm   one of the two, whatever is there
#   MILENA_KAFKA_PORT         the port (9092)
#   MILENA_KAFKA_IMAGE        the image for Docker (apache/kafka:4.3.1)
#   MILENA_KAFKA_HEAP         limit of the Java heap (768m)
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"
. "$ROOT/scripts/kafka-docker.sh"

case ${1:-} in
  '') ;;
  -h | --help) usage; exit 0 ;;
  *) wrong_usage "start_kafka.sh takes no argument: $1" ;;
esac

address=127.0.0.1:$MILENA_KAFKA_PORT
kind_file=$STATE/kafka/kind

# kind_and_port of the last start, so that data made with one kind is not missed because the other one is there today
last_kind='' last_port=''
if [ -f "$kind_file" ]; then read -r last_kind last_port <"$kind_file" || true; fi

choose_kind() {
  case ${MILENA_KAFKA:-} in
    docker)
      docker_usable || die "$EX_UNAVAILABLE" 'MILENA_KAFKA=docker, but no Docker engine with Compose answers.' \
        'Start Docker, or install it with its compose plugin: https://docs.docker.com/engine/install/'
      echo docker
      ;;
    jvm)
      jvm_usable || die "$EX_UNAVAILABLE" 'MILENA_KAFKA=jvm, but Java 17 or later and Maven are not both there. Install them:' \
        '  Debian, Ubuntu:  sudo apt install openjdk-17-jre-headless maven' '  macOS:           brew install openjdk maven'
      echo jvm
      ;;
    '')
      if [ "$last_kind" = jvm ] && jvm_usable; then
        echo jvm
      elif docker_usable; then
        echo docker
      elif jvm_usable; then
        echo jvm
      else
        die "$EX_UNAVAILABLE" 'Kafka needs Docker, or Java 17 or later with Maven; this machine has neither. Install one of them:' \
          '  Docker with Compose:    https://docs.docker.com/engine/install/' \
          '  Java and Maven:         sudo apt install openjdk-17-jre-headless maven   (Debian, Ubuntu)' \
          '                          brew install openjdk maven                       (macOS)' \
          'or name a Kafka that runs elsewhere in MILENA_KAFKA_BROKERS=host:port (then this script is not needed).'
      fi
      ;;
    *) die "$EX_USAGE" "MILENA_KAFKA=$MILENA_KAFKA is neither docker nor jvm." ;;
  esac
}

already_running() {
  if [ "$last_port" != "$MILENA_KAFKA_PORT" ]; then
    die "$EX_UNAVAILABLE" "Kafka of this checkout runs already, on 127.0.0.1:$last_port ($1), and MILENA_KAFKA_PORT is $MILENA_KAFKA_PORT." \
      'Stop it first:  ./stop_everything.sh'
  fi
  ensure_build
  node "$ROOT/dist/tools/await-kafka.js" "$address" 60 || die "$EX_UNAVAILABLE" "Kafka runs ($1) but does not answer at $address."
  say "Kafka is already running ($1) at $address."
  exit 0
}

lock kafka
trap 'unlock kafka' EXIT
if jvm_running; then already_running "Java process $(jvm_pid)"; fi
if [ "$last_kind" = docker ] && docker_running; then already_running "container of project $COMPOSE_PROJECT"; fi

kind=$(choose_kind)
if port_open 127.0.0.1 "$MILENA_KAFKA_PORT"; then
  die "$EX_UNAVAILABLE" "Port $MILENA_KAFKA_PORT is taken by another program, so Kafka cannot start there. Choose another port:" \
    '  MILENA_KAFKA_PORT=19092 ./start_kafka.sh      (or write it into .env, for all scripts)' \
    'If that program is a Kafka which Milena may use, name it instead: MILENA_KAFKA_BROKERS=127.0.0.1:'"$MILENA_KAFKA_PORT"
fi
ensure_build
mkdir -p "$STATE/kafka"
echo "$kind $MILENA_KAFKA_PORT" >"$kind_file"
if [ "$kind" = docker ]; then
  say "Starting Kafka in a container, at $address ..."
  docker_start
  node "$ROOT/dist/tools/await-kafka.js" "$address" 60 ||
    die "$EX_UNAVAILABLE" "The container runs but Kafka does not answer at $address."
  say "Kafka is running at $address (Docker Compose project $COMPOSE_PROJECT)."
else
  say "Starting Kafka as a Java process, at $address ..."
  jvm_start
  # As long as the process lives, and not for ever.
  if ! node "$ROOT/dist/tools/await-kafka.js" "$address" 90 "$(jvm_pid)"; then
    jvm_log_tail
    jvm_stop
    die "$EX_UNAVAILABLE" "Kafka did not start (see above; whole log: $STATE/logs/kafka.log)."
  fi
  say "Kafka is running at $address (process $(jvm_pid), log: $STATE/logs/kafka.log)."
fi
say 'Next:  ./start_frontend.sh      Stop it:  ./stop_everything.sh'
