/*
 * Syscall User Dispatch turns a thread's calls into SIGSYS while a byte in its memory says so
 * (prctl(2)). Another thread turns that byte while the supervisor makes the first repeat a call:
 * the call is never made, and the handler never ends.
 *
 * limit: 12
 * without: - the kernel ends a thread whose SIGSYS is blocked, as the supervisor blocks it
 */
#include "testsuites/security/attack.h"

#include <sys/prctl.h>

#define SET_DISPATCH 59 /* PR_SET_SYSCALL_USER_DISPATCH */
#define DISPATCH_ON 1

static volatile unsigned char selector;
static volatile int go;

static void spin(int signal ATTACK_UNUSED) {
  for (;;)
    go++;
}

static void *turn(void *unused ATTACK_UNUSED) {
  while (!go)
    sched_yield();
  for (double until = seconds() + 1; seconds() < until;) {
    selector = 1; /* block */
    for (volatile int i = 0; i < 50; i++)
      continue;
    selector = 0; /* allow */
    for (volatile int i = 0; i < 50; i++)
      continue;
  }
  selector = 0;
  return NULL;
}

static void make_calls(void) {
  long number = SYS_kill, self = getpid();
  struct sigaction action = {.sa_handler = spin};

  sigaction(SIGSYS, &action, NULL);
  start_thread(turn, NULL);
  if (prctl(SET_DISPATCH, DISPATCH_ON, 0, 0, &selector))
    _exit(2);
  go = 1;
  for (int i = 0; i < 20000; i++) {
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(self), "S"((long)SIGURG), "d"(0L)
                     : "rcx", "r11", "memory");
  }
  selector = 0;
  _exit(0);
}

static void attack(void) {
  for (int i = 0; i < 8 && !attack_broken; i++) {
    pid_t child = fork();

    if (child == 0)
      make_calls();
    pause_for(0.1);
    if (!others_go_on())
      broke("all guests wait for one");
    syscall(SYS_kill, child, SIGKILL);
  }
}
