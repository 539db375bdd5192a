# shellcheck shell=bash
# Sourced first by the scripts that open the client: what is typed before it is there is shown to nobody.

terminal=''
echo_again() { [ -z "$terminal" ] || stty "$terminal"; }
if [ -t 0 ] && [ -t 1 ] && terminal=$(stty -g 2> /dev/null); then
  trap echo_again EXIT
  stty -echo
fi

# drop_typed: what was typed until now is for nobody.
drop_typed() {
  [ -n "$terminal" ] || return 0
  stty -icanon min 0 time 0
  cat > /dev/null
  echo_again
}
