/* What a process's walks start from: chdir, fchdir, chroot, getcwd, umask. */
#include "syscalls/call.h"

#include <fcntl.h>
#include <string.h>

static int may_search(struct dz_call *call, const struct dz_node *node) {
  if (!S_ISDIR(node->mode))
    return -ENOTDIR;
  if (!node->mount->ops->access)
    return 0;
  return node->mount->ops->access(&call->view, node, X_OK, AT_EACCESS);
}

static int64_t go_to(struct dz_call *call, struct dz_node *node) {
  struct dz_state *draft = dz_state_draft(call->state);
  int err = draft ? dz_state_set_cwd(draft, node) : -ENOMEM;

  if (err) {
    dz_state_put(draft);
    return err;
  }
  return dz_call_change_state(call, draft);
}

int64_t dz_sys_chdir(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = dz_arg_object(call, AT_FDCWD, call->arguments[0], 0, 0, &node);

  if (!err)
    err = may_search(call, &node);
  return err ? err : go_to(call, &node);
}

int64_t dz_sys_fchdir(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int fd = dz_arg_int(call, 0);
  int err = fd < 0 ? -EBADF : dz_arg_fd_node(call, fd, &node);

  if (err)
    return err;
  if (!S_ISDIR(node.mode))
    return -ENOTDIR;
  dz_vfs_locate(&call->view, &node);
  if (!node.mount)
    return -ENOENT;
  if (!call->ops->valid(call))
    return -ESRCH;
  err = may_search(call, &node);
  return err ? err : go_to(call, &node);
}

int64_t dz_sys_chroot(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct dz_state *draft;
  int err = dz_arg_object(call, AT_FDCWD, call->arguments[0], 0, 0, &node);

  if (!err)
    err = may_search(call, &node);
  if (err)
    return err;
  if (!(call->state->identity.effective & (UINT64_C(1) << 18))) /* CAP_SYS_CHROOT */
    return -EPERM;
  draft = dz_state_draft(call->state);
  err = draft ? dz_state_set_root(draft, &node) : -ENOMEM;
  if (err) {
    dz_state_put(draft);
    return err;
  }
  return dz_call_change_state(call, draft);
}

int64_t dz_sys_getcwd(struct dz_call *call) {
  const struct dz_node *cwd = call->view.cwd;
  char text[PATH_MAX];
  ssize_t length;
  struct stat st;
  int err;

  if (cwd->fd >= 0 && fstat(cwd->fd, &st) == 0 && st.st_nlink == 0)
    return -ENOENT;
  length = dz_vfs_path(&call->view, cwd, text, sizeof text);
  if (length < 0)
    return length;
  if (call->arguments[1] < (uint64_t)length + 1)
    return -ERANGE;
  err = dz_arg_write(call, call->arguments[0], text, (size_t)length + 1);
  return err ? err : length + 1;
}

int64_t dz_sys_umask(struct dz_call *call) {
  mode_t old = call->state->umask;
  struct dz_state *draft = dz_state_draft(call->state);
  int err;

  if (!draft)
    return -ENOMEM;
  draft->umask = dz_arg_uint(call, 0) & 0777;
  err = dz_call_change_state(call, draft);
  return err ? err : (int64_t)old;
}
