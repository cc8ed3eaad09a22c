#compdef moat
# zsh completion for moat: asks moat itself what may stand at the cursor. Printed by `moat autocomplete zsh`, which
# fills in where it is. Works when it is evaluated in ~/.zshrc, and as a file _moat in a directory of $fpath.

_moat_program() {
  if [ -x @NODE@ ] && [ -r @FILE@ ]; then @NODE@ @FILE@ "$@"; else command moat "$@"; fi
}

_moat_answer() {
  _moat_program __complete zsh "$@" 2>/dev/null </dev/null
}

_moat() {
  local about kind value
  local -a candidates
  {
    IFS= read -r kind
    while IFS=$'\t' read -r value about; do
      candidates+=("${value//:/\\:}${about:+:$about}")
    done
  } < <(_moat_answer "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  case $kind in
    files | directories)
      # A path in --flag=path begins after the equals sign.
      [[ $PREFIX == --*=* ]] && compset -P '*='
      if [[ $kind == files ]]; then _files; else _files -/; fi
      ;;
    *) (( $#candidates )) && _describe -t moat moat candidates ;;
  esac
}

if [[ ${funcstack[1]} == _moat ]]; then
  _moat "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _moat moat
fi
