# shellcheck shell=bash
# Sourced by common.sh: where things run that the start scripts have started. Whoever gave a port once need not give it to
# every other script; what is said explicitly, in a variable or in .env, counts before it.

# noted_frontend: sets frontend_pid to the frontend that a client of this checkout means: the one at the address that was
# given, else the one at the default address, else the newest. Those of scripts/cluster.sh are asked for by their ports alone.
noted_frontend() {
  local pid address file newest='' wanted
  frontend_pid=''
  wanted=$(with_port "$(reachable "${MILENA_HOST:-127.0.0.1}")" "${MILENA_PORT:-8080}")
  while read -r pid address; do
    file=$STATE/run/frontend.$pid
    if [ "$address" = "$wanted" ]; then
      frontend_pid=$pid
      return
    fi
    ! grep -qxF "${address##*:}" "$STATE/cluster/frontends" 2>/dev/null || continue
    if [ -z "$newest" ] || [ "$file" -nt "$newest" ]; then newest=$file frontend_pid=$pid; fi
  done < <(live_processes frontend)
}

# take_chosen: sets what nobody has said to what was chosen at the start.
take_chosen() {
  local file address port brokers='' kind
  noted_frontend
  if [ -n "$frontend_pid" ]; then
    file=$STATE/run/frontend.$frontend_pid
    address=$(sed -n 2p "$file" 2>/dev/null || true)
    brokers=$(sed -n 3p "$file" 2>/dev/null || true)
    [ "$brokers" != memory ] || brokers='' # it has no Kafka
    if [ -z "${MILENA_HOST:-}${MILENA_PORT:-}" ] && [[ $address =~ ^(.+):([1-9][0-9]{0,4})$ ]]; then
      MILENA_HOST=${BASH_REMATCH[1]} MILENA_PORT=${BASH_REMATCH[2]}
    fi
  fi
  if [ -n "$brokers" ] && [ -z "${MILENA_KAFKA_BROKERS:-}${MILENA_KAFKA_PORT:-}" ]; then
    MILENA_KAFKA_BROKERS=$brokers
    # shellcheck disable=SC2034  # for messages
    KAFKA_GIVEN_BY="as the frontend at $address has it"
  fi
  # Whichever Kafka that frontend has: it is the port of the one that is started here.
  [ -z "${MILENA_KAFKA_PORT:-}" ] || return 0
  while read -r kind port; do
    if [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && { [ -z "${MILENA_KAFKA:-}" ] || [ "$kind" = "$MILENA_KAFKA" ]; }; then
      MILENA_KAFKA_PORT=$port
      return
    fi
  done < <(cat "$STATE/kafka/kind" 2>/dev/null || true)
}
