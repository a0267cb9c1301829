/*
 * An O_PATH descriptor reaches the guest through a socket that lies in its table for a moment. A
 * second thread copies whatever appears there: if it were a local datagram socket, its sends could
 * name a socket of the host.
 *
 * without: - the pair's type is the defence: no check that could be left out
 */
#include "testsuites/security/attack.h"

#include <sys/socket.h>
#include <sys/un.h>

static volatile int stop;

static void try_socket(int fd) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int type = 0;
  socklen_t size = sizeof type;

  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
    return;
  got("caught a socket of type %d", type);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", given("HOST_DGRAM"));
  if (sendto(fd, "hello", 5, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address) >= 0 &&
      type == SOCK_DGRAM)
    broke("a message was sent to %s", address.sun_path);
  stop = 1;
}

static void *copy(void *unused ATTACK_UNUSED) {
  while (!stop)
    for (int fd = 3; fd < 6 && !stop; fd++) {
      int copied = fcntl(fd, F_DUPFD, 100);
      struct stat st;

      if (copied < 0)
        continue;
      if (fstat(copied, &st) == 0 && S_ISSOCK(st.st_mode))
        try_socket(copied);
      close(copied);
    }
  return NULL;
}

static void attack(void) {
  start_thread(copy, NULL);
  for (double end = seconds() + 4; seconds() < end && !stop;) {
    int fd = open("/etc", O_PATH);

    close(fd);
  }
  stop = 1;
  pause_for(0.05);
}
