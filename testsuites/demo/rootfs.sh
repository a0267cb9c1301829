# shellcheck shell=bash
# For scripts: a Debian root filesystem that belongs to an ordinary user, kept for the next time.
#
#   source testsuites/demo/rootfs.sh
#   rootfs_user     sets demo_uid and as_demo_user: run a command as the ordinary user
#   rootfs_make     sets demo_root, making it when it is not there yet
#
# The user is the caller, or nobody when the caller is root. The place is
# ${XDG_CACHE_HOME:-~/.cache}/denizen-demo, for root ${XDG_CACHE_HOME:-/var/cache}/denizen-demo:
# nobody cannot pass through root's home.

readonly rootfs_suite=bookworm
readonly rootfs_packages=ca-certificates,procps,python3-minimal,gcc,libc6-dev,make

rootfs_fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

rootfs_user() {
  demo_uid=$EUID
  as_demo_user=()
  if ((EUID == 0)); then
    demo_uid=65534
    as_demo_user=(setpriv "--reuid=$demo_uid" "--regid=$demo_uid" --clear-groups)
  fi
}

# The lines of the machine's own package sources that are Debian's for our release, so that the
# root filesystem comes from the mirror that this machine already uses.
rootfs_sources() {
  # shellcheck disable=SC2016 # apt expands these
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
    'Created-By: Packages' |
    awk -F'|' -v suite="$rootfs_suite" '
      $1 == "Debian" && ($3 == suite || $3 == suite "-updates" || $3 == suite "-security") &&
        $4 == "main" { print "deb", $2, $3, $4 }' | sort -u
}

# mmdebstrap writes a tar stream, which the user extracts: every file is the user's from the
# start, and nothing here needs root. Device nodes, which a user cannot make, are left out:
# denizen has its own /dev. As root mmdebstrap works in a plain chroot, else in a user namespace
# (with a range in /etc/subuid), else with fakechroot.
rootfs_extract() {
  local sources=$1 into=$2 mode=auto
  if ((EUID != 0)); then
    mode=fakechroot
    if command -v newuidmap >/dev/null && grep -qE "^($(id -un)|$EUID):" /etc/subuid 2>/dev/null &&
      unshare --user true 2>/dev/null; then
      mode=unshare
    fi
  fi
  mmdebstrap --quiet --mode="$mode" --variant=minbase --include="$rootfs_packages" \
    --format=tar "$rootfs_suite" - "$sources" </dev/null |
    "${as_demo_user[@]}" tar --extract --directory="$into" --exclude='./dev/*'
}

rootfs_make() {
  local base=${XDG_CACHE_HOME:-$( ((EUID == 0)) && echo /var/cache || echo "$HOME/.cache")}
  local home=$base/denizen-demo sources started=$SECONDS
  demo_root=$home/$rootfs_suite
  mkdir -p "$home"

  # The stamp is written last: a root filesystem without it is an interrupted one.
  if [[ -f $demo_root.packages && $(<"$demo_root.packages") == "$rootfs_packages" &&
    $(stat -c %u "$demo_root" 2>/dev/null) == "$demo_uid" ]]; then
    return
  fi
  echo "making a Debian $rootfs_suite root filesystem in $demo_root ..." >&2
  rm -rf "$demo_root" "$demo_root.packages"
  mkdir -p "$demo_root"
  ((EUID == 0)) && chown "$demo_uid:$demo_uid" "$demo_root"
  "${as_demo_user[@]}" test -w "$demo_root" ||
    rootfs_fail "user $demo_uid cannot reach $demo_root; set XDG_CACHE_HOME to where it can"

  sources=$(mktemp --suffix=.list)
  rootfs_sources >"$sources"
  if [[ ! -s $sources ]]; then
    "$( ((EUID == 0)) && echo env || echo sudo)" apt-get -qq update </dev/null >&2 || true
    rootfs_sources >"$sources"
  fi
  [[ -s $sources ]] ||
    rootfs_fail "this machine's package sources have no Debian $rootfs_suite to make one from"
  chmod 644 "$sources"
  rootfs_extract "$sources" "$demo_root" || rootfs_fail "mmdebstrap failed"
  rm -f "$sources"
  echo "$rootfs_packages" >"$demo_root.packages"
  echo "made in $((SECONDS - started)) s, $(du -sh "$demo_root" | cut -f1)" >&2
}
