/* Changing what an object is: chmod, chown, utimensat, truncate. */
#include "syscalls/call.h"

#include "host/calls.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <utime.h>

#ifndef UTIME_NOW
#define UTIME_NOW ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)
#endif

/* The object, which belongs to a mount that may be written. */
static int find_writable(struct dz_call *call, int dirfd, uint64_t path, int flags, int allowed,
                         struct dz_node *node) {
  int err = dz_arg_object(call, dirfd, path, flags, allowed, node);

  if (err)
    return err;
  return dz_vfs_may_change(&call->view, node);
}

/* The object behind a descriptor that is no O_PATH one. */
static int find_fd_writable(struct dz_call *call, int fd, struct dz_node *node) {
  int copy DZ_FD = dz_arg_fd_copy(call, fd, false);
  int err;

  if (copy < 0)
    return copy;
  err = fd < 0 ? -EBADF : dz_arg_fd_node(call, fd, node);
  if (err)
    return err;
  if (!call->ops->valid(call))
    return -ESRCH;
  return dz_vfs_may_change(&call->view, node);
}

static int64_t chmod_node(const struct dz_node *node, unsigned mode) {
  if (!dz_node_ops(node)->chmod)
    return -EPERM;
  return S_ISLNK(node->mode) ? -EOPNOTSUPP : dz_node_ops(node)->chmod(node, mode & 07777);
}

static int64_t chmod_at(struct dz_call *call, int dirfd, uint64_t path, unsigned mode, int flags) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = find_writable(call, dirfd, path, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &node);

  return err ? err : chmod_node(&node, mode);
}

int64_t dz_sys_chmod(struct dz_call *call) {
  return chmod_at(call, AT_FDCWD, call->arguments[0], dz_arg_uint(call, 1), 0);
}

int64_t dz_sys_fchmod(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = find_fd_writable(call, dz_arg_int(call, 0), &node);

  return err ? err : chmod_node(&node, dz_arg_uint(call, 1));
}

int64_t dz_sys_fchmodat(struct dz_call *call) {
  return chmod_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_uint(call, 2), 0);
}

int64_t dz_sys_fchmodat2(struct dz_call *call) {
  return chmod_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_uint(call, 2),
                  dz_arg_int(call, 3));
}

static int64_t chown_node(struct dz_call *call, const struct dz_node *node, unsigned uid,
                          unsigned gid) {
  const struct dz_proc *proc = &call->silo->proc;

  if (!dz_node_ops(node)->chown)
    return -EPERM;
  return dz_node_ops(node)->chown(node, uid == (unsigned)-1 ? uid : dz_proc_host_uid(proc, uid),
                                  gid == (unsigned)-1 ? gid : dz_proc_host_gid(proc, gid));
}

static int64_t chown_at(struct dz_call *call, int dirfd, uint64_t path, unsigned uid, unsigned gid,
                        int flags) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = find_writable(call, dirfd, path, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &node);

  return err ? err : chown_node(call, &node, uid, gid);
}

int64_t dz_sys_chown(struct dz_call *call) {
  return chown_at(call, AT_FDCWD, call->arguments[0], dz_arg_uint(call, 1), dz_arg_uint(call, 2),
                  0);
}

int64_t dz_sys_lchown(struct dz_call *call) {
  return chown_at(call, AT_FDCWD, call->arguments[0], dz_arg_uint(call, 1), dz_arg_uint(call, 2),
                  AT_SYMLINK_NOFOLLOW);
}

int64_t dz_sys_fchown(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = find_fd_writable(call, dz_arg_int(call, 0), &node);

  return err ? err : chown_node(call, &node, dz_arg_uint(call, 1), dz_arg_uint(call, 2));
}

int64_t dz_sys_fchownat(struct dz_call *call) {
  return chown_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_uint(call, 2),
                  dz_arg_uint(call, 3), dz_arg_int(call, 4));
}

/* ---- times ---- */

static int64_t utimens_node(const struct dz_node *node, const struct timespec times[2]) {
  if (times && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
    return 0;
  if (!dz_node_ops(node)->utimens)
    return -EPERM;
  return dz_node_ops(node)->utimens(node, times);
}

static int64_t utimens_at(struct dz_call *call, int dirfd, uint64_t path,
                          const struct timespec times[2], int flags) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err;

  if (!path) { /* by descriptor */
    if (flags)
      return -EINVAL;
    err = find_fd_writable(call, dirfd, &node);
  } else {
    err = find_writable(call, dirfd, path, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &node);
  }
  return err ? err : utimens_node(&node, times);
}

