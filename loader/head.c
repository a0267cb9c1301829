#include "loader/head.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#define NANOSECONDS 1000000000LL
#define TICKS_NANOSECONDS (20 * 1000000LL)

/* Not a cryptographic hash: it separates files that agree in everything else by
 * accident. Multiplication and shift as in MurmurHash's finalizer, a word at a time. */
static uint64_t hash_bytes(const unsigned char *bytes, size_t length) {
  uint64_t hash = 0x9e3779b97f4a7c15u ^ length;
  size_t at;

  for (at = 0; at < length; at += sizeof hash) {
    uint64_t word = 0;

    memcpy(&word, bytes + at, length - at < sizeof word ? length - at : sizeof word);
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

static void key_from_stat(const struct stat *stat, struct dz_file_key *key) {
  *key = (struct dz_file_key){
      .device = stat->st_dev,
      .inode = stat->st_ino,
      .size = (uint64_t)stat->st_size,
      .ctime_seconds = (uint64_t)stat->st_ctim.tv_sec,
      .ctime_nanoseconds = (uint64_t)stat->st_ctim.tv_nsec,
  };
}

/* Reads until size or the end of the file; the count or a negative errno. */
static ssize_t pread_all(int fd, void *buffer, size_t size, off_t offset) {
  size_t length = 0;

  while (length < size) {
    ssize_t got = pread(fd, (char *)buffer + length, size - length, offset + (off_t)length);

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -errno;
    if (got == 0)
      break;
    length += (size_t)got;
  }
  return (ssize_t)length;
}

int dz_head_read(int fd, struct dz_file_head *head) {
  struct stat stat;
  ssize_t length;

  if (fstat(fd, &stat) < 0)
    return -errno;
  if (!S_ISREG(stat.st_mode))
    return -EACCES;
  /* A small file's end is known from its size: no second read to meet it. */
  length = pread_all(fd, head->bytes,
                     stat.st_size < DZ_HEAD_SIZE ? (size_t)stat.st_size : DZ_HEAD_SIZE, 0);
  if (length < 0)
    return (int)length;
  memset(head->bytes + length, 0, DZ_HEAD_SIZE - (size_t)length);
  key_from_stat(&stat, &head->key);
  head->key.head = hash_bytes(head->bytes, (size_t)length);
  head->mode = stat.st_mode;
  head->length = (size_t)length;
  return 0;
}

int dz_head_pread(int fd, const struct dz_file_head *head, void *buffer, size_t size,
                  uint64_t offset) {
  ssize_t length;

  if (offset <= head->length && size <= head->length - offset) {
    memcpy(buffer, head->bytes + offset, size);
    return 0;
  }
  if (offset > LLONG_MAX || size > LLONG_MAX - offset) /* rw_verify_area(), fs/read_write.c */
    return -EINVAL;
  if (offset > head->key.size || size > head->key.size - offset)
    return -EIO;
  length = pread_all(fd, buffer, size, (off_t)offset);
  if (length < 0)
    return (int)length;
  return (size_t)length == size ? 0 : -EIO;
}

int dz_head_busy(int fd) {
  /* An open that breaks our lease before we drop it sends a signal, by default SIGIO,
   * whose default action ends the process; SIGURG's is to be ignored. */
  if (fcntl(fd, F_SETSIG, SIGURG) < 0)
    return 0;
  if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
    return errno == EAGAIN ? -ETXTBSY : 0;
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return 0;
}

int dz_head_unchanged(int fd, const struct dz_file_key *key) {
  struct dz_file_key now;
  struct stat stat;

  if (fstat(fd, &stat) < 0)
    return -errno;
  key_from_stat(&stat, &now);
  now.head = key->head;
  return memcmp(&now, key, sizeof now) == 0 ? 0 : -ETXTBSY;
}

int64_t dz_head_unsettled(const struct dz_file_key *key, const struct timespec *now) {
  int64_t seconds = (int64_t)now->tv_sec - (int64_t)key->ctime_seconds, age;

  if (seconds < -1 || seconds > 1)
    return 0;
  age = seconds * NANOSECONDS + now->tv_nsec - (int64_t)key->ctime_nanoseconds;
  return age > -TICKS_NANOSECONDS && age < TICKS_NANOSECONDS ? TICKS_NANOSECONDS - age : 0;
}

static bool has_multigrain_times(int fd) {
  /* Filesystems with FS_MGTIME in Linux 6.13. ext2's driver has ext4's number and not the
   * flag; with a same first page and size its files are told apart all the same. */
  static const __fsword_t types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                     TMPFS_MAGIC};
  unsigned major = 0, minor = 0;
  struct utsname name;
  struct statfs filesystem;
  size_t i;

  if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
      fstatfs(fd, &filesystem) < 0 || major < 6 || (major == 6 && minor < 13))
    return false;
  for (i = 0; i < DZ_ARRAY_SIZE(types); i++)
    if (filesystem.f_type == types[i])
      return true;
  return false;
}

void dz_head_settle(int fd, const struct dz_file_key *key) {
  struct timespec now, pause = {0};

  clock_gettime(CLOCK_REALTIME, &now);
  pause.tv_nsec = (long)dz_head_unsettled(key, &now);
  if (pause.tv_nsec > 0 && !has_multigrain_times(fd))
    while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
      ;
}
