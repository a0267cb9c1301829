/* clone(2), unshare(2), setns(2) outside their rules. */
#include "syscalls/call.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#define NEW_ANY                                                                                    \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |    \
   CLONE_NEWNET | 0x80 /* CLONE_NEWTIME */)

/* Namespaces are refused as to one who may make none; processes that share, or threads that do not
 * share, their fs_struct are not built. */
int64_t dz_sys_clone(struct dz_call *call) {
  if (dz_arg_uint(call, 0) & (NEW_ANY & ~0xff)) /* the low byte is the signal */
    return -EPERM;
  call->ops->unsupported(call, "an odd sharing of the working directory");
  return -ENOSYS;
}

static bool has_one_thread(struct dz_call *call) {
  char path[32];
  struct stat st;

  snprintf(path, sizeof path, "%d/task", (int)call->tid);
  return fstatat(call->silo->proc.proc_fd, path, &st, 0) == 0 && st.st_nlink == 3;
}

int64_t dz_sys_unshare(struct dz_call *call) {
  unsigned flags = dz_arg_uint(call, 0);

  if (flags & NEW_ANY)
    return -EPERM;
  if (flags &
      ~(unsigned)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND))
    return -EINVAL;
  if (!has_one_thread(call)) {
    /* check_unshare_flags() of kernel/fork.c */
    if (flags & (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND))
      return -EINVAL;
    call->ops->unsupported(call, "a working directory of a thread's own");
    return -ENOSYS;
  }
  if (flags & CLONE_FILES) {
    call->ops->unsupported(call, "CLONE_FILES together with others");
    return -ENOSYS;
  }
  return 0; /* one thread shares its fs_struct with nobody */
}

int64_t dz_sys_setns(struct dz_call *call) {
  int fd DZ_FD = dz_arg_fd_copy(call, dz_arg_int(call, 0), false);

  return fd < 0 ? fd : -EPERM;
}
