#!/bin/bash
# `make demo`: run a Debian root filesystem as an ordinary user, and tell what each step cost.
#
#   DENIZEN=build/denizen testsuites/demo/demo.sh
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=testsuites/demo/rootfs.sh
source testsuites/demo/rootfs.sh

denizen=$(realpath "${DENIZEN:-build/denizen}")
rootfs_user
rootfs_make

work=$(mktemp -d "${TMPDIR:-/tmp}/denizen-demo.XXXXXX")
guest_directory=/tmp/demo.$$
trap 'rm -rf "$work" "$demo_root$guest_directory"' EXIT
chmod 755 "$work"
mkdir "$work/home"
cp "$denizen" "$work/denizen"
cp build/bench/enter "$work/"
((EUID == 0)) && chown "$demo_uid" "$work/home"

"${as_demo_user[@]}" mkdir "$demo_root$guest_directory" || rootfs_fail "cannot write to $demo_root"
cat >"$demo_root$guest_directory/hello.c" <<'SOURCE'
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(void) {
  struct utsname host;

  uname(&host);
  printf("compiled and run in here: process %d, user %d, Linux %s\n", (int)getpid(),
         (int)getuid(), host.release);
  return 0;
}
SOURCE
chmod 644 "$demo_root$guest_directory/hello.c"

environment=(env -i "HOME=$work/home" "XDG_CACHE_HOME=$work/home/cache"
  "XDG_RUNTIME_DIR=$work/home" TMPDIR=/tmp TERM=dumb
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
in_denizen=("${as_demo_user[@]}" "${environment[@]}" "$work/denizen" run "$demo_root")
natively=("${environment[@]}" "$work/enter" "$demo_root" "$demo_uid")

failed=0
native_works=1
"${natively[@]}" /bin/true 2>"$work/why" || {
  native_works=0
  echo "no native column: $(<"$work/why")"
}

names=()
native_ms=()
first_ms=()
again_ms=()

# Run the rest of the line; its time in ms goes to elapsed.
timed() {
  local started=${EPOCHREALTIME/[.,]/} status
  timeout 60 "$@" </dev/null
  status=$?
  elapsed=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
  return $status
}

# step NAME COMMAND...: natively once to fill the host's page cache, then under denizen for the
# first time (which makes its copies of the programs), under denizen again, and natively.
step() {
  local name=$1 elapsed first again native=-
  shift
  printf '\n$ %s\n' "$name"
  ((native_works)) && timed "${natively[@]}" "$@" >/dev/null 2>&1
  if timed "${in_denizen[@]}" "$@"; then
    first=$elapsed
    if timed "${in_denizen[@]}" "$@" >/dev/null 2>&1; then again=$elapsed; else again=failed; fi
  else
    echo "failed under denizen" >&2
    first=failed again=failed
  fi
  [[ $again == failed ]] && failed=$((failed + 1))
  if ((native_works)); then
    if timed "${natively[@]}" "$@" >/dev/null 2>&1; then native=$elapsed; else native=failed; fi
  fi
  names+=("$name")
  native_ms+=("$native")
  first_ms+=("$first")
  again_ms+=("$again")
}

echo "host: $(sed -n 's/^PRETTY_NAME=//p' /etc/os-release), Linux $(uname -r)"
echo "root filesystem: $demo_root; run by user $demo_uid with no privilege"

step "cat /etc/os-release" /bin/cat /etc/os-release
step "id" /usr/bin/id
step "ps aux" /bin/ps aux
step "gcc -o hello hello.c && ./hello" /bin/sh -c \
  "cd $guest_directory && gcc -O1 -o hello hello.c && ./hello"
step "python3 -c ..." /usr/bin/python3 -c '
import os, sys
print("python", sys.version.split()[0], "sees", len(os.listdir("/usr/bin")), "programs in /usr/bin")'
# shellcheck disable=SC2016 # the guest expands it
step "a pipeline of 1,000 processes" /bin/sh -c '
line="seq 1 5000"
i=0
while [ $i -lt 998 ]; do line="$line | cat"; i=$((i + 1)); done
test "$(eval "$line | wc -l")" = 5000 && echo "5000 lines came through 1,000 processes"'

printf '\n$ denizen coverage | tail\n'
"${as_demo_user[@]}" "$work/denizen" coverage | tail || failed=$((failed + 1))

ratio() {
  [[ $1 =~ ^[0-9]+$ && $2 =~ ^[1-9][0-9]*$ ]] && awk "BEGIN { printf \"%.2fx\", $1 / $2 }"
}

printf '\n%-34s %10s %12s %12s %8s\n' "ms, start and end included" native "denizen 1st" again ratio
for i in "${!names[@]}"; do
  printf '%-34s %10s %12s %12s %8s\n' "${names[i]}" "${native_ms[i]}" "${first_ms[i]}" \
    "${again_ms[i]}" "$(ratio "${again_ms[i]}" "${native_ms[i]}")"
done
echo "native: the same command by the same user, with chroot"

if ((failed > 0)); then
  echo "$failed of $((${#names[@]} + 1)) steps failed" >&2
  exit 1
fi
