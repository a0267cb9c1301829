#!/bin/bash
# The project's own rules, each proved by a search of the sources. CONTRIBUTING.md explains them.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

readonly rooms=(host cli loader syscalls trap vfs proc signals)
passed=0
failed=0

# rule NAME FUNCTION: passes when the function, a search, finds nothing.
rule() {
  local name=$1 found
  found=$("$2")
  if [[ -z $found ]]; then
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
  printf 'FAIL %s\n%s\n' "$name" "$found"
}

# Code of the rooms without comments, as FILE:LINE:TEXT, so that a comment may name what it bans.
code() {
  local file
  find "${rooms[@]}" -name '*.[ch]' | sort | while read -r file; do
    awk -v file="$file" '
      {
        line = $0
        out = ""
        while (line != "") {
          if (inside) {
            end = index(line, "*/")
            if (!end) { line = ""; break }
            line = substr(line, end + 2); inside = 0
          } else {
            start = index(line, "/*")
            if (!start) { out = out line; break }
            out = out substr(line, 1, start - 1); line = substr(line, start + 2); inside = 1
          }
        }
        sub(/\/\/.*/, "", out)
        if (out != "") print file ":" NR ":" out
      }' "$file"
  done
}

code_lines=$(code)

# Lines of code that match $1, except where FILE:LINE:TEXT matches $2.
used() {
  grep -E "$1" <<<"$code_lines" | grep -vE "${2:-^$}"
}

second_continue() {
  used 'USER_NOTIF_FLAG_CONTINUE' ':[0-9]+: *# *(define|ifndef)' | awk 'NR > 1 || !/^trap\//'
}
guest_memory() { used '\bprocess_vm_(read|write)v\b' '^proc/mem\.c:'; }
tracing() { used '\bptrace *\(' '^trap/'; }
unbounded() {
  used '\b(strcpy|strcat|strncat|sprintf|vsprintf|gets|strtok|alloca|stpcpy|strdupa|mktemp) *\('
}
shells() { used '\b(system|popen) *\('; }
own_gnu_source() { used '# *define +_GNU_SOURCE'; }
left_for_later() {
  grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' "${rooms[@]}" testsuites docs tools |
    grep -v '^tools/rules\.sh:'
}
long_files() {
  find "${rooms[@]}" testsuites -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 500'
}
unguarded_headers() { find "${rooms[@]}" -name '*.h' -exec grep -LE '^#ifndef DZ_.*_H$' {} +; }

rule CONTINUE_is_answered_in_one_place_in_trap second_continue
rule guest_memory_is_reached_only_in_proc_mem guest_memory
rule ptrace_is_used_only_in_trap tracing
rule no_function_that_writes_past_its_buffer unbounded
rule no_shell_is_started shells
rule the_build_defines_GNU_SOURCE own_gnu_source
rule nothing_is_left_for_later_in_a_comment left_for_later
rule files_have_at_most_500_lines long_files
rule headers_are_guarded unguarded_headers

echo "$passed passed, $failed failed"
((failed == 0))
