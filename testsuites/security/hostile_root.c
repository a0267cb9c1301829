/*
 * The root filesystem itself is hostile: what denizen mounts on is a symlink to a place of the
 * host, and what it reads before the guest runs is a FIFO or such a symlink. run.sh makes it so.
 * Nothing may be made or changed outside, and denizen must not wait.
 *
 * limit: 10
 * run: -v $volume:/mnt/made
 * without: - the walk is the one whose proof is dotdot_renamed
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  struct stat st;
  int fd = open("/mnt/secret", O_RDONLY);

  if (fd >= 0 && tells_secret(fd))
    broke("a place for a mount is one of the host's");
  if (stat("/mnt/made/file", &st))
    broke("the test itself: the volume is not there");
  must_fail("a symlink out", open("/etc/link", O_RDONLY));
  must_fail("a symlink out", open("/etc/group", O_RDONLY));
  if (stat("/proc/self", &st))
    broke("the test itself: /proc is not there");
}
