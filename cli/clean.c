/*
 * denizen clean: remove what runs have left in the cache directory.
 *
 *   CACHE/silos/NAME/   a silo's private files (loader/programs.h); its supervisor
 *                       holds flock(2) on NAME while it lives, so one that can be
 *                       locked is what a crash left
 *   CACHE/programs/     copies of programs (loader/cache.h); a running silo uses
 *                       them by hard links of its own, so a copy with one link is
 *                       used by nobody, and removing one in use costs the next
 *                       start a new copy
 *
 * Everything is reached from held descriptors, no symbolic link is followed, and
 * no other file system is entered.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* A silo that is being made is not locked yet, and a copy that is being made has
 * no second link; what is younger than this is left alone. A copy's mtime is the
 * time of its last use (loader/cache.h). */
enum { FRESH_SECONDS = 2 };

struct clean_options {
  bool all;
  bool help;
};

static const struct dz_option rows[] = {
    {'a', "all", NULL, DZ_OPTION_FLAG, offsetof(struct clean_options, all),
     "also copies that running silos use, and empty directories"},
    {'h', "help", NULL, DZ_OPTION_FLAG, offsetof(struct clean_options, help), "print this help"},
};

static const struct dz_option_table table = {rows, DZ_ARRAY_SIZE(rows), 0};

/* What was done. */
struct tally {
  unsigned long long bytes;
  unsigned files, silos, running;
};

/* What to remove. */
struct purpose {
  bool used;        /* files with more links than one, too */
  bool fresh;       /* files just made, too */
  bool locked;      /* files that others lock, and lock files, too */
  bool directories; /* directories, once they are empty */
};

static void close_directory(DIR **directory) {
  if (*directory)
    closedir(*directory);
}
#define SCOPED_DIR DZ_CLEANUP(close_directory)

static int remove_children(int directory_fd, const struct purpose *purpose, struct tally *tally);

/* A child directory, made readable where its mode forbids that to its owner. */
static int open_directory(int parent, const char *name) {
  const uint64_t resolve =
      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const uint64_t flags = O_DIRECTORY | O_NOFOLLOW;
  int fd = dz_openat2(parent, name, flags | O_RDONLY, 0, resolve);

  if (fd == -EACCES) {
    int held DZ_FD = dz_openat2(parent, name, flags | O_PATH, 0, resolve);
    char path[DZ_SELF_FD_MAX];

    if (held >= 0 && chmod(dz_self_fd_path(held, path), 0700) == 0)
      fd = dz_openat2(parent, name, flags | O_RDONLY, 0, resolve);
  }
  return fd;
}

