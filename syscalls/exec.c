/* execve(2), execveat(2): which file. The engine makes the kernel execute it. */
#include "syscalls/call.h"

#include "host/calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Will the new program not have this descriptor? fdinfo's flags show O_CLOEXEC (proc(5)). */
static bool closes_on_exec(struct dz_call *call, int fd) {
  char path[48], text[256];
  const char *flags;

  snprintf(path, sizeof path, "%d/fdinfo/%d", (int)call->tid, fd);
  if (dz_read_file_at(call->silo->proc.proc_fd, path, text, sizeof text) < 0)
    return false;
  flags = strstr(text, "flags:");
  return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_CLOEXEC);
}

static int64_t exec_at(struct dz_call *call, int dirfd, uint64_t path, int flags, uint64_t argv,
                       uint64_t envp) {
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct dz_at at = {.dirfd = dirfd,
                     .path = path,
                     .walk = (flags & AT_SYMLINK_NOFOLLOW) ? 0 : DZ_WALK_FOLLOW,
                     .empty_allowed = flags & AT_EMPTY_PATH};
  char text[PATH_MAX], name[PATH_MAX + 32];
  struct dz_exec program;
  bool by_descriptor;
  int err;

  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
    return -EINVAL;
  err = dz_arg_walk(call, &at, &lookup, text);
  if (err)
    return err;
  /* do_open_execat() and alloc_bprm() of fs/exec.c name what came by a descriptor so. */
  by_descriptor = dirfd != AT_FDCWD && text[0] != '/';
  if (!by_descriptor)
    snprintf(name, sizeof name, "%s", text);
  else if (!text[0])
    snprintf(name, sizeof name, "/dev/fd/%d", dirfd);
  else
    snprintf(name, sizeof name, "/dev/fd/%d/%s", dirfd, text);
  dz_vfs_locate(&call->view, &lookup.node); /* a memfd has no mount, and can be executed */
  program = (struct dz_exec){.path = name,
                             .node = &lookup.node,
                             .argv = argv,
                             .envp = envp,
                             .gone_after = by_descriptor && closes_on_exec(call, dirfd)};
  return call->ops->exec(call, &program);
}

int64_t dz_sys_execve(struct dz_call *call) {
  return exec_at(call, AT_FDCWD, call->arguments[0], 0, call->arguments[1], call->arguments[2]);
}

int64_t dz_sys_execveat(struct dz_call *call) {
  return exec_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 4),
                 call->arguments[2], call->arguments[3]);
}
