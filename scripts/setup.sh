# shellcheck shell=bash
# Owns the order of the set-up that quickstart and test share: check everything first, then bring what is missing.
# Sourced, not run. Works with the bash 3.2 of macOS. Every part is idempotent and says nothing when satisfied.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${MOAT_SETUP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/moat-setup}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)

# shellcheck source=scripts/setup/progress.sh
. "$ROOT/scripts/setup/progress.sh"
# shellcheck source=scripts/setup/debian.sh
. "$ROOT/scripts/setup/debian.sh"
# shellcheck source=scripts/setup/node.sh
. "$ROOT/scripts/setup/node.sh"
# shellcheck source=scripts/setup/engine.sh
. "$ROOT/scripts/setup/engine.sh"
# shellcheck source=scripts/setup/images.sh
. "$ROOT/scripts/setup/images.sh"
# shellcheck source=scripts/setup/caddy.sh
. "$ROOT/scripts/setup/caddy.sh"
# shellcheck source=scripts/setup/layer4.sh
. "$ROOT/scripts/setup/layer4.sh"
# shellcheck source=scripts/setup/packages.sh
. "$ROOT/scripts/setup/packages.sh"
# shellcheck source=scripts/setup/zig.sh
. "$ROOT/scripts/setup/zig.sh"
# shellcheck source=scripts/setup/postgres.sh
. "$ROOT/scripts/setup/postgres.sh"
# shellcheck source=scripts/setup/test-tools.sh
. "$ROOT/scripts/setup/test-tools.sh"

# Names everything that stands in the way at once, before anything is installed.
check_machine() {
  case $(uname -s) in
    Linux | Darwin) ;;
    *) problem "moat runs on Linux and macOS, not on $(uname -s)." 'On Windows, use a Linux distribution in WSL 2.' ;;
  esac
  check_node
  check_engine
  check_caddy
  fail_on_problems
}

# After this: Node, npm and node_modules are right on PATH, dist/ is current, MOAT_CADDY is exported, an engine answers
# and has the base images.
set_up() {
  cd "$ROOT" || return 1
  use_cached_node
  check_machine
  ensure_node
  ensure_engine
  ensure_images
  ensure_caddy
  ensure_packages
  ensure_build
}
