#!/usr/bin/env bash
# Makes an invite: leave to make accounts where MILENA_REGISTRATION=invite. It is printed alone on standard output.
#
#   scripts/invite.sh [--uses N] [--hours N]
#
#   --uses N    accounts that may be made with it (1). One that is deleted frees its use.
#   --hours N   how long it is good (72)
#
# Needs the keys that the frontends sign with, and neither Kafka nor a frontend. Who has it may use it: give it to nobody
# else. It cannot be taken back before its end, but by replacing the key.
#   MILENA_CLUSTER_KEYS, MILENA_CLUSTER_KEY_FILE   the keys, as for the frontends
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/common.sh"

for argument in "$@"; do case $argument in -h | --help) usage; exit 0 ;; esac; done
ensure_build
run_tool tool "$ROOT/dist/tools/invite.js" "$@"
