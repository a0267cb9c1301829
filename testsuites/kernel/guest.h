/*
 * A child whose call DZ_PROBE_CALL is notified to this process: the smallest silo there is.
 * A real, harmless call is used: an unknown number would be refused by a container's own filter.
 */
#ifndef DZ_TESTSUITES_KERNEL_GUEST_H
#define DZ_TESTSUITES_KERNEL_GUEST_H

#include "testsuites/kernel/probe.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* include/uapi/linux/seccomp.h: 5.19 and 6.6 */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

#define DZ_PROBE_CALL SYS_getpgid

struct dz_probe_guest {
  pid_t pid;
  int listener;
};

/* A received notification, with room for a kernel whose structure is larger. */
union dz_probe_notice {
  struct seccomp_notif call;
  char room[512];
};

/* Install the filter in the calling process: a listener or a negative errno. */
int dz_probe_install_filter(unsigned flags);

/*
 * Start a guest that runs body(argument) and exits with its value. The filter's flags are added
 * to NEW_LISTENER. 0, or the negative errno of the guest's seccomp(2).
 */
int dz_probe_guest_start(struct dz_probe_guest *guest, unsigned flags, int (*body)(void *),
                         void *argument);

/* In the guest: the notified call. A value or a negative errno. */
long dz_probe_call(long argument);

/* NOTIF_RECV; waits. -ENOENT when the caller was interrupted meanwhile. */
int dz_probe_receive(int listener, union dz_probe_notice *notice);

/* Wait until a call is pending: true, or false after the time or when no guest is left. */
bool dz_probe_pending(int listener, int milliseconds);

/* NOTIF_SEND; error is a positive errno or 0. 0 or a negative errno (-ENOENT: interrupted). */
int dz_probe_answer(int listener, uint64_t id, int64_t value, int error);

/* Receive one call and answer it with value. 0 or a negative errno. */
int dz_probe_serve(int listener, int64_t value);

/* SCM_RIGHTS over a stream socket: 0 or a descriptor, or a negative errno. */
int dz_probe_send_fd(int channel, int fd);
int dz_probe_receive_fd(int channel);

#endif
