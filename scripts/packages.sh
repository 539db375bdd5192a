# shellcheck shell=bash
# Sourced by common.sh: Node, the packages, the build.

# The packages bring the Node they need; only installing them takes the machine's own.
node_path() {
  PATH=$ROOT/node_modules/.bin:$PATH
  export PATH
  # kafkajs computes time-outs that Node 24 finds negative; harmless, and nothing a person can do about.
  export NODE_OPTIONS="${NODE_OPTIONS:-} --disable-warning=TimeoutNegativeWarning"
}

dependencies_current() {
  local installed=$ROOT/node_modules/.package-lock.json stamp=$ROOT/node_modules/.milena-lock
  [ -x "$ROOT/node_modules/.bin/node" ] && [ -f "$installed" ] || return 1
  if [ -f "$stamp" ]; then
    [ "$(cat "$stamp")" = "$(cksum <"$ROOT/package-lock.json")" ]
  else
    # Somebody has called `npm ci` by hand.
    [ "$installed" -nt "$ROOT/package-lock.json" ]
  fi
}

ensure_dependencies() {
  if ! dependencies_current; then
    lock packages
    # Another script may have done it while this one waited.
    dependencies_current || install_dependencies
    unlock packages
  fi
  node_path
}

staging=''
remove_staging() {
  [ -n "$staging" ] || return 0
  put_back "$staging/old"
  rm -rf "$staging"
}
# put_back FOLDER: the packages of before, where the end came between the two moves
put_back() { [ ! -e "$1" ] || [ -e "$ROOT/node_modules" ] || mv "$1" "$ROOT/node_modules"; }
at_end="$at_end remove_staging"

install_dependencies() {
  local version left
  if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    die "$EX_UNAVAILABLE" 'Milena needs Node 20 or later with npm. Install it from https://nodejs.org or with your' \
      'package manager (for example: apt install nodejs npm; brew install node), then run this again.'
  fi
  version=$(node -p 'process.versions.node')
  if [ "${version%%.*}" -lt 20 ]; then
    die "$EX_UNAVAILABLE" "Milena needs Node 20 or later; this machine has $version. See https://nodejs.org"
  fi
  warn 'Installing the packages (npm ci) ...'
  # Beside the packages that are there, and moved into place when all is well: what fails or is interrupted breaks nothing.
  for left in "$ROOT/.milena/new-packages".*/old; do put_back "$left"; done
  rm -rf "$ROOT/.milena/new-packages".* # not packages.*: the lock has that name
  staging=$(mktemp -d "$ROOT/.milena/new-packages.XXXXXX")
  cp "$ROOT/package.json" "$ROOT/package-lock.json" "$ROOT/.npmrc" "$staging/"
  interruptible npm --prefix "$staging" ci --no-fund --no-audit --loglevel=error >&2 ||
    die "$EX_UNAVAILABLE" 'npm could not install the packages (see above): is the network there?'
  own_node "$staging/node_modules/.bin/node"
  cksum <"$staging/package-lock.json" >"$staging/node_modules/.milena-lock"
  if [ -e "$ROOT/node_modules" ]; then mv "$ROOT/node_modules" "$staging/old"; fi
  mv "$staging/node_modules" "$ROOT/node_modules"
  rm -rf "$staging"
  staging=''
}

# own_node FILE: the packages bring Node for Linux and macOS on x64 and arm64. Elsewhere it is the machine's, if that is new
# enough (crypto.argon2).
own_node() {
  [ ! -x "$1" ] || return 0
  if ! node -e 'process.exit(require("node:crypto").argon2 === undefined ? 1 : 0)'; then
    die "$EX_UNAVAILABLE" 'npm brought no Node for this machine: it could not be fetched, or there is none for it.' \
      "Try again, or install Node 24.7 or later; this machine has $(node -p process.versions.node)."
  fi
  ln -s "$(command -v node)" "$1"
}

build_current() {
  local stamp=$ROOT/dist/.built
  [ -f "$stamp" ] && [ -f "$ROOT/dist/bundle/main.js" ] &&
    [ -z "$(find "$ROOT/src" "$ROOT/tsconfig.json" "$ROOT/tsconfig.build.json" "$ROOT/rolldown.config.ts" \
      "$ROOT/package-lock.json" -newer "$stamp" -print)" ]
}

# The time of the stamp is the time before the build: what is saved meanwhile is built the next time.
building=''
remove_stamp() { [ -z "$building" ] || rm -f "$building"; }
at_end="$at_end remove_stamp"

# ensure_build: compiles src/ to dist/, and bundles the client there, when a source is newer than the last build.
ensure_build() {
  ensure_dependencies
  build_current && return 0
  lock build
  if ! build_current; then
    warn 'Building ...'
    mkdir -p "$ROOT/dist"
    building=$ROOT/dist/.building
    touch "$building"
    interruptible npm --prefix "$ROOT" run --silent build >&2 || die 1 'The build failed (see above).'
    mv "$building" "$ROOT/dist/.built"
    building=''
  fi
  unlock build
}
