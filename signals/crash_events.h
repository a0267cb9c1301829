/*
 * The kernel's own word of crashes: the process events connector tells of every process of the host
 * that is about to dump core (whether or not a file is written). Linux 6.6 opened it to ordinary
 * users, in the host's own pid and user namespace; elsewhere there is none.
 * Documentation/driver-api/connector.rst, include/uapi/linux/cn_proc.h.
 */
#ifndef DZ_SIGNALS_CRASH_EVENTS_H
#define DZ_SIGNALS_CRASH_EVENTS_H

#include "host/base.h"

#include <sys/types.h>

/* A descriptor that only core dumps are told to, or a negative errno. */
int dz_crash_events_open(void);

struct dz_crash_event {
  pid_t pid;
  pid_t parent;
};

/* Sleeps until a process dumps core. 0 or a negative errno (-EAGAIN: another message). */
int dz_crash_events_next(int fd, struct dz_crash_event *event);

/* How the process behind a pidfd ended, as wait(2) has it, once it has; sleeps until then, at most
 * so many milliseconds. -ETIME; -ENODATA when that can no longer be known. proc_fd: the host's
 * /proc. */
int dz_crash_status(int pidfd, pid_t pid, int proc_fd, int milliseconds);

#endif
