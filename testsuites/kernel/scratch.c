/* What probes write, and how it is removed. */
#include "testsuites/kernel/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Deepest directory that a probe makes, with room to spare. */
#define DEPTH_MAX 8

/* Remove directory's entries; a directory whose mode is 0 (overlayfs makes one) is opened up. */
static int empty_below(int directory, int depth) {
  int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list;
  struct dirent *entry;
  int err = 0;

  if (copy < 0)
    return -errno;
  list = fdopendir(copy);
  if (!list) {
    close(copy);
    return -ENOMEM;
  }
  while ((entry = readdir(list))) {
    const char *name = entry->d_name;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
      continue;
    if (unlinkat(directory, name, 0) == 0)
      continue;
    fchmodat(directory, name, 0700, 0);
    int below DZ_FD = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (below >= 0 && depth < DEPTH_MAX)
      empty_below(below, depth + 1);
    if (unlinkat(directory, name, AT_REMOVEDIR) < 0)
      err = -errno;
  }
  closedir(list);
  return err;
}

#define NAME_PREFIX ".denizen-probe-"

static int open_directory(int base, const char *name) {
  return (int)dz_result(openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

/* Does name still mean what is locked? Who removes a directory holds its lock, so then it stays. */
static bool is_there(int base, const char *name, int fd) {
  struct stat held, named;

  return fstat(fd, &held) == 0 && fstatat(base, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static void remove_abandoned(int base) {
  int copy = open_directory(base, ".");
  DIR *list = copy < 0 ? NULL : fdopendir(copy);
  struct dirent *entry;

  if (!list)
    return;
  while ((entry = readdir(list))) {
    int fd DZ_FD = -1;

    if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
      continue;
    fd = open_directory(base, entry->d_name);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_there(base, entry->d_name, fd))
      continue;
    empty_below(fd, 0);
    unlinkat(base, entry->d_name, AT_REMOVEDIR);
  }
  closedir(list);
}

int dz_probe_scratch_make(int base, struct dz_probe_scratch *scratch) {
  remove_abandoned(base);
  for (unsigned attempt = 0; attempt < 100; attempt++) {
    snprintf(scratch->name, sizeof scratch->name, NAME_PREFIX "%d-%u", (int)getpid(), attempt);
    if (mkdirat(base, scratch->name, 0700) < 0) {
      if (errno == EEXIST)
        continue;
      return -errno;
    }
    scratch->fd = open_directory(base, scratch->name);
    if (scratch->fd < 0 && scratch->fd != -ENOENT) {
      unlinkat(base, scratch->name, AT_REMOVEDIR);
      return scratch->fd;
    }
    if (scratch->fd < 0)
      continue;
    /* Another runner may have taken it for an abandoned one before it was locked. */
    if (flock(scratch->fd, LOCK_EX | LOCK_NB) == 0 && is_there(base, scratch->name, scratch->fd))
      return 0;
    close(scratch->fd);
  }
  return -EEXIST;
}

void dz_probe_scratch_remove(int base, struct dz_probe_scratch *scratch) {
  empty_below(scratch->fd, 0);
  unlinkat(base, scratch->name, AT_REMOVEDIR);
  close(scratch->fd);
}

int dz_probe_write_file(int directory, const char *path, const char *text) {
  int fd DZ_FD = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  size_t length = strlen(text);

  if (fd < 0)
    return -errno;
  return write(fd, text, length) == (ssize_t)length ? 0 : -EIO;
}
