#!/bin/bash
# Run every attack of this folder under denizen: it must fail. Then run it with its defence switched
# off, where it must succeed: that proves the attack.
#
#   DENIZEN=build/denizen BUILD=build testsuites/security/run.sh
#
# DENIZEN  the command
# BUILD    holds the attacks, security/static/NAME, and security/weakened/denizen, which lacks the
#          defences that DENIZEN_WITHOUT names (host/defence.h)
# ATTACKS  which attacks, as a shell pattern ("*")
# PROOFS   empty: no runs without defences
#
# The first comment of an attack says how it is run; attack.h explains the lines. What it aims at
# lies outside of its root and is looked at before and after: files, a process of the same user, and
# what listens there (outsider.c). After each run no process and no file of the silo may be left.
set -uo pipefail
shopt -s nullglob

here=$(dirname "$(realpath "$0")")
build=$(realpath "${BUILD:-build}")
readonly here build
readonly attacks=${ATTACKS:-*} proofs=${PROOFS-yes} nobody=65534

[[ -x ${DENIZEN:-build/denizen} ]] || { echo "no denizen at ${DENIZEN:-build/denizen}"; exit 1; }
[[ -x $build/security/static/outsider ]] || { echo "no attacks at $build/security/static"; exit 1; }

stage=$(mktemp -d "${TMPDIR:-/tmp}/denizen-security.XXXXXX") || exit 1
readonly stage outside=$stage/outside beyond=$stage/beyond root=$stage/root volume=$stage/volume
chmod 755 "$stage"
passed=0 failed=0 skipped=0
outsider='' terminal=''

# ---- what is watched ----

# Processes that name this stage in their arguments or environment, but for those that belong there.
left_behind() {
  grep -lFf /dev/stdin /proc/[0-9]*/{cmdline,environ} 2>/dev/null <<<"$stage/" | cut -d/ -f3 |
    sort -un | grep -vxF -e "$$" -e "$outsider" -e "${beside:-none}"
}

end_all() { # kill what is left of the stage, a few times: it may fork
  local pid tries
  for tries in 1 2 3 4 5 6 7 8 9 10; do
    for pid in $(left_behind); do
      kill -KILL "$pid" 2>/dev/null && tries=0
    done
    ((tries)) && break
    sleep 0.05
  done
  return 0
}

finish() {
  [[ -n ${beside:-} ]] && kill -KILL "$beside" 2>/dev/null
  [[ -n $outsider ]] && kill -KILL "$outsider" 2>/dev/null
  outsider='' beside=''
  end_all
  chmod -R u+rwX "$stage" 2>/dev/null
  rm -rf "$stage"
}
trap finish EXIT

start_outsider() {
  rm -rf "$outside"
  mkdir "$outside"
  echo "top secret" >"$outside/secret"
  echo "input" >"$outside/input"
  echo "no program" >"$outside/garbage"
  cp "$build/security/static/outsider" "$outside/host-program"
  chmod 644 "$outside"/{secret,input}
  chmod 755 "$outside"/{garbage,host-program} "$outside"
  "$build/security/static/outsider" watch "$outside" </dev/null &>/dev/null &
  outsider=$!
  disown
  until [[ -s $outside/outsider ]]; do
    kill -0 "$outsider" 2>/dev/null || { echo "the outsider does not start"; exit 1; }
    sleep 0.02
  done
  read -r _ terminal <"$outside/outsider"
}

# All that an attack could have changed, as text to be compared.
fingerprint() {
  find "$outside" "$volume" -printf '%p %M %n %u %g %s %T@ %C@\n' | sort
  find "$outside" "$volume" -type f -exec md5sum {} + | sort
  cat "$outside/harm"
  kill -0 "$outsider" 2>/dev/null && echo alive
  cat "/proc/$outsider/limits" "/proc/$outsider/oom_score_adj"
  grep -E '^(Cpus_allowed|Mems_allowed):|^State:.*[TtZX]' "/proc/$outsider/status"
  cut -d' ' -f18,19,40,41 "/proc/$outsider/stat"
  ionice -p "$outsider" 2>/dev/null
  cat "$terminal_settings"
}

# ---- one run ----

