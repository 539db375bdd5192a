#!/usr/bin/env bash
# Installs what is needed and runs type check, linter and every test, against a real Kafka of its own.
#
#   ./test_everything.sh [arguments of vitest, for example: test/protocol]
#
# The tests' Kafka runs on free ports with data of its own, in a container or as a Java process, and is removed
# afterwards; what runs of Milena on this machine is not touched.
#   MILENA_TEST_KAFKA_BROKERS   use this Kafka instead
#   MILENA_KAFKA=docker|jvm     one of the two, whatever is there
#   MILENA_TEST_SIZE=full       every round of races and random inputs, every program with every mistake, three brokers that
#                               are restarted or lose a log, Kafka's own tools and Java's producers
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"

for argument in "$@"; do case $argument in -h | --help) usage; exit 0 ;; esac; done

# The settings of the person's own Milena are not those of the tests.
for name in $(compgen -e | grep '^MILENA_' || true); do
  case $name in MILENA_TEST_* | MILENA_KAFKA | MILENA_KAFKA_IMAGE) ;; *) unset "$name" ;; esac
done

ensure_dependencies
cd "$ROOT"
# step NAME COMMAND...
step() {
  local name=$1 began=$SECONDS
  shift
  say "== $name"
  interruptible "$@" || die 1 "== $name failed"
  say "== $name: ok ($((SECONDS - began)) s)"
}
# Before the tests, whose brokers would otherwise each wait for the same download.
if [ -z "${MILENA_TEST_KAFKA_BROKERS:-}" ] && jvm_usable; then
  step 'jars of Kafka' "$ROOT/scripts/kafka-classpath.sh" >/dev/null
fi
step 'type check' npm run --silent typecheck
step 'linter' npm run --silent lint
ensure_build
step 'tests' npm run --silent test -- "$@"
say "All green after $SECONDS s."
