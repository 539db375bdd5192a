#!/usr/bin/env bash
# Puts one test message on the topic `test`, which  ./spawn_consumer.sh test  in another terminal then shows.
#
#   ./test_producer.sh
#
# Exit 0 only if Kafka acknowledged it.
#   MILENA_KAFKA_BROKERS   the Kafka (that of ./start_kafka.sh)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"

case ${1:-} in
  '') ;;
  *) wrong_usage "test_producer.sh takes no argument: $1" ;;
esac
ensure_build
run_tool tool "$ROOT/dist/tools/test-producer.js"
