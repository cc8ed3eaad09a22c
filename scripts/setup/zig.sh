# shellcheck shell=bash
# Owns having the compiler of the forwarder: zig, which compiles C for every processor on any machine, from its package for
# pip. One version, known by its hash, so that the same source gives the same bytes everywhere.

ZIG_PREFIX=$CACHE/zig
ZIG=$ZIG_PREFIX/ziglang/zig
ZIG_REQUIREMENTS=$ROOT/forwarder/requirements.txt

zig_is_there() {
  [ -x "$ZIG" ] && [ "$("$ZIG" version 2>/dev/null)" = "$(sed -n 's/^ziglang==\([^ ]*\).*/\1/p' "$ZIG_REQUIREMENTS")" ]
}

# Fails with what pip said, or that there is no pip.
install_zig() {
  if ! has pip3; then
    echo 'There is no pip3 here.'
    return 1
  fi
  rm -rf "$ZIG_PREFIX" "$ZIG_PREFIX.new"
  pip3 install --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --target "$ZIG_PREFIX.new" \
    -r "$ZIG_REQUIREMENTS"
  mv "$ZIG_PREFIX.new" "$ZIG_PREFIX"
}
