/*
 * The root filesystem itself is hostile: what denizen mounts on, or reads before the guest runs, is
 * a symlink to a place of the host, a FIFO or a loop. run.sh makes it so. Nothing may be made or
 * changed outside, and denizen must not wait.
 *
 * limit: 10
 * run: --user attacker --workdir /work -v $volume:/mnt/made
 * without: resolve
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  char path[PATH_MAX];
  int fd;

  snprintf(path, sizeof path, "/work/%s", "secret");
  fd = open(path, O_RDONLY);
  if (fd >= 0 && tells_secret(fd))
    broke("the working directory is one of the host's");
  fd = open("/mnt/secret", O_RDONLY);
  if (fd >= 0 && tells_secret(fd))
    broke("a place for a mount is one of the host's");
  must_fail("the host's own", open("/etc/link", O_RDONLY));
}
