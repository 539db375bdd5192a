#!/usr/bin/env bash
# Opens the client in this terminal.
#
#   ./start_client.sh [--server HOST:PORT[,HOST:PORT…]] [further options of the client]
#
# Without --server, MILENA_SERVER and a server in the client's settings file it connects to the frontend of this checkout:
# that at MILENA_HOST and MILENA_PORT, or the one that was started here last, or 127.0.0.1:8080. ./stop_everything.sh ends
# it, too.
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
# What is typed already may be a password. The client finds it later.
. "${here%/*}/scripts/quiet-terminal.sh"
. "${here%/*}/scripts/common.sh"
at_end="$at_end echo_again"

server=''
for argument in "$@"; do
  case $argument in
    -h | --help) usage; exit 0 ;;
    --server | --server=*) server=given ;;
  esac
done

# The client finds its server by itself; a settings file may name another one than the frontend of this checkout.
settings=${MILENA_SETTINGS:-${XDG_CONFIG_HOME:-${HOME:-}/.config}/milena/settings.json}
if [ -z "$server${MILENA_SERVER:-}" ] && { [ -n "$ADDRESS_IS_GIVEN" ] || [ -z "${MILENA_SETTINGS:-}" ] && [ ! -e "$settings" ]; }; then
  if is_local "$FRONTEND_HOST" && ! port_open "$FRONTEND_HOST" "$MILENA_PORT"; then
    die "$EX_UNAVAILABLE" "No frontend answers at $FRONTEND_ADDRESS. Start one in another terminal:  $(as_here ./start_frontend.sh MILENA_HOST MILENA_PORT)" \
      "(or all at once:  $(as_here ./start_everything.sh MILENA_HOST MILENA_PORT); or name another one:  ./start_client.sh --server HOST:PORT)"
  fi
fi
# What nobody has said must not count before that file. Empty, and not unset: that would be a look into .env.
[ -n "$ADDRESS_IS_GIVEN" ] || MILENA_HOST='' MILENA_PORT=''
ensure_build
echo_again
exec "$ROOT/milena" "$@"
