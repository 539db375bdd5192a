# shellcheck shell=bash
# Sourced by common.sh: the folders that the scripts write to and delete from. A folder is ours when it has our mark in
# it, and it gets one only when we make it or find it empty; run and logs are ours by lying in one, and are no links. Nothing
# is ever written to, or removed from, any other. What it looks like proves nothing: other programs have folders called
# kafka, run and logs, too.

MARK=.milena-data

# has_mark FOLDER: never by a link, which anybody's file could be behind
has_mark() { [ -f "$1/$MARK" ] && [ ! -L "$1/$MARK" ]; }
set_mark() {
  has_mark "$1" || (set -C && : >"$1/$MARK") 2>/dev/null || has_mark "$1" || in_the_way "$1/$MARK"
}

# in_the_way PATH: something that is not ours has the name of a file of ours.
in_the_way() {
  local what='no file of its kind'
  if [ -L "$1" ]; then
    what='a link'
  elif [ -d "$1" ]; then
    what='a folder'
  elif [ -f "$1" ]; then
    what='a file'
  elif [ ! -e "$1" ]; then
    die 1 "$1 cannot be made: is the disk full, or the folder not to be written to?"
  fi
  die 1 "$1 is $what, and not from these scripts, which keep something of their own by that name. Nothing was done." \
    'Look at it, and move it away or delete it; then run this again.'
}

# need_files FILE...: what the scripts write by these names is a file of theirs, or is not there yet.
need_files() {
  local file
  for file; do
    if [ -L "$file" ] || { [ -e "$file" ] && [ ! -f "$file" ]; }; then in_the_way "$file"; fi
  done
}

# make_folder FOLDER: makes it, if it is missing.
make_folder() {
  local otherwise='or name another state folder in MILENA_STATE_DIR.'
  [ ! -d "$1" ] || return 0
  if [ -L "$1" ]; then
    die "$EX_USAGE" "$1 is a link to a folder that is not there. Make that folder, take the link away, $otherwise"
  fi
  [ ! -e "$1" ] || die "$EX_USAGE" "$1 is not a folder. Move it away, $otherwise"
  mkdir -p -m 700 "$1" 2>/dev/null || [ -d "$1" ] ||
    die "$EX_USAGE" "The folder $1 cannot be made: something else may be in its path, or you may not write there. Mend that, $otherwise"
}

# inner_folder NAME: run or logs, in the state folder, which has the mark
inner_folder() {
  [ ! -L "$STATE/$1" ] || in_the_way "$STATE/$1"
  make_folder "$STATE/$1"
}

is_empty() {
  local entry
  [ -r "$1" ] && [ -x "$1" ] || return 1
  for entry in "$1"/* "$1"/.*; do
    case ${entry##*/} in . | ..) continue ;; esac
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || return 1
  done
}

# own_folder FOLDER: makes it, or takes an empty one, marks it, and keeps it for its owner alone. Fails where it has other
# things in it.
own_folder() {
  make_folder "$1"
  need_files "$1/$MARK"
  # Twice: another script may come first in this moment, and mark and fill it.
  has_mark "$1" || is_empty "$1" || has_mark "$1" || return 1
  # Keys, logs and messages: nobody else's business.
  chmod 700 "$1" || in_the_way "$1/$MARK"
  set_mark "$1"
}

