# bash completion for denizen; the words come from denizen's own help, so they are never old.

_denizen() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words="$("${COMP_WORDS[0]}" help 2>/dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p') --help --version"
  elif [[ $current == -* ]]; then
    words=$("${COMP_WORDS[0]}" "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*')
  else
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _denizen denizen
