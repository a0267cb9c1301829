#!/bin/bash
# What denizen says of its guests: unsupported calls, once each, with arguments and a backtrace;
# crashes; and that no guest can make it say anything else, or hang, by its strings, its stack or
# its unwind tables.
#
#   DENIZEN=build/denizen testsuites/faults/diagnostics.sh
set -uo pipefail

denizen=$(realpath "${DENIZEN:-build/denizen}") || exit 1
source=$(realpath "$(dirname "$0")/diagnostics.c") || exit 1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/denizen-diagnostics.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$scratch"; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export XDG_CACHE_HOME=$scratch/cache
ulimit -c 0

passed=0
failed=0

verdict() { # PROBLEM NAME
  if [[ -z $1 ]]; then
    passed=$((passed + 1))
    echo "ok    $2"
  else
    failed=$((failed + 1))
    echo "FAIL  $2: $1"
    head -c 4000 err | cat -v | sed 's/^/        /'
  fi
}

if ! ${CC:-cc} -O2 -g0 -static -pthread -o guest "$source" 2>err; then
  verdict "the guest does not compile" "compiler"
  echo "$passed passed, $failed failed"
  exit 1
fi
mkdir -p root/bin
cp guest root/bin/guest

# run ACT [OPTION...]: the guest's standard error in err, its exit code in status
run() {
  local act=$1
  shift
  timeout --kill-after=5 30 "$denizen" run "$@" root -- /bin/guest "$act" </dev/null >out 2>err
  status=$?
}

# says REGEX...: each is a whole line of err
problem=''
says() {
  local pattern
  for pattern in "$@"; do
    grep -qxE -- "$pattern" err || problem=${problem:-"no line is: $pattern"}
  done
}

ends() { # CODE
  ((status == $1)) || problem=${problem:-"exit code $status, not $1"}
}

times() { # COUNT REGEX
  local count
  count=$(grep -cE -- "$2" err)
  ((count == $1)) || problem=${problem:-"$count lines, not $1, contain: $2"}
}

# Nothing but what a terminal shows as it is.
printable() {
  if LC_ALL=C grep -qP '[^\x20-\x7e]' err; then
    problem=${problem:-"bytes that a terminal would obey"}
  fi
}

done_with() { # NAME
  verdict "$problem" "$1"
  problem=''
}

hex='0x[0-9a-f]+'
frame() { # NUMBER FUNCTION
  echo "  #$1 +0x[0-9a-f]{16} $2\\+$hex \\(/bin/guest\\+$hex\\)"
}
stack=("$(frame '[12]' innermost_function)" "$(frame '[23]' middle_function)"
  "$(frame '[34]' outer_function)")

echo "# reports"
run calls
ends 0
says 'denizen: unsupported call mq_open\(name="/queue", oflag=0x42, mode=0640, attr=NULL\) = -1 ENOSYS \(Function not implemented\)' \
  'denizen: unsupported call semget\(key=4660, nsems=2, semflg=0x380\) = -1 ENOSYS \(Function not implemented\)' \
  'denizen: unsupported call number 999\(0x1, 0x2, 0x3, 0x4, 0x5, 0x6\) = -1 ENOSYS \(Function not implemented\)' \
  '  by process [0-9]+ \(guest\)'
done_with "a call's name, number and arguments are told"
says "${stack[@]}"
for function in innermost middle outer; do
  times 3 "$(frame '[0-9]' ${function}_function)"
done
done_with "the backtrace names the functions that led to the call"
times 3 '^denizen: '
done_with "a call is told once, though it was made three times"
printable
done_with "the report is plain text"

run thread
ends 0
says '  by process [0-9]+, thread [0-9]+ \(guest\)' "${stack[@]}"
done_with "a call of another thread"

# A tracer outside of the silo holds the guest, so denizen cannot stop it and knows two registers.
mkfifo go
exec 8<>go
timeout --kill-after=5 30 "$denizen" run root -- /bin/guest patient <go >pid 2>err &
running=$!
for _ in {1..50}; do
  [[ -s pid ]] && break
  sleep 0.1
done
./guest trace "$(<pid)" >traced 2>tracer_err &
tracer=$!
for _ in {1..50}; do
  [[ -s traced || -s tracer_err ]] && break
  sleep 0.1
done
echo >&8
wait "$running"
status=$?
wait "$tracer"
exec 8>&-
if [[ -s traced ]]; then
  ends 0
  says 'denizen: unsupported call semget.*' "  #0  0x[0-9a-f]{16} syscall\\+$hex \\(/bin/guest\\+$hex\\)"
  done_with "a call of a guest that somebody else traces"
else
  echo "skipped: a guest that somebody else traces, because: $(<tracer_err)"
fi

if command -v "${MUSL_GCC:=musl-gcc}" >/dev/null; then
  "$MUSL_GCC" -O2 -g0 -static -pthread -o root/bin/guest "$source" 2>err
  run calls
  cp guest root/bin/guest
  ends 0
  says "${stack[@]}"
  done_with "a program without unwind tables: its calls are followed"
else
  echo "skipped: a program without unwind tables, because $MUSL_GCC is missing"
fi

run i386
ends 0
says 'denizen: unsupported call number 48\(.*\) = .*: an i386 call'
done_with "an i386 call"

