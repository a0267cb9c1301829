/*
 * A local datagram socket names its receiver in each message, in guest memory. In an earlier draft
 * a message from a socketpair reached a host socket by its path. Raw local sockets are datagram
 * sockets by another name.
 *
 * without: call:socket,call:socketpair
 */
#include "testsuites/security/attack.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un there;

static void send_from(const char *what, int fd) {
  struct iovec data = {"x", 1};
  struct msghdr message = {
      .msg_name = &there, .msg_namelen = sizeof there, .msg_iov = &data, .msg_iovlen = 1};
  int type = 0;
  socklen_t size = sizeof type;

  if (fd < 0) {
    got("%s: %s", what, strerror(errno));
    return;
  }
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  if (type == SOCK_DGRAM)
    broke("%s: a local datagram socket", what);
  if (sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&there, sizeof there) < 0)
    got("%s: sendto: %s", what, strerror(errno));
  if (sendmsg(fd, &message, MSG_DONTWAIT) < 0)
    got("%s: sendmsg: %s", what, strerror(errno));
  close(fd);
}

static void attack(void) {
  static const struct {
    const char *name;
    int type;
  } types[] = {{"stream", SOCK_STREAM}, {"datagram", SOCK_DGRAM},      {"raw", SOCK_RAW},
               {"reliable", SOCK_RDM},  {"sequenced", SOCK_SEQPACKET}, {"packet", SOCK_PACKET}};
  static const long garbage[] = {0, 1L << 32, -(1L << 32), 0x7fffffffL << 32};
  int pair[2];

  there.sun_family = AF_UNIX;
  snprintf(there.sun_path, sizeof there.sun_path, "%s", given("HOST_DGRAM"));
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    for (size_t j = 0; j < sizeof garbage / sizeof *garbage; j++) {
      long domain = AF_UNIX | garbage[j], type = types[i].type | garbage[j];

      send_from(types[i].name, (int)syscall(SYS_socket, domain, type, 0));
      if (syscall(SYS_socketpair, domain, type, 0, pair) == 0) {
        send_from(types[i].name, pair[0]);
        close(pair[1]);
      }
    }
}
