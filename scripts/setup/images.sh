# shellcheck shell=bash
# Owns having the base images: pulled, or where no registry can be reached made here from Debian's and npm's archives.

DEBIAN_IMAGE=debian:bookworm-slim
NODE_IMAGE=node:22-slim
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
IMAGE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

ensure_images() {
  ensure_image "$DEBIAN_IMAGE" make_debian_image
  ensure_image "$NODE_IMAGE" make_node_image
}

# ensure_image IMAGE MAKE
ensure_image() {
  engine has "$1" >/dev/null && return
  attempt "Pulling $1" engine pull "$1"
  [ "$STEP_STATUS" -eq 0 ] && return
  if ! can_install_packages || ! is_debian; then
    fail "The engine cannot pull $1: $(cat "$STEP_LOG")" \
      "Check the engine's network or proxy settings until this works:  docker pull $1"
  fi
  step "No registry can be reached; making $1 from the package archives" "$2"
}

# What debootstrap calls minbase, from this machine's mirror.
make_debian_image() {
  local work mirror
  has debootstrap || install_packages debootstrap
  work=$(make_work_directory)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$work'" EXIT
  mirror=$(debian_mirror "$work")
  debootstrap --variant=minbase bookworm "$work/root" "$mirror"
  rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/* "$work"/root/var/log/*
  copy_ca_bundle "$work/root$CA_BUNDLE"
  tar --numeric-owner --exclude='./dev/*' -C "$work/root" -c . |
    engine import "$DEBIAN_IMAGE" 'CMD ["bash"]' "ENV PATH=$IMAGE_PATH"
}

# The Debian image with the Node 22 and npm that npm's own packages carry.
make_node_image() {
  local work version
  work=$(make_work_directory)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$work'" EXIT
  install_node_binary "$work/fetched" node@22 npm@10
  version=$("$work/fetched/node_modules/node/bin/node" --version)
  mkdir -p "$work/context/bin"
  cp -L "$work/fetched/node_modules/node/bin/node" "$work/context/bin/node"
  mv "$work/fetched/node_modules/npm" "$work/context/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/context/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/context/bin/npx"
  copy_ca_bundle "$work/context/certs/${CA_BUNDLE##*/}"
  cat >"$work/context/Dockerfile" <<END
FROM $DEBIAN_IMAGE
COPY certs ${CA_BUNDLE%/*}
COPY npm /usr/local/lib/node_modules/npm
COPY bin /usr/local/bin
ENV PATH=$IMAGE_PATH NODE_VERSION=${version#v} NODE_EXTRA_CA_CERTS=$CA_BUNDLE
CMD ["node"]
END
  tar --numeric-owner --owner=0 --group=0 -C "$work/context" -c . | engine build "$NODE_IMAGE"
}

# This machine's CA bundle: behind a proxy that intercepts TLS, HTTPS inside the containers works only with it.
copy_ca_bundle() {
  mkdir -p "${1%/*}"
  if [ -r "$CA_BUNDLE" ]; then
    cp -L "$CA_BUNDLE" "$1"
  fi
}
