/*
 * The kernel reads the name of the program from the guest's memory. A second thread overwrites it
 * between the supervisor's choice and the kernel's reading, with the path of a host program. Under
 * an earlier draft's gate 26 of 30 ran it; where exec was simply continued, 510 of 2,000.
 *
 * limit: 60
 * without: exec_verify,exec_name,exec_errno,landlock
 */
#include "testsuites/security/attack.h"

#include "testsuites/security/scratch.h"

#define ROUNDS 2000

static const char *target;

static void *overwrite(void *unused ATTACK_UNUSED) {
  scratch_overwrite(target);
  return NULL;
}

static int one_round(void) {
  char *arguments[] = {"chosen", NULL}, *environment[] = {NULL};
  pid_t child = fork();
  int status;

  if (child == 0) {
    start_thread(overwrite, NULL);
    execve("/bin/chosen", arguments, environment);
    _exit(3);
  }
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

static void attack(void) {
  int chosen = 0, killed = 0, failed = 0;

  target = given("HOST_PROGRAM");
  scratch_find();
  for (int i = 0; i < ROUNDS && !attack_broken; i++) {
    int code = one_round();

    chosen += code == 42;
    killed += code == -1;
    failed += code == 3;
    if (code != 42 && code != -1 && code != 3)
      broke("round %d: another file ran (exit code %d)", i, code);
  }
  got("%d ran the chosen file, %d were killed, %d failed", chosen, killed, failed);
  if (!killed && !attack_broken)
    broke("the test itself: no round was won against the kernel");
}
