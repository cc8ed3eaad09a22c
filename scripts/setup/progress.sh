# shellcheck shell=bash
# Owns what the set-up prints (all on stderr) and how it runs a slow step: a line before, dots meanwhile, seconds after.

STEP_LOG=$CACHE/last-step.log
PROBLEMS=

say() {
  printf '%s\n' "$*" >&2
}

# fail SENTENCE [ADVICE…]
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for advice in "$@"; do printf '  %s\n' "$advice" >&2; done
  exit 1
}

# problem SENTENCE [ADVICE…]: like fail, but collected until fail_on_problems.
problem() {
  PROBLEMS="${PROBLEMS}error: $1"$'\n'
  shift
  for advice in "$@"; do PROBLEMS="$PROBLEMS  $advice"$'\n'; done
}

fail_on_problems() {
  [ -z "$PROBLEMS" ] && return
  printf '%s' "$PROBLEMS" >&2
  exit 1
}

# A background job of a script ignores Ctrl+C, so the dots watch for the script's end themselves.
print_dots() {
  while sleep 1 2>/dev/null && kill -0 $$ 2>/dev/null; do printf . >&2; done
}

# attempt LABEL COMMAND…: runs COMMAND in a subshell, its output in $STEP_LOG. The result is left in STEP_STATUS, not
# returned: bash ignores `set -e` inside anything whose result is tested.
attempt() {
  local label=$1 started=$SECONDS dots
  shift
  printf '%s ' "$label" >&2
  print_dots >/dev/null &
  dots=$!
  set +e
  (
    set -e
    "$@"
  ) >"$STEP_LOG" 2>&1 </dev/null
  STEP_STATUS=$?
  set -e
  kill "$dots" 2>/dev/null || true
  wait "$dots" 2>/dev/null || true
  if [ "$STEP_STATUS" -eq 0 ]; then
    say " done ($((SECONDS - started)) s)"
  else
    say " failed ($((SECONDS - started)) s)"
  fi
}

# step LABEL COMMAND…: an attempt that has to succeed.
step() {
  attempt "$@"
  [ "$STEP_STATUS" -eq 0 ] || fail_step "$1"
}

# fail_step LABEL [ADVICE…]: shows how the output of the last attempt ends.
fail_step() {
  local label=$1
  shift
  tail -n 25 "$STEP_LOG" | sed 's/^/    /' >&2
  fail "This step failed: $label" "$@" "All of its output: $STEP_LOG"
}
