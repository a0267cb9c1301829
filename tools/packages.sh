#!/bin/bash
# Install the Debian packages that are missing for the named purposes.
#
#   tools/packages.sh build [check] [demo] [bench] [lint] [coverage]
#
# Says what it installs, asks nothing, and runs no package tool at all when nothing is missing.
set -euo pipefail

declare -A packages=(
  [build]="gcc libc6-dev make pkg-config libelf-dev libjansson-dev libunwind-dev"
  [check]="libcriterion-dev musl-tools util-linux procps python3-minimal gdb strace"
  [demo]="mmdebstrap fakechroot fakeroot util-linux"
  [bench]="proot"
  [lint]="clang-format clang-tidy cppcheck shellcheck"
  [coverage]="gcovr"
)

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for purpose in "$@"; do
  for package in ${packages[$purpose]:?"unknown purpose $purpose"}; do
    installed "$package" || missing+=("$package")
  done
done
((${#missing[@]} == 0)) && exit 0

if ! command -v apt-get >/dev/null; then
  echo "packages.sh: this is not a Debian system; install what these packages hold:" \
    "${missing[*]}" >&2
  exit 1
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "packages.sh: not root and no sudo; as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi

echo "packages.sh: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install_log=$(mktemp)
trap 'rm -f "$install_log"' EXIT

install_missing() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o Acquire::Retries=3 \
    -o Dpkg::Use-Pty=0 --no-install-recommends install "${missing[@]}" </dev/null
}

# A package list that is old or absent is the usual reason for a failure: fetch it and try again.
if ! install_missing >"$install_log" 2>&1; then
  "${as_root[@]}" apt-get -o Acquire::Retries=3 update </dev/null >"$install_log" 2>&1 || true
  install_missing >>"$install_log" 2>&1 || {
    cat "$install_log" >&2
    echo "packages.sh: could not install ${missing[*]}" >&2
    exit 1
  }
fi
