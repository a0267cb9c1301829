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
cat >"$demo_root$guest_directory/source.c" <<'SOURCE'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
  struct entry *next;
  char name[32];
};

int main(int argc, char **argv) {
  struct entry *all = NULL;

  for (int i = 0; i < argc; i++) {
    struct entry *one = calloc(1, sizeof *one);

    if (!one)
      return 1;
    strncpy(one->name, argv[i], sizeof one->name - 1);
    one->next = all;
    all = one;
  }
  for (; all; all = all->next)
    puts(all->name);
  return 0;
}
SOURCE

enter=(build/bench/enter "$demo_root" "$demo_uid")
"${enter[@]}" "$guest_directory/op" prepare "$guest_directory" ||
  rootfs_fail "cannot run a program natively in $demo_root"

export HOME=$work/home XDG_CACHE_HOME=$work/home/cache XDG_RUNTIME_DIR=$work/home
export PROOT_VERBOSE=-1 TMPDIR=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
build/bench/bench "$demo_root" "$guest_directory" "$demo_uid" "$work" "$work/denizen" \
  "$(command -v proot)" build/bench.json "${BENCH_ROUNDS:-9}"
