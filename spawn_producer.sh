#!/usr/bin/env bash
# Writes lines to a Kafka topic: what is typed at the prompt, or what comes through a pipe. One line is one message.
#
#   ./spawn_producer.sh TOPIC [--key KEY]
#   echo 'the build is done' | ./spawn_producer.sh milena.inbox.alice --key build
#
#   --key KEY   the key of the messages; for an inbox, who they are from
#
# Ends at the end of its input (Ctrl+D). Exit 0 only if Kafka acknowledged every line; empty lines are left out.
# A missing topic is created, but never an inbox: that is made with the account.
#   MILENA_KAFKA_BROKERS   the Kafka (that of ./start_kafka.sh)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"

for argument in "$@"; do case $argument in -h | --help) usage; exit 0 ;; esac; done
[ $# -gt 0 ] || wrong_usage 'Which topic?'
ensure_build
run_tool tool "$ROOT/dist/tools/producer.js" "$@"
