# shellcheck shell=bash
# Written for bash 3.2 (macOS) and later, as scripts/common.sh is.

# broker_lines LIST: its addresses, one a line; this machine's names for itself are one
broker_lines() {
  LC_ALL=C tr ',A-Z' '\na-z' <<<"$1" |
    sed -E -e 's/[[:space:]]//g' -e '/^$/d' -e 's/^(localhost|127\.[0-9.]+|\[::1])(:|$)/127.0.0.1\2/'
}

# same_kafka LIST LIST: whether they have an address in common; a list need not name every broker
same_kafka() { grep -qxFf <(broker_lines "$1") <<<"$(broker_lines "$2")"; }
