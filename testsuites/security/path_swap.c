/*
 * The path flips in memory between a name that the guest has and one that only the host has, while
 * the call is under way. What was checked must be what is opened.
 *
 * without: call:openat,call:open,landlock
 */
#include "testsuites/security/attack.h"

static char path[PATH_MAX];
static volatile int stop;

static void *flip(void *unused ATTACK_UNUSED) {
  size_t length = strlen(given("SECRET")) + 1;
  char inside[PATH_MAX] = "/etc/hostname";

  while (!stop) {
    memcpy(path, inside, length > sizeof "/etc/hostname" ? length : sizeof "/etc/hostname");
    memcpy(path, given("SECRET"), length);
  }
  return NULL;
}

static void attack(void) {
  int opened = 0;

  start_thread(flip, NULL);
  for (double until = seconds() + 2; seconds() < until && !attack_broken;) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);

    opened += fd >= 0;
    if (fd >= 0 && tells_secret(fd))
      broke("a file of the host was read");
    close(fd);
    fd = (int)syscall(SYS_open, path, O_RDONLY);
    if (fd >= 0 && tells_secret(fd))
      broke("a file of the host was read");
    close(fd);
  }
  stop = 1;
  got("%d times the guest's own file", opened);
}
