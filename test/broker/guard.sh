#!/bin/sh
# Runs a broker on behalf of a test run and never lets it outlive that:  guard.sh LOG COMMAND...
# Standard input is a pipe held by the test process. A line on it is the name of a signal for the command; the pipe's
# end, whatever became of the test process (kill -9 included), kills the command.
# Standard output tells `pid N`, then `exited STATUS`. The command's own output goes to the file LOG.
set -u
log=$1
shift
exec 4<&0
"$@" </dev/null >>"$log" 2>&1 4<&- &
child=$!
trap 'kill -KILL "$child" 2>/dev/null' TERM INT HUP
echo "pid $child"
(
  while read -r signal <&4; do kill -s "$signal" "$child" 2>/dev/null; done
  kill -KILL "$child" 2>/dev/null
) >/dev/null 2>&1 &
reader=$!
wait "$child"
status=$?
kill "$reader" 2>/dev/null
echo "exited $status"
