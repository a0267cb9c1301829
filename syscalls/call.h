/*
 * One intercepted call, as its handler sees it, and what a handler may ask of
 * the engine that trapped it.
 *
 * A handler runs first on the receiver, which must not sleep: what could sleep
 * returns -DZ_EBLOCK before it has changed anything, and the handler runs again
 * from its start in a worker, with may_block set.
 */
#ifndef DZ_SYSCALLS_CALL_H
#define DZ_SYSCALLS_CALL_H

#include "proc/proc.h"
#include "syscalls/table.h"
#include "vfs/vfs.h"

#include <signal.h>

/* A handler's result when the guest's call was answered in another way. */
#define DZ_EANSWERED 10001

/* A worker's result: what was in the way is done, the receiver can run the handler again. */
#define DZ_ERETRY 10002

struct dz_call;
struct dz_engine;
struct dz_report;
struct dz_unix_names;

/* What to execute. */
struct dz_exec {
  const char *path;     /* what the guest called it */
  struct dz_node *node; /* what that is; may be taken */
  uint64_t argv, envp;  /* guest addresses */
  bool gone_after;      /* named by a descriptor that the new program will not have */
};

/* A call that the guest's own thread is to make. */
struct dz_injection {
  long number;
  uint64_t arguments[6];
};

struct dz_call_ops {
  /* Is the caller still in this call (its thread alive, its number not reused)? Asked after what
   * was read of the caller and before anything is done with it. */
  bool (*valid)(struct dz_call *call);
  /* Install a descriptor in the caller's table; returns its number there. */
  int (*add_fd)(struct dz_call *call, int fd, unsigned fd_flags);
  /* The same for an O_PATH descriptor, which the guest's own thread has to receive; answers the
   * call with its number. -DZ_EANSWERED, or a negative errno. */
  int (*send_path_fd)(struct dz_call *call, int fd, unsigned fd_flags);
  /* Let the caller's own thread send a signal on pidfds, so that si_pid is true; answers the call
   * with 0 if one was sent, else with the first error. info: our copy of what the caller gave, or
   * NULL. -DZ_EANSWERED, or a negative errno. */
  int (*send_signal)(struct dz_call *call, const int *pidfds, size_t count, int signal,
                     const siginfo_t *info, unsigned flags);
  /* Let the kernel execute a program for the caller. -DZ_EANSWERED, -DZ_EBLOCK, or a negative
   * errno. */
  int (*exec)(struct dz_call *call, const struct dz_exec *program);
  /* Around a host call in a worker that may wait: while it does, the caller's signals are watched,
   * and the host call is interrupted (EINTR) when there is one to handle. */
  void (*begin_wait)(struct dz_call *call);
  void (*end_wait)(struct dz_call *call);
  /* Before a FIFO is opened: waits of guests that have died meanwhile are over, so that nobody sees
   * their end of it. */
  void (*settle)(struct dz_call *call);
  /* Say that the call (or this form of it) is not supported: recorded once per silo with `what`. */
  void (*unsupported)(struct dz_call *call, const char *what);
};

/* What all handlers of a silo share. */
struct dz_silo {
  struct dz_vfs *vfs;
  struct dz_proc proc;
  unsigned needs; /* enum dz_need */
  bool strict;
  struct dz_unix_names *unix_names; /* socket_unix.c's */
};

struct dz_call {
  struct dz_silo *silo;
  struct dz_engine *engine;
  const struct dz_call_ops *ops;
  const struct dz_syscall *row; /* NULL for an unknown number */
  int number;
  uint32_t arch;
  uint64_t arguments[6];
  uint64_t id; /* the engine's name for this call */
  pid_t tid;   /* the calling thread */
  struct dz_state *state;
  struct dz_view view;
  bool may_block;
  struct dz_report *report; /* the engine's: owed once the call is answered, or NULL */
};

/* The caller's process; looked up once. */
pid_t dz_call_tgid(struct dz_call *call);

/* ---- arguments ---- */

static inline int dz_arg_int(const struct dz_call *call, int index) {
  return (int)(uint32_t)call->arguments[index];
}
static inline unsigned dz_arg_uint(const struct dz_call *call, int index) {
  return (unsigned)call->arguments[index];
}

/* Copy a structure in or out of guest memory: 0 or -EFAULT. */
int dz_arg_read(struct dz_call *call, uint64_t address, void *data, size_t size);
int dz_arg_write(struct dz_call *call, uint64_t address, const void *data, size_t size);

/* A path string, copied once (PATH_MAX bytes): its length, -EFAULT, -ENAMETOOLONG. */
ssize_t dz_arg_string(struct dz_call *call, uint64_t address, char text[PATH_MAX]);

/* What a *at call looks up. */
struct dz_at {
  int dirfd;          /* AT_FDCWD: the working directory */
  uint64_t path;      /* guest address */
  unsigned walk;      /* enum dz_walk_flags */
  bool empty_allowed; /* AT_EMPTY_PATH: an empty path means dirfd itself */
};

/* Copy the path, find the start, walk. lookup->node is filled without DZ_WALK_PARENT.
 * Afterwards the caller was still valid. Errors as of dz_walk; EBADF, EFAULT; -ESRCH when the
 * caller has gone. text (may be NULL) gets a copy of the path. */
int dz_arg_walk(struct dz_call *call, const struct dz_at *at, struct dz_lookup *lookup,
                char text[PATH_MAX]);

/* The object behind one of the caller's descriptors (dz_vfs_node_of); AT_FDCWD is the working
 * directory. -EBADF. */
int dz_arg_fd_node(struct dz_call *call, int fd, struct dz_node *node);

/* What a *at call with flags acts on: the object that a path names, or with an empty path and
 * AT_EMPTY_PATH that of the descriptor. allowed: the flags that the call knows; others give
 * EINVAL. Where follow is the default, AT_SYMLINK_NOFOLLOW in flags ends it. */
int dz_arg_object(struct dz_call *call, int dirfd, uint64_t path, int flags, int allowed,
                  struct dz_node *node);

/* A copy of one of the caller's descriptors. -EBADF, also for O_PATH ones if !path_allowed. */
int dz_arg_fd_copy(struct dz_call *call, int fd, bool path_allowed);

/* Give the caller a descriptor (taken over): its number, or a negative errno. */
int64_t dz_return_fd(struct dz_call *call, int fd, int open_flags);

/* The caller's new record instead of its present one. 0 or a negative errno. */
int dz_call_change_state(struct dz_call *call, struct dz_state *draft);

/* prctl(2)'s options about identity: capability sets, securebits, keepcaps. Others: EINVAL,
 * recorded. */
int64_t dz_identity_prctl(struct dz_call *call);

/* Run the handler of a call; what every engine does once it has trapped one. */
int64_t dz_dispatch(struct dz_call *call);

#endif
