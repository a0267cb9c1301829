#!/bin/bash
# Every bad input to the command line: one line on standard error that names the thing and the
# reason, nothing on standard output, and the exit code that docker's and podman's users know.
#
#   DENIZEN=build/denizen testsuites/faults/cli_errors.sh
set -uo pipefail

denizen=$(realpath "${DENIZEN:-build/denizen}") || exit 1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/denizen-cli.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$scratch"; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export XDG_CACHE_HOME=$scratch/cache

passed=0
failed=0

verdict() { # PROBLEM NAME
  if [[ -z $1 ]]; then
    passed=$((passed + 1))
    echo "ok    $2"
  else
    failed=$((failed + 1))
    echo "FAIL  $2: $1"
    sed 's/^/        /' out err
  fi
}

# refuses CODE FRAGMENT ARGUMENT...
refuses() {
  local code=$1 fragment=$2 problem='' status
  shift 2
  timeout --kill-after=5 20 "$denizen" "$@" </dev/null >out 2>err
  status=$?
  if ((status != code)); then
    problem="exit code $status, not $code"
  elif [[ $(wc -l <err) != 1 ]]; then
    problem="$(wc -l <err) lines on standard error"
  elif [[ $(<err) != "denizen: "* ]]; then
    problem="does not say who speaks"
  elif [[ $(<err) != *"$fragment"* ]]; then
    problem="does not say: $fragment"
  elif [[ -s out ]]; then
    problem="standard output is not empty"
  fi
  verdict "$problem" "denizen ${*@Q}"
}

# gives CODE OUTPUT ARGUMENT...: no error of denizen's; standard output contains OUTPUT
gives() {
  local code=$1 output=$2 problem='' status
  shift 2
  timeout --kill-after=5 20 "$denizen" "$@" </dev/null >out 2>err
  status=$?
  if ((status != code)); then
    problem="exit code $status, not $code"
  elif [[ $(<out) != *"$output"* ]]; then
    problem="does not print: $output"
  elif grep -q '^denizen: ' err; then
    problem="complains"
  fi
  verdict "$problem" "denizen ${*@Q}"
}

mkdir -p root/etc dir
printf 'root:x:0:0::/root:/bin/sh\n' >root/etc/passwd
printf 'root:x:0:\n' >root/etc/group
touch file root.tar
ln -s nowhere dangling
printf 'A=1\nB B=2\n' >bad.env

echo "# commands"
refuses 125 "no command given"
refuses 125 "unknown command 'wibble'" wibble
refuses 125 "did you mean 'run'?" rnu
refuses 125 "did you mean 'doctor'?" docter
refuses 125 "did you mean 'coverage'?" converage
refuses 125 "unknown option '--nonsense'" --nonsense
refuses 125 "unknown command 'wibble'" help wibble
gives 0 "Usage: denizen COMMAND" --help
gives 0 "Usage: denizen COMMAND" help
gives 0 "denizen " --version
for command in run doctor coverage clean; do
  gives 0 "Usage: denizen $command" "$command" --help
  gives 0 "Usage: denizen $command" help "$command"
  refuses 125 "'--nonsense'" "$command" --nonsense
done

echo "# options"
refuses 125 "no root filesystem given" run
refuses 125 "no root filesystem given" run -it
refuses 125 "no command given; for a shell write denizen run root /bin/sh" run root
refuses 125 "no command given" run root --
refuses 125 "command's name is empty" run root ''
refuses 125 "unknown option '-q'" run -q root ls
refuses 125 "unknown option '-q'" run -itq root ls
refuses 125 "ambiguous option '--e'" run --e x root ls
refuses 125 "'--tty' takes no argument" run --tty=yes root ls
for option in -v --volume -w --workdir -e --env --env-file -u --user --hostname --engine; do
  refuses 125 "'$option' needs" run root "$option"
done

echo "# root filesystem"
refuses 125 "/nonexistent: No such file or directory; make one with debootstrap or mmdebstrap" \
  run /nonexistent ls
refuses 125 "root filesystem dangling: No such file or directory" run dangling ls
refuses 125 "root filesystem root.tar: Not a directory; unpack it" run root.tar ls
refuses 125 "no root filesystem given" run '' ls
mkdir -m 0 locked
if ((EUID == 0)); then
  echo "skipped: root may enter every directory, so none is unreadable"
else
  refuses 125 "root filesystem locked: Permission denied" run locked ls
fi

