/*
 * Calls that one of the C libraries lacks or changes on the way: the kernel's own interface.
 * Structures and numbers from linux/openat2.h, linux/stat.h and linux/sched.h, written out here
 * because musl's headers do not have them.
 */
#ifndef GUEST_RAW_H
#define GUEST_RAW_H

#include "testsuites/guest/guest.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6 */
#endif

struct raw_open_how {
  uint64_t flags, mode, resolve;
};

enum {
  RAW_NO_XDEV = 1,
  RAW_NO_MAGICLINKS = 2,
  RAW_NO_SYMLINKS = 4,
  RAW_BENEATH = 8,
  RAW_IN_ROOT = 16,
  RAW_CACHED = 32
};

static inline int raw_openat2(int fd, const char *path, const void *how, size_t size) {
  return syscall(SYS_openat2, fd, path, how, size);
}

/* openat2 with the sizes right: for all but the cases about sizes. */
static inline int open_resolve(int fd, const char *path, int flags, uint64_t resolve) {
  struct raw_open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  int result, tries = 0;

  /* ".." gives EAGAIN when anything on the machine is renamed meanwhile (openat2(2)). */
  do
    result = raw_openat2(fd, path, &how, sizeof(how));
  while (result < 0 && errno == EAGAIN && ++tries < 1000);
  return result;
}

struct raw_statx_time {
  int64_t seconds;
  uint32_t nanoseconds;
  int32_t reserved;
};

struct raw_statx {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, spare0;
  uint64_t inode, size, blocks, attributes_mask;
  struct raw_statx_time atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mount_id, spare1[13];
};

enum {
  RAW_TYPE = 1,
  RAW_MODE = 2,
  RAW_NLINK = 4,
  RAW_SIZE = 0x200,
  RAW_BASIC = 0x7ff,
  RAW_BTIME = 0x800,
  RAW_MNT_ID = 0x1000,
  RAW_RESERVED = 0x80000000,
  RAW_ATTR_MOUNT_ROOT = 0x2000
};

enum { RAW_SYNC_TYPE = 0x6000, RAW_FORCE_SYNC = 0x2000, RAW_DONT_SYNC = 0x4000 };

static inline int raw_statx(int fd, const char *path, int flags, unsigned mask, void *result) {
  return syscall(SYS_statx, fd, path, flags, mask, result);
}

enum { RAW_NOREPLACE = 1, RAW_EXCHANGE = 2, RAW_WHITEOUT = 4 };

static inline int raw_renameat2(int from_fd, const char *from, int to_fd, const char *to,
                                unsigned flags) {
  return syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static inline int rename2(const char *from, const char *to, unsigned flags) {
  return raw_renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static inline int raw_faccessat2(int fd, const char *path, int mode, int flags) {
  return syscall(SYS_faccessat2, fd, path, mode, flags);
}

static inline int raw_fchmodat2(int fd, const char *path, mode_t mode, int flags) {
  return syscall(SYS_fchmodat2, fd, path, mode, flags);
}

static inline int raw_execveat(int fd, const char *path, char **argv, char **envp, int flags) {
  return syscall(SYS_execveat, fd, path, argv, envp, flags);
}

static inline int raw_close_range(unsigned first, unsigned last, unsigned flags) {
  return syscall(SYS_close_range, first, last, flags);
}

static inline int raw_pidfd_open(pid_t pid, unsigned flags) {
  return syscall(SYS_pidfd_open, pid, flags);
}

/* Pointers that the kernel must refuse; volatile so that the compiler does not look through. */
static const char *const volatile __attribute__((unused)) bad_path = (const char *)8;
static void *const volatile __attribute__((unused)) bad_pointer = (void *)8;

#endif
