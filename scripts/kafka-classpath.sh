#!/usr/bin/env bash
# Prints the class path of kafka/pom.xml's jars, for `java -cp`. Maven is asked once; the answer is kept in .milena/
# until the pom changes or a jar is gone from Maven's repository.
#
#   scripts/kafka-classpath.sh [--offline] [VERSION]
#
#   VERSION     another version of Kafka than the pom's, for tests
#   --offline   fails where its jars would have to be fetched first
set -euo pipefail
here=$(readlink -f "${BASH_SOURCE[0]}") # it may be called by a link
. "${here%/*}/common.sh"

offline=''
if [ "${1:-}" = --offline ]; then offline=--offline; shift; fi
version=${1:-}
[ $# -le 1 ] || wrong_usage "one version at most: $2"
[[ $version =~ ^([0-9]+(\.[0-9]+)+)?$ ]] || wrong_usage "that is no version: $version"

kept=$ROOT/.milena/kafka-classpath${version:+-$version}
need_files "$kept"
stamp=$(cksum <"$ROOT/kafka/pom.xml")

# whole CLASSPATH: are all its jars there?
whole() {
  local jar jars
  [ -n "$1" ] || return 1
  IFS=: read -r -a jars <<<"$1"
  for jar in "${jars[@]}"; do [ -f "$jar" ] || return 1; done
}

# print_kept: prints what is kept, if that is still right.
print_kept() {
  local kept_stamp='' kept_path=''
  [ -f "$kept" ] || return 1
  { read -r kept_stamp && read -r kept_path; } <"$kept" || return 1
  [ "$kept_stamp" = "$stamp" ] && whole "$kept_path" && echo "$kept_path"
}

print_kept && exit
# One at a time: Maven's repository is no place for two.
lock classpath
print_kept && exit
answer=''
remove_answer() { [ -z "$answer" ] || rm -f "$answer" "$answer.log" "$answer.new"; }
at_end="$at_end remove_answer"
answer=$(mktemp "$ROOT/.milena/classpath.XXXXXX")
[ -n "$offline" ] || warn 'Fetching the jars of Kafka with Maven (the first time some 45 MB) ...'
if ! interruptible mvn -B -q $offline ${version:+"-Dkafka.version=$version"} -f "$ROOT/kafka/pom.xml" dependency:build-classpath -DincludeScope=runtime \
  "-Dmdep.outputFile=$answer" >"$answer.log" 2>&1; then
  tail -n 15 "$answer.log" >&2
  die "$EX_UNAVAILABLE" "Maven could not fetch Kafka's jars (see above). A proxy or mirror is set in ~/.m2/settings.xml."
fi
path=$(cat "$answer")
# A new file moved into place, so that nobody reads half of it.
printf '%s\n%s\n' "$stamp" "$path" >"$answer.new"
mv "$answer.new" "$kept"
echo "$path"
