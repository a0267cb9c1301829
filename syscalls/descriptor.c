/* Calls on descriptors that name something besides: fcntl and ioctl outside their rules, inotify.
 */
#include "syscalls/call.h"

#include "host/calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>

/* Owners, signals and leases of descriptors act on processes and files outside (fcntl(2)). */
int64_t dz_sys_fcntl(struct dz_call *call) {
  char what[32];
  int command = dz_arg_int(call, 1);
  int fd DZ_FD = dz_arg_fd_copy(call, dz_arg_int(call, 0), true);

  if (fd < 0)
    return fd;
  if (fcntl(fd, F_GETFL) & O_PATH)
    return -EBADF; /* check_fcntl_cmd() of fs/fcntl.c lets none of these through */
  if (command == F_GETOWN || command == F_GETSIG)
    return 0; /* nobody can have set one */
  if (command == F_GETLEASE)
    return F_UNLCK;
  snprintf(what, sizeof what, "command %d", command);
  call->ops->unsupported(call, what);
  return command == F_SETFL || command == F_SETOWN || command == F_SETSIG ||
                 command == F_SETLEASE || command == F_NOTIFY
             ? -EPERM
             : -EINVAL;
}

int64_t dz_sys_ioctl(struct dz_call *call) {
  unsigned request = dz_arg_uint(call, 1);
  int fd DZ_FD = dz_arg_fd_copy(call, dz_arg_int(call, 0), true);
  char what[32];

  if (fd < 0)
    return fd;
  if (fcntl(fd, F_GETFL) & O_PATH)
    return -EBADF;
  snprintf(what, sizeof what, "request 0x%x", request);
  call->ops->unsupported(call, what);
  return -ENOTTY;
}

int64_t dz_sys_inotify_add_watch(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  unsigned mask = dz_arg_uint(call, 2);
  char self[DZ_SELF_FD_MAX];
  int fd DZ_FD = dz_arg_fd_copy(call, dz_arg_int(call, 0), false);
  int err;

  if (fd < 0)
    return fd;
  err =
      dz_arg_object(call, AT_FDCWD, call->arguments[1],
                    (mask & IN_DONT_FOLLOW) ? AT_SYMLINK_NOFOLLOW : 0, AT_SYMLINK_NOFOLLOW, &node);
  if (err)
    return err;
  if (node.fd < 0) {
    call->ops->unsupported(call, "a watch on a filesystem that is made up");
    return -EACCES;
  }
  if ((mask & IN_ONLYDIR) && !S_ISDIR(node.mode))
    return -ENOTDIR;
  if (S_ISLNK(node.mode)) { /* the way by /proc/self/fd would follow it */
    call->ops->unsupported(call, "a watch on a symlink itself");
    return -EACCES;
  }
  return dz_result(
      inotify_add_watch(fd, dz_self_fd_path(node.fd, self), mask & ~(unsigned)IN_DONT_FOLLOW));
}

/* The host's clock can be read, not set. */
static int64_t read_timex(struct dz_call *call, uint64_t address, clockid_t clock) {
  struct timex state;
  int64_t result;

  if (dz_arg_read(call, address, &state, sizeof state))
    return -EFAULT;
  if (state.modes)
    return -EPERM;
  result = dz_result(clock_adjtime(clock, &state));
  if (result < 0)
    return result;
  return dz_arg_write(call, address, &state, sizeof state) ? -EFAULT : result;
}

int64_t dz_sys_adjtimex(struct dz_call *call) {
  return read_timex(call, call->arguments[0], CLOCK_REALTIME);
}

int64_t dz_sys_clock_adjtime(struct dz_call *call) {
  return read_timex(call, call->arguments[1], dz_arg_int(call, 0));
}

/* Other execution domains than Linux's are not built; asking for one is refused as the kernel
 * refuses unknown bits of a structure: EINVAL. */
int64_t dz_sys_personality(struct dz_call *call) {
  call->ops->unsupported(call, "another execution domain");
  return -EINVAL;
}
