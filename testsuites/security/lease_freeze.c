/*
 * A write lease makes everybody who opens the file wait until it is given up (for 45 s). In an
 * earlier draft all calls of all guests waited with the one that opened it.
 *
 * limit: 15
 * ends: no
 * without: call:fcntl,workers
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  int fd = open("/tmp/leased", O_RDWR | O_CREAT, 0644);
  pid_t child;

  signal(SIGIO, SIG_IGN);
  if (fcntl(fd, 1024 /* F_SETLEASE */, F_WRLCK))
    got("F_SETLEASE: %s", strerror(errno));
  child = fork();
  if (child == 0) {
    open("/tmp/leased", O_RDONLY);
    _exit(0);
  }
  pause_for(0.2);
  if (!others_go_on())
    broke("others wait for a lease");
}
