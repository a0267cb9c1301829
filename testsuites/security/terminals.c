/*
 * Terminals of the host by their number in /dev/pts, and by other names.
 *
 * without: - no name of the host's devpts is ever opened: the silo's terminals are descriptors that
 * it holds
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  const char *host = given("HOST_TERMINAL");
  char path[64];

  must_fail("the outsider's terminal", open(host, O_RDWR | O_NOCTTY));
  for (int number = 0; number < 256; number++) {
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    if (open(path, O_WRONLY | O_NOCTTY) >= 0)
      broke("%s is open", path);
  }
  must_fail("/dev/tty", open("/dev/tty", O_RDWR));
  must_fail("/dev/console", open("/dev/console", O_RDWR));
  must_fail("/dev/tty0", open("/dev/tty0", O_RDWR));
  must_fail("/dev/mem", open("/dev/mem", O_RDONLY));
  must_fail("/dev/fuse", open("/dev/fuse", O_RDWR));
  must_fail("/dev/userfaultfd", open("/dev/userfaultfd", O_RDWR));
}
