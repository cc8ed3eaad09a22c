# shellcheck shell=bash
# Owns what the set-up knows of Debian-like systems: whether apt may be used, and which mirror this machine uses.

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

is_root() {
  [ "$(id -u)" -eq 0 ]
}

has() {
  command -v "$1" >/dev/null 2>&1
}

can_install_packages() {
  is_root && has apt-get
}

# Debian itself, not a derivative with other archives: one package of Debian testing and debootstrap need its key.
is_debian() {
  has apt-get && has dpkg-deb && [ -r "$DEBIAN_KEYRING" ]
}

# An empty directory that apt's own unprivileged user can read too.
make_work_directory() {
  local directory
  directory=$(mktemp -d "${TMPDIR:-/var/tmp}/moat-setup.XXXXXX")
  chmod 755 "$directory"
  printf '%s\n' "$directory"
}

# The address of this machine's Debian mirror, as its own apt configuration has it; fails if it has none.
# debian_mirror WORK_DIRECTORY
debian_mirror() {
  local work=$1 mirror
  mirror=$(first_mirror)
  if [ -z "$mirror" ]; then
    # Without package lists apt does not know which source is Debian's: fetch them aside, which needs no root.
    mkdir -p "$work/lists/lists/partial" "$work/lists/archives/partial"
    set -- -o "Dir::State=$work/lists" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$work/lists"
    apt-get "$@" -o Acquire::Languages=none update >&2 || true
    mirror=$(first_mirror "$@")
  fi
  if [ -z "$mirror" ]; then
    echo "apt's sources on this machine name no Debian mirror: check /etc/apt/sources.list.d, then apt-get update." >&2
    return 1
  fi
  printf '%s\n' "$mirror"
}

# The label tells the main archive from the security one.
first_mirror() {
  # shellcheck disable=SC2016 # apt fills this in, not the shell
  apt-get "$@" indextargets --format '$(REPO_URI)' 'ORIGIN: Debian' 'LABEL: Debian' | sort -u | sed -n 1p
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  # A broken third-party source must not stand in the way: whether the packages can be had shows below.
  apt-get update || true
  apt-get install -y --no-install-recommends "$@"
}
