#!/bin/bash
# Run every guest program natively and under denizen and compare, case by case and byte by byte.
#
#   DENIZEN=build/denizen BUILD=build testsuites/guest/run.sh
#
# DENIZEN  the command
# BUILD    holds the programs: guest/dynamic/NAME, guest/static/NAME, guest/musl/NAME
# LIBCS    which of them ("dynamic static musl")
# PROGRAMS which programs, as a shell pattern ("*")
# CASES    which cases, as a shell pattern ("*")
# JOBS     how many programs at once (6)
# USERS    as whom, of:
#   root           the host's root; only root can           natively: chroot
#   nobody         an ordinary user, the same one inside;   natively: chroot by root, then nobody,
#                  only root can prepare that
#   mapped-root    an ordinary user, number 0 inside        natively: a user namespace, chroot
#   mapped-nobody  an ordinary user, the same one inside    natively: two user namespaces, chroot
#   plain          where namespaces are refused             natively: no chroot
# OPTIONS  further options of denizen run
# KEEP     not empty: leave the directory with all outputs
#
# Both runs start in equal root filesystems that hold the programs, their libraries, a shell,
# /etc/passwd, /etc/group and a /tmp. A case fails when the outputs differ or when it fails
# natively: then what it expects of Linux is wrong. A skipped case says why. A case that is named
# in differences.txt must differ, for the reason given there.
set -uo pipefail
shopt -s nullglob

here=$(dirname "$(realpath "$0")")
denizen=$(realpath "${DENIZEN:-build/denizen}")
build=$(realpath "${BUILD:-build}")
# Under a sanitizer everything takes longer; which libc a guest has makes no difference to it.
[[ -z ${LIBCS:-} && $denizen == */sanitize-* ]] && LIBCS=dynamic &&
  echo "not run with $denizen: static and musl programs (LIBCS)"
readonly libcs=${LIBCS:-dynamic static musl}
readonly cases=${CASES:-*}
readonly jobs=${JOBS:-6}
readonly limit=150 # seconds for one program; each of its cases has 20
readonly nobody=65534

[[ -x $denizen ]] || { echo "no denizen at ${DENIZEN:-build/denizen}"; exit 1; }

stage=$(mktemp -d "${TMPDIR:-/tmp}/denizen-guest.XXXXXX") || exit 1
chmod 755 "$stage"
discard() {
  if [[ -n ${KEEP:-} ]]; then
    echo "outputs: $stage"
  else
    chmod -R u+rwX "$stage" 2>/dev/null
    rm -rf "$stage"
  fi
}
trap discard EXIT

