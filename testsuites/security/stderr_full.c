/*
 * denizen reports an unsupported call on its standard error, which is a pipe that the guest has too
 * and has filled.
 *
 * limit: 12
 * ends: no
 * beside: -stderr-pipe
 * without: - a write that cannot wait is no check that could be left out
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  char block[4096] = {0};
  pid_t child;

  fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
  while (write(STDERR_FILENO, block, sizeof block) > 0)
    continue;
  while (write(STDERR_FILENO, block, 1) > 0)
    continue;
  fcntl(STDERR_FILENO, F_SETFL, 0);
  child = fork();
  if (child == 0) {
    for (long number = 900; number < 910; number++)
      syscall(number);
    _exit(0);
  }
  pause_for(0.2);
  if (!others_go_on())
    broke("others wait for the reader of standard error");
}
