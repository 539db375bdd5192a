#!/usr/bin/env bash
# Makes the keys that frontends sign messages with, for frontends on several machines or with a Kafka elsewhere.
#
#   ./milena keys
#
# Writes one new key to the file that the frontends of this checkout read (.milena/cluster.key, readable for you alone), and
# says how the other frontends get the same. What is there already is never replaced.
#   MILENA_CLUSTER_KEY_FILE   another file
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/common.sh"

[ $# -eq 0 ] || wrong_usage "unknown argument: $1"
ensure_build
exec node "$ROOT/dist/tools/make-keys.js" "$MILENA_CLUSTER_KEY_FILE"
