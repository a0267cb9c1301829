#!/bin/bash
# Run every suite against each build directory and add up what they say.
#
#   testsuites/run.sh BUILD...      BUILD: build, build/sanitize-address+undefined
#
# As root each suite runs twice: as root and as nobody without any capability. A suite prints
# "N passed, N failed"; one that ends without saying so, badly, too late or with processes left is
# one failure more.
#
# CHECK_USERS=self    only this user's round
# CHECK_SUITES=REGEX  only the suites whose name matches
# CHECK_LIMIT=SECONDS longest time for one suite (240)
# CHECK_TIME=SECONDS  longest time for all of them (840)
set -uo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.." || exit 1

readonly nobody=65534
readonly longest=${CHECK_LIMIT:-240}
readonly deadline=$((SECONDS + ${CHECK_TIME:-840}))
readonly root_dir=$PWD
total_passed=0
total_failed=0
failed_suites=()

stage=$(mktemp -d "${TMPDIR:-/tmp}/denizen-check.XXXXXX")
trap 'chmod -R u+rwX "$stage"; rm -rf "$stage"' EXIT
chmod 755 "$stage"

users=(self)
if ((EUID == 0)) && [[ ${CHECK_USERS:-} != self ]]; then
  users=(root nobody)
fi

# nobody may be kept out of the checkout (a home directory of mode 700), so it gets a copy of
# what the suites read: the tests and the programs, not the objects.
copy_for_nobody() {
  local build
  mkdir -p "$stage/tree/build"
  cp -a testsuites tools docs host cli loader syscalls trap vfs proc signals "$stage/tree/"
  cp -a build/guest build/security "$stage/tree/build/" 2>/dev/null
  for build in "$@"; do
    mkdir -p "$stage/tree/$build"
    cp "$build"/{denizen,kernel-probes,unit-tests} "$stage/tree/$build/" 2>/dev/null
  done
  chmod -R a+rX "$stage/tree"
}

# Processes that name the directory $1, which only this suite knows, in their arguments or
# environment: what a suite has left running. They get two seconds to end by themselves.
left_behind() {
  local directory=$1 found tries=10
  while ((tries-- > 0)); do
    found=$(grep -lFf /dev/stdin /proc/[0-9]*/{cmdline,environ} 2>/dev/null <<<"$directory" |
      cut -d/ -f3 | sort -un | grep -vxF "$$")
    [[ -n $found ]] || return
    sleep 0.2
  done
  printf '%s\n' "$found"
}

# Run the rest of the line as the user $1 for at most $2 seconds, with directories of its own.
as_user() {
  local user=$1 limit=$2 home=$3
  shift 3
  mkdir "$home/tmp" "$home/cache" "$home/run"
  local environment=(env "HOME=$home" "TMPDIR=$home/tmp" "XDG_CACHE_HOME=$home/cache"
    "XDG_RUNTIME_DIR=$home/run" ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
    UBSAN_OPTIONS=print_stacktrace=1)
  chmod 700 "$home/run"
  if [[ $user == nobody ]]; then
    chown -R $nobody:$nobody "$home"
    environment+=(setpriv "--reuid=$nobody" "--regid=$nobody" --clear-groups
      --inh-caps=-all --bounding-set=-all)
  fi
  timeout --kill-after=10 "$limit" "${environment[@]}" "$@" </dev/null
}

# The counts in a suite's output, as "PASSED FAILED"; nothing when it gave none.
counts() {
  sed -nE \
    -e 's/.*\b([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' \
    -e 's/.*Tested:.*[^0-9]([0-9]+).*Passing:.*[^0-9]([0-9]+).*Failing:.*[^0-9]([0-9]+).*Crashing:.*/\2 \3/p' \
    <<<"$(sed 's/\x1b\[[0-9;]*m//g' "$1")" | tail -n 1
}

# run_suite NAME USER BUILD COMMAND...
run_suite() {
  local name=$1 user=$2 build=$3 tree=$root_dir log passed failed status started=$SECONDS
  local limit=$longest home left pid
  shift 3
  [[ $name =~ ${CHECK_SUITES:-.} ]] || return 0
  [[ $user == nobody ]] && tree=$stage/tree
  log=$root_dir/$build/check/$user-$name.log
  mkdir -p "${log%/*}"
  ((limit > deadline - SECONDS)) && limit=$((deadline - SECONDS))
  ((limit < 1)) && limit=1
  home=$(mktemp -d "$stage/$user.XXXXXX")
  chmod 755 "$home" # the guest tests of root run some of their guests as nobody
  (cd "$tree" && as_user "$user" "$limit" "$home" env "DENIZEN=$tree/$build/denizen" "BUILD=$tree/build" \
    "DENIZEN_BUILD=$tree/$build" \
    "LSAN_OPTIONS=suppressions=$tree/testsuites/leaks.supp:print_suppressions=0" "$@") >"$log" 2>&1
  status=$?

  read -r passed failed <<<"$(counts "$log")"
  if [[ -z ${passed:-} ]]; then
    passed=0 failed=1
    ((status == 0)) && passed=1 failed=0
  fi
  passed=$((passed)) failed=$((failed))
  ((status != 0 && failed == 0)) && failed=1
  left=$(left_behind "$home")
  for pid in $left; do
    printf 'LEFT BEHIND: process %d: %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline")" >>"$log"
    kill -KILL "$pid"
  done
  [[ -n $left ]] && failed=$((failed + 1))

  printf '%-28s %-7s %-34s %5d passed, %d failed (%d s)\n' \
    "$name" "$user" "$build" "$passed" "$failed" $((SECONDS - started))
  grep -aiE '^[[:space:]]*\[?(not run|skip(ped)?)\b' "$log" | sed 's/^[[:space:]]*/    /'
  if ((failed > 0)); then
    failed_suites+=("${log#"$root_dir"/}")
    echo "    exit status $status"
    ((status == 124 || status == 137)) && echo "    out of time after $limit s"
    tail -n 40 "$log" | sed 's/^/    /'
  fi
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
}

run_round() {
  local user=$1 build=$2 script name
  [[ -x $build/unit-tests ]] && run_suite unit "$user" "$build" "$build/unit-tests"
  [[ -x $build/kernel-probes ]] && run_suite kernel "$user" "$build" "$build/kernel-probes"
  for script in testsuites/{guest,security}/run.sh testsuites/faults/*.sh; do
    [[ -f $script ]] || continue
    name=${script#testsuites/}
    name=${name%.sh}
    run_suite "${name//\//-}" "$user" "$build" bash "$script"
  done
}

[[ $# -gt 0 ]] || { echo "usage: testsuites/run.sh BUILD..." >&2; exit 2; }
[[ " ${users[*]} " == *" nobody "* ]] && copy_for_nobody "$@"

run_suite rules "${users[0]}" "$1" bash tools/rules.sh
for build in "$@"; do
  for user in "${users[@]}"; do
    run_round "$user" "$build"
  done
done

if ((total_failed > 0)); then
  printf 'failed: %s\n' "${failed_suites[@]}"
fi
echo "$total_passed passed, $total_failed failed"
((total_failed == 0))
