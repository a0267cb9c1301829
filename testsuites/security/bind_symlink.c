/*
 * The guest binds a socket in a directory that others share; one of them puts a symlink in its
 * place as soon as it is there. What is then done to the name hits a file of the host.
 *
 * beside: swap $root/home/shared/socket $outside/secret
 * without: - the socket has its mode before it has a name: there is no check to leave out
 */
#include "testsuites/security/attack.h"

#include <sys/socket.h>
#include <sys/un.h>

static void attack(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/home/shared/socket"};
  int bound = 0;

  for (double until = seconds() + 2; seconds() < until;) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    bound += bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    unlink("/home/shared/socket");
    close(fd);
  }
  got("%d sockets were bound", bound);
}
