#include "cli/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Returned by the ways to choose a base when they don't apply. */
enum { NO_BASE = 1 };

static bool belongs_to_us(const char *path) {
  struct stat info;

  return stat(path, &info) == 0 && info.st_uid == geteuid();
}

/* The specification: a relative path in a variable is invalid and ignored. */
static const char *absolute_variable(const char *name) {
  const char *value = getenv(name);

  return value && value[0] == '/' ? value : NULL;
}

static int join(char buffer[PATH_MAX], const char *base, const char *rest) {
  int length = snprintf(buffer, PATH_MAX, "%s/%s", base, rest);

  return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Make path and its missing parents, mode 0700 as the specification wants. */
static int make_directories(const char *path) {
  char partial[PATH_MAX];
  size_t length = strlen(path);

  if (length >= sizeof partial)
    return -ENAMETOOLONG;
  for (size_t at = 1; at <= length; at++) {
    if (path[at] != '/' && path[at] != '\0')
      continue;
    memcpy(partial, path, at);
    partial[at] = '\0';
    if (mkdir(partial, 0700) < 0 && errno != EEXIST && access(partial, F_OK) < 0)
      return -errno;
  }
  return 0;
}

/* An existing directory in path must be ours alone. In a place where everyone may
 * create names it must not be a symbolic link either. */
static int verify_directory(const char *path, bool shared_place, struct dz_error *error) {
  int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (shared_place ? O_NOFOLLOW : 0);
  int fd DZ_FD = (int)dz_result(open(path, flags));
  struct stat info;

  if (fd < 0 || fstat(fd, &info) < 0)
    return dz_fail(error, fd < 0 ? fd : -errno,
                   "cache directory %s: %s; set XDG_CACHE_HOME to a directory of yours", path,
                   strerror(fd < 0 ? -fd : errno));
  if (info.st_uid != geteuid())
    return dz_fail(error, -EPERM,
                   "cache directory %s: belongs to user %u, not to you; set XDG_CACHE_HOME to a "
                   "directory of yours",
                   path, info.st_uid);
  if (shared_place && (info.st_mode & 077))
    return dz_fail(error, -EPERM, "cache directory %s: open to others; run chmod 700 on it", path);
  return 0;
}

/* $XDG_CACHE_HOME/denizen: who sets it wants it, so its errors are final. */
static int choose_by_variable(char cache[PATH_MAX], bool make, struct dz_error *error) {
  const char *base = absolute_variable("XDG_CACHE_HOME");
  int err;

  if (!base)
    return NO_BASE;
  err = join(cache, base, "denizen");
  if (!err && make)
    err = make_directories(cache);
  if (err)
    return dz_fail(error, err, "cache directory %s/denizen: %s; set XDG_CACHE_HOME elsewhere", base,
                   strerror(-err));
  return 0;
}

static int choose_by_home(char cache[PATH_MAX], bool make) {
  const char *home = absolute_variable("HOME");

  if (!home || !belongs_to_us(home) || join(cache, home, ".cache/denizen"))
    return NO_BASE;
  if (make && make_directories(cache))
    return NO_BASE;
  return belongs_to_us(cache) || (!make && access(cache, F_OK) < 0) ? 0 : NO_BASE;
}

static void choose_shared_place(char cache[PATH_MAX]) {
  snprintf(cache, PATH_MAX, "/var/tmp/denizen-%u", geteuid());
}

static int choose(struct dz_paths *paths, bool make, struct dz_error *error) {
  bool shared_place = false;
  int err = choose_by_variable(paths->cache_dir, make, error);

  if (err == NO_BASE)
    err = choose_by_home(paths->cache_dir, make);
  if (err == NO_BASE) {
    shared_place = true;
    choose_shared_place(paths->cache_dir);
    err = make && mkdir(paths->cache_dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
    if (err)
      return dz_fail(error, err,
                     "cache directory %s: %s; set XDG_CACHE_HOME to a directory of yours",
                     paths->cache_dir, strerror(-err));
  }
  if (err)
    return err;
  if (!make && access(paths->cache_dir, F_OK) < 0)
    return -ENOENT;
  err = verify_directory(paths->cache_dir, shared_place, error);
  if (err)
    return err;
  if (join(paths->runtime_dir, paths->cache_dir, "silos"))
    return dz_fail(error, -ENAMETOOLONG, "cache directory %s: its name is too long",
                   paths->cache_dir);
  return 0;
}

int dz_paths_make(struct dz_paths *paths, struct dz_error *error) {
  int err = choose(paths, true, error);

  if (err)
    return err;
  if (mkdir(paths->runtime_dir, 0700) < 0 && errno != EEXIST)
    return dz_fail(error, -errno, "directory %s: %s; set XDG_CACHE_HOME to a directory of yours",
                   paths->runtime_dir, strerror(errno));
  return verify_directory(paths->runtime_dir, true, error);
}

int dz_paths_find(struct dz_paths *paths, struct dz_error *error) {
  return choose(paths, false, error);
}
