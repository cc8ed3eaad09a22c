# shellcheck shell=bash
# Owns having what the tests of shell completion drive: the shells, and tmux for a terminal to run them in.

# Set by what needs them. Both are packages of this name everywhere.
NEEDED_SHELLS=

missing_shells() {
  local program
  for program in $NEEDED_SHELLS; do has "$program" || printf '%s ' "$program"; done
}

check_shells() {
  local missing
  missing=$(missing_shells)
  [ -z "$missing" ] && return
  if can_install_packages; then
    return
  elif [ "$(uname -s)" = Darwin ]; then
    problem "The tests of shell completion need this, which is missing: $missing" "brew install $missing"
  else
    problem "The tests of shell completion need this, which is missing: $missing" \
      "sudo apt-get install -y $missing  (or your distribution's packages of these names)"
  fi
}

ensure_shells() {
  local missing
  missing=$(missing_shells)
  [ -z "$missing" ] && return
  # shellcheck disable=SC2086 # a list of packages
  step "Installing $missing" install_packages $missing
}