prepare() { # NAME
  local name=$1
  chmod -R u+rwX "$root" 2>/dev/null
  rm -rf "$root" "$volume" "$beyond"
  mkdir -p "$root"/{bin,etc,tmp/under,data,proc,dev,sys,home/walked/inner/deep,home/shared} \
    "$volume" "$beyond"
  chmod 1777 "$root/tmp"
  chmod 777 "$root/home/shared" "$root/home/walked" "$root/home/walked/inner"
  echo guest >"$root/etc/hostname"
  echo data >"$root/data/file"
  echo volume >"$volume/file"
  mkdir "$volume/dir"
  echo volume >"$volume/dir/file"
  ln -s dir "$volume/link"
  echo "top secret" >"$beyond/secret"
  chmod 777 "$beyond"
  cp "$build/security/static/$name" "$root/bin/attack"
  cp "$build/security/static/chosen" "$root/bin/chosen"
  cp "$build/security/static/outsider" "$root/bin/host-program"
  [[ $name == hostile_root ]] && make_hostile
  if ((EUID == 0)); then
    mknod "$root/home/null" c 1 3 2>/dev/null
    mknod "$root/home/loop" b 7 0 2>/dev/null
    chmod 666 "$root/home/null" "$root/home/loop" 2>/dev/null
    cp "$build/security/static/set_uid" "$root/home/set-uid" && chmod 4755 "$root/home/set-uid"
  fi
}

# A root filesystem that means harm before its first program runs.
make_hostile() {
  local name
  rm -rf "${root:?}"/{proc,dev,sys}
  for name in proc dev sys; do # each leads out, or to a directory of the root that has that path
    mkdir -p "$root$outside/made-$name"
    ln -s "../../../../../../../../../..$outside/made-$name" "$root/$name"
  done
  mkdir -p "$root$beyond"
  ln -s "$beyond" "$root/mnt"
  ln -s "$outside/secret" "$root/etc/link"
  ln -s "$outside/secret" "$root/etc/group"
  mkfifo "$root/etc/passwd"
}

# A line "KEY: VALUE" of an attack's first comment; the value may go on in lines without a key.
property() { # NAME KEY
  awk -v key=" * $2: " '
    / \*\/$/ { exit }
    index($0, key) == 1 { value = substr($0, length(key) + 1); inside = 1; next }
    /^ \* [a-z]+: / || !/^ \* ./ { inside = 0 }
    inside { value = value (value ~ /,$/ ? "" : " ") substr($0, 4) }
    END { print value }' "$here/$1.c"
}

