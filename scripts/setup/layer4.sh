# shellcheck shell=bash
# Owns having a Caddy with the layer4 module: one already here, else built with Go from what caddy/layer4 pins, whose sums Go
# checks. Kept by what it was built from. Without Go or its module proxy there is none, and moat does without.

LAYER4_SOURCE=$ROOT/caddy/layer4
LAYER4_CADDY=$CACHE/layer4-$(cat "$LAYER4_SOURCE/go.mod" "$LAYER4_SOURCE/go.sum" "$LAYER4_SOURCE/main.go" | cksum | tr ' ' -)/caddy

caddy_has_layer4() {
  caddy_is_new_enough "$1" && "$1" list-modules --skip-standard 2>/dev/null | grep -x caddy.listeners.layer4 >/dev/null
}

find_go() {
  local candidate
  for candidate in "$(command -v go || true)" /usr/local/go/bin/go; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  echo 'There is no Go here.' >&2
  return 1
}

# build_layer4 NICENESS: in directories of its own, which are gone afterwards; two gigabytes of sources and objects are of no use
# to anybody then.
build_layer4() {
  local go work=$CACHE/layer4.build
  go=$(find_go) || return 1
  mkdir -p "$work" "${LAYER4_CADDY%/*}" || return 1
  # What was fetched before a failure is there for the next attempt.
  export GOMODCACHE=$work/mod GOCACHE=$work/cache GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 GOFLAGS='-mod=readonly -modcacherw'
  (cd "$LAYER4_SOURCE" &&
    nice -n "$1" "$go" build -trimpath -buildvcs=false -ldflags '-s -w' -o "$work/caddy" .) || return 1
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

# Beside the tests, after them; those that need it wait for it, and fail with the reason where it cannot be had.
start_layer4_build() {
  export MOAT_LAYER4_CADDY=$LAYER4_CADDY
  rm -f "$LAYER4_CADDY.failed"
  [ ! -x "$LAYER4_CADDY" ] || rm -rf "$CACHE/layer4.build"
  { [ -x "$LAYER4_CADDY" ] || caddy_has_layer4 "$MOAT_CADDY"; } && return
  mkdir -p "${LAYER4_CADDY%/*}"
  say "Building Caddy with the layer4 module beside the tests: $CACHE/layer4.log"
  # A process group of its own, so that all of it can be ended.
  set -m
  (
    if ! build_layer4 10 >"$CACHE/layer4.log" 2>&1 </dev/null; then
      tail -n 25 "$CACHE/layer4.log" >"$LAYER4_CADDY.failing"
      mv -f "$LAYER4_CADDY.failing" "$LAYER4_CADDY.failed"
    fi
  ) &
  LAYER4_BUILD=$!
  set +m
}

# One that nobody waits for any more.
end_layer4_build() {
  [ -z "${LAYER4_BUILD:-}" ] || kill -- "-$LAYER4_BUILD" 2>/dev/null || true
}