static bool valid_nanoseconds(const struct timespec *time) {
  return time->tv_nsec == UTIME_NOW || time->tv_nsec == UTIME_OMIT ||
         (time->tv_nsec >= 0 && time->tv_nsec < 1000000000);
}

int64_t dz_sys_utimensat(struct dz_call *call) {
  struct timespec times[2];
  uint64_t address = call->arguments[2];

  if (address) {
    if (dz_arg_read(call, address, times, sizeof times))
      return -EFAULT;
    if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
      return 0;
    if (!valid_nanoseconds(&times[0]) || !valid_nanoseconds(&times[1]))
      return -EINVAL;
  }
  if (!call->arguments[1] && dz_arg_int(call, 0) == AT_FDCWD)
    return -EFAULT; /* getname() of NULL */
  return utimens_at(call, dz_arg_int(call, 0), call->arguments[1], address ? times : NULL,
                    dz_arg_int(call, 3));
}

static int64_t utimes_at(struct dz_call *call, int dirfd, uint64_t path, uint64_t address) {
  struct timeval given[2];
  struct timespec times[2];

  if (address) {
    if (dz_arg_read(call, address, given, sizeof given))
      return -EFAULT;
    for (int i = 0; i < 2; i++) {
      if (given[i].tv_usec < 0 || given[i].tv_usec >= 1000000)
        return -EINVAL;
      times[i] = (struct timespec){given[i].tv_sec, 1000 * given[i].tv_usec};
    }
  }
  return utimens_at(call, dirfd, path, address ? times : NULL, 0);
}

int64_t dz_sys_utimes(struct dz_call *call) {
  if (!call->arguments[0])
    return -EFAULT;
  return utimes_at(call, AT_FDCWD, call->arguments[0], call->arguments[1]);
}

int64_t dz_sys_futimesat(struct dz_call *call) {
  return utimes_at(call, dz_arg_int(call, 0), call->arguments[1], call->arguments[2]);
}

int64_t dz_sys_utime(struct dz_call *call) {
  struct timespec times[2] = {{0}};
  struct utimbuf given;

  if (!call->arguments[0])
    return -EFAULT;
  if (call->arguments[1]) {
    if (dz_arg_read(call, call->arguments[1], &given, sizeof given))
      return -EFAULT;
    times[0].tv_sec = given.actime;
    times[1].tv_sec = given.modtime;
  }
  return utimens_at(call, AT_FDCWD, call->arguments[0], call->arguments[1] ? times : NULL, 0);
}

/* ---- size ---- */

/* inode_newsize_ok() of fs/attr.c: beyond RLIMIT_FSIZE the caller gets SIGXFSZ and EFBIG. */
static bool exceeds_file_limit(struct dz_call *call, int64_t length) {
  struct rlimit limit;
  int pidfd DZ_FD = -1;

  if (prlimit(call->tid, RLIMIT_FSIZE, NULL, &limit) || limit.rlim_cur == RLIM_INFINITY ||
      (uint64_t)length <= limit.rlim_cur)
    return false;
  pidfd = dz_proc_pidfd(&call->silo->proc, dz_call_tgid(call), 0);
  if (pidfd >= 0)
    dz_pidfd_send_signal(pidfd, SIGXFSZ, 0);
  return true;
}

int64_t dz_sys_truncate(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int64_t length = (int64_t)call->arguments[1];
  int err;

  if (length < 0)
    return -EINVAL;
  err = dz_arg_object(call, AT_FDCWD, call->arguments[0], 0, 0, &node);
  if (err)
    return err;
  if (S_ISDIR(node.mode))
    return -EISDIR;
  if (!S_ISREG(node.mode))
    return -EINVAL;
  if (node.mount->read_only)
    return -EROFS;
  if (dz_states_runs(call->silo->proc.states, node.dev, node.ino))
    return -ETXTBSY;
  if (exceeds_file_limit(call, length))
    return -EFBIG;
  if (!dz_node_ops(&node)->truncate)
    return -EPERM;
  return dz_node_ops(&node)->truncate(&node, length);
}
