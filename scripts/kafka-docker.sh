# shellcheck shell=bash
# Sourced by start_kafka.sh, stop_everything.sh and kafka-tool.sh: the broker as a container. Needs common.sh.

# A project of its own for each state folder, so that two checkouts never share a container or a volume.
COMPOSE_PROJECT=milena-$(printf '%s' "$STATE" | cksum | cut -d ' ' -f 1)
DOCKER_VOLUME=${COMPOSE_PROJECT}_kafka-data

# Compose would read .env by rules of its own, and do nothing at all where a line breaks them; the settings are in the
# environment already.
COMPOSE=(docker compose --env-file /dev/null -p "$COMPOSE_PROJECT" -f "$ROOT/docker-compose.yml")
compose() { "${COMPOSE[@]}" "$@"; }

docker_answers() { docker version && docker compose version; }
docker_usable() { command -v docker >/dev/null 2>&1 && interruptible docker_answers >/dev/null 2>&1; }

# docker_says: why it is not usable, in its own words; nothing where there is none. It may be the rights of whoever asks.
docker_says() {
  local words
  command -v docker >/dev/null 2>&1 || return 0
  words=$(docker_answers 2>&1 >/dev/null | sed -n '/./{p;q;}') || true
  [ -z "$words" ] || printf 'Docker says: %s' "$(shown "$words")"
}

docker_running() { docker_usable && [ -n "$(compose ps --status running -q kafka 2>/dev/null)" ]; }

# docker_has_data: is the volume there? Where the engine does not answer nobody knows, and it counts as there.
docker_has_data() { ! docker_usable || docker volume inspect "$DOCKER_VOLUME" >/dev/null 2>&1; }

docker_start() {
  # The container's user is another one, who has to read the settings whatever umask this checkout was made with.
  { chmod a+rx "$ROOT/kafka" && chmod a+r "$ROOT/kafka/server.properties"; } 2>/dev/null || true
  # --wait: until the port is open.
  interruptible compose up -d --wait --wait-timeout 180 >&2 || {
    compose logs --tail 20 kafka >&2 || true
    docker_stop >&2 || true
    die "$EX_UNAVAILABLE" 'Docker Compose could not start Kafka (see above). MILENA_KAFKA=jvm runs it without Docker.'
  }
}

# docker_stop [SECONDS]: removes the container; its data stays.
docker_stop() { compose down --remove-orphans --timeout "${1:-60}"; }

# docker_left: containers of ours, running or not
docker_left() { [ -n "$(compose ps -a -q 2>/dev/null)" ]; }
