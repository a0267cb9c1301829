/*
 * A guest that must not survive: processes in sessions of their own, orphaned, deaf to signals,
 * that cleared what the kernel would kill them by, and that fork all the time. run.sh kills the
 * supervisor, the command denizen, and both at once, and looks who is left after a second.
 *
 * It ends by itself after some seconds, so that a failing test leaves nothing. (Run by run.sh in a
 * way of its own.)
 */
#include "testsuites/security/attack.h"

#include <sys/prctl.h>

#define CHAINS 10
#define SLEEPERS 40
#define LIFETIME 12

static void be_deaf(void) {
  for (int number = 1; number < 32; number++)
    signal(number, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  setsid();
}

/* Each link of the chain forks the next and ends: its number is new every time. Without the pause,
 * dead links would use up the host's numbers faster than anybody can reap them. */
static void chain(double until) {
  be_deaf();
  while (seconds() < until) {
    pid_t next = fork();

    if (next > 0)
      _exit(0);
    setsid();
    pause_for(0.001);
  }
  _exit(0);
}

static void sleeper(double until) {
  be_deaf();
  while (seconds() < until)
    pause_for(0.5);
  _exit(0);
}

static void attack(void) {
  double until = seconds() + LIFETIME;

  for (int i = 0; i < CHAINS; i++)
    if (fork() == 0)
      chain(until);
  for (int i = 0; i < SLEEPERS; i++)
    if (fork() == 0) {
      if (fork() == 0)
        sleeper(until); /* an orphan */
      _exit(0);
    }
  be_deaf();
  got("ready");
  while (seconds() < until)
    pause_for(0.05);
}
