/*
 * The beginning of a program file, read once, and the key under which its
 * content is known.
 *
 * The key says "the same content as before" without reading the content:
 * device, inode, size and status-change time, which no unprivileged process can
 * set (utimensat(2) sets atime and mtime only), and a hash of the first page.
 * The hash is there because device numbers are used again: two read-only images
 * of one distribution, mounted one after the other on the same loop device, can
 * agree in inode, size and a clamped time; their build ids, which lie in the
 * first page, do not.
 *
 * Functions return 0 or a negative errno. Descriptors are borrowed.
 */
#ifndef DZ_LOADER_HEAD_H
#define DZ_LOADER_HEAD_H

#include "host/base.h"

#include <sys/types.h>
#include <time.h>

#define DZ_HEAD_SIZE 4096

/* Words of one width and nothing between them, so that keys compare by memcmp(3). */
struct dz_file_key {
  uint64_t device;
  uint64_t inode;
  uint64_t size;
  uint64_t ctime_seconds;
  uint64_t ctime_nanoseconds;
  uint64_t head;
};

struct dz_file_head {
  struct dz_file_key key;
  mode_t mode;
  size_t length;                     /* bytes that the file has, at most DZ_HEAD_SIZE */
  unsigned char bytes[DZ_HEAD_SIZE]; /* zeroes after length, as the kernel's bprm->buf */
};

/* Read the head of a regular file. */
int dz_head_read(int fd, struct dz_file_head *head);

/* Fill buffer from the file at offset, out of the head where it suffices: 0, -EIO when
 * the file ends too early, -EINVAL for an end above LLONG_MAX; exactly the results of
 * elf_read() in Linux fs/binfmt_elf.c. */
int dz_head_pread(int fd, const struct dz_file_head *head, void *buffer, size_t size,
                  uint64_t offset);

/* -ETXTBSY when somebody has the file open for writing, as exec of it would give; 0
 * otherwise, and also where the kernel does not let us know (files of other users,
 * filesystems without leases). fd is O_RDONLY and its open file description is the
 * caller's own: its lease and its signal are changed. */
int dz_head_busy(int fd);

/* 0 when the file behind fd still has the size and times of key, else -ETXTBSY. */
int dz_head_unchanged(int fd, const struct dz_file_key *key);

/*
 * Wait, 20 ms at most, until any further change of the file must show in its ctime.
 *
 * Since Linux 6.13 ext4, xfs, btrfs and tmpfs give a change a ctime of its own when the
 * former one was looked at ("multigrain timestamps", Documentation/filesystems/
 * multigrain-ts.rst), as dz_head_read() does: there is nothing to wait for. Elsewhere ctime
 * advances in ticks of up to 10 ms (CONFIG_HZ=100), and a file that changed within the
 * last two could change again and keep its key.
 */
void dz_head_settle(int fd, const struct dz_file_key *key);

/* How many nanoseconds after now the two ticks are over. 0 also for a ctime in the future,
 * which a change would set back. */
int64_t dz_head_unsettled(const struct dz_file_key *key, const struct timespec *now);

#endif
