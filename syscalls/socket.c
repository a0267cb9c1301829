/*
 * Sockets: what names something. Addresses lie in guest memory, so connect and bind are the
 * supervisor's, on a copy of the guest's socket (the same open file); the network is the host's.
 */
#include "syscalls/socket.h"

#include <fcntl.h>
#include <string.h>

#define TYPE_MASK 0xf /* SOCK_TYPE_MASK of include/linux/net.h */

/* Families and types that the filter does not leave to the kernel. */
int64_t dz_sys_socket(struct dz_call *call) {
  int domain = dz_arg_int(call, 0), type = dz_arg_int(call, 1) & TYPE_MASK;

  if (type > SOCK_PACKET)
    return -EINVAL;
  if ((domain == AF_INET || domain == AF_INET6) && type == SOCK_RAW)
    return -EPERM; /* as without CAP_NET_RAW (raw(7)) */
  call->ops->unsupported(call, domain == AF_UNIX ? "a local datagram socket" : "an address family");
  return domain == AF_UNIX || domain == AF_NETLINK ? -ESOCKTNOSUPPORT : -EAFNOSUPPORT;
}

int64_t dz_sys_socketpair(struct dz_call *call) {
  int domain = dz_arg_int(call, 0);

  if (domain != AF_UNIX)
    return domain == AF_INET || domain == AF_INET6 ? -EOPNOTSUPP : -EAFNOSUPPORT;
  call->ops->unsupported(call, "a pair of local datagram sockets");
  return -ESOCKTNOSUPPORT;
}

int dz_socket_copy(struct dz_call *call, int fd, int *domain) {
  int copy DZ_FD = fd < 0 ? -EBADF : dz_arg_fd_copy(call, fd, false);
  socklen_t size = sizeof *domain;

  if (copy < 0)
    return copy;
  if (getsockopt(copy, SOL_SOCKET, SO_DOMAIN, domain, &size))
    return -errno;
  return dz_steal_fd(&copy);
}

static bool waits(int fd) {
  int type = 0;
  socklen_t size = sizeof type;

  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  return type != SOCK_DGRAM && type != SOCK_RAW && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* sock_intr_errno() of include/net/sock.h: with a timeout the call is not restarted. */
static int interrupted(int fd) {
  struct timeval limit = {0};
  socklen_t size = sizeof limit;

  getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
  return limit.tv_sec || limit.tv_usec ? -EINTR : -DZ_ERESTARTSYS;
}

int64_t dz_socket_connect(struct dz_call *call, int fd, const void *address, socklen_t length) {
  int64_t result;

  if (!waits(fd))
    return dz_result(connect(fd, address, length));
  if (!call->may_block)
    return -DZ_EBLOCK;
  call->ops->begin_wait(call);
  result = dz_result(connect(fd, address, length));
  call->ops->end_wait(call);
  return result == -EINTR ? interrupted(fd) : result;
}

/* move_addr_to_kernel() of net/socket.c. */
static int read_address(struct dz_call *call, struct sockaddr_storage *address, int length) {
  memset(address, 0, sizeof *address);
  if (length < 0 || (size_t)length > sizeof *address)
    return -EINVAL;
  return dz_arg_read(call, call->arguments[1], address, (size_t)length);
}

static int64_t name_socket(struct dz_call *call, bool connecting) {
  struct sockaddr_storage address;
  int length = dz_arg_int(call, 2), domain, err;
  int fd DZ_FD = dz_socket_copy(call, dz_arg_int(call, 0), &domain);

  if (fd < 0)
    return fd;
  err = read_address(call, &address, length);
  if (err)
    return err;
  if (!call->ops->valid(call))
    return -ESRCH;
  /* The socket decides, not the address's family: connecting a local socket with another family
   * is the kernel's to refuse, without looking at a path. AF_UNSPEC dissolves an association. */
  if (domain == AF_UNIX && address.ss_family == AF_UNIX)
    return connecting ? dz_unix_connect(call, fd, (struct sockaddr_un *)&address, (socklen_t)length)
                      : dz_unix_bind(call, fd, (struct sockaddr_un *)&address, (socklen_t)length);
  if (domain == AF_UNIX)
    return -EINVAL;
  if (connecting)
    return dz_socket_connect(call, fd, &address, (socklen_t)length);
  return dz_result(bind(fd, (struct sockaddr *)&address, (socklen_t)length));
}

int64_t dz_sys_connect(struct dz_call *call) {
  return name_socket(call, true);
}

int64_t dz_sys_bind(struct dz_call *call) {
  return name_socket(call, false);
}

static int64_t return_name(struct dz_call *call, bool own) {
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  int room, domain;
  int fd DZ_FD = dz_socket_copy(call, dz_arg_int(call, 0), &domain);

  if (fd < 0)
    return fd;
  if (own ? getsockname(fd, (struct sockaddr *)&address, &length)
          : getpeername(fd, (struct sockaddr *)&address, &length))
    return -errno;
  if (domain == AF_UNIX)
    dz_unix_show_name(call, fd, own, &address, &length);
  if (dz_arg_read(call, call->arguments[2], &room, sizeof room))
    return -EFAULT;
  if (room < 0)
    return -EINVAL;
  if (dz_arg_write(call, call->arguments[1], &address,
                   (size_t)room < length ? (size_t)room : length))
    return -EFAULT;
  return dz_arg_write(call, call->arguments[2], &length, sizeof length);
}

int64_t dz_sys_getsockname(struct dz_call *call) {
  return return_name(call, true);
}

int64_t dz_sys_getpeername(struct dz_call *call) {
  return return_name(call, false);
}

/* Options that tell who the peer is: the host's user is shown as the guest's. */
int64_t dz_sys_getsockopt(struct dz_call *call) {
  const struct dz_proc *proc = &call->silo->proc;
  struct ucred peer;
  socklen_t size = sizeof peer;
  int domain, room;
  int fd DZ_FD = dz_socket_copy(call, dz_arg_int(call, 0), &domain);

  if (fd < 0)
    return fd;
  if (dz_arg_int(call, 2) != SO_PEERCRED) {
    call->ops->unsupported(call, "a socket option about the peer");
    return -ENOPROTOOPT;
  }
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
    return -errno;
  if (!dz_proc_is_member(proc, peer.pid))
    peer.pid = 0; /* the supervisor connected it, or somebody outside */
  if (peer.uid != (uid_t)-1) {
    peer.uid = dz_proc_show_uid(proc, peer.uid);
    peer.gid = dz_proc_show_gid(proc, peer.gid);
  }
  if (dz_arg_read(call, call->arguments[4], &room, sizeof room))
    return -EFAULT;
  if (room < 0)
    return -EINVAL;
  if ((size_t)room < size)
    size = (socklen_t)room;
  if (dz_arg_write(call, call->arguments[3], &peer, size))
    return -EFAULT;
  return dz_arg_write(call, call->arguments[4], &size, sizeof size);
}

int64_t dz_sys_setsockopt(struct dz_call *call) {
  call->ops->unsupported(call, "SO_PASSPIDFD");
  return -ENOPROTOOPT;
}
