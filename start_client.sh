#!/usr/bin/env bash
# Opens the client in this terminal.
#
#   ./start_client.sh [--server HOST:PORT[,HOST:PORT…]] [further options of the client]
#
# Without --server and MILENA_SERVER it connects to the frontend of this checkout: that at MILENA_HOST and MILENA_PORT, or
# the one that was started here last, or 127.0.0.1:8080. ./stop_everything.sh ends it, too.
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/scripts/common.sh"

server=''
for argument in "$@"; do
  case $argument in
    -h | --help) usage; exit 0 ;;
    --server | --server=*) server=given ;;
  esac
done

if [ -z "$server${MILENA_SERVER:-}" ]; then
  if is_local "$FRONTEND_HOST" && ! port_open "$FRONTEND_HOST" "$MILENA_PORT"; then
    die "$EX_UNAVAILABLE" "No frontend answers at $FRONTEND_ADDRESS. Start one in another terminal:  ./start_frontend.sh" \
      '(or all at once:  ./start_everything.sh; or name another one:  ./start_client.sh --server HOST:PORT)'
  fi
  set -- --server "$FRONTEND_ADDRESS" "$@"
fi
ensure_build
exec "$ROOT/milena" "$@"
