# shellcheck shell=bash
# Owns node_modules and dist/: both renewed only when what they come from has changed.

# Inside node_modules, so that they vanish with it.
STAMPS=$ROOT/node_modules/.moat-setup

ensure_packages() {
  local now
  now="$(cksum <package-lock.json) $(uname -sm)"
  [ "$(cat "$STAMPS/packages" 2>/dev/null)" = "$now" ] && return
  step 'Installing npm packages' npm ci --include=dev
  mkdir -p "$STAMPS"
  printf '%s\n' "$now" >"$STAMPS/packages"
}

# A deleted file shows in its directory's modification time.
ensure_build() {
  if [ -d dist ] && [ -e "$STAMPS/build" ] &&
    [ -z "$(find src plugins package.json scripts/bundle.mjs tsconfig.json tsconfig.build.json -name dist -prune -o -name '*.tsbuildinfo' -o -newer "$STAMPS/build" -print)" ]; then
    return
  fi
  # The stamp is of the build's start: what changes during it is newer.
  touch "$STAMPS/build.started"
  step 'Building' npm run build
  mv "$STAMPS/build.started" "$STAMPS/build"
}

# Writes the manifest of the commands in dist/ to FILE, whatever the committed one says.
# generate_manifest FILE
generate_manifest() {
  local work
  work=$(mktemp -d)
  # `oclif manifest` writes next to the package.json it reads.
  cp package.json "$work"
  # A copy: through a link it would record where the link leads.
  cp -R dist "$work/dist"
  ln -s "$ROOT/node_modules" "$ROOT/caddy" "$ROOT/data" "$work"
  (cd "$work" && "$ROOT/node_modules/.bin/oclif" manifest) || { rm -rf "$work"; return 1; }
  node scripts/sort-manifest.mjs "$work/oclif.manifest.json"
  mv "$work/oclif.manifest.json" "$1"
  rm -rf "$work"
}
