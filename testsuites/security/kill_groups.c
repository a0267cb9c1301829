/*
 * Signals to groups: all processes, the caller's group, a group of the host. SIGURG does nothing
 * to those who do not wait for it, as the outsider does.
 *
 * without: call:kill,landlock
 */
#include "testsuites/security/attack.h"

static volatile int received;

static void count(int signal ATTACK_UNUSED) {
  received++;
}

static void attack(void) {
  pid_t outsider = given_pid("OUTSIDER"), child;

  signal(SIGURG, count);
  child = fork();
  if (child == 0) {
    for (int i = 0; i < 100 && !received; i++)
      pause_for(0.01);
    _exit(received ? 0 : 1);
  }
  /* Without its defence this would reach every process of the user, other tests' too. */
  if (!getenv("PROOF") && kill(-1, SIGURG))
    got("kill(-1): %s", strerror(errno));
  if (kill(0, SIGURG))
    got("kill(0): %s", strerror(errno));
  must_fail("kill of the outsider's group", kill(-outsider, SIGURG));
  must_fail("kill of group 1", kill(-1 - 0x7ffffffe, SIGURG));
  for (pid_t group = getpid() - 50; group < getpid(); group++)
    if (group > 1 && kill(-group, SIGURG) == 0 && getpgid(group) != group)
      broke("a signal went to group %d", group);
  {
    int status;

    waitpid(child, &status, 0);
    got("the silo's own process %s the signal", status ? "did not get" : "got");
    if (status)
      broke("the test itself: no signal was sent");
  }
  pause_for(0.1);
}
