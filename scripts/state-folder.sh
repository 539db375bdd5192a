# shellcheck shell=bash
# Sourced by common.sh: the folders that the scripts write to and delete from. A folder is ours when it has our mark in
# it; nothing is ever written to, or removed from, one that has not.

MARK=.milena-data

# claim_folder FOLDER: makes it, if it is missing, and marks it. One that has other things in it ends the script.
claim_folder() {
  local folder=$1
  case $folder in *[[:cntrl:]]*) die "$EX_USAGE" 'A folder whose name has a line break or the like in it cannot be used.' ;; esac
  [ -e "$folder" ] || mkdir -p -m 700 "$folder"
  [ -d "$folder" ] || die "$EX_USAGE" "$folder is not a folder. Name another one in MILENA_STATE_DIR."
  folder=$(cd "$folder" && pwd -P)
  if [ ! -O "$folder" ] && [ "$EUID" != 0 ]; then
    die "$EX_USAGE" "$folder belongs to somebody else. Name a folder of your own in MILENA_STATE_DIR."
  fi
  # Those hold other things, or are made anew, even where they are empty at this moment.
  case $ROOT/ in "${folder%/}"/*) refuse_folder "$folder" 'has this checkout in it' ;; esac
  case $folder/ in
    "$ROOT/node_modules/"* | "$ROOT/dist/"* | "$ROOT/.git/"*) refuse_folder "$folder" 'belongs to this checkout' ;;
  esac
  [ ! "$folder" -ef "${HOME:-/}" ] || refuse_folder "$folder" 'is your home'
  [ -f "$folder/$MARK" ] || is_free "$folder" || refuse_folder "$folder" 'has other things in it'
  # Keys, logs and messages: nobody else's business.
  chmod 700 "$folder"
  : >>"$folder/$MARK"
}

refuse_folder() {
  die "$EX_USAGE" "$1 $2, so Milena keeps nothing there, and deletes nothing there." \
    'Name a folder of its own in MILENA_STATE_DIR: one that is empty, or does not exist yet.'
}

# is_free FOLDER: empty, or made by a version that left no mark: then it has in it what nobody else makes, and nothing that is
# not ours
is_free() {
  local entry name some=''
  for entry in "$1"/* "$1"/.*; do
    name=${entry##*/}
    case $name in . | ..) continue ;; esac
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    some=yes
    case $name in
      "$MARK") return 0 ;; # another script has come first
      run | logs | kafka | cluster | cluster.key | cluster.key.* | kafka-classpath | classpath.* | lock.*) ;;
      *) return 1 ;;
    esac
  done
  [ -z "$some" ] || [ -f "$1/kafka-classpath" ] || [ -f "$1/cluster.key" ] || { [ -d "$1/run" ] && [ -d "$1/logs" ]; }
}

# data_folder NAME: a folder in the state folder for data that --wipe deletes, readable for its owner alone
data_folder() {
  mkdir -p "$STATE/$1"
  chmod 700 "$STATE/$1"
  : >>"$STATE/$1/$MARK"
}

# delete_data NAME FILE: what data_folder has made, or an earlier version, which left FILE in it. Fails where there is none.
delete_data() {
  local folder=${STATE:?}/${1:?} gone part
  [ -f "$STATE/$MARK" ] || die 1 "$STATE is not ours: nothing there was deleted."
  rm -rf "$STATE"/deleted.*
  [ -e "$folder" ] || [ -L "$folder" ] || return 1
  for part in "$folder" "$folder/data"; do
    [ ! -L "$part" ] || die 1 "$part is a link to another folder, which these scripts do not delete. Delete that folder and the link yourself."
  done
  if [ ! -f "$folder/$MARK" ] && [ ! -f "$folder/$2" ]; then
    die 1 "$folder was not made by these scripts: nothing there was deleted."
  fi
  # All at once: what a signal interrupts must not be half of the data.
  gone=$STATE/deleted.$$
  mv "$folder" "$gone"
  rm -rf "${gone:?}"
}
