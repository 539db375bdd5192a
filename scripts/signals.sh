# shellcheck shell=bash
# Sourced by common.sh: one end for every script, and one at a time where two must not do the same. Ctrl+C, SIGTERM and
# SIGHUP end a script at once with 130, 143 or 129; what it was making is taken away on the way out.

# Functions to run at the end, however it comes; each knows itself whether there is anything to do.
at_end=''
waits=''
job_before=''
held_locks=''

trap 'on_signal 130' INT
trap 'on_signal 143' TERM
trap 'on_signal 129' HUP
trap finish EXIT

on_signal() {
  trap '' INT TERM HUP
  if [ -n "$waits" ] && [ "${!:-}" != "$job_before" ]; then end_group "$!"; fi
  exit "$1"
}

finish() {
  local step
  # Without a terminal to write to, and whatever fails: the rest must be done.
  set +e
  trap '' INT TERM HUP
  for step in $at_end; do "$step"; done
  for step in $held_locks; do unlock "$step"; done
}

# interruptible COMMAND...: runs it so that a signal ends this script at once (bash waits for a program in the
# foreground first), and takes the program with all that it has started along. It has no standard input.
interruptible() {
  local status=0
  job_before=${!:-} waits=yes
  set -m # a process group of its own, to be ended as a whole
  (set +m; "$@") </dev/null &
  set +m
  wait "$!" || status=$?
  waits=''
  return "$status"
}

group_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

# end_group PID: everything in that process group, kindly for up to five seconds
end_group() {
  { kill -TERM -- "-$1" && wait "$1"; } 2>/dev/null || true
  wait_for 5 group_gone "$1" || kill -KILL -- "-$1" 2>/dev/null || true
}

# --- one at a time -------------------------------------------------------------------------------------------------

# A lock is a link whose target, which is no file, names its owner: made at once, with the name in it.
# `packages`, `build` and `classpath` are the checkout's; the others are the state folder's.
lock_file() {
  case $1 in packages | build | classpath) printf '%s' "$ROOT/.milena/$1.lock" ;; *) printf '%s' "$STATE/$1.lock" ;; esac
}

# birth PID: when it began, as a word: a number of a process alone may be another's by now
birth() {
  if [ -r "/proc/$1/stat" ]; then
    sed -n 's/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -dc '[:alnum:]'
  fi
}

# owner_lives OWNER: PID.BIRTH
owner_lives() {
  local pid=${1%%.*}
  [[ $pid =~ ^[1-9][0-9]*$ ]] && kill -0 "$pid" 2>/dev/null && [ "$(birth "$pid")" = "${1#*.}" ]
}

# lock NAME / unlock NAME: for what two scripts must not do at once.
lock() {
  local file told='' owner me tries=0
  file=$(lock_file "$1")
  me=$$.$(birth $$)
  need_lock "$file"
  # -n: a link that leads to a folder is one all the same, and nothing is made in that folder.
  until ln -sn "$me" "$file" 2>/dev/null; do
    need_lock "$file"
    owner=$(readlink "$file" 2>/dev/null || true)
    if [ -z "$owner" ]; then
      # It was given back in this moment; or it is something else.
      tries=$((tries + 1))
      [ "$tries" -le 50 ] || die 1 "$file cannot be made: is the folder full, or not to be written to?"
    elif ! owner_lives "$owner"; then
      break_lock "$file" "$owner"
      continue
    elif [ -z "$told" ]; then
      warn "Waiting for another Milena script (process ${owner%%.*}) to finish the same step ..."
      told=yes
    fi
    sleep 0.2
  done
  held_locks="$held_locks $1"
}

# need_lock FILE: a lock of ours, or nothing; what else has the name is left alone.
need_lock() {
  local target
  if target=$(readlink "$1" 2>/dev/null); then
    # Its owner may have given it back meanwhile.
    [[ $target =~ ^[1-9][0-9]*\.[[:alnum:]]*$ ]] || in_the_way "$1"
  elif [ -e "$1" ] && [ ! -L "$1" ]; then
    in_the_way "$1"
  fi
}

# break_lock FILE OWNER: takes away what a dead owner has left. Two may be at this: only one gets to move it, and who
# moved away a living one's, made in this moment, puts it back.
break_lock() {
  local aside=$1.$$ found
  mv "$1" "$aside" 2>/dev/null || return 0
  found=$(readlink "$aside" || true)
  [ "$found" = "$2" ] || ln -s "$found" "$1" 2>/dev/null || true
  rm -f "$aside"
}

unlock() {
  case " $held_locks " in *" $1 "*) ;; *) return 0 ;; esac
  rm -f "$(lock_file "$1")"
  held_locks=" $held_locks "
  held_locks=${held_locks/" $1 "/ }
}
