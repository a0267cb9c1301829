/*
 * Numbers that die while a call that names them is under way, and new processes that get numbers as
 * fast as they can be made: none of the calls may hit somebody who is not of the silo. The host
 * looks whether the outsider was.
 *
 * limit: 30
 * without: - a race against the supervisor's own few instructions, which cannot be made wider
 */
#include "testsuites/security/attack.h"

#include <sys/resource.h>

static volatile pid_t *last;

static void storm(double until) {
  while (seconds() < until) {
    pid_t child = fork();

    if (child == 0)
      _exit(0);
    *last = child;
    waitpid(child, NULL, 0);
    pause_for(0.0002); /* the host's numbers are for others too */
  }
  _exit(0);
}

static void attack(void) {
  struct rlimit limit = {64, 64};
  pid_t outsider = given_pid("OUTSIDER"), self = getpid();
  double until = seconds() + 3;
  unsigned long mask = 1;
  int done = 0;

  last = shared_memory(4096);
  for (int i = 0; i < 3; i++)
    if (fork() == 0)
      storm(until);
  while (seconds() < until) {
    for (pid_t pid = *last - 1; pid <= *last + 3; pid++) {
      if (pid <= 1 || pid == self)
        continue;
      syscall(SYS_kill, pid, SIGURG);
      syscall(SYS_tgkill, pid, pid, SIGURG);
      syscall(SYS_prlimit64, pid, 7, &limit, NULL);
      syscall(SYS_sched_setaffinity, pid, 8L, &mask);
      syscall(SYS_setpriority, PRIO_PROCESS, pid, 5);
      done++;
    }
    if (syscall(SYS_kill, outsider, 0) == 0)
      broke("the outsider became one of the silo");
  }
  got("%d numbers were tried", done);
}
