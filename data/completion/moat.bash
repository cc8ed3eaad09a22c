# bash completion for moat: asks moat itself what may stand at the cursor. Printed by `moat autocomplete bash`, which
# fills in where it is. Works with the bash 3.2 of macOS and needs no bash-completion.

_moat_program() {
  if [ -x @NODE@ ] && [ -r @FILE@ ]; then @NODE@ @FILE@ "$@"; else command moat "$@"; fi
}

_moat_answer() {
  _moat_program __complete bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null
}

_moat() {
  local about kind='' value word=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS=$'\t' read -r value about; do
      COMPREPLY+=("$value")
    done
  } < <(_moat_answer)
  case $kind in
    # Readline quotes and completes paths itself.
    files) compopt -o default 2>/dev/null || _moat_paths -f "$word" ;;
    directories) compopt -o dirnames -o filenames 2>/dev/null || _moat_paths -d "$word" ;;
  esac
}

# For a bash without compopt.
_moat_paths() {
  local path
  while IFS= read -r path; do
    COMPREPLY+=("$path")
  done < <(compgen "$1" -- "$2")
}

complete -F _moat moat
