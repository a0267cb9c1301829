/*
 * Host system calls that glibc 2.36 has no wrapper for, and small combinations
 * used everywhere. All return a value or a negative errno.
 */
#ifndef DZ_HOST_CALLS_H
#define DZ_HOST_CALLS_H

#include "host/base.h"

#include <linux/openat2.h>
#include <sys/types.h>

/* openat2(2). O_CLOEXEC is always added: nothing of the supervisor's may leak. */
int dz_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* One component beneath a held directory: no symlink is followed, no magic link, no "..". */
int dz_open_child(int dirfd, const char *name, uint64_t flags, uint64_t mode);

/* A new open file description for what an O_PATH descriptor refers to, by /proc/self/fd. */
int dz_reopen(int path_fd, int flags);

/* "/proc/self/fd/N" in buffer: for host calls that take a path and must follow to the object. */
#define DZ_SELF_FD_MAX 32
const char *dz_self_fd_path(int fd, char buffer[DZ_SELF_FD_MAX]);

int dz_pidfd_open(pid_t pid, unsigned flags);
int dz_pidfd_getfd(int pidfd, int fd);
int dz_pidfd_send_signal(int pidfd, int signal, unsigned flags);
int dz_tgkill(pid_t tgid, pid_t tid, int signal);

/* Read a whole small file (one under /proc, say) into buffer; NUL-terminated. Returns its length.
 */
ssize_t dz_read_file_at(int dirfd, const char *path, char *buffer, size_t size);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t dz_monotonic_ns(void);
#define DZ_NS_PER_S UINT64_C(1000000000)
#define DZ_NS_PER_MS UINT64_C(1000000)

/* write(2) until all is written; 0 or a negative errno. */
int dz_write_all(int fd, const void *data, size_t size);

#endif
