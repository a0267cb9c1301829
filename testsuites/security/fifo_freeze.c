/*
 * Opening a FIFO waits for its other end.
 *
 * limit: 12
 * ends: no
 * without: workers
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  pid_t children[4];

  if (mkfifo("/tmp/fifo", 0644))
    broke("the test itself: mkfifo: %s", strerror(errno));
  for (int i = 0; i < 4; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      open("/tmp/fifo", i % 2 ? O_RDONLY : O_RDONLY);
      _exit(0);
    }
  }
  pause_for(0.2);
  if (!others_go_on())
    broke("others wait for a FIFO");
}
