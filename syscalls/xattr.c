/* Extended attributes, on host files. */
#include "syscalls/call.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

/* struct xattr_args, include/uapi/linux/xattr.h of Linux 6.13. */
struct xattr_arguments {
  uint64_t value;
  uint32_t size;
  uint32_t flags;
};

enum action { SET, GET, LIST, REMOVE };

struct xattr {
  enum action action;
  uint64_t name;  /* guest address */
  uint64_t value; /* guest address: value, or list */
  size_t size;
  int flags;
};

/* The host's calls take a path: /proc/self/fd/N leads to the object; for a symlink, which that
 * would follow, there are no user attributes (xattr(7)). */
static int64_t on_host(const struct dz_node *node, const struct xattr *what, const char *name,
                       void *data) {
  char self[DZ_SELF_FD_MAX];
  const char *path = dz_self_fd_path(node->fd, self);

  switch (what->action) {
  case SET:
    return dz_result(setxattr(path, name, data, what->size, what->flags));
  case GET:
    return dz_result(getxattr(path, name, data, what->size));
  case LIST:
    return dz_result(listxattr(path, data, what->size));
  default:
    return dz_result(removexattr(path, name));
  }
}

static int64_t on_symlink(const struct xattr *what) {
  static const int64_t results[] = {
      [SET] = -EPERM, [GET] = -ENODATA, [LIST] = 0, [REMOVE] = -EPERM};

  return results[what->action];
}

static int read_name(struct dz_call *call, const struct xattr *what, char *name, size_t size) {
  char text[PATH_MAX];
  ssize_t length = dz_arg_string(call, what->name, text);

  if (length == -EFAULT)
    return -EFAULT;
  if (length <= 0 || (size_t)length >= size)
    return -ERANGE;
  memcpy(name, text, (size_t)length + 1);
  return 0;
}

static bool speaks_to_the_kernel(const char *name) {
  return strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0;
}

static int64_t act(struct dz_call *call, struct dz_node *node, struct xattr *what) {
  bool changes = what->action == SET || what->action == REMOVE;
  char name[XATTR_NAME_MAX + 1] = "";
  char *data DZ_FREE = NULL;
  int64_t result;
  int err = what->action == LIST ? 0 : read_name(call, what, name, sizeof name);

  if (err)
    return err;
  if (what->action == SET && what->size > XATTR_SIZE_MAX)
    return -E2BIG;
  if (what->size > XATTR_SIZE_MAX)
    what->size = XATTR_SIZE_MAX;
  data = malloc(what->size ? what->size : 1);
  if (!data)
    return -ENOMEM;
  if (what->action == SET && dz_arg_read(call, what->value, data, what->size))
    return -EFAULT;
  err = changes ? dz_vfs_may_change(&call->view, node) : 0;
  if (err)
    return err;
  /* Objects of /proc/PID/fd may be the host's own. */
  if (node->fd < 0 || (changes && node->mount && node->mount->ops != &dz_hostfs))
    return what->action == LIST ? 0 : -EOPNOTSUPP;
  /* security.*, system.* and trusted.* say things to the host's kernel. */
  if (changes && strncmp(name, "user.", 5) != 0)
    return speaks_to_the_kernel(name) ? -EPERM : -EOPNOTSUPP;
  result = S_ISLNK(node->mode) ? on_symlink(what) : on_host(node, what, name, data);
  if (result > 0 && what->size && !changes && dz_arg_write(call, what->value, data, (size_t)result))
    return -EFAULT;
  return result;
}

static int64_t by_path(struct dz_call *call, int dirfd, uint64_t path, int flags,
                       struct xattr what) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = dz_arg_object(call, dirfd, path, flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &node);

  return err ? err : act(call, &node, &what);
}

static int64_t by_fd(struct dz_call *call, struct xattr what) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int fd = dz_arg_int(call, 0);
  int copy DZ_FD = fd < 0 ? -EBADF : dz_arg_fd_copy(call, fd, false);
  int err = copy < 0 ? copy : dz_arg_fd_node(call, fd, &node);

  if (!err && !call->ops->valid(call))
    err = -ESRCH;
  return err ? err : act(call, &node, &what);
}

static struct xattr with_value(struct dz_call *call, enum action action) {
  return (struct xattr){.action = action,
                        .name = call->arguments[1],
                        .value = call->arguments[2],
                        .size = call->arguments[3],
                        .flags = action == SET ? dz_arg_int(call, 4) : 0};
}

static struct xattr listing(struct dz_call *call) {
  return (struct xattr){.action = LIST, .value = call->arguments[1], .size = call->arguments[2]};
}

static struct xattr removal(struct dz_call *call) {
  return (struct xattr){.action = REMOVE, .name = call->arguments[1]};
}

#define PATH_CALL(call_name, flags, what)                                                          \
  int64_t dz_sys_##call_name(struct dz_call *call) {                                               \
    return by_path(call, AT_FDCWD, call->arguments[0], flags, what);                               \
  }
#define FD_CALL(call_name, what)                                                                   \
  int64_t dz_sys_##call_name(struct dz_call *call) {                                               \
    return by_fd(call, what);                                                                      \
  }

PATH_CALL(setxattr, 0, with_value(call, SET))
PATH_CALL(lsetxattr, AT_SYMLINK_NOFOLLOW, with_value(call, SET))
FD_CALL(fsetxattr, with_value(call, SET))
PATH_CALL(getxattr, 0, with_value(call, GET))
PATH_CALL(lgetxattr, AT_SYMLINK_NOFOLLOW, with_value(call, GET))
FD_CALL(fgetxattr, with_value(call, GET))
PATH_CALL(listxattr, 0, listing(call))
PATH_CALL(llistxattr, AT_SYMLINK_NOFOLLOW, listing(call))
FD_CALL(flistxattr, listing(call))
PATH_CALL(removexattr, 0, removal(call))
PATH_CALL(lremovexattr, AT_SYMLINK_NOFOLLOW, removal(call))
FD_CALL(fremovexattr, removal(call))

/* ---- Linux 6.13: setxattrat and its kin ---- */

static int64_t with_arguments(struct dz_call *call, enum action action) {
  struct xattr_arguments given;
  struct xattr what = {.action = action, .name = call->arguments[3]};

  if (call->arguments[5] < sizeof given)
    return -EINVAL;
  if (call->arguments[5] > sizeof given)
    return -E2BIG;
  if (dz_arg_read(call, call->arguments[4], &given, sizeof given))
    return -EFAULT;
  if (action == GET && given.flags)
    return -EINVAL;
  what.value = given.value;
  what.size = given.size;
  what.flags = (int)given.flags;
  return by_path(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2), what);
}

int64_t dz_sys_setxattrat(struct dz_call *call) {
  return with_arguments(call, SET);
}

int64_t dz_sys_getxattrat(struct dz_call *call) {
  return with_arguments(call, GET);
}

int64_t dz_sys_listxattrat(struct dz_call *call) {
  struct xattr what = {.action = LIST, .value = call->arguments[3], .size = call->arguments[4]};

  return by_path(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2), what);
}

int64_t dz_sys_removexattrat(struct dz_call *call) {
  struct xattr what = {.action = REMOVE, .name = call->arguments[3]};

  return by_path(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2), what);
}