echo "# volumes"
refuses 125 "write SOURCE:TARGET" run -v /usr root ls
refuses 125 "write SOURCE:TARGET" run -v '' root ls
refuses 125 "write SOURCE:TARGET" run -v :/mnt root ls
refuses 125 "source /nonexistent: No such file or directory" run -v /nonexistent:/mnt root ls
refuses 125 "source dangling: No such file or directory" run -v dangling:/mnt root ls
refuses 125 "target 'mnt' is not absolute" run -v /usr:mnt root ls
refuses 125 "unknown mode 'z'; use ro or rw" run -v /usr:/mnt:z root ls
refuses 125 "unknown mode ''" run -v /usr:/mnt: root ls
refuses 125 "is the root filesystem" run -v /usr:/ root ls
refuses 125 "contains '..'" run -v /usr:/mnt/.. root ls
refuses 125 "is given twice" run -v /usr:/mnt -v /etc:/mnt/ root ls

echo "# user, group, working directory, host name, engine"
refuses 125 "user 'bob': not in the root filesystem's /etc/passwd" run -u bob root ls
refuses 125 "group 'staff': not in the root filesystem's /etc/group" run -u 0:staff root ls
refuses 125 "write UID[:GID] or NAME[:GROUP]" run -u '' root ls
refuses 125 "write UID[:GID] or NAME[:GROUP]" run -u 1:2:3 root ls
refuses 125 "user '4294967295'" run -u 4294967295 root ls
refuses 125 "user '-1'" run -u -1 root ls
refuses 125 "working directory 'tmp': is not absolute" run -w tmp root ls
refuses 125 "host name 'a b'" run --hostname 'a b' root ls
refuses 125 "engine 'ptrace'" run --engine ptrace root ls

echo "# environment"
refuses 125 "environment variable '=1'" run -e =1 root ls
refuses 125 "environment file /nonexistent: No such file or directory" \
  run --env-file /nonexistent root ls
refuses 125 "environment file dir: Is a directory" run --env-file dir root ls
refuses 125 "bad.env: line 2: the name 'B B' contains white space" run --env-file bad.env root ls

echo "# directories"
XDG_CACHE_HOME=/proc/nothing refuses 125 "cache directory /proc/nothing/denizen" run root ls
XDG_CACHE_HOME=$scratch/file refuses 125 "cache directory $scratch/file/denizen" run root ls
refuses 125 "unexpected argument 'file'" clean file

echo "# the command"
refuses 127 "no-such-command: No such file or directory" run / no-such-command
refuses 127 "/no/such/command: No such file or directory" run / /no/such/command
refuses 126 "/etc/passwd: Permission denied" run / /etc/passwd
refuses 126 "/etc: " run / /etc
refuses 125 "working directory /no/such: No such file or directory" run -w /no/such / true
gives 0 "" run / true
gives 7 "" run / sh -c 'exit 7'
gives 125 "" run / sh -c 'exit 125'
gives 137 "" run / sh -c 'kill -9 $$'
gives 143 "" run / sh -c 'kill $$'
gives 0 "--help" run / -- echo --help

echo "# the outer terminal, which must be as it was however denizen ends"
cat >inside.sh <<'END'
exec 3</dev/tty
ulimit -c 0
# A sanitizer's own handler would keep denizen's from being used.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:handle_segv=0:handle_abort=0"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:handle_segv=0:handle_abort=0"
modes() { stty -g <&3; }
stty rows 33 cols 99
modes >before
"$DENIZEN_UNDER_TEST" run / sh -c 'stty size >&2; exit 5' 2>size
echo $? >code.exit
modes >after.exit
for signal in TERM HUP SEGV ABRT; do
  "$DENIZEN_UNDER_TEST" run / sleep 30 <&3 &
  denizen=$!
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(modes)" = "$(cat before)" ] || break
    sleep 0.1
  done
  modes >"during.$signal"
  kill -s "$signal" "$denizen"
  wait "$denizen" 2>/dev/null
  echo $? >"code.$signal"
  modes >"after.$signal"
done
END
if command -v script >/dev/null; then
  DENIZEN_UNDER_TEST=$denizen timeout --kill-after=5 60 \
    script -qec 'sh inside.sh' /dev/null </dev/null >out 2>err
  [[ $(<size) == "33 99" ]] && problem='' || problem="the guest saw: $(<size)"
  verdict "$problem" "the guest's terminal has the size of the outer one"
  for way in exit:5 TERM:143 HUP:129 SEGV:139 ABRT:134; do
    end=${way%:*}
    problem=''
    if [[ $(cat "code.$end") != "${way#*:}" ]]; then
      problem="exit code $(cat "code.$end"), not ${way#*:}"
    elif [[ -e during.$end ]] && cmp -s before "during.$end"; then
      problem="the terminal was never raw, so this proves nothing"
    elif ! cmp -s before "after.$end"; then
      problem="the modes were $(<before), are $(cat "after.$end")"
    fi
    verdict "$problem" "the terminal's modes after $end"
  done
else
  echo "skipped: the outer terminal, because script(1) is missing"
fi

echo "$passed passed, $failed failed"
((failed == 0))
