#!/bin/sh
# Runs a broker on behalf of a test run and never lets it outlive that:  guard.sh DIRECTORY COMMAND...
# Standard input is a pipe held by the test process. A line on it is the name of a signal for the command. The pipe's
# end before the command's own end means that the test process is gone, however it went (kill -9 included): then the
# command is killed and the directory removed.
# Standard output tells `pid N`, then `exited STATUS`. The command's own output goes to DIRECTORY/console.log.
set -u
dir=$1
shift
exec 4<&0
"$@" </dev/null >>"$dir/console.log" 2>&1 4<&- &
child=$!
trap 'kill -KILL "$child" 2>/dev/null' TERM INT HUP
echo "pid $child"
(
  while read -r signal <&4; do kill -s "$signal" "$child" 2>/dev/null; done
  : >"$dir.abandoned" # beside it: the directory may be gone already
  kill -KILL "$child" 2>/dev/null
) >/dev/null 2>&1 &
reader=$!
wait "$child"
status=$?
if [ -e "$dir.abandoned" ]; then
  rm -rf "$dir" "$dir.abandoned"
else
  kill "$reader" 2>/dev/null
  echo "exited $status"
fi
