/* execve(2), execveat(2): which file. The engine makes the kernel execute it. */
#include "syscalls/call.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int64_t exec_at(struct dz_call *call, int dirfd, uint64_t path, int flags, uint64_t argv,
                       uint64_t envp) {
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct dz_at at = {.dirfd = dirfd,
                     .path = path,
                     .walk = (flags & AT_SYMLINK_NOFOLLOW) ? 0 : DZ_WALK_FOLLOW,
                     .empty_allowed = flags & AT_EMPTY_PATH};
  char text[PATH_MAX], name[PATH_MAX + 32];
  int err;

  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
    return -EINVAL;
  err = dz_arg_walk(call, &at, &lookup, text);
  if (err)
    return err;
  /* do_open_execat() and alloc_bprm() of fs/exec.c name what came by a descriptor so. */
  if (dirfd == AT_FDCWD || text[0] == '/')
    snprintf(name, sizeof name, "%s", text);
  else if (!text[0])
    snprintf(name, sizeof name, "/dev/fd/%d", dirfd);
  else
    snprintf(name, sizeof name, "/dev/fd/%d/%s", dirfd, text);
  dz_vfs_locate(&call->view, &lookup.node);
  if (!lookup.node.mount)
    return -EACCES;
  return call->ops->exec(call, name, &lookup.node, argv, envp);
}

int64_t dz_sys_execve(struct dz_call *call) {
  return exec_at(call, AT_FDCWD, call->arguments[0], 0, call->arguments[1], call->arguments[2]);
}

int64_t dz_sys_execveat(struct dz_call *call) {
  return exec_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 4),
                 call->arguments[2], call->arguments[3]);
}
