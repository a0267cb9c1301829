/*
 * Standard input is a file of the host that is in no mount of the guest, and devices and live files
 * of /proc and /sys are the host's own: what can be changed through any descriptor must not be
 * changed through theirs. /dev/null is given the mode that it has, so that nothing is lost when it
 * works.
 *
 * input: $outside/input
 * without: call:fchmod,call:fchown,call:utimensat,call:futimesat,call:fsetxattr,
 * call:fremovexattr,call:ioctl,call:fcntl
 */
#include "testsuites/security/change.h"

static void keep_mode(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat st;

  if (fd < 0 || fstat(fd, &st))
    return;
  must_fail(path, fchmod(fd, st.st_mode & 07777));
  must_fail("its times", futimens(fd, NULL));
  close(fd);
}

static void attack(void) {
  change_fd("standard input", STDIN_FILENO);
  change_empty(STDIN_FILENO);
  change_path("/proc/self/fd/0");
  change_path("/dev/stdin");
  keep_mode("/dev/null");
  keep_mode("/dev/urandom");
  keep_mode("/proc/meminfo");
  keep_mode("/proc/sys/kernel/ostype");
  keep_mode("/sys/devices/system/cpu/online");
}
