#include "loader/programs_directory.h"
#include "host/calls.h"
#include "loader/copy.h"
#include "loader/directory.h"
#include "loader/programs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SILO_PREFIX "silo-"
#define MAKE_TRIES 8

/* Hexadecimal digits of a number, without snprintf(3): this is on the way of every exec. */
static char *print_number(char *to, uint64_t number) {
  int shift = 60;

  while (shift > 0 && number >> shift == 0)
    shift -= 4;
  for (; shift >= 0; shift -= 4)
    *to++ = "0123456789abcdef"[number >> shift & 15];
  return to;
}

void dz_programs_print(char path[64], uint64_t number, const char *basename) {
  char *to = path;

  *to++ = 'n';
  *to++ = '/';
  to = print_number(to, number);
  *to++ = '/';
  memcpy(to, basename, strlen(basename) + 1);
}

static int place(const struct dz_origin *origin, int directory, const char *name) {
  if (origin->move)
    return (int)dz_result(renameat(origin->directory, origin->name, directory, name));
  return (int)dz_result(linkat(origin->directory, origin->name, directory, name, 0));
}

int dz_programs_place(struct dz_programs_directory *directory, const struct dz_origin *origin,
                      uint64_t number, const char *basename, dev_t *device, ino_t *inode) {
  int fd DZ_FD = -1;
  char text[20];
  struct stat stat;
  int result;

  *print_number(text, number) = '\0';
  if (mkdirat(directory->names, text, 0700) < 0)
    return -errno;
  fd = dz_open_child(directory->names, text, O_PATH | O_DIRECTORY, 0);
  if (fd < 0)
    return fd;
  result = place(origin, fd, basename);
  if (result < 0)
    return result;
  if (fstatat(fd, basename, &stat, AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  *device = stat.st_dev;
  *inode = stat.st_ino;
  return 0;
}

void dz_programs_drop(struct dz_programs_directory *directory, uint64_t number,
                      const char *basename) {
  int fd DZ_FD = -1;
  char text[20];

  *print_number(text, number) = '\0';
  fd = dz_open_child(directory->names, text, O_PATH | O_DIRECTORY, 0);
  if (fd < 0)
    return;
  unlinkat(fd, basename, 0);
  unlinkat(directory->names, text, AT_REMOVEDIR);
}

int dz_programs_place_interpreter(struct dz_programs_directory *directory,
                                  const struct dz_origin *origin, const char *name) {
  int result = place(origin, directory->interpreters, name);

  return result == -EEXIST ? 0 : result; /* the name says what is in it */
}

void dz_programs_drop_interpreter(struct dz_programs_directory *directory, const char *name) {
  unlinkat(directory->interpreters, name, 0);
}

/* EPERM: a filesystem without hard links (link(2)). */
bool dz_programs_needs_copy(int result) {
  return result == -EXDEV || result == -EMLINK || result == -EPERM || result == -EOPNOTSUPP;
}

int dz_programs_fetch(struct dz_programs_directory *directory, int cache, const char *name,
                      struct dz_origin *origin) {
  int from DZ_FD = dz_open_child(cache, name, O_RDONLY, 0), to DZ_FD = -1;
  struct stat stat;
  int result;

  if (from < 0)
    return from;
  if (fstat(from, &stat) < 0)
    return -errno;
  result = dz_random_name(origin->name);
  if (result < 0)
    return result;
  to = dz_open_child(directory->copies, origin->name, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (to < 0)
    return to;
  origin->directory = directory->copies;
  origin->move = true;
  result = dz_copy_content(from, to, (uint64_t)stat.st_size);
  if (result == 0 && fchmod(to, 0555) < 0)
    result = -errno;
  return result;
}

void dz_programs_drop_origin(struct dz_origin *origin) {
  if (origin->directory >= 0 && origin->move)
    unlinkat(origin->directory, origin->name, 0);
}

static int make_child(int fd, const char *name, int *child) {
  if (mkdirat(fd, name, 0700) < 0)
    return -errno;
  *child = dz_open_child(fd, name, O_RDONLY | O_DIRECTORY, 0);
  return *child < 0 ? *child : 0;
}

/* A new directory whose owner we are. -ESTALE: a sweep was faster than our lock. */
static int make_owned(struct dz_programs_directory *directory) {
  int fd DZ_FD = -1;
  int result;

  memcpy(directory->name, SILO_PREFIX, sizeof SILO_PREFIX);
  result = dz_random_name(directory->name + strlen(SILO_PREFIX));
  if (result < 0)
    return result;
  if (mkdirat(directory->parent, directory->name, 0700) < 0)
    return -errno;
  fd = dz_open_child(directory->parent, directory->name, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0)
    return fd == -ENOENT ? -ESTALE : fd;
  result = dz_owner_lock(fd);
  if (result == 0)
    directory->fd = dz_steal_fd(&fd);
  return result;
}

static bool remove_tree(int parent, const char *name, int fd) {
  dz_directory_clear(fd);
  return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

static void close_stream(DIR **stream) {
  if (*stream)
    closedir(*stream);
}

static int sweep(int parent) {
  int copy = (int)dz_result(openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR *stream DZ_CLEANUP(close_stream) = copy < 0 ? NULL : fdopendir(copy);
  struct dirent *entry;

  if (!stream)
    return copy < 0 ? copy : -ENOMEM;
  while ((entry = readdir(stream))) {
    int fd DZ_FD = -1;

    if (strncmp(entry->d_name, SILO_PREFIX, strlen(SILO_PREFIX)) != 0)
      continue;
    fd = dz_open_child(parent, entry->d_name, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0 && dz_owner_dead(fd))
      remove_tree(parent, entry->d_name, fd);
  }
  return 0;
}

int dz_programs_sweep(const char *parent) {
  int fd DZ_FD = (int)dz_result(open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

  if (fd < 0)
    return fd == -ENOENT ? 0 : fd;
  return sweep(fd);
}

int dz_programs_directory_make(const char *parent, struct dz_programs_directory *directory,
                               struct dz_error *error) {
  int tries, result = -ESTALE;

  *directory =
      (struct dz_programs_directory){.fd = -1, .names = -1, .interpreters = -1, .copies = -1};
  directory->parent = dz_directory_open(parent, error);
  if (directory->parent < 0)
    return directory->parent;
  sweep(directory->parent);
  for (tries = 0; tries < MAKE_TRIES && result == -ESTALE; tries++)
    result = make_owned(directory);
  if (result == 0)
    result = make_child(directory->fd, "n", &directory->names);
  if (result == 0)
    result = make_child(directory->fd, "i", &directory->interpreters);
  if (result == 0)
    result = make_child(directory->fd, "c", &directory->copies);
  if (result < 0) {
    dz_programs_directory_remove(directory);
    return dz_fail(error, result, "cannot make a directory for programs in %s: %s", parent,
                   strerror(-result));
  }
  return 0;
}

void dz_programs_directory_remove(struct dz_programs_directory *directory) {
  int *const fds[] = {&directory->names, &directory->interpreters, &directory->copies,
                      &directory->fd, &directory->parent};
  size_t i;

  if (directory->fd >= 0)
    remove_tree(directory->parent, directory->name, directory->fd);
  for (i = 0; i < DZ_ARRAY_SIZE(fds); i++) {
    if (*fds[i] >= 0)
      close(*fds[i]);
    *fds[i] = -1;
  }
}