# Start denizen in the background as the process $denizen_pid.
start() { # COMMAND WITHOUT INPUT STDERR OPTIONS...
  local command=$1 without=$2 input=$3 errors=$4 as=()
  shift 4
  if ((EUID == 0)) && [[ $run_as == nobody ]]; then
    as=(setpriv "--reuid=$nobody" "--regid=$nobody" --clear-groups --inh-caps=-all
      --bounding-set=-all)
  fi
  rm -rf "$stage/cache"
  mkdir -m 700 "$stage/cache"
  [[ ${#as[@]} -gt 0 ]] && chown $nobody:$nobody "$stage/cache"
  exec env -i PATH="$PATH" HOME=/ XDG_CACHE_HOME="$stage/cache" DENIZEN_WITHOUT="$without" \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" "${as[@]}" \
    "$command" run --no-host-etc -e "OUTSIDER=$outsider" -e "SECRET=$outside/secret" \
    -e "HOST_PROGRAM=$outside/host-program" -e "HOST_GARBAGE=$outside/garbage" \
    -e "HOST_DIRECTORY=$outside" -e "HOST_STREAM=$outside/stream" \
    -e "HOST_DGRAM=$outside/dgram" -e "HOST_ABSTRACT=$outside" \
    -e "HOST_TERMINAL=$terminal" ${without:+-e PROOF=yes} "$@" "$root" -- /bin/attack <"$input" >"$stage/output" 2>&"$errors"
}

now() { echo $((${EPOCHREALTIME/./} / 1000)); }

# Run an attack once. Sets outcome to held, broken, skipped or odd, and why.
run_once() { # NAME COMMAND WITHOUT
  local name=$1 command=$2 without=$3 input limit options pid code errors end
  limit=$(property "$name" limit)
  input=$(property "$name" input)
  eval "options=($(property "$name" run))"
  eval "input=${input:-/dev/null}"
  prepare "$name"
  start_beside "$(property "$name" beside)"
  fingerprint >"$stage/before" 2>/dev/null
  exec {errors}>"$stage/errors"
  [[ $(property "$name" beside) == -stderr-pipe ]] && exec {errors}<>"$stage/pipe"
  : >"$stage/output"
  start "$command" "$without" "$input" "$errors" "${options[@]}" &
  pid=$!
  end=$(($(now) + 1000 * ${limit:-20} * ${slow:-1}))
  while kill -0 "$pid" 2>/dev/null && (($(now) < end)); do
    [[ -n $without ]] && grep -q '^BROKEN' "$stage/output" && [[ $(property "$name" ends) == no ]] &&
      break
    sleep 0.02
  done
  code=timeout
  if kill -0 "$pid" 2>/dev/null; then
    { end_all && wait "$pid"; } 2>/dev/null
  else
    wait "$pid"
    code=$?
  fi
  exec {errors}>&-
  [[ -n $beside ]] && kill -KILL "$beside" 2>/dev/null && { wait "$beside"; } 2>/dev/null
  beside=''
  fingerprint >"$stage/after" 2>/dev/null
  judge "$code"
}

start_beside() { # COMMAND
  local words
  beside=''
  [[ -n $1 && $1 != -* ]] || return 0
  eval "words=($1)"
  "$build/security/static/outsider" "${words[@]}" &
  beside=$!
}

judge() { # EXIT_CODE
  local code=$1 left
  outcome=odd why="it ended with $code: $(tail -n 2 "$stage/output" "$stage/errors" | tr '\n' ' ')"
  if grep -q '^BROKEN' "$stage/output"; then
    outcome=broken why=$(sed -n 's/^BROKEN: //p' "$stage/output" | head -n 3)
  elif ! cmp -s "$stage/before" "$stage/after"; then
    outcome=broken why="the host was touched: $(diff "$stage/before" "$stage/after" | head -n 6)"
  elif [[ $code == 77 ]]; then
    outcome=skipped why=$(sed -n 's/^SKIP: //p' "$stage/output")
  elif [[ $code == 0 ]] && [[ $(tail -n 1 "$stage/output") == held ]]; then
    outcome=held why=''
    left=$(left_over)
    [[ -n $left ]] && outcome=odd why="left over: $left"
  fi
  if [[ $outcome == broken ]] && ! cmp -s "$stage/before" "$stage/after"; then
    kill -KILL "$outsider" 2>/dev/null
    start_outsider # as good as new for the next
  fi
}

# What a silo that has ended must not leave.
left_over() {
  left_behind | while read -r pid; do
    printf 'process %s (%s) ' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
  done
  find "$stage/cache" -name 'silo-*' -o -path "$stage/cache" -type s | tr '\n' ' '
}

# ---- verdicts ----

pass() { # NAME WORDS
  passed=$((passed + 1))
  printf 'ok      %-22s %s\n' "$1" "$2"
}
fail() {
  failed=$((failed + 1))
  printf 'FAILED  %-22s %s\n' "$1" "$2"
  sed 's/^/        /' "$stage/output" 2>/dev/null | tail -n 12
}
miss() {
  skipped=$((skipped + 1))
  printf 'skipped %s: %s\n' "$1" "$2"
}

# May this user run it at all? Sets run_as.
choose_user() { # NAME
  local wanted
  wanted=$(property "$1" users)
  run_as=self
  case ${wanted:-both} in
  root) ((EUID == 0)) || { miss "$1" "only the host's root can be attacked so"; return 1; } ;;
  nobody) ((EUID == 0)) && run_as=nobody ;;
  esac
  return 0
}

test_attack() { # NAME
  local name=$1 without
  choose_user "$name" || return
  run_once "$name" "$stage/bin/denizen" ''
  # Whether others wait too long is a matter of seconds: on a machine that is busy with other things
  # a single look can mislead. A real standstill is there the second time too.
  if [[ $name =~ ^(frozen_|many_|lease_|fifo_|userfault|stderr_) && $outcome != held && $outcome != skipped ]]; then
    printf 'again   %-22s %s\n' "$name" "$why"
    sleep 1
    run_once "$name" "$stage/bin/denizen" ''
  fi
  case $outcome in
  held) pass "$name" "held" ;;
  skipped) miss "$name" "$why"; return ;;
  *) fail "$name" "$why" ;;
  esac
  without=$(property "$name" without)
  if [[ -z $without || $without == -* ]]; then
    printf '        %-22s has no proof: %s\n' "$name" "${without#- }"
  elif [[ -n $proofs && -x $stage/bin/weakened ]]; then
    run_once "$name" "$stage/bin/weakened" "$without"
    end_all
    # Many attacks are races: that it can succeed is what the proof is about.
    if [[ $outcome == held ]]; then
      run_once "$name" "$stage/bin/weakened" "$without"
      end_all
    fi
    if [[ $outcome == broken ]]; then
      pass "$name" "succeeds without $without"
    elif [[ $outcome == skipped ]]; then
      miss "$name without $without" "$why"
    else
      fail "$name" "does not succeed without $without: it proves nothing ($outcome: $why)"
    fi
  fi
}

# ---- tests of their own ----

# Start a silo in the background and wait until its guest is ready. Sets launched to the command.
launch() { # ATTACK COMMAND WITHOUT
  local errors end
  run_as=self
  prepare "$1"
  : >"$stage/output"
  exec {errors}>"$stage/errors"
  start "$2" "$3" /dev/null "$errors" &
  launched=$!
  exec {errors}>&-
  end=$(($(now) + 10000))
  until grep -q ready "$stage/output" || (($(now) > end)); do sleep 0.02; done
}

