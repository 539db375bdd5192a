# shellcheck shell=bash
# Sourced by start_kafka.sh and stop_everything.sh: the broker as a container. Needs common.sh.

# A project of its own for each state folder, so that two checkouts never share a container or a volume.
COMPOSE_PROJECT=milena-$(printf '%s' "$STATE" | cksum | cut -d ' ' -f 1)

compose() { docker compose -p "$COMPOSE_PROJECT" -f "$ROOT/docker-compose.yml" "$@"; }

docker_usable() {
  command -v docker >/dev/null 2>&1 && interruptible docker version >/dev/null 2>&1 &&
    interruptible docker compose version >/dev/null 2>&1
}

docker_running() { docker_usable && [ -n "$(compose ps --status running -q kafka 2>/dev/null)" ]; }

# docker_has_data: is the volume there? Where the engine does not answer nobody knows, and it counts as there.
docker_has_data() { ! docker_usable || docker volume inspect "${COMPOSE_PROJECT}_kafka-data" >/dev/null 2>&1; }

docker_start() {
  # --wait: until the health check says that the broker answers.
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
