/*
 * fcntl makes the kernel send a signal of one's choice to a process of one's choice when a
 * descriptor becomes ready. In an earlier draft it killed another process of the user.
 *
 * without: call:fcntl,landlock
 */
#include "testsuites/security/attack.h"

#ifndef F_SETSIG
#define F_SETSIG 10
#define F_SETOWN_EX 15
#endif

struct owner {
  int type;
  pid_t pid;
};

static void own(const char *what, int owner, int with_struct) {
  struct owner by_struct[] = {{1, owner}, {0, owner}, {2, owner}}; /* process, thread, group */
  int pair[2];

  if (pipe(pair))
    return;
  fcntl(pair[0], F_SETSIG, SIGURG);
  if (with_struct < 0 ? fcntl(pair[0], F_SETOWN, owner)
                      : fcntl(pair[0], F_SETOWN_EX, &by_struct[with_struct]))
    got("%s: owner: %s", what, strerror(errno));
  if (fcntl(pair[0], F_SETFL, O_NONBLOCK | O_ASYNC))
    got("%s: O_ASYNC: %s", what, strerror(errno));
  else
    broke("%s: O_ASYNC was set", what);
  (void)!write(pair[1], "x", 1);
  close(pair[0]);
  close(pair[1]);
}

static void watch_directory(void) {
  int directory = open("/tmp", O_RDONLY | O_DIRECTORY);
  int file = open("/tmp/leased", O_RDWR | O_CREAT, 0644);

  must_fail("F_NOTIFY", fcntl(directory, 1026, 0x80000001));
  must_fail("F_SETLEASE", fcntl(file, 1024, F_RDLCK));
  must_fail("F_SETSIG", fcntl(file, F_SETSIG, SIGURG));
}

static void attack(void) {
  int outsider = given_pid("OUTSIDER"), number;

  own("F_SETOWN", outsider, -1);
  own("F_SETOWN of its group", -outsider, -1);
  for (int i = 0; i < 3; i++)
    own("F_SETOWN_EX", outsider, i);
  watch_directory();
  /* O_ASYNC on opening enables nothing, but must not come by that way either */
  number = open("/tmp/fifo", O_RDONLY | O_NONBLOCK | O_ASYNC);
  if (number >= 0)
    close(number);
  pause_for(0.1);
}
