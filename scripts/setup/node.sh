# shellcheck shell=bash
# Owns having a new enough Node: the one on PATH, else the npm package `node`, kept in the set-up's cache.

NODE_PREFIX=$CACHE/node

node_is_new_enough() {
  has node && node -e 'var v = process.versions.node.split("."); process.exit(v[0] > 22 || (v[0] == 22 && v[1] >= 20) ? 0 : 1)'
}

use_cached_node() {
  if ! node_is_new_enough && [ -x "$NODE_PREFIX/node_modules/node/bin/node" ]; then
    PATH=$NODE_PREFIX/node_modules/node/bin:$NODE_PREFIX/node_modules/.bin:$PATH
    hash -r
  fi
}

check_node() {
  has npm && has node && return
  if can_install_packages; then
    problem 'moat needs Node.js 22.20 or newer with npm, and there is no npm here.' \
      'Any version of npm will do, it brings the right Node:  apt-get update && apt-get install -y npm'
  elif [ "$(uname -s)" = Darwin ]; then
    problem 'moat needs Node.js 22.20 or newer with npm, and there is no npm here.' 'brew install node'
  else
    problem 'moat needs Node.js 22.20 or newer with npm, and there is no npm here.' \
      'Any version of npm will do, it brings the right Node:  sudo apt-get install -y npm' \
      '(or your distribution'"'"'s package named nodejs or npm)'
  fi
}

ensure_node() {
  node_is_new_enough && return
  step "Fetching Node 24 (this machine has $(node --version))" fetch_node
  use_cached_node
}

fetch_node() {
  install_node_binary "$NODE_PREFIX" node@24 npm@11
}

# install_node_binary PREFIX PACKAGE…: the npm package `node` fetches its binary in an install script, which newer npm
# versions and `ignore-scripts` may hold back; then that script is run here.
install_node_binary() {
  local prefix=$1 binary=$1/node_modules/node/bin/node
  shift
  mkdir -p "$prefix"
  npm install --prefix "$prefix" --ignore-scripts=false --no-fund --no-audit "$@"
  if ! "$binary" --version; then
    (cd "$prefix/node_modules/node" && node installArchSpecificPackage.js)
  fi
  if ! "$binary" --version; then
    echo "npm installed its package 'node', but $binary does not run."
    echo 'Install Node.js 22.20 or newer yourself, put it on PATH, and run this again.'
    return 1
  fi
}
