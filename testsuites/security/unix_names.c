/*
 * Local sockets by name: an abstract name of the host, a path outside the root, and a descriptor
 * that is exchanged while the supervisor looks at the address.
 *
 * without: call:connect,landlock
 */
#include "testsuites/security/attack.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un by_path, abstract, inside;
static socklen_t abstract_length;
static volatile int target, stop;

static void connect_to(const char *what, int type, const struct sockaddr_un *to, socklen_t length) {
  int fd = socket(AF_UNIX, type, 0);

  if (fd >= 0)
    must_fail(what, connect(fd, (const struct sockaddr *)to, length));
  close(fd);
}

static void *exchange(void *unused ATTACK_UNUSED) {
  int local = socket(AF_UNIX, SOCK_STREAM, 0), internet = socket(AF_INET, SOCK_STREAM, 0);

  while (!stop) {
    dup2(local, target);
    dup2(internet, target);
  }
  return NULL;
}

/* The address flips between a name inside and the host's, the descriptor between two sockets. */
static void *flip(void *address) {
  struct sockaddr_un *shown = address;

  while (!stop) {
    memcpy(shown->sun_path, by_path.sun_path, sizeof by_path.sun_path);
    memcpy(shown->sun_path, abstract.sun_path, sizeof abstract.sun_path);
    memcpy(shown->sun_path, inside.sun_path, sizeof inside.sun_path);
  }
  return NULL;
}

static void attack(void) {
  static struct sockaddr_un shown;
  const char *name = given("HOST_ABSTRACT");

  by_path.sun_family = abstract.sun_family = inside.sun_family = shown.sun_family = AF_UNIX;
  snprintf(by_path.sun_path, sizeof by_path.sun_path, "%s", given("HOST_STREAM"));
  memcpy(abstract.sun_path + 1, name, strlen(name));
  abstract_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
  strcpy(inside.sun_path, "/tmp/socket");
  connect_to("an abstract name", SOCK_STREAM, &abstract, abstract_length);
  connect_to("an abstract name, sequenced", SOCK_SEQPACKET, &abstract, abstract_length);
  connect_to("a path of the host", SOCK_STREAM, &by_path, sizeof by_path);
  if (attack_broken)
    return;
  target = fcntl(0, F_DUPFD, 50);
  start_thread(exchange, NULL);
  start_thread(flip, &shown);
  for (double until = seconds() + 2; seconds() < until;)
    if (connect(target, (struct sockaddr *)&shown, abstract_length) == 0)
      broke("a socket of the host was reached");
  stop = 1;
  pause_for(0.05);
}
