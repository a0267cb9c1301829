#!/bin/bash
# `make call NAME=mkdirat`: what is there and what to write for a system call.
set -euo pipefail
cd "$(dirname "$0")/.." || exit 1

name=${1:?usage: make call NAME=mkdirat}
[[ $name =~ ^[a-z0-9_]+$ ]] || { echo "call.sh: \"$name\" is no system call's name" >&2; exit 2; }
number=$(printf '#include <sys/syscall.h>\nSYS_%s\n' "$name" | cc -E -P - 2>/dev/null | tail -n 1)
if ! [[ $number =~ ^[0-9]+$ ]]; then
  echo "call.sh: this system's headers know no call \"$name\"" >&2
  exit 1
fi
row=$(grep -nE "^[A-Z_]+\( *$number," syscalls/linux_x86_64.def || true)

echo "$name is number $number on x86-64. Read first: man 2 $name"
echo
echo "1. the row, in syscalls/linux_x86_64.def"
echo "   ${row:-none yet; the head of the file explains the columns}"
echo "2. the handler, in the area's file in syscalls/"
grep -nE "\bdz_sys_$name\b" syscalls/*.c | sed 's/^/   /' || echo "   int64_t dz_sys_$name(struct dz_call *call)"
echo "3. guest cases that say the same natively and under denizen"
grep -lE "\b($name|SYS_$name)\b" testsuites/guest/*.c | sed 's/^/   /' ||
  echo "   testsuites/guest/$name.c"
echo "4. if it could cross the boundary, an attack"
grep -lE "\b($name|SYS_$name)\b" testsuites/security/*.c 2>/dev/null | sed 's/^/   /' ||
  echo "   testsuites/security/$name.c"
