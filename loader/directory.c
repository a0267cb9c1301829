#include "loader/directory.h"
#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

int dz_random_name(char name[DZ_RANDOM_NAME_MAX]) {
  uint64_t random[2];

  if (getrandom(random, sizeof random, 0) != sizeof random)
    return -EIO;
  snprintf(name, DZ_RANDOM_NAME_MAX, "%016llx%016llx", (unsigned long long)random[0],
           (unsigned long long)random[1]);
  return 0;
}

/* One step of a host path; made when it is missing. O_PATH: it need not be readable. */
static int enter(int at, const char *component) {
  int fd = openat(at, component, O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0 || errno != ENOENT)
    return (int)dz_result(fd);
  if (mkdirat(at, component, 0700) < 0 && errno != EEXIST)
    return -errno;
  return (int)dz_result(openat(at, component, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int make_path(const char *path) {
  int fd DZ_FD = (int)dz_result(open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  char *copy DZ_FREE = strdup(path), *rest = NULL, *component;

  if (fd < 0)
    return fd;
  if (!copy)
    return -ENOMEM;
  for (component = strtok_r(copy, "/", &rest); component; component = strtok_r(NULL, "/", &rest)) {
    int next = enter(fd, component);

    if (next < 0)
      return next;
    close(fd);
    fd = next;
  }
  return (int)dz_result(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int dz_directory_open(const char *path, struct dz_error *error) {
  int fd DZ_FD = make_path(path);
  struct statvfs filesystem;
  struct stat stat;

  if (fd < 0)
    return dz_fail(error, fd, "cannot open or make the directory %s: %s", path, strerror(-fd));
  if (fstat(fd, &stat) < 0 || fstatvfs(fd, &filesystem) < 0)
    return dz_fail(error, -errno, "cannot examine the directory %s: %s", path, strerror(errno));
  if (stat.st_uid != geteuid() || (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return dz_fail(error, -EPERM,
                   "%s holds programs that are executed, but other users can change it: it must be "
                   "owned by you and writable by you alone",
                   path);
  if (filesystem.f_flag & ST_NOEXEC)
    return dz_fail(
        error, -EACCES,
        "%s is on a filesystem that is mounted noexec: programs cannot be executed there", path);
  return dz_steal_fd(&fd);
}

static int remove_entry(int fd, const char *name) {
  int child DZ_FD = -1;
  int result;

  if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
    return 0;
  if (errno != EISDIR)
    return -errno;
  child = dz_open_child(fd, name, O_RDONLY | O_DIRECTORY, 0);
  result = child < 0 ? child : dz_directory_clear(child);
  if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT && result == 0)
    result = -errno;
  return result;
}

static void close_stream(DIR **stream) {
  if (*stream)
    closedir(*stream);
}

int dz_directory_clear(int fd) {
  int copy = (int)dz_result(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR *stream DZ_CLEANUP(close_stream) = copy < 0 ? NULL : fdopendir(copy);
  struct dirent *entry;
  int result = 0;

  if (!stream)
    return copy < 0 ? copy : -ENOMEM;
  while ((entry = readdir(stream))) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      int removed = remove_entry(fd, entry->d_name);

      result = result == 0 ? removed : result;
    }
  }
  return result;
}

int dz_owner_lock(int fd) {
  struct stat stat;

  if (flock(fd, LOCK_EX | LOCK_NB) < 0)
    return errno == EWOULDBLOCK ? -ESTALE : 0;
  return fstat(fd, &stat) < 0 || stat.st_nlink == 0 ? -ESTALE : 0;
}

bool dz_owner_dead(int fd) {
  return flock(fd, LOCK_EX | LOCK_NB) == 0;
}
