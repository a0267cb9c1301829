/*
 * More calls that wait than there are workers: another call that has to be done by a worker must
 * not wait for theirs to end.
 *
 * limit: 30
 * without: - there is no check to leave out: how many calls may wait at once is a number
 */
#include "testsuites/security/attack.h"

#define WAITERS 280

static void attack(void) {
  pid_t first = fork();
  int status;

  if (mkfifo("/tmp/fifo", 0644) && errno != EEXIST)
    broke("the test itself: mkfifo: %s", strerror(errno));
  if (first == 0) {
    for (int i = 0; i < WAITERS; i++)
      if (fork() == 0) {
        open("/tmp/fifo", O_RDONLY);
        _exit(0);
      }
    _exit(0);
  }
  waitpid(first, &status, 0);
  pause_for(1);
  if (!others_go_on())
    broke("others wait for a crowd");
  /* one that a worker has to do: its other end is there */
  if (mkfifo("/tmp/other", 0644))
    broke("the test itself: mkfifo: %s", strerror(errno));
  first = fork();
  if (first == 0) {
    int fd = open("/tmp/other", O_RDWR); /* never waits */

    fd = open("/tmp/other", O_WRONLY);
    _exit(fd < 0);
  }
  for (double until = seconds() + 2; seconds() < until; pause_for(0.01))
    if (waitpid(first, &status, WNOHANG) == first) {
      got("%d waiters; another open took its turn", WAITERS);
      return;
    }
  broke("%d waiters keep another open from being done", WAITERS);
}
