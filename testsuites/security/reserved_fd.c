/*
 * A filter that lets a call pass because of a descriptor's number lets every path pass: with an
 * absolute path the number is ignored. In an earlier draft a host file was read, another written
 * and a host program run, without any race.
 *
 * without: call:openat,call:execveat,call:newfstatat,landlock
 */
#include "testsuites/security/attack.h"

#define LAST 1024

static void open_by(int number) {
  int fd = (int)syscall(SYS_openat, number, given("SECRET"), O_RDONLY);

  if (fd >= 0 && tells_secret(fd))
    broke("openat(%d) read a file of the host", number);
  else if (fd >= 0)
    broke("openat(%d) opened something", number);
}

static void run_by(int number, const char *path, int flags) {
  char *arguments[] = {"host", NULL}, *environment[] = {NULL};
  pid_t child = fork();
  int status;

  if (child == 0) {
    syscall(SYS_execveat, number, path, arguments, environment, flags);
    _exit(0);
  }
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
    broke("execveat(%d, \"%s\") ran a program of the host", number, path);
}

static void attack(void) {
  for (int number = 3; number <= LAST && !attack_broken; number++)
    open_by(number);
  for (int number = 3; number <= LAST && !attack_broken; number += number < 32 ? 1 : 64) {
    run_by(number, given("HOST_PROGRAM"), 0);
    run_by(number, "", AT_EMPTY_PATH);
  }
}
