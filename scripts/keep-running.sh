#!/usr/bin/env bash
# Runs a program and starts it again when it dies:  keep-running.sh PID_FILE COMMAND...
# scripts/kafka-jvm.sh starts it, in a process group of its own, and ends the whole group.
# A program that was asked to end (SIGTERM, SIGINT) or ended in order stays ended. Pauses grow from one second to a minute, so
# that one that cannot run is tried seven times in the first two minutes, and once a minute afterwards.
set -uo pipefail
pid_file=$1
shift

pause=1
while :; do
  began=$SECONDS
  "$@" &
  echo "$!" >"$pid_file.new" && mv "$pid_file.new" "$pid_file"
  wait "$!"
  code=$?
  case $code in 0 | 130 | 143) exit "$code" ;; esac
  # It has run for a while: this is another trouble than the last one.
  if [ $((SECONDS - began)) -ge 600 ]; then pause=1; fi
  echo "$(date '+%Y-%m-%d %H:%M:%S') Kafka ended with code $code; it is started again in $pause s."
  sleep "$pause"
  pause=$((pause * 2 > 60 ? 60 : pause * 2))
done
