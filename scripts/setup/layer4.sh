# shellcheck shell=bash
# Owns having a Caddy with the layer4 module: one already here, else built with Go from what caddy/layer4 pins, whose sums Go
# checks. Kept by what it was built from. Without a Go that is new enough, or its module proxy, there is none, and moat does without.

LAYER4_SOURCE=$ROOT/caddy/layer4
LAYER4_KEY=$(cat "$LAYER4_SOURCE/go.mod" "$LAYER4_SOURCE/go.sum" "$LAYER4_SOURCE/main.go" | cksum | tr ' ' -)
LAYER4_CADDY=$CACHE/layer4-$LAYER4_KEY/caddy
LAYER4_WORK=$CACHE/layer4.build-$LAYER4_KEY
# What build_layer4 returns where it cannot be built, which is nobody's fault.
LAYER4_UNAVAILABLE=3

caddy_has_layer4() {
  caddy_is_new_enough "$1" && "$1" list-modules --skip-standard 2>/dev/null | grep -x caddy.listeners.layer4 >/dev/null
}

# go_is_new_enough GO: for what go.mod asks, as no other is fetched.
go_is_new_enough() {
  local have need
  need=$(sed -n 's/^go //p' "$LAYER4_SOURCE/go.mod")
  have=$("$1" env GOVERSION 2>/dev/null) || return 1
  printf '%s\n%s\n' "${have#go}" "$need" | awk -F '[^0-9]+' '
    { for (part = 1; part <= 3; part += 1) number[NR, part] = $part + 0 }
    END {
      for (part = 1; part <= 3; part += 1)
        if (number[1, part] != number[2, part]) exit number[1, part] < number[2, part]
    }'
}

find_go() {
  local candidate old=
  for candidate in "$(command -v go || true)" "${GOROOT:-/usr/local/go}/bin/go"; do
    [ -n "$candidate" ] && [ -x "$candidate" ] || continue
    if go_is_new_enough "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
    old=$candidate
  done
  if [ -z "$old" ]; then
    echo 'There is no Go here.' >&2
  else
    echo "$old is too old: caddy/layer4 needs Go $(sed -n 's/^go //p' "$LAYER4_SOURCE/go.mod")." >&2
  fi
  return 1
}

# build_layer4 NICENESS: in directories of its own, which are gone afterwards; two gigabytes of sources and objects are of no use
# to anybody then. One at a time: who comes second finds what the first has made. Its last line says what was in the way.
build_layer4() {
  local work=$LAYER4_WORK
  mkdir -p "${LAYER4_CADDY%/*}" || return 1
  if has flock; then
    exec 9>"$LAYER4_CADDY.lock"
    flock 9
  else
    work=$work.$$
  fi
  [ ! -x "$LAYER4_CADDY" ] || return 0
  build_layer4_in "$work" "$1"
}

# build_layer4_in DIRECTORY NICENESS
build_layer4_in() {
  local go work=$1
  go=$(find_go) || return "$LAYER4_UNAVAILABLE"
  mkdir -p "$work" || return 1
  # What was fetched before a failure is there for the next attempt.
  export GOMODCACHE=$work/mod GOCACHE=$work/cache GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 GOFLAGS='-mod=readonly -modcacherw'
  if ! (cd "$LAYER4_SOURCE" && nice -n "$2" "$go" mod download) >"$work/download.log" 2>&1; then
    cat "$work/download.log"
    # What arrives and is not what was pinned is no lack of a network.
    ! grep -qE 'checksum mismatch|SECURITY ERROR' "$work/download.log" || return 1
    echo 'What it is made of could not be fetched from the Go module proxy.'
    return "$LAYER4_UNAVAILABLE"
  fi
  (cd "$LAYER4_SOURCE" &&
    nice -n "$2" "$go" build -trimpath -buildvcs=false -ldflags '-s -w' -o "$work/caddy" .) || return 1
  if ! caddy_has_layer4 "$work/caddy"; then
    echo 'What was built is no Caddy with layer4 that runs here.'
    return 1
  fi
  # Renamed into place: whoever waits for it finds a whole one.
  mv -f "$work/caddy" "$LAYER4_CADDY" || return 1
  rm -rf "$work"
}

# A set-up that somebody waits for: Caddy as it is found does, but one with layer4 is better.
ensure_layer4() {
  local candidate
  [ -z "${MOAT_CADDY:-}" ] || return 0
  for candidate in "$(moat_home)/bin/caddy" "$LAYER4_CADDY" "$(command -v caddy || true)"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && caddy_has_layer4 "$candidate"; then
      export MOAT_CADDY=$candidate
      return
    fi
  done
  find_go >/dev/null 2>&1 || return 0
  attempt 'Building Caddy with the layer4 module (some minutes, once)' build_layer4 0
  if [ "$STEP_STATUS" -eq 0 ]; then
    export MOAT_CADDY=$LAYER4_CADDY
  else
    say "moat does without: http:// is redirected, and databases have no names. $(tail -n 1 "$STEP_LOG")"
  fi
}

# Beside the checks that come before the tests. Tests that need it fail with the reason where it should have been built, and are
# left out, which is said, where it cannot be.
start_layer4_build() {
  local log=${LAYER4_CADDY%/*}/build.log
  export MOAT_LAYER4_CADDY=$LAYER4_CADDY
  rm -f "$LAYER4_CADDY.failed" "$LAYER4_CADDY.unavailable"
  [ ! -x "$LAYER4_CADDY" ] || rm -rf "$LAYER4_WORK" "$LAYER4_WORK".*
  { [ -x "$LAYER4_CADDY" ] || caddy_has_layer4 "$MOAT_CADDY"; } && return
  mkdir -p "${LAYER4_CADDY%/*}"
  : >"$log"
  say "Building Caddy with the layer4 module in the background: $log"
  # A process group of its own, so that all of it can be ended.
  set -m
  (
    # In the same group as all of it; a script that was killed ends nothing any more.
    set +m
    (while sleep 1; do kill -0 $$ 2>/dev/null || kill -KILL 0; done) &
    watch=$!
    outcome=failed
    if build_layer4 0; then
      outcome=
    elif [ $? -eq "$LAYER4_UNAVAILABLE" ]; then
      outcome=unavailable
    fi
    if [ -n "$outcome" ]; then
      tail -n 25 "$log" >"$LAYER4_CADDY.$outcome.new"
      mv -f "$LAYER4_CADDY.$outcome.new" "$LAYER4_CADDY.$outcome"
    fi
    kill "$watch"
  ) >>"$log" 2>&1 </dev/null &
  LAYER4_BUILD=$!
  set +m
}

# Before the tests: beside them it would take both cores from those that wait for containers.
build_layer4_first() {
  [ -n "${LAYER4_BUILD:-}" ] || start_layer4_build
  [ -z "${LAYER4_BUILD:-}" ] || step 'Building Caddy with the layer4 module (some minutes, once)' await_layer4_build
}

# Until it has ended, one way or another: the tests say what became of it.
await_layer4_build() {
  while kill -0 "$LAYER4_BUILD" 2>/dev/null; do sleep 0.5; done
}

# One that nobody waits for any more.
end_layer4_build() {
  [ -z "${LAYER4_BUILD:-}" ] || kill -- "-$LAYER4_BUILD" 2>/dev/null || true
}
