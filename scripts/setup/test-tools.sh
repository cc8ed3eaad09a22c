# shellcheck shell=bash
# Owns the programs that only tests need: clients whose trust stores moat changes, shells that complete its commands, a
# second engine, another runtime, sudo. Installed where that is possible; elsewhere the tests that need one fail and say which.

# program:packages. catatonit is the init process Podman puts into containers; Debian's podman only recommends it.
TEST_TOOLS='chromium:chromium certutil:libnss3-tools curl:curl openssl:openssl pip3:python3-pip podman:podman,catatonit newuidmap:uidmap
  qemu-aarch64:qemu-user runsc:runsc psql:postgresql-client setcap:libcap2-bin redis-cli:redis-tools
  ssh-agent:openssh-client sudo:sudo tmux:tmux zsh:zsh'

ensure_test_tools() {
  local tool missing=()
  [ "$(uname -s)" = Linux ] || return 0
  for tool in $TEST_TOOLS; do
    # shellcheck disable=SC2206 # packages of one tool
    has "${tool%%:*}" || [ -x "/sbin/${tool%%:*}" ] || [ -x "/usr/sbin/${tool%%:*}" ] || missing+=(${tool##*:})
  done
  [ "${#missing[@]}" -eq 0 ] || install_test_tools
  ! has runsc || ensure_gvisor
  if ! postgres_is_there; then
    attempt 'Fetching Postgres 17 for tests (16 MB)' install_postgres
    [ "$STEP_STATUS" -eq 0 ] || say "The tests that connect to it will fail: $(tail -n 1 "$STEP_LOG")"
  fi
  zig_is_there && return
  attempt 'Fetching the compiler of the forwarder (100 MB)' install_zig
  [ "$STEP_STATUS" -eq 0 ] || say "The test that compiles it will fail: $(tail -n 1 "$STEP_LOG")"
}

# Docker learns of a runtime from a file. Not on a machine that somebody has set up.
# Without KVM, and in the network namespace of the container, whose packets Docker leads there.
ensure_gvisor() {
  ! docker info --format '{{json .Runtimes}}' 2>/dev/null | grep -q '"runsc"' || return 0
  is_root && [ ! -d /run/systemd/system ] && has dockerd || return 0
  attempt 'Adding gVisor to the runtimes of Docker' runsc install -- --platform=ptrace --network=host
  [ "$STEP_STATUS" -eq 0 ] && pkill -HUP -x dockerd || say "The test that runs it will fail: $(tail -n 1 "$STEP_LOG")"
}

# Those in `missing`.
install_test_tools() {
  missing=("${missing[@]//,/ }")
  if can_install_packages && is_debian; then
    # shellcheck disable=SC2068 # a word a package
    step "Installing ${missing[*]} for tests" install_packages ${missing[@]}
  else
    say "Some tests need programs that are not here, and will fail. Install these packages: ${missing[*]}"
  fi
}
