/*
 * Who is in the silo, and how the guest sees it. A process is a member when it
 * carries the silo's state tag; that is asked of the kernel each time, nothing is
 * remembered by number.
 */
#ifndef DZ_PROC_PROC_H
#define DZ_PROC_PROC_H

#include "proc/state.h"

struct dz_proc {
  uint64_t silo;
  struct dz_states *states;
  int proc_fd; /* the host's /proc */
  pid_t init;  /* the first process */
  pid_t supervisor;
  uid_t host_uid; /* who runs the silo on the host; shown as `shown_uid` inside */
  gid_t host_gid;
  uid_t shown_uid; /* 0, or host_uid itself when nothing is translated */
  gid_t shown_gid;
  char hostname[65];
  char domainname[65];
  int terminal; /* slave of the silo's pty, or -1 */
};

/* Is the process of this thread a member? */
bool dz_proc_is_member(const struct dz_proc *proc, pid_t tid);

/* All member processes in rising order; the caller frees *pids. 0 or a negative errno. */
int dz_proc_list(const struct dz_proc *proc, pid_t **pids, size_t *count);

/* /proc/TID/status as text, NUL-terminated: the line of groups alone may be long. 0 or -ESRCH. */
#define DZ_STATUS_MAX 16384
int dz_proc_status(const struct dz_proc *proc, pid_t tid, char text[DZ_STATUS_MAX]);

/* A number in such a text, as of dz_proc_status_number. 0 or -ENODATA. */
int dz_status_number(const char *text, const char *field, int base, uint64_t *value);

/* The state letter in a file stat of /proc (proc(5)) beneath directory; '?' when there is none. */
char dz_proc_state_letter(int directory, const char *stat_path);

/* One field of /proc/TID/status ("Tgid:", "PPid:", "Threads:", "SigPnd:" in hex …) or -errno. */
int dz_proc_status_number(const struct dz_proc *proc, pid_t tid, const char *field, int base,
                          uint64_t *value);

/* The process (thread group) that a thread belongs to; negative errno when gone. */
pid_t dz_proc_tgid(const struct dz_proc *proc, pid_t tid);

/* The parent as the guest sees it: 0 for the first process, 1 for orphans. */
pid_t dz_proc_parent(const struct dz_proc *proc, pid_t tgid);

/* The kernel's start time of a process (field 22 of stat), to tell a number's users apart. */
int dz_proc_start_time(const struct dz_proc *proc, pid_t tid, uint64_t *ticks);

/* A pidfd of a member process, checked after it was opened: it cannot be an outsider's. */
int dz_proc_pidfd(const struct dz_proc *proc, pid_t pid, unsigned flags);

/* An O_PATH descriptor of what tid's descriptor fd refers to; -EBADF. */
int dz_proc_open_fd(const struct dz_proc *proc, pid_t tid, int fd);

/* A copy of tid's descriptor (the same open file); -EBADF. */
int dz_proc_get_fd(const struct dz_proc *proc, pid_t tid, int fd);

/* Host owner ids as the guest sees them. */
static inline uid_t dz_proc_show_uid(const struct dz_proc *proc, uid_t uid) {
  return uid == proc->host_uid ? proc->shown_uid : uid;
}
static inline gid_t dz_proc_show_gid(const struct dz_proc *proc, gid_t gid) {
  return gid == proc->host_gid ? proc->shown_gid : gid;
}

/* The other way, for chown. */
static inline uid_t dz_proc_host_uid(const struct dz_proc *proc, uid_t uid) {
  return uid == proc->shown_uid ? proc->host_uid : uid;
}
static inline gid_t dz_proc_host_gid(const struct dz_proc *proc, gid_t gid) {
  return gid == proc->shown_gid ? proc->host_gid : gid;
}

#endif
