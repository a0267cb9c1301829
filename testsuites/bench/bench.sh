#!/bin/bash
# `make bench`: measure denizen against native and proot in the demo's root filesystem.
#
#   DENIZEN=build/denizen testsuites/bench/bench.sh
#
# BENCH_ROUNDS=N   rounds of every row (9)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=testsuites/demo/rootfs.sh
source testsuites/demo/rootfs.sh

denizen=$(realpath "${DENIZEN:-build/denizen}")
rootfs_user
rootfs_make

# What the user must be able to run may lie in a home that it cannot enter: it gets copies.
work=$(mktemp -d "${TMPDIR:-/tmp}/denizen-bench.XXXXXX")
guest_directory=/tmp/bench.$$
trap 'rm -rf "$work" "$demo_root$guest_directory"' EXIT
chmod 755 "$work"
mkdir "$work/home"
cp "$denizen" "$work/denizen"
cp build/bench/{enter,first} "$work/"
((EUID == 0)) && chown "$demo_uid" "$work/home"

"${as_demo_user[@]}" mkdir "$demo_root$guest_directory"
cp build/bench/{op,first} "$demo_root$guest_directory/"
# A source of some size, as real ones are: about half a second's work for the compiler.
{
  echo '#include <stdio.h>
#include <stdlib.h>
#include <string.h>'
  for ((i = 0; i < 150; i++)); do
    echo "static int work_$i(int count, char **words) {
  int sum = $i;
  for (int k = 0; k < count; k++)
    sum += (int)strlen(words[k]) * (sum ^ k) + (sum % ($i + 3) ? words[k][0] : printf(\"%d\", sum));
  return sum;
}"
  done
  echo 'int main(int argc, char **argv) {
  int sum = 0;'
  for ((i = 0; i < 150; i++)); do echo "  sum += work_$i(argc, argv);"; done
  echo '  return sum != 0;
}'
} >"$demo_root$guest_directory/source.c"

enter=(build/bench/enter "$demo_root" "$demo_uid")
"${enter[@]}" "$guest_directory/op" prepare "$guest_directory" ||
  rootfs_fail "cannot run a program natively in $demo_root"

export HOME=$work/home XDG_CACHE_HOME=$work/home/cache XDG_RUNTIME_DIR=$work/home
export PROOT_VERBOSE=-1 TMPDIR=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
build/bench/bench "$demo_root" "$guest_directory" "$demo_uid" "$work" "$work/denizen" \
  "$(command -v proot)" build/bench.json "${BENCH_ROUNDS:-9}"
