/*
 * A process that is not dumpable cannot be looked into by others of its user: the supervisor would
 * be shut out of its memory and its /proc.
 *
 * users: nobody
 * without: call:prctl
 */
#include "testsuites/security/attack.h"

#include <sys/prctl.h>

static void attack(void) {
  char text[64];
  pid_t child;
  int status;

  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
    broke("the test itself: PR_SET_DUMPABLE: %s", strerror(errno));
  if (open("/etc/hostname", O_RDONLY) < 0)
    broke("the supervisor is shut out of the memory: %s", strerror(errno));
  if (readlink("/proc/self/exe", text, sizeof text) < 0)
    got("/proc/self/exe: %s", strerror(errno)); /* as Linux may answer */
  child = fork();
  if (child == 0) {
    char *arguments[] = {"chosen", NULL}, *environment[] = {NULL};

    execve("/bin/chosen", arguments, environment);
    _exit(1);
  }
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 42)
    broke("the supervisor is shut out of an exec");
}
