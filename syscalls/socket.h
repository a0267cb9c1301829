/* What the files about sockets share. */
#ifndef DZ_SYSCALLS_SOCKET_H
#define DZ_SYSCALLS_SOCKET_H

#include "syscalls/call.h"

#include <sys/socket.h>
#include <sys/un.h>

/* A copy of the caller's socket, and its family. -EBADF, -ENOTSOCK. */
int dz_socket_copy(struct dz_call *call, int fd, int *domain);

/* bind(2) and connect(2) of a local socket on a copy of it; the address was copied from guest
 * memory once. */
int64_t dz_unix_bind(struct dz_call *call, int fd, const struct sockaddr_un *address,
                     socklen_t length);
int64_t dz_unix_connect(struct dz_call *call, int fd, const struct sockaddr_un *address,
                        socklen_t length);

/* The address as the guest gave it, instead of the host's: for getsockname (own) and getpeername.
 * address and length hold the host's and are replaced. */
void dz_unix_show_name(struct dz_call *call, int fd, bool own, struct sockaddr_storage *address,
                       socklen_t *length);

/* connect(2) on the host, in a worker when it may wait; ERESTARTSYS when a signal ended it. */
int64_t dz_socket_connect(struct dz_call *call, int fd, const void *address, socklen_t length);

#endif
