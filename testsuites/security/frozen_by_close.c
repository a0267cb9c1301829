/*
 * What the supervisor makes a guest's thread do must not wait either: the descriptor that it lends
 * for a signal, and has closed, is exchanged for a socket whose close lingers.
 *
 * limit: 12
 * ends: no
 * without: attach_limit
 */
#include "testsuites/security/attack.h"

#include <netinet/in.h>
#include <sys/socket.h>

static int lingering = -1;

/* A connection with data that nobody reads: close waits for them to be acknowledged. */
static int make_lingering(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
  struct linger linger = {1, 30};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
  char block[4096] = {0};

  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1) ||
      getsockname(listener, (struct sockaddr *)&address, &length) ||
      connect(fd, (struct sockaddr *)&address, length))
    return -1;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  while (write(fd, block, sizeof block) > 0)
    continue;
  fcntl(fd, F_SETFL, 0);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  return fd;
}

static void *exchange(void *unused ATTACK_UNUSED) {
  int lent = dup(0);

  close(lent); /* the number that will be lent */
  for (;;)
    if (fcntl(lent, F_GETFD) >= 0)
      syscall(SYS_dup3, lingering, lent, 0), close(lingering), pause();
  return NULL;
}

static void attack(void) {
  for (int i = 0; i < 4 && !attack_broken; i++) {
    pid_t child = fork();

    if (child == 0) {
      lingering = make_lingering();
      if (lingering < 0)
        _exit(2);
      start_thread(exchange, NULL);
      pause_for(0.05);
      for (int tries = 0; tries < 2000; tries++)
        kill(getpid(), SIGURG);
      _exit(0);
    }
    pause_for(0.3);
    if (!others_go_on())
      broke("all guests wait for a close");
    syscall(SYS_kill, child, SIGKILL);
  }
}
