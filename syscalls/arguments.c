#include "syscalls/call.h"

#include "host/calls.h"
#include "proc/mem.h"

#include <fcntl.h>
#include <string.h>

pid_t dz_call_tgid(struct dz_call *call) {
  if (!call->view.tgid) {
    pid_t tgid = dz_proc_tgid(&call->silo->proc, call->tid);

    call->view.tgid = tgid > 0 ? tgid : call->tid;
  }
  return call->view.tgid;
}

int dz_arg_read(struct dz_call *call, uint64_t address, void *data, size_t size) {
  return dz_mem_read(call->tid, address, data, size);
}

int dz_arg_write(struct dz_call *call, uint64_t address, const void *data, size_t size) {
  return dz_mem_write(call->tid, address, data, size);
}

ssize_t dz_arg_string(struct dz_call *call, uint64_t address, char text[PATH_MAX]) {
  return dz_mem_read_string(call->tid, address, text, PATH_MAX);
}

int dz_arg_fd_node(struct dz_call *call, int fd, struct dz_node *node) {
  int path_fd;

  if (fd == AT_FDCWD)
    return dz_node_copy(call->view.cwd, node);
  path_fd = dz_proc_open_fd(&call->silo->proc, call->tid, fd);
  return path_fd < 0 ? path_fd : dz_vfs_node_of(&call->view, path_fd, node);
}

int dz_arg_fd_copy(struct dz_call *call, int fd, bool path_allowed) {
  int copy DZ_FD = dz_proc_get_fd(&call->silo->proc, call->tid, fd);

  if (copy < 0)
    return copy;
  if (!path_allowed && (fcntl(copy, F_GETFL) & O_PATH))
    return -EBADF;
  return dz_steal_fd(&copy);
}

/* Where a relative path starts: a directory of the guest's filesystem. */
static int start_of(struct dz_call *call, int dirfd, struct dz_node *start) {
  int err = dz_arg_fd_node(call, dirfd, start);

  if (err)
    return err;
  if (!S_ISDIR(start->mode))
    return -ENOTDIR;
  dz_vfs_locate(&call->view, start);
  return start->mount ? 0 : -ENOENT;
}

static int walk_text(struct dz_call *call, const struct dz_at *at, const char *text,
                     struct dz_lookup *lookup) {
  struct dz_node start DZ_NODE = DZ_NODE_NONE;
  bool relative = text[0] != '/' || (at->walk & (DZ_WALK_BENEATH | DZ_WALK_IN_ROOT));

  if (at->dirfd != AT_FDCWD && relative) {
    int err = start_of(call, at->dirfd, &start);

    if (err)
      return err;
    if (!call->ops->valid(call))
      return -ESRCH;
    return dz_walk(&call->view, &start, text, at->walk, lookup);
  }
  if (!call->ops->valid(call))
    return -ESRCH;
  return dz_walk(&call->view, NULL, text, at->walk, lookup);
}

int dz_arg_walk(struct dz_call *call, const struct dz_at *at, struct dz_lookup *lookup,
                char text[PATH_MAX]) {
  char own[PATH_MAX];
  char *path = text ? text : own;
  ssize_t length = dz_arg_string(call, at->path, path);

  if (length < 0)
    return (int)length;
  if (length == 0 && !at->empty_allowed)
    return -ENOENT; /* getname() comes before the descriptor is looked at */
  if (length == 0) {
    int err = dz_arg_fd_node(call, at->dirfd, &lookup->node);

    return !err && !call->ops->valid(call) ? -ESRCH : err;
  }
  return walk_text(call, at, path, lookup);
}

int dz_arg_object(struct dz_call *call, int dirfd, uint64_t path, int flags, int allowed,
                  struct dz_node *node) {
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct dz_at at = {.dirfd = dirfd,
                     .path = path,
                     .walk = (flags & AT_SYMLINK_NOFOLLOW) ? 0 : DZ_WALK_FOLLOW,
                     .empty_allowed = flags & AT_EMPTY_PATH};
  int err;

  if (flags & ~allowed)
    return -EINVAL;
  err = dz_arg_walk(call, &at, &lookup, NULL);
  if (!err)
    *node = dz_node_take(&lookup.node);
  return err;
}

int64_t dz_return_fd(struct dz_call *call, int fd, int open_flags) {
  int copy DZ_FD = fd;

  return fd < 0 ? fd : call->ops->add_fd(call, copy, (unsigned)open_flags & O_CLOEXEC);
}

int dz_call_change_state(struct dz_call *call, struct dz_state *draft) {
  return draft ? dz_states_give(call->silo->proc.states, call->tid, call->state, draft) : -ENOMEM;
}
