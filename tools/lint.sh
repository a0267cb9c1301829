#!/bin/bash
# `make lint`: formatting, clang-tidy, cppcheck, shellcheck and the project's own rules. All are
# run; the exit status is 1 when any of them found something.
#
#   tools/lint.sh "FORMATTED-FILES" "COMPILED-FILES" "COMPILER-FLAGS"
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

read -ra formatted <<<"$1"
read -ra compiled <<<"$2"
read -ra flags <<<"$3"
failed=()

check() {
  local name=$1 started=$SECONDS
  shift
  if "$@"; then
    printf '%-14s clean (%d s)\n' "$name" $((SECONDS - started))
  else
    printf '%-14s FAILED (%d s)\n' "$name" $((SECONDS - started))
    failed+=("$name")
  fi
}

format() { clang-format --dry-run -Werror "${formatted[@]}"; }

tidy() {
  # shellcheck disable=SC2016 # the inner sh expands it
  printf '%s\n' "${compiled[@]}" |
    xargs -P "$(nproc)" -n 4 sh -c \
      'flags=$1; shift; exec clang-tidy --quiet --warnings-as-errors="*" "$@" -- $flags' \
      sh "${flags[*]}" 2> >(grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' >&2)
}

cpp() {
  cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
    -j "$(nproc)" -I . -D_GNU_SOURCE --suppress=missingIncludeSystem --suppress=preprocessorErrorDirective \
    --suppress=memleak "${compiled[@]}"
}

shells() {
  find .ci tools testsuites -name '*.sh' -print0 | xargs -0 shellcheck .ci/run
}

check clang-format format
check clang-tidy tidy
check cppcheck cpp
check shellcheck shells
check rules bash tools/rules.sh

if ((${#failed[@]} > 0)); then
  echo "lint: ${failed[*]} found something" >&2
  exit 1
fi