run calls --strict
ends 125
says 'denizen: unsupported call mq_open\(name="/queue".*' "${stack[@]}" \
  'denizen: run: the guest made an unsupported call: mq_open \(240\)'
times 1 'unsupported call [a-z]'
done_with "--strict ends the silo with the report"

echo "# where they are written"
run between
says before 'denizen: unsupported call semget.*' after
[[ $(head -n 1 err) == before && $(tail -n 1 err) == after ]] || problem=${problem:-"the order is lost"}
done_with "in a file, between what the guest writes there"

mkfifo full
exec 7<>full
dd if=/dev/zero bs=4096 count=64 oflag=nonblock status=none >&7 2>/dev/null
timeout --kill-after=5 30 "$denizen" run root -- /bin/guest calls </dev/null >out 2>&7
status=$?
exec 7>&-
: >err
ends 0
done_with "a pipe that nobody reads is not waited for"

echo "# strings of guests"
run control
ends 0
printable
says 'denizen: unsupported call mq_open\(name="\\033\[31mred\\007\\r\\n\\"\\\\\\200\\377\\177", .*'
done_with "control characters are escaped"
run endless
ends 0
says 'denizen: unsupported call mq_open\(name="A{256}"\.\.\., .*'
done_with "a long string is cut"
run unreadable
ends 0
says 'denizen: unsupported call mq_open\(name=0x8, .*'
done_with "a string that cannot be read"
run cut
ends 0
says "denizen: unsupported call mq_open\\(name=$hex, .*"
done_with "a string that ends with its memory"

echo "# stacks of guests"
run nowhere
ends 0
says 'denizen: unsupported call semget\(key=1, nsems=2, semflg=0x3\) = .*' "$(frame 0 '.*')"
done_with "a stack pointer that points nowhere"
run beyond
ends 0
says 'denizen: unsupported call semget.*' "$(frame 0 '.*')"
done_with "a stack pointer at the end of all memory"
run ring
ends 0
says 'denizen: unsupported call semget.*' '  #0  0x[0-9a-f]{16} \?\?.*'
(($(grep -c '^  #' err) <= 32)) || problem=${problem:-"more than 32 frames"}
done_with "frames that go round in a ring, in memory of no file"
run deep
ends 0
says "$(frame 31 'descend')"
times 32 '^  #'
done_with "a thousand frames are cut at 32"

echo "# tables of guests"
run right
ends 0
says "$(frame 0 table_is_right)" "$(frame 1 tables)"
done_with "a table that is_right"
for table in jumps:jumps_to_itself pushes:pushes_for_ever reads:reads_nowhere \
  longer:is_longer_than_itself no_register:names_no_register; do
  run "${table%%:*}"
  ends 0
  says 'denizen: unsupported call semget.*' "$(frame 0 "table_${table#*:}")"
  times 1 '^denizen: '
  done_with "a table that ${table#*:}"
done

# libunwind divides without a look: the process that does it for the supervisor dies of it.
run divides
ends 0
says 'denizen: unsupported call semget.*' '  #0  0x[0-9a-f]{16} .*\(/bin/guest.*' \
  '  the backtrace ends here: the stack or the unwind tables broke the process that read them'
done_with "a table that divides the least number by -1"

echo "# many"
run many
ends 0
times 64 '^denizen: unsupported call number 1[0-9]{3}\('
done_with "64 reports at most"
run storm
ends 0
(($(grep -c '^denizen: unsupported call number 20' err) <= 40)) || problem=${problem:-"too many"}
done_with "calls that signals interrupt are answered"
run killed
ends 0
done_with "callers that are killed meanwhile"

echo "# crashes"
run segv
ends 139
says 'denizen: process [0-9]+ \(guest\) was ended by signal 11 \(SIGSEGV\); it was the first process'
done_with "the first process dies of SIGSEGV"
run abrt
ends 134
says 'denizen: process [0-9]+ \(guest\) ends itself by signal 6 \(SIGABRT\)' "$(frame '[0-9]' abort)" \
  "$(frame '[0-9]' abrt)" \
  'denizen: process [0-9]+ \(guest\) was ended by signal 6 \(SIGABRT\); it was the first process'
times 1 'ends itself'
done_with "abort() is told with a backtrace"
run caught
ends 0
times 0 'denizen'
done_with "a signal that the guest catches is no crash"
run term
ends 143
times 0 'denizen'
done_with "SIGTERM is no crash"
run orphan
ends 0
says 'denizen: process [0-9]+ \(guest\) was ended by signal 11 \(SIGSEGV\)'
done_with "an orphan dies of SIGSEGV"

# Linux tells outsiders of such a death since 6.6, and not inside of a container.
DENIZEN_LOG=debug run child
unheard=$(grep -o 'the kernel does not tell of crashes: .*' err)
if [[ -z $unheard ]]; then
  run child
  ends 0
  says 'denizen: process [0-9]+(( \(guest\))? was ended by signal 11 \(SIGSEGV\)|, a child of process [0-9]+ \((guest)?\), was ended by a signal that dumps core)'
  done_with "a child dies of SIGSEGV"
else
  echo "skipped: a child that dies of SIGSEGV, because $unheard"
fi

echo "$passed passed, $failed failed"
((failed == 0))
