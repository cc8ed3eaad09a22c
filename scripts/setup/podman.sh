# shellcheck shell=bash
# Owns having Podman, which the tests run beside Docker. They start its service themselves, on a socket of their own.

# catatonit is the init that Podman puts into containers.
ensure_podman() {
  has podman && return
  if can_install_packages; then
    step 'Installing podman' install_packages podman catatonit
  else
    say 'The tests of Podman will fail, for there is none. To have it:'
    if [ "$(uname -s)" = Darwin ]; then
      say '  brew install podman && podman machine init && podman machine start'
    elif has apt-get; then
      say '  sudo apt-get install -y podman catatonit'
    else
      say "  install podman and catatonit with your distribution's package manager"
    fi
  fi
}
