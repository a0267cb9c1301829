/*
 * A descriptor of the supervisor's that a guest inherits would be a door: the listener, a directory
 * of the host, another process.
 *
 * without: - each is opened close-on-exec, and closed once more by the first process: no single
 * check
 */
#include "testsuites/security/attack.h"

static void look(const char *who) {
  for (int fd = 3; fd < 70000; fd++)
    if (fcntl(fd, F_GETFD) >= 0)
      broke("%s has descriptor %d", who, fd);
}

static void attack(void) {
  pid_t child;
  int status;

  look("the first process");
  child = fork();
  if (child == 0) {
    char *arguments[] = {"attack", NULL}, *environment[] = {"AGAIN=1", NULL};

    if (!getenv("AGAIN"))
      execve("/bin/attack", arguments, environment);
    _exit(attack_broken);
  }
  waitpid(child, &status, 0);
  if (status)
    broke("a program executed later has one");
}
