# shellcheck shell=bash
# Owns having a container engine that answers: one that already does, else Debian's docker.io, started here as root.

DOCKERD_LOG=$CACHE/dockerd.log

engine() {
  node "$ROOT/scripts/setup/engine.mjs" "$@"
}

check_engine() {
  local reasons
  # Asking takes a Node, of any version.
  has node || return 0
  reasons=$(engine ping) && return
  if [ -n "${DOCKER_HOST:-${DOCKER_CONTEXT:-}}" ]; then
    problem 'No container engine answers where DOCKER_HOST or DOCKER_CONTEXT says.' \
      'Start that engine, or let this script look elsewhere:  unset DOCKER_HOST DOCKER_CONTEXT' 'Tried:' "$reasons"
  elif [ "$(uname -s)" = Darwin ]; then
    problem 'moat needs a running container engine, and none answers.' \
      'Docker Desktop:  open -a Docker' 'OrbStack:        open -a OrbStack' 'Colima:          colima start' \
      'None of them yet?  brew install colima docker && colima start' "Tried:" "$reasons"
  elif is_root && { has dockerd || has apt-get; }; then
    return 0
  else
    explain_missing_engine "$reasons"
  fi
}

# For an ordinary user on Linux, who has to do it with sudo.
explain_missing_engine() {
  case $1 in
    *'permission denied'*)
      problem "A container engine is running, but $(id -un) may not use it." \
        "sudo usermod -aG docker $(id -un)" 'Then log in again, or in this shell:  newgrp docker' 'Tried:' "$1"
      ;;
    *)
      if has dockerd || [ -x /usr/sbin/dockerd ]; then
        problem 'Docker is installed, but it is not running.' 'sudo systemctl start docker' 'Tried:' "$1"
      elif has apt-get; then
        problem 'moat needs a container engine, and none answers.' 'sudo apt-get install -y docker.io' \
          "sudo usermod -aG docker $(id -un)   # then log in again" 'Tried:' "$1"
      else
        problem 'moat needs a container engine, and none answers.' \
          "Install Docker Engine (or Podman with its Docker API socket) with your distribution's package manager, start it," \
          'and check that this works:  docker info' 'Tried:' "$1"
      fi
      ;;
  esac
}

ensure_engine() {
  engine ping >/dev/null && return
  if ! has dockerd; then
    step 'Installing docker.io' install_docker
  fi
  # Installing may have started it already.
  engine ping >/dev/null || step 'Starting dockerd' start_engine
}

# Pulling takes a CA bundle. One that is there stays as it is: it may be a proxy's, put in place without the package.
install_docker() {
  if [ -r "$CA_BUNDLE" ]; then
    install_packages docker.io
  else
    install_packages docker.io ca-certificates
  fi
}

start_engine() {
  local pid='' deadline=$((SECONDS + 60))
  if [ -d /run/systemd/system ] && has systemctl; then
    systemctl start docker
  elif ! daemon_is_alive; then
    mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup || true
    # In a session of its own, so that neither Ctrl+C nor the end of this script takes it along.
    cd /
    setsid dockerd >"$DOCKERD_LOG" 2>&1 </dev/null &
    pid=$!
  fi
  until engine ping; do
    if [ -n "$pid" ] && ! kill -0 "$pid" && ! daemon_is_alive; then
      explain_dead_daemon 'dockerd ended at once.'
      return 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      explain_dead_daemon 'dockerd does not answer after 60 s.'
      return 1
    fi
    sleep 0.3
  done
}

daemon_is_alive() {
  local pid
  pid=$(cat /var/run/docker.pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null
}

explain_dead_daemon() {
  echo
  echo "$1 The end of its log, $DOCKERD_LOG:"
  tail -n 15 "$DOCKERD_LOG" || true
}
