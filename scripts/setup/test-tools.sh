# shellcheck shell=bash
# Owns the programs that only tests need: clients whose trust stores moat changes, and sudo. Installed where that is
# possible; elsewhere the tests that need one fail and say which.

# program:package
TEST_TOOLS='chromium:chromium certutil:libnss3-tools curl:curl openssl:openssl setcap:libcap2-bin sudo:sudo'

ensure_test_tools() {
  local tool missing=()
  [ "$(uname -s)" = Linux ] || return 0
  for tool in $TEST_TOOLS; do
    has "${tool%%:*}" || [ -x "/sbin/${tool%%:*}" ] || [ -x "/usr/sbin/${tool%%:*}" ] || missing+=("${tool##*:}")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if can_install_packages && is_debian; then
    step "Installing ${missing[*]} for tests" install_packages "${missing[@]}"
  else
    say "Some tests need programs that are not here, and will fail. Install these packages: ${missing[*]}"
  fi
}