# Kill parts of a silo whose guests want to survive. Prints how many are left after a second.
survivors() { # COMMAND WITHOUT VICTIM...
  local pid victims=() end count=0
  launch bomb "$1" "$2"
  pid=$launched
  shift 2
  sleep 0.2
  [[ " $* " == *" supervisor "* ]] && victims+=("$(pgrep -x -P "$pid" denizen-silo)")
  [[ " $* " == *" command "* ]] && victims+=("$pid")
  { kill -KILL "${victims[@]}" && wait "$pid"; } 2>/dev/null
  end=$(($(now) + 1000 * ${slow:-1}))
  while (($(now) < end)); do
    count=$(left_behind | wc -l)
    ((count == 0)) && break
    sleep 0.02
  done
  echo "$count"
  end_all
}

test_kill() { # NAME VICTIM...
  local name=$1 count
  shift
  count=$(survivors "$stage/bin/denizen" '' "$@")
  if [[ $count != 0 ]]; then # a second is short on a busy machine; who survives does so again
    printf 'again   %-22s %s\n' "$name" "$count processes are left a second after kill -9 of: $*"
    count=$(survivors "$stage/bin/denizen" '' "$@")
  fi
  if [[ $count == 0 ]]; then
    pass "$name" "nobody is left"
  else
    fail "$name" "$count processes are left a second after kill -9 of: $*"
  fi
  find "$stage/cache" -name 'silo-*' | grep -q . && [[ $* == supervisor ]] &&
    fail "$name" "a directory is left over"
  [[ -n $proofs && -x $stage/bin/weakened ]] || return
  count=$(survivors "$stage/bin/weakened" warden,lifeline "$@")
  if [[ $count == 0 ]]; then
    fail "$name" "nobody is left without warden,lifeline: it proves nothing"
  else
    pass "$name" "guests survive without warden,lifeline"
  fi
}

# What the host's kernel says of a guest: "WHAT VALUE" lines of /proc/PID/status.
credentials() { # COMMAND WITHOUT
  local pid guest end
  launch waiting "$1" "$2"
  pid=$launched
  guest=$(left_behind | while read -r guest; do
    [[ $(tr '\0' ' ' <"/proc/$guest/cmdline") == /bin/attack* ]] && echo "$guest"
  done)
  grep -E '^(Uid|Cap...|NoNewPrivs|Seccomp):' "/proc/$guest/status" 2>/dev/null | tr '\t' ' '
  { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
  end_all
}

test_credentials() {
  local found expected
  expected="Uid: $EUID $EUID $EUID $EUID
CapInh: 0000000000000000
CapPrm: 0000000000000000
CapEff: 0000000000000000
CapBnd: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 1
Seccomp: 2"
  found=$(credentials "$stage/bin/denizen" '')
  # Without CAP_SETPCAP the bounding set stays what it was: nothing can be gained from it.
  ((EUID != 0)) && found=${found/CapBnd: ????????????????/CapBnd: 0000000000000000}
  if [[ $found == "$expected" ]]; then
    pass credentials "no capability, no_new_privs, a filter"
  else
    fail credentials "the guest is, for the host: ${found//$'\n'/, }"
  fi
  ((EUID == 0)) && [[ -n $proofs && -x $stage/bin/weakened ]] || return
  found=$(credentials "$stage/bin/weakened" capabilities)
  if [[ $found == *"CapEff: 0000000000000000"* ]]; then
    fail credentials "no capability without capabilities: it proves nothing"
  else
    pass credentials "has capabilities without capabilities"
  fi
}

# ---- all of it ----

mkdir "$stage/bin" "$volume"
cp "$(realpath "${DENIZEN:-build/denizen}")" "$stage/bin/denizen"
for weakened in "$build"/security/weakened/denizen "$build"/weakened/denizen; do
  [[ -x $weakened ]] && cp "$weakened" "$stage/bin/weakened" && break
done
# A sanitized denizen takes its time, and the weakened one is the same for all builds.
if grep -qa __asan_init "$stage/bin/denizen"; then
  slow=4
  rm -f "$stage/bin/weakened"
  printf 'skipped proofs: they are made with the plain build\n'
elif [[ ! -x $stage/bin/weakened ]]; then
  printf 'skipped proofs: there is no %s\n' "$build/security/weakened/denizen"
fi
mkfifo "$stage/pipe"
terminal_settings=/dev/null
start_outsider

for source in "$here"/*.c; do
  name=${source##*/}
  name=${name%.c}
  # shellcheck disable=SC2053  # a pattern
  [[ $name == $attacks ]] || continue
  head -n 3 "$source" | grep -q 'Not an attack' && continue
  if [[ $name == bomb ]]; then
    test_kill killed_supervisor supervisor
    test_kill killed_command command
    test_kill killed_both command supervisor
  else
    test_attack "$name"
  fi
done
# shellcheck disable=SC2053
[[ credentials == $attacks ]] && test_credentials

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
