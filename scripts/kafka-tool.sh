#!/usr/bin/env bash
# Runs one of Kafka's own command line tools against the Kafka that Milena uses, with Docker or with Java.
#
#   scripts/kafka-tool.sh TOOL [arguments of the tool, without --bootstrap-server]
#   scripts/kafka-tool.sh consumer-groups --describe --group milena.inbox.alice
#
# TOOL is one of: topics, groups, consumer-groups, console-consumer, console-producer, configs, get-offsets, acls,
# features, delete-records, reassign-partitions, leader-election, share-groups.
# A Kafka with TLS or passwords is described by the same settings as for frontends (MILENA_KAFKA_…).
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/common.sh"
. "$ROOT/scripts/kafka-jvm.sh"
. "$ROOT/scripts/kafka-docker.sh"

case ${1:-} in
  topics) class=org.apache.kafka.tools.TopicCommand ;;
  groups) class=org.apache.kafka.tools.GroupsCommand ;;
  consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
  console-consumer) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
  console-producer) class=org.apache.kafka.tools.ConsoleProducer ;;
  configs) class=kafka.admin.ConfigCommand ;;
  get-offsets) class=org.apache.kafka.tools.GetOffsetShell ;;
  acls) class=org.apache.kafka.tools.AclCommand ;;
  features) class=org.apache.kafka.tools.FeatureCommand ;;
  delete-records) class=org.apache.kafka.tools.DeleteRecordsCommand ;;
  reassign-partitions) class=org.apache.kafka.tools.reassign.ReassignPartitionsCommand ;;
  leader-election) class=org.apache.kafka.tools.LeaderElectionCommand ;;
  share-groups) class=org.apache.kafka.tools.consumer.group.ShareGroupCommand ;;
  '') wrong_usage 'Which tool?' ;;
  *) wrong_usage "unknown tool: $1" ;;
esac
tool=$1
shift

kind=''
if [ -f "$STATE/kafka/kind" ]; then read -r kind _ <"$STATE/kafka/kind" || true; fi
need_kafka
if [ -z "$KAFKA_IS_GIVEN" ] && [ "$kind" = docker ]; then
  terminal=-T
  if [ -t 0 ] && [ -t 1 ]; then terminal=-it; fi
  exec "${COMPOSE[@]}" exec "$terminal" kafka "/opt/kafka/bin/kafka-$tool.sh" --bootstrap-server kafka:19092 "$@"
fi
jvm_usable || die "$EX_UNAVAILABLE" "Kafka's tools need Java 17 or later with Maven here."
ensure_build
# Says in one sentence what is wrong with the settings or the Kafka, which the tools do in a hundred lines.
properties=$(node "$ROOT/dist/tools/client-properties.js") || exit
find_jars
# Through a pipe: there are passwords in it.
CLASSPATH=$class_path exec "$(java_command)" -Xmx256m "${ONE_SHOT[@]}" -Dlog4j2.level=ERROR "$class" \
  --bootstrap-server "$MILENA_KAFKA_BROKERS" --command-config <(printf '%s\n' "$properties") "$@"