# claim_folder FOLDER: as own_folder; one that is not to be used ends the script.
claim_folder() {
  local folder=$1
  case $folder in *[[:cntrl:]]*) die "$EX_USAGE" 'A folder whose name has a line break or the like in it cannot be used.' ;; esac
  make_folder "$folder"
  folder=$(cd "$folder" && pwd -P) || die "$EX_USAGE" "$folder cannot be entered. Name another one in MILENA_STATE_DIR."
  if [ ! -O "$folder" ] && [ "$EUID" != 0 ]; then
    die "$EX_USAGE" "$folder belongs to somebody else. Name a folder of your own in MILENA_STATE_DIR."
  fi
  # Those hold other things, or are made anew, even where they are empty at this moment.
  case $ROOT/ in "${folder%/}"/*) refuse_folder "$folder" 'has this checkout in it' ;; esac
  case $folder/ in
    "$ROOT/node_modules/"* | "$ROOT/dist/"* | "$ROOT/.git/"*) refuse_folder "$folder" 'belongs to this checkout' ;;
  esac
  [ ! "$folder" -ef "${HOME:-/}" ] || refuse_folder "$folder" 'is your home'
  own_folder "$folder" || refuse_folder "$folder" 'has other things in it' "$(how_to_adopt "$folder" kafka cluster)"
}

# refuse_folder FOLDER WHY [LINE]
refuse_folder() {
  die "$EX_USAGE" "$1 $2, so Milena keeps nothing there, and deletes nothing there." \
    'Name a folder of its own in MILENA_STATE_DIR: one that is empty, or does not exist yet.' "${@:3}"
}

# how_to_adopt FOLDER [PART...]: earlier versions left no mark. Whether they made a folder only its owner knows.
how_to_adopt() {
  local folder=$1 part marks
  marks=$(printf '%q' "$folder/$MARK")
  for part in "${@:2}"; do
    [ ! -d "$folder/$part" ] || marks="$marks $(printf '%q' "$folder/$part/$MARK")"
  done
  printf '%s\n' "If an earlier version of Milena made it, and nobody else uses it, mark it as Milena's: --wipe may delete in it then." \
    "  touch $marks"
}

# data_folder NAME: a folder in the state folder for data that --wipe deletes
data_folder() {
  own_folder "$STATE/$1" || die 1 "$STATE/$1 was not made by these scripts, so nothing is kept in it. Move it away." \
    "$(how_to_adopt "$STATE/$1")"
}

# need_deletable NAME [WHAT]: ends the script where the data folder of that name is not one to delete; says what was not
# done then.
need_deletable() {
  local folder=${STATE:?}/${1:?} part nothing=${2:-Nothing was stopped and nothing was deleted.}
  for part in "$folder" "$folder/data" "$STATE/deleted-$1"; do
    [ ! -L "$part" ] || die 1 "$part is a link to another folder, which these scripts do not delete. $nothing" \
      'Delete that folder and the link yourself.'
  done
  need_files "$folder/$MARK"
  [ ! -e "$folder" ] || has_mark "$folder" ||
    die 1 "$folder was not made by these scripts: there is no $MARK in it. $nothing" "$(how_to_adopt "$folder")"
  [ ! -e "$STATE/deleted-$1" ] || has_mark "$STATE/deleted-$1" || is_empty "$STATE/deleted-$1" ||
    die 1 "$STATE/deleted-$1 was not made by these scripts. $nothing" 'Look at it and move it away.'
}

# delete_data NAME: what data_folder has made. Fails where there is none.
delete_data() {
  local folder=${STATE:?}/${1:?} gone=$STATE/deleted-$1 status=1
  need_deletable "$1" 'It was not deleted.'
  own_folder "$gone" || in_the_way "$gone"
  # All at once: what a signal interrupts must not be half of the data.
  if [ -e "$folder" ]; then mv "$folder" "$gone/$1.$$" && status=0; fi
  # An interrupted one may have left some of it.
  rm -rf "${gone:?}/$1".[0-9]*
  rm -f "$gone/$MARK"
  rmdir "$gone"
  delete_left
  return "$status"
}

# delete_left: what an interrupted --wipe of an earlier version has left, deleted.PID: all messages may be in there.
delete_left() {
  local folder
  for folder in "$STATE"/deleted.[0-9]*; do
    if [ ! -d "$folder" ] || [ -L "$folder" ]; then continue; fi
    if has_mark "$folder" || is_empty "$folder"; then
      rm -rf "${folder:?}"
    else
      warn "$folder may be left of an earlier --wipe, with messages in it: it has no $MARK, so it was not deleted."
    fi
  done
}

# confirm WHAT WITHOUT: asks for a typed yes. Without anybody to ask it says how to do without.
confirm() {
  local answer=''
  printf '%s Type yes to go on: ' "$1"
  if ! read -r answer && [ -z "$answer" ]; then
    die "$EX_USAGE" '' 'There is nobody to ask here. Nothing was stopped and nothing was deleted.' "To do it without a question:  $2"
  fi
  [ "$answer" = yes ] || die 1 '' 'Nothing was stopped and nothing was deleted.'
}
