# shellcheck shell=bash
# Sourced by common.sh: which processes are ours, and ending those and no others.

# command_of PID: its command line, or nothing
command_of() {
  if [ -r "/proc/$1/cmdline" ]; then
    # It may end in between: then it is the shell that says so, and not tr.
    { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true
  else
    ps -ww -o command= -p "$1" 2>/dev/null || true
  fi
}

# is_ours PID MARKER: does that process live, with the marker as one of its arguments? A pid in a file proves nothing:
# after a restart of the machine another program may have the number.
is_ours() {
  [[ ${1:-} =~ ^[1-9][0-9]*$ ]] && [ -n "${2:-}" ] || return 1
  kill -0 "$1" 2>/dev/null || return 1
  case " $(command_of "$1") " in *" $2 "*) return 0 ;; *) return 1 ;; esac
}

# Every program that a script starts is noted in $STATE/run/KIND.PID: marker, the address it serves, and its Kafka where that
# is not the one of this checkout, a line each. A marker is the path of one of our programs. A client notes itself
# (src/terminal/run-note.ts).
# note_process KIND PID MARKER [ADDRESS [BROKERS]]
note_process() {
  live_processes "$1" >/dev/null # removes the notes of those that ended by themselves
  printf '%s\n%s\n%s\n' "$3" "${4:-}" "${5:-}" >"$STATE/run/$1.$2"
}

# marker_of KIND PID: as it was noted; nothing where that is no program of ours
marker_of() {
  local marker=''
  { read -r marker <"$STATE/run/$1.$2"; } 2>/dev/null || true
  case $marker in */dist/*.js) printf '%s' "$marker" ;; esac
}

# live_processes KIND: `PID ADDRESS` of each that runs; the notes of dead ones are removed.
live_processes() {
  local file pid address
  for file in "$STATE/run/$1".*; do
    [ -f "$file" ] || continue
    pid=${file##*.}
    if is_ours "$pid" "$(marker_of "$1" "$pid")"; then
      address=$(sed -n 2p "$file" 2>/dev/null || true)
      echo "$pid $address"
    else
      rm -f "$file"
    fi
  done
}

# process_at KIND ADDRESS: the pid of the one that serves there, or nothing
process_at() {
  local pid address
  while read -r pid address; do
    if [ "$address" = "$2" ]; then
      echo "$pid"
      return
    fi
  done < <(live_processes "$1")
}

process_gone() { ! is_ours "$1" "$2"; }

# end_process PID MARKER SECONDS: asks it to end, then makes it.
end_process() {
  is_ours "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null || true
  if ! wait_for "$3" process_gone "$1" "$2"; then
    warn "Process $1 did not end within $3 seconds: killed."
    kill -KILL "$1" 2>/dev/null || true
    wait_for 10 process_gone "$1" "$2" || true
  fi
}

# run_tool KIND FILE ARGUMENT...: becomes one of our programs, noted so that stop_everything.sh finds it.
run_tool() {
  local kind=$1 file=$2
  shift 2
  note_process "$kind" $$ "$file"
  exec node "$file" "$@"
}
