# shellcheck shell=bash
# Owns having a new enough Caddy: one already here, else the single package `caddy` of Debian testing, unpacked aside.

CADDY_FOUND=

# Caddy before 2.10 drops or corrupts WebSockets when its config changes.
caddy_is_new_enough() {
  local version
  version=$("$1" version 2>/dev/null) || return 1
  [[ $version =~ ^v?([0-9]+)\.([0-9]+) ]] || return 1
  [ "${BASH_REMATCH[1]}" -gt 2 ] || { [ "${BASH_REMATCH[1]}" -eq 2 ] && [ "${BASH_REMATCH[2]}" -ge 10 ]; }
}

# Where moat keeps its state; under sudo it is the invoking user's.
moat_home() {
  if [ -n "${MOAT_HOME:-}" ]; then
    printf '%s\n' "$MOAT_HOME"
  elif is_root && [ -n "${SUDO_USER:-}" ]; then
    eval "printf '%s\n' ~$(printf '%q' "$SUDO_USER")/.moat"
  else
    printf '%s\n' "$HOME/.moat"
  fi
}

find_caddy() {
  local candidate
  if [ -n "${MOAT_CADDY:-}" ]; then
    CADDY_FOUND=$MOAT_CADDY
    caddy_is_new_enough "$MOAT_CADDY"
    return
  fi
  for candidate in "$(moat_home)/bin/caddy" "$CACHE/caddy" "$(command -v caddy || true)"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && caddy_is_new_enough "$candidate"; then
      CADDY_FOUND=$candidate
      return
    fi
  done
  return 1
}

check_caddy() {
  find_caddy && return
  if [ -n "${MOAT_CADDY:-}" ]; then
    problem "MOAT_CADDY is $MOAT_CADDY, which is no Caddy 2.10 or newer that runs here." \
      'Point it at one, or let this script find one:  unset MOAT_CADDY'
  elif is_debian; then
    return
  elif [ "$(uname -s)" = Darwin ]; then
    problem 'moat needs Caddy 2.10 or newer.' 'brew install caddy'
  else
    problem 'moat needs Caddy 2.10 or newer.' \
      "Get the plain binary for $(uname -s) $(uname -m) from the official Caddy download page, make it executable, and put" \
      "it on PATH or at $(moat_home)/bin/caddy (or set MOAT_CADDY to where it is)."
  fi
}

ensure_caddy() {
  if ! find_caddy; then
    attempt 'Fetching Caddy from Debian testing (this one package only)' fetch_caddy
    if [ "$STEP_STATUS" -ne 0 ] || ! find_caddy; then
      fail_step 'Fetching Caddy from Debian testing' \
        "Or bring Caddy 2.10 or newer yourself: put the binary at $(moat_home)/bin/caddy, or set MOAT_CADDY to where it is."
    fi
  fi
  export MOAT_CADDY=$CADDY_FOUND
}

# A private apt configuration with Debian testing as its only source: the system's own stays as it is.
fetch_caddy() {
  local work mirror
  work=$(make_work_directory)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$work'" EXIT
  mirror=$(debian_mirror "$work")
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/package"
  echo "deb [signed-by=$DEBIAN_KEYRING] $mirror testing main" >"$work/sources.list"
  set -- -o "Dir::State=$work/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$work/cache" \
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Acquire::Languages=none
  apt-get "$@" update
  cd "$work" || return 1
  apt-get "$@" download caddy
  dpkg-deb -x caddy_*.deb package
  if ! caddy_is_new_enough package/usr/bin/caddy; then
    echo 'The caddy package of Debian testing does not run here, or is older than 2.10.'
    return 1
  fi
  mv package/usr/bin/caddy "$CACHE/caddy"
}

# Makes the Caddy of this set-up the one that a plain `moat` finds later.
keep_caddy() {
  local home
  home=$(moat_home)
  if caddy_is_new_enough "$home/bin/caddy"; then
    caddy_has_layer4 "$MOAT_CADDY" && ! caddy_has_layer4 "$home/bin/caddy" || return 0
  fi
  mkdir -p "$home/bin"
  # Renamed into place: whoever starts Caddy meanwhile finds a whole one.
  cp "$MOAT_CADDY" "$home/bin/.caddy.$$"
  chmod 755 "$home/bin/.caddy.$$"
  mv -f "$home/bin/.caddy.$$" "$home/bin/caddy"
  if is_root && [ -n "${SUDO_UID:-}" ]; then
    chown "$SUDO_UID:${SUDO_GID:-}" "$home" "$home/bin" "$home/bin/caddy"
  fi
}
