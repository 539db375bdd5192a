#!/usr/bin/env bash
# Prints the class path of kafka/pom.xml's jars, for `java -cp`. Maven is asked once; the answer is kept in .milena/
# until the pom changes or a jar is gone from Maven's repository.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

if [ $# -gt 0 ]; then
  echo "usage: ${0##*/}    prints the class path of the Kafka broker and its tools"
  case $1 in -h | --help) exit 0 ;; *) exit 64 ;; esac
fi

kept=$root/.milena/kafka-classpath
stamp=$(cksum <"$root/kafka/pom.xml")

# whole CLASSPATH: are all its jars there?
whole() {
  local jar IFS=:
  for jar in $1; do [ -f "$jar" ] || return 1; done
  [ -n "$1" ]
}

if [ -f "$kept" ]; then
  { read -r kept_stamp && read -r kept_path; } <"$kept" || true
  if [ "${kept_stamp:-}" = "$stamp" ] && whole "${kept_path:-}"; then
    echo "$kept_path"
    exit 0
  fi
fi

mkdir -p "$root/.milena"
answer=$(mktemp "$root/.milena/classpath.XXXXXX")
trap 'rm -f "$answer" "$answer.log" "$answer.new"' EXIT
echo 'Fetching the jars of Kafka with Maven (the first time some 45 MB) ...' >&2
if ! mvn -B -q -f "$root/kafka/pom.xml" dependency:build-classpath -DincludeScope=runtime \
  "-Dmdep.outputFile=$answer" >"$answer.log" 2>&1; then
  tail -n 15 "$answer.log" >&2
  echo "Maven could not fetch Kafka's jars (see above). A proxy or mirror is set in ~/.m2/settings.xml." >&2
  exit 69
fi
path=$(cat "$answer")
# A new file moved into place, so that nobody reads half of it.
printf '%s\n%s\n' "$stamp" "$path" >"$answer.new"
mv "$answer.new" "$kept"
echo "$path"
