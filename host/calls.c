#include "host/calls.h"
#include "host/defence.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef SYS_pidfd_getfd
#error "kernel headers of Linux 5.6 or newer are needed"
#endif

int dz_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {
      .flags = flags | O_CLOEXEC, .mode = mode, .resolve = dz_defence("resolve") ? resolve : 0};

  return (int)dz_result(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
}

int dz_open_child(int dirfd, const char *name, uint64_t flags, uint64_t mode) {
  return dz_openat2(dirfd, name, flags | O_NOFOLLOW, mode,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

const char *dz_self_fd_path(int fd, char buffer[DZ_SELF_FD_MAX]) {
  snprintf(buffer, DZ_SELF_FD_MAX, "/proc/self/fd/%d", fd);
  return buffer;
}

int dz_reopen(int path_fd, int flags) {
  char path[DZ_SELF_FD_MAX];

  return (int)dz_result(open(dz_self_fd_path(path_fd, path), flags | O_CLOEXEC));
}

int dz_pidfd_open(pid_t pid, unsigned flags) {
  return (int)dz_result(syscall(SYS_pidfd_open, pid, flags));
}

int dz_pidfd_getfd(int pidfd, int fd) {
  return (int)dz_result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

int dz_pidfd_send_signal(int pidfd, int signal, unsigned flags) {
  return (int)dz_result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, flags));
}

int dz_tgkill(pid_t tgid, pid_t tid, int signal) {
  return (int)dz_result(syscall(SYS_tgkill, tgid, tid, signal));
}

ssize_t dz_read_file_at(int dirfd, const char *path, char *buffer, size_t size) {
  int fd DZ_FD = (int)dz_result(openat(dirfd, path, O_RDONLY | O_CLOEXEC));
  size_t length = 0;

  if (fd < 0)
    return fd;
  while (length + 1 < size) {
    ssize_t got = read(fd, buffer + length, size - 1 - length);

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -errno;
    if (got == 0)
      break;
    length += (size_t)got;
  }
  buffer[length] = '\0';
  return (ssize_t)length;
}

uint64_t dz_monotonic_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * DZ_NS_PER_S + (uint64_t)now.tv_nsec;
}

int dz_write_all(int fd, const void *data, size_t size) {
  const char *from = data;

  while (size > 0) {
    ssize_t written = write(fd, from, size);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -errno;
    from += written;
    size -= (size_t)written;
  }
  return 0;
}
