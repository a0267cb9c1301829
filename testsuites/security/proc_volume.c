/*
 * A volume in which the host's /proc lies, as in `-v /:/host`: there the supervisor's memory is a
 * file that the supervisor may open.
 *
 * run: -v /:/host
 * without: host_proc
 */
#include "testsuites/security/attack.h"

static void look(const char *directory) {
  char path[64];
  int found = 0;

  for (pid_t pid = 1; pid < 32768 && !attack_broken; pid++) {
    int fd;

    snprintf(path, sizeof path, "%s/%d/mem", directory, pid);
    fd = open(path, O_RDWR);
    if (fd < 0)
      continue;
    close(fd);
    found++;
    broke("%s is open", path);
  }
  got("%s: %d memories", directory, found);
}

static void attack(void) {
  char path[64];

  snprintf(path, sizeof path, "/host/proc/%d/environ", given_pid("OUTSIDER"));
  must_fail("the outsider's environment", open(path, O_RDONLY));
  look("/host/proc");
  look("/host/./proc/../proc");
}
