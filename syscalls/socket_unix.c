/*
 * Local sockets by path. The socket's file is made, and found, by the guest's own walk; the host is
 * given the last component alone, with the receiver in the directory that the walk held.
 */
#include "syscalls/socket.h"

#include "host/calls.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 1024

/* What a bound socket was called by its guest. */
struct bound_name {
  uint64_t socket; /* inode of the socket itself */
  struct sockaddr_un host;
  struct sockaddr_un guest;
  char end; /* a NUL behind a path that fills its field */
  socklen_t host_length, guest_length;
};

struct dz_unix_names {
  pthread_mutex_t lock; /* guards the rest */
  size_t next;
  struct bound_name names[NAMES_MAX];
};

static struct dz_unix_names *names_of(struct dz_call *call) {
  struct dz_silo *silo = call->silo;

  if (!silo->unix_names) {
    struct dz_unix_names *names = calloc(1, sizeof *names);

    if (!names)
      return NULL;
    pthread_mutex_init(&names->lock, NULL);
    silo->unix_names = names; /* bind runs on the receiver alone */
  }
  return silo->unix_names;
}

static uint64_t socket_inode(int fd) {
  struct stat st;

  return fstat(fd, &st) ? 0 : st.st_ino;
}

/* The path in an address: NUL-terminated or not (unix(7)). */
static int path_of(struct dz_call *call, const struct sockaddr_un *address, socklen_t length,
                   char path[sizeof address->sun_path + 1]) {
  size_t size = length - offsetof(struct sockaddr_un, sun_path);

  if (length < offsetof(struct sockaddr_un, sun_path) || length > sizeof *address)
    return -EINVAL;
  if (size == 0 || address->sun_path[0] == '\0') {
    call->ops->unsupported(call, "an abstract local address");
    return -EPERM;
  }
  memcpy(path, address->sun_path, size);
  path[size] = '\0';
  return 0;
}

static void remember(struct dz_call *call, int fd, const char *host_name,
                     const struct sockaddr_un *guest, socklen_t guest_length) {
  struct dz_unix_names *names = names_of(call);
  struct bound_name *name;

  if (!names)
    return;
  pthread_mutex_lock(&names->lock);
  name = &names->names[names->next++ % NAMES_MAX];
  *name = (struct bound_name){
      .socket = socket_inode(fd), .guest = *guest, .guest_length = guest_length};
  name->host.sun_family = AF_UNIX;
  snprintf(name->host.sun_path, sizeof name->host.sun_path, "%s", host_name);
  name->host_length =
      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name->host.sun_path) + 1);
  /* The kernel cuts the address after the path's NUL, which it adds where it is missing
   * (unix_mkname_bsd() of net/unix/af_unix.c). */
  name->guest_length =
      (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                  strnlen(guest->sun_path, guest_length - offsetof(struct sockaddr_un, sun_path)) +
                  1);
  pthread_mutex_unlock(&names->lock);
}

/* unix_bind_bsd() makes the file with the socket's own mode, less the umask; ours is 0 and shared
 * by all threads, so the guest's is taken off the socket's mode meanwhile. */
static int64_t bind_below(int directory, int fd, const struct sockaddr_un *name,
                          mode_t umask_bits) {
  struct stat st;
  int64_t result;

  if (fstat(fd, &st) || fchdir(directory))
    return -errno;
  fchmod(fd, st.st_mode & 0777 & ~umask_bits);
  result = dz_result(bind(fd, (const struct sockaddr *)name, sizeof *name));
  fchmod(fd, st.st_mode & 07777);
  if (chdir("/"))
    return -errno;
  return result;
}

int64_t dz_unix_bind(struct dz_call *call, int fd, const struct sockaddr_un *address,
                     socklen_t length) {
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct sockaddr_un host = {.sun_family = AF_UNIX};
  char path[sizeof address->sun_path + 1];
  int64_t result;
  int err = path_of(call, address, length, path);

  if (err)
    return err;
  if (call->may_block)
    return -DZ_ERETRY; /* the receiver alone changes its directory */
  err = dz_walk(&call->view, NULL, path, DZ_WALK_PARENT, &at);
  if (err)
    return err;
  if (at.last != DZ_LAST_NAME || dz_walk_last(&call->view, &at) != -ENOENT)
    return -EADDRINUSE;
  if (at.parent.mount->read_only)
    return -EROFS;
  if (at.parent.mount->ops != &dz_hostfs)
    return -EPERM;
  if (strlen(at.name) > sizeof host.sun_path)
    return -ENAMETOOLONG;
  memcpy(host.sun_path, at.name, strlen(at.name));
  result = bind_below(at.parent.fd, fd, &host, call->state->umask);
  if (result == 0)
    remember(call, fd, at.name, address, length);
  return result;
}

int64_t dz_unix_connect(struct dz_call *call, int fd, const struct sockaddr_un *address,
                        socklen_t length) {
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct sockaddr_un host = {.sun_family = AF_UNIX};
  char path[sizeof address->sun_path + 1];
  int err;

  if (length > offsetof(struct sockaddr_un, sun_path) && !address->sun_path[0])
    return -ECONNREFUSED; /* abstract names are the silo's own, and it has none */
  err = path_of(call, address, length, path);
  if (err)
    return err;
  err = dz_walk(&call->view, NULL, path, DZ_WALK_FOLLOW, &at);
  if (err)
    return err;
  if (at.node.fd < 0 || !S_ISSOCK(at.node.mode))
    return -ECONNREFUSED;
  dz_self_fd_path(at.node.fd, host.sun_path);
  return dz_socket_connect(call, fd, &host, sizeof host);
}

static const struct bound_name *find_name(const struct dz_unix_names *names, uint64_t socket,
                                          const struct sockaddr_un *host) {
  const struct bound_name *found = NULL;

  for (size_t i = 0; i < NAMES_MAX && !found; i++)
    if (names->names[i].socket && names->names[i].socket == socket &&
        strcmp(names->names[i].host.sun_path, host->sun_path) == 0)
      found = &names->names[i];
  if (found)
    return found;
  for (size_t i = 0; i < NAMES_MAX; i++) {
    const struct bound_name *name = &names->names[i];

    if (!name->socket || strcmp(name->host.sun_path, host->sun_path) != 0)
      continue;
    if (found && (found->guest_length != name->guest_length ||
                  memcmp(&found->guest, &name->guest, name->guest_length) != 0))
      return NULL; /* two that end alike: none is better than the wrong one */
    found = name;
  }
  return found;
}

void dz_unix_show_name(struct dz_call *call, int fd, bool own, struct sockaddr_storage *address,
                       socklen_t *length) {
  struct sockaddr_un *host = (struct sockaddr_un *)address;
  struct dz_unix_names *names = call->silo->unix_names;
  const struct bound_name *name;

  if (*length <= offsetof(struct sockaddr_un, sun_path) || !host->sun_path[0] || !names)
    return;
  pthread_mutex_lock(&names->lock);
  name = find_name(names, own ? socket_inode(fd) : 0, host);
  if (!name) {
    *length = offsetof(struct sockaddr_un, sun_path); /* unnamed */
  } else {
    memset(address, 0, sizeof *address);
    memcpy(address, &name->guest, name->guest_length);
    *length = name->guest_length;
  }
  pthread_mutex_unlock(&names->lock);
}
