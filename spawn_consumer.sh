#!/usr/bin/env bash
# Shows the messages of a Kafka topic, from the first one on, and follows it until Ctrl+C.
#
#   ./spawn_consumer.sh TOPIC [--key] [--headers] [--time] [--offset]
#
#   --key       each message's key in front of it
#   --headers   its headers after it
#   --time      when it was stored
#   --offset    its partition and offset
#
# One message is one line; control characters are shown as escapes (\n, \x1b). A missing topic is created, but never
# an inbox: a person's inbox is the topic milena.inbox.NAME and is made with the account. Reading an inbox like this
# takes nothing out of it. Messages may be packed with gzip, snappy, lz4 or zstd; a batch that unpacks to more than 4 MiB is
# left out, which is said on standard error.
#   MILENA_KAFKA_BROKERS   the Kafka (that of ./start_kafka.sh)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"

for argument in "$@"; do case $argument in -h | --help) usage; exit 0 ;; esac; done
[ $# -gt 0 ] || wrong_usage 'Which topic?'
ensure_build
run_tool tool "$ROOT/dist/tools/consumer.js" "$@"
