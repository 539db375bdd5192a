#!/usr/bin/env bash
# Shows what a filter and a template make of the newest records of a topic: a try, before somebody follows it.
#
#   scripts/preview.sh TOPIC [--where 'FILTER'] [--as 'TEMPLATE'] [--last COUNT] [--json]
#
#   --where 'FILTER'    which records are shown, in the Common Expression Language: --where 'value.level == "error"'
#   --as 'TEMPLATE'     as what, in Liquid: --as '{{ value.service }}: {{ value.message }}'
#   --last COUNT        so many of the newest records are looked at, of all partitions together (20; at most 1000)
#   --json              one JSON object a line, the counts in the last one
#
# Reads only, and leaves nothing behind: no group, no position. What a filter cannot judge is shown as it is, with the reason.
# docs/follow.md describes both languages.
#   MILENA_KAFKA_BROKERS   the Kafka (that of ./start_kafka.sh)
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/common.sh"

for argument in "$@"; do case $argument in -h | --help) usage; exit 0 ;; esac; done
[ $# -gt 0 ] || wrong_usage 'Which topic?'
ensure_build
run_tool tool "$ROOT/dist/tools/preview.js" "$@"