make_tree() { # DIRECTORY
  local tree=$1 program library shell
  mkdir -p "$tree"/{bin,lib,lib64,usr/lib,etc,tmp,proc,dev,sys,run,var/tmp}
  chmod 1777 "$tree/tmp" "$tree/var/tmp"
  echo 'root:x:0:0:root:/:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh' >"$tree/etc/passwd"
  echo 'root:x:0:
nogroup:x:65534:' >"$tree/etc/group"
  for libc in $libcs; do
    mkdir -p "$tree/bin/$libc"
    for program in "$build/guest/$libc"/*; do
      [[ -x $program && $program != *.d ]] && cp "$program" "$tree/bin/$libc/"
    done
  done
  shell=$(command -v busybox || readlink -f /bin/sh)
  cp -L "$shell" "$tree/bin/sh"
  # glibc loads it only when a thread ends by pthread_exit or is cancelled
  library=$(ldconfig -p 2>/dev/null | sed -n 's/.*libgcc_s.so.1 .*x86-64.* => //p' | head -n 1)
  [[ -n $library ]] && cp -L --parents "$library" "$tree"
  for program in "$shell" "$build"/guest/dynamic/*; do
    [[ -x $program && $program != *.d ]] && ldd "$program" 2>/dev/null
  done | grep -o '/[^ ]*' | grep -v ':$' | sort -u | while read -r library; do
    [[ $library == /lib* || $library == /usr/lib* ]] && cp -L --parents "$library" "$tree"
  done
  : >"$tree/tmp/.guest-owned-by-root"
}

# shellcheck disable=SC2016  # expanded by the inner shell
# How a user runs something, as a function enter_USER TREE DIRECTORY COMMAND..., natively.
# The mounts are seen by this process alone and go with it.
readonly mounts='tree=$1; shift
mount --bind "$tree" "$tree" && cd "$tree" && mount --rbind /proc proc && mount --rbind /dev dev &&
  exec "$@"'
enter_root() {
  unshare --mount sh -c "$mounts" sh "$1" unshare --root="$1" --wd="$2" "${@:3}"
}
enter_nobody() {
  unshare --mount sh -c "$mounts" sh "$1" \
    unshare --root="$1" --wd="$2" --setgid $nobody --setuid $nobody "${@:3}"
}
enter_mapped-root() {
  unshare --map-root-user --mount sh -c "$mounts" sh "$1" unshare --root="$1" --wd="$2" "${@:3}"
}
enter_mapped-nobody() {
  unshare --map-root-user --mount sh -c "$mounts" sh "$1" \
    unshare --map-user=$EUID --map-group="$(id -g)" --root="$1" --wd="$2" "${@:3}"
}
# Without namespaces: the same programs, outside of the tree.
enter_plain() {
  (cd "$1/$2" && "$1/$3" "${@:4}")
}

run_natively() { # USER TREE DIRECTORY COMMAND...
  timeout --kill-after=5 "$limit" env -i PATH=/bin:/usr/bin:/usr/sbin:/sbin HOME=/ bash -c "
    readonly nobody=$nobody mounts='$mounts'
    $(declare -f "enter_$1")"'
    "enter_$@"' bash "$@"
}

run_as_guest() { # USER TREE DIRECTORY COMMAND...
  local user=$1 tree=$2 dir=$3 options=()
  local as=(env -i PATH=/bin:/usr/bin:/usr/sbin:/sbin HOME=/
    "XDG_CACHE_HOME=$stage/$user/cache" "XDG_RUNTIME_DIR=$stage/$user/run"
    "ASAN_OPTIONS=${ASAN_OPTIONS:-}" "UBSAN_OPTIONS=${UBSAN_OPTIONS:-}")
  shift 3
  case $user in
  nobody | plain)
    if ((EUID == 0)); then
      as+=(setpriv "--reuid=$nobody" "--regid=$nobody" --clear-groups --inh-caps=-all
        --bounding-set=-all)
      options=(--user "$nobody:$nobody")
    else
      options=(--user "$EUID:$(id -g)")
    fi
    ;;
  mapped-nobody) options=(--user "$EUID:$(id -g)") ;;
  esac
  # shellcheck disable=SC2086  # OPTIONS are several words
  timeout --kill-after=5 "$limit" "${as[@]}" "$denizen" run --no-host-etc "${options[@]}" \
    ${OPTIONS:-} --workdir "$dir" "$tree" -- "$@"
}

# The reason in differences.txt why a case differs; nothing when it must not.
known_difference() { # USER LIBC PROGRAM CASE
  local users flavours name reason
  while read -r users flavours name reason; do
    # shellcheck disable=SC2053  # they are patterns
    [[ -z $users || $users == \#* || $1 != $users || $2 != $flavours || $3/$4 != $name ]] && continue
    echo "$reason"
    return
  done <"$here/differences.txt"
}

# Compare two outputs of "program --all": one line for each case, and the differing sections in
# files "native" and "guest" of the directory.
read -r -d '' compare <<'AWK'
function done_with() { if (name != "") text[side, name] = part; part = "" }
FNR == 1 { done_with(); side++; name = "" }
/^== / { done_with(); name = $2; if (side == 1) order[++count] = name }
{ part = part $0 "\n" }
/^skip: / && side == 1 { reason[name] = substr($0, 7) }
/^-- / { end[side, name] = $0; done_with(); name = "" }
END {
  done_with()
  for (i = 1; i <= count; i++) {
    name = order[i]
    if (text[1, name] != text[2, name]) {
      printf "%s", text[1, name] > (dir "/native-" name)
      printf "%s", text[2, name] > (dir "/guest-" name)
      print "differs", name
    } else if (end[1, name] == "-- exit 77")
      print "skipped", name, reason[name]
    else if (end[1, name] != "-- exit 0") {
      printf "%s", text[1, name] > (dir "/native-" name)
      print "native", name
    } else
      print "passed", name
  }
}
AWK

run_program() { # USER LIBC PROGRAM
  local user=$1 libc=$2 program=$3
  local out=$stage/$user/out/$libc-$program dir=/tmp/$libc-$program side native_status guest_status
  local command=("/bin/$libc/$program" --who "$user" --all "$cases")
  mkdir -p "$out"
  for side in native guest; do
    mkdir -m 777 "$stage/$user/$side$dir"
    ((EUID == 0)) && [[ $user == nobody || $user == plain ]] &&
      chown $nobody:$nobody "$stage/$user/$side$dir"
  done
  run_natively "$user" "$stage/$user/native" "$dir" "${command[@]}" \
    >"$out/native" 2>"$out/native.err" </dev/null
  native_status=$?
  run_as_guest "$user" "$stage/$user/guest" "$dir" "${command[@]}" \
    >"$out/guest" 2>"$out/guest.err" </dev/null
  guest_status=$?
  awk -v dir="$out" "$compare" "$out/native" "$out/guest" >"$out/verdicts"
  # A program may also end otherwise after its last case, or not begin.
  if [[ ! -s $out/native ]] || { ((native_status != guest_status)) &&
    ! grep -q '^\(differs\|native\) ' "$out/verdicts"; }; then
    printf 'native run ended with %d\nguest run ended with %d\n' "$native_status" "$guest_status" \
      >"$out/native-the_end"
    cat "$out/native.err" "$out/guest.err" >>"$out/native-the_end"
    echo "native the_end" >>"$out/verdicts"
  fi
  rm -rf "$stage/$user"/{native,guest}"$dir" 2>/dev/null
}

report() { # USER LIBC PROGRAM
  local out=$stage/$1/out/$2-$3 verdict name reason what="$1 $2 $3" why
  local p=0 f=0
  while read -r verdict name reason; do
    why=
    [[ $verdict == skipped ]] || why=$(known_difference "$1" "$2" "$3" "$name")
    case $verdict${why:+-known} in
    passed) p=$((p + 1)) ;;
    skipped)
      skipped=$((skipped + 1))
      reasons[$reason]=$((${reasons[$reason]:-0} + 1))
      [[ -n ${VERBOSE:-} ]] && echo "skip $what $name: $reason"
      ;;
    differs-known)
      known=$((known + 1))
      known_cases[$3/$name]=$why
      ;;
    passed-known)
      f=$((f + 1))
      echo "FAIL $what $name: agrees, and should differ according to differences.txt"
      ;;
    differs)
      f=$((f + 1))
      echo "FAIL $what $name"
      diff -U 100 --label native --label guest "$out/native-$name" "$out/guest-$name" | tail -n +4
      ;;
    native*)
      f=$((f + 1))
      echo "FAIL $what $name: not as expected natively"
      cat "$out/native-$name"
      ;;
    esac
  done <"$out/verdicts"
  ((f == 0)) && [[ -n ${VERBOSE:-} ]] && echo "ok   $what: $p passed"
  passed=$((passed + p)) failed=$((failed + f))
}

round() { # USER
  local user=$1 libc program side running=0 list=()
  mkdir -p "$stage/$user"/{cache,run}
  chmod 700 "$stage/$user"/{cache,run}
  make_tree "$stage/$user/native"
  cp -a "$stage/$user/native" "$stage/$user/guest"
  ((EUID == 0)) && [[ $user == nobody || $user == plain ]] &&
    chown $nobody:$nobody "$stage/$user"/{cache,run}
  for libc in $libcs; do
    for program in "$stage/$user/native/bin/$libc"/${PROGRAMS:-*}; do
      list+=("$libc ${program##*/}")
    done
  done
  [[ ${#list[@]} -gt 0 ]] || { echo "FAIL no programs in $build/guest"; failed=$((failed + 1)); }
  for program in "${list[@]}"; do
    # shellcheck disable=SC2086  # two words
    run_program "$user" $program &
    ((++running >= jobs)) && { wait -n; running=$((running - 1)); }
  done
  wait
  for program in "${list[@]}"; do
    # shellcheck disable=SC2086
    again "$user" $program
    # shellcheck disable=SC2086
    report "$user" $program
  done
}

# Programs run side by side, and on a busy machine a case may run out of its 20 seconds, natively too.
# One that is not as expected is run once more, alone, and says so; what is wrong stays wrong.
again() { # USER LIBC PROGRAM
  local verdict name reason unexpected=()
  while read -r verdict name reason; do
    [[ $verdict == differs || $verdict == native ]] || continue
    [[ -n $(known_difference "$1" "$2" "$3" "$name") ]] || unexpected+=("$name")
  done <"$stage/$1/out/$2-$3/verdicts"
  ((${#unexpected[@]})) || return
  echo "again, alone: $1 $2 $3 (${unexpected[*]})"
  rm -rf "$stage/$1/out/$2-$3"
  run_program "$1" "$2" "$3"
}

# As whom it can be done here.
choose_users() {
  if ((EUID == 0)) && unshare --mount true 2>/dev/null; then
    users=(root nobody)
    setpriv --reuid=$nobody --regid=$nobody --clear-groups test -x "$denizen" && return
    users=(root)
    echo "skipped user nobody: may not execute $denizen"
  elif ((EUID != 0)) && unshare --map-root-user --mount true 2>/dev/null; then
    users=(mapped-root mapped-nobody)
  elif ((EUID != 0)); then
    users=(plain)
    echo "skipped user mapped-root: no user namespaces here, so nothing to compare with"
  else
    users=(plain)
    echo "skipped user root: no mount namespaces here, so no chroot to compare with"
  fi
}

declare -A reasons=() known_cases=()
passed=0 failed=0 skipped=0 known=0
if [[ -n ${USERS:-} ]]; then
  read -r -a users <<<"$USERS"
else
  choose_users
fi
for user in "${users[@]}"; do
  round "$user"
done
for reason in "${!reasons[@]}"; do
  echo "skipped ${reasons[$reason]} cases: $reason"
done
for name in "${!known_cases[@]}"; do
  echo "differs, as known: $name: ${known_cases[$name]}"
done
echo "$passed passed, $failed failed, $skipped skipped, $known differ as known"
((failed == 0))