static DIR *list(int fd) {
  int copy DZ_FD = (int)dz_result(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR *directory = copy >= 0 ? fdopendir(copy) : NULL;

  if (directory)
    dz_steal_fd(&copy);
  return directory;
}

/* The next name that is not "." or "..". */
static const char *next_name(DIR *directory) {
  struct dirent *entry;

  do
    entry = readdir(directory);
  while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
  return entry ? entry->d_name : NULL;
}

static bool is_fresh(const struct timespec *when) {
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return when->tv_sec <= now.tv_sec && now.tv_sec - when->tv_sec < FRESH_SECONDS;
}

/* Whether a file is a lock, or someone is still writing it. */
static bool is_locked(int parent, const char *name) {
  int fd DZ_FD = dz_open_child(parent, name, O_RDONLY | O_NONBLOCK, 0);

  return strcmp(name, "lock") == 0 || (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0);
}

static int remove_file(int parent, const char *name, const struct stat *info,
                       const struct purpose *purpose, struct tally *tally) {
  if ((!purpose->used && info->st_nlink > 1) || (!purpose->fresh && is_fresh(&info->st_mtim)) ||
      (!purpose->locked && is_locked(parent, name)))
    return 0;
  if (unlinkat(parent, name, 0) < 0)
    return errno == ENOENT ? 0 : -errno;
  if (info->st_nlink == 1)
    tally->bytes += (unsigned long long)info->st_blocks * 512; /* stat(2): units of 512 bytes */
  tally->files++;
  return 0;
}

static int remove_entry(int parent, const char *name, const struct purpose *purpose,
                        struct tally *tally) {
  struct stat info;
  int fd DZ_FD = -1;
  int err;

  if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : -errno;
  if (!S_ISDIR(info.st_mode))
    return remove_file(parent, name, &info, purpose, tally);
  fd = open_directory(parent, name);
  if (fd < 0)
    return fd;
  err = remove_children(fd, purpose, tally);
  if (!err && purpose->directories && unlinkat(parent, name, AT_REMOVEDIR) < 0 &&
      errno != ENOTEMPTY && errno != ENOENT)
    err = -errno;
  return err;
}

/* Goes on after a failure; the first one is returned. */
static int remove_children(int directory_fd, const struct purpose *purpose, struct tally *tally) {
  DIR *directory SCOPED_DIR = list(directory_fd);
  const char *name;
  int first = 0;

  if (!directory)
    return -errno;
  while ((name = next_name(directory))) {
    int err = remove_entry(directory_fd, name, purpose, tally);

    if (!first)
      first = err;
  }
  return first;
}

/* Whether a supervisor lives in the silo's directory, or may be about to. When
 * not, its lock is ours until silo_fd is closed. */
static bool is_running(int silo_fd) {
  struct stat info;

  if (flock(silo_fd, LOCK_EX | LOCK_NB) < 0)
    return true;
  return fstat(silo_fd, &info) == 0 && is_fresh(&info.st_mtim);
}

/* Files beside the silos' directories are the warden's records. */
static int clean_silo(int silos_fd, const char *name, struct tally *tally) {
  static const struct purpose everything = {
      .used = true, .fresh = true, .locked = true, .directories = true};
  int silo_fd DZ_FD = open_directory(silos_fd, name);
  int err;

  if (silo_fd == -ENOTDIR || silo_fd == -ELOOP || silo_fd == -ENOENT)
    return 0;
  if (silo_fd < 0)
    return silo_fd;
  if (is_running(silo_fd)) {
    tally->running++;
    return 0;
  }
  err = remove_entry(silos_fd, name, &everything, tally);
  if (!err)
    tally->silos++;
  return err;
}

static int clean_silos(int cache_fd, struct tally *tally) {
  int silos_fd DZ_FD = open_directory(cache_fd, "silos");
  DIR *directory SCOPED_DIR = silos_fd >= 0 ? list(silos_fd) : NULL;
  const char *name;
  int first = 0;

  if (silos_fd == -ENOENT)
    return 0;
  if (!directory)
    return silos_fd < 0 ? silos_fd : -errno;
  while ((name = next_name(directory))) {
    int err = clean_silo(silos_fd, name, tally);

    if (!first)
      first = err;
  }
  return first;
}

/* Only what lies in directories: files beside them are denizen's own records. */
static int clean_copies(int cache_fd, bool all, struct tally *tally) {
  const struct purpose purpose = {
      .used = all,
      .fresh = tally->running == 0,
      .locked = all && tally->running == 0,
      .directories = all && tally->running == 0,
  };
  DIR *directory SCOPED_DIR = list(cache_fd);
  const char *name;
  int first = 0;

  if (!directory)
    return -errno;
  while ((name = next_name(directory))) {
    struct stat info;
    int err = 0;

    if (strcmp(name, "silos") != 0 && fstatat(cache_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(info.st_mode))
      err = remove_entry(cache_fd, name, &purpose, tally);
    if (!first)
      first = err;
  }
  return first;
}

static void report(const struct dz_paths *paths, const struct tally *tally) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double size = (double)tally->bytes;
  size_t unit = 0;

  while (size >= 1024 && unit + 1 < DZ_ARRAY_SIZE(units)) {
    size /= 1024;
    unit++;
  }
  printf("%s: freed %.*f %s: %u file%s, leftovers of %u silo%s", paths->cache_dir, unit ? 1 : 0,
         size, units[unit], tally->files, tally->files == 1 ? "" : "s", tally->silos,
         tally->silos == 1 ? "" : "s");
  if (tally->running)
    printf("; left %u running silo%s alone", tally->running, tally->running == 1 ? "" : "s");
  putchar('\n');
}

static int clean(const struct clean_options *options, struct dz_error *error) {
  struct dz_paths paths;
  struct tally tally = {0};
  int cache_fd DZ_FD = -1;
  int err = dz_paths_find(&paths, error);
  int copies_err;

  if (err == -ENOENT && !error->code) {
    printf("%s: nothing to remove\n", paths.cache_dir);
    return 0;
  }
  if (err)
    return err;
  cache_fd = (int)dz_result(open(paths.cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (cache_fd < 0)
    return dz_fail(error, cache_fd, "cache directory %s: %s", paths.cache_dir, strerror(-cache_fd));
  err = clean_silos(cache_fd, &tally);
  copies_err = clean_copies(cache_fd, options->all, &tally);
  report(&paths, &tally);
  if (!err)
    err = copies_err;
  if (err)
    return dz_fail(error, err, "cache directory %s: not all could be removed: %s; look into it",
                   paths.cache_dir, strerror(-err));
  return 0;
}

int dz_cmd_clean(int argc, char **argv) {
  struct clean_options options = {0};
  struct dz_error error = {0};
  int next = dz_options_parse(&table, argc, argv, &options, NULL, &error);

  if (next < 0)
    return dz_complain("clean", &error);
  if (options.help) {
    puts("Usage: denizen clean [OPTION...]\n"
         "Remove cached copies of programs that no running silo uses, and what crashed silos\n"
         "left, from $XDG_CACHE_HOME/denizen.\n");
    dz_options_print(stdout, &table);
    return 0;
  }
  if (next < argc) {
    dz_fail(&error, -EINVAL, "unexpected argument '%s'; clean takes options only", argv[next]);
    return dz_complain("clean", &error);
  }
  return clean(&options, &error) ? dz_complain("clean", &error) : 0;
}
