/* Attempts to change the state tag, and whether they did. */
#ifndef TAG_H
#define TAG_H

#include "testsuites/security/attack.h"

#define RESOURCE_LOCKS 10

enum tag_way { SET_LIMIT, SET_BY_NUMBER };

struct tag_limit {
  uint64_t soft, hard;
};

/* Is the caller still who it was? A call that the supervisor performs tells. */
static bool tag_holds(const char *directory) {
  char text[64] = "";

  return syscall(SYS_getcwd, text, sizeof text) > 0 && strcmp(text, directory) == 0;
}

/* One attempt in a process of its own. whose: 0 the number 0, 1 its own, 2 its thread's, 3 its
 * parent's. garbage is added to the resource's number. */
static void tag_try(const char *what, enum tag_way way, int whose, long garbage) {
  static const uint64_t values[] = {0, 1, UINT64_C(1) << 40 | 1, UINT64_C(77) << 40 | 1};
  long resource = RESOURCE_LOCKS | garbage;

  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    pid_t child = fork();
    int status;

    if (child == 0) {
      struct tag_limit limit = {values[i], UINT64_MAX};
      long numbers[] = {0, getpid(), syscall(SYS_gettid), getppid()};

      if (chdir("/tmp"))
        _exit(2);
      if (way == SET_LIMIT)
        syscall(SYS_setrlimit, resource, &limit);
      else
        syscall(SYS_prlimit64, numbers[whose], resource, &limit, NULL);
      _exit(tag_holds("/tmp") ? 0 : 1);
    }
    waitpid(child, &status, 0);
    if (status)
      broke("%s, resource %#lx, value %#lx: the process is another one", what, resource,
            (unsigned long)values[i]);
  }
  got("%s, resource %#lx: tried", what, resource);
  if (!tag_holds("/"))
    broke("%s: the parent is another one", what);
}

#endif
