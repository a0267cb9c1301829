/*
 * Files for cases: making them, and printing what can be said of them without saying anything
 * that differs from run to run.
 */
#ifndef GUEST_FILES_H
#define GUEST_FILES_H

#include "testsuites/guest/guest.h"

/* Create or overwrite a file of mode 0644. */
static inline void put_file(const char *path, const char *text) {
  int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));

  must(write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1);
  must(close(fd));
}

/* Read up to size - 1 bytes of a file and end them with a NUL. The number read, or -1. */
static inline ssize_t get_file(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = 0, part = 0;

  text[0] = 0;
  if (fd < 0)
    return -1;
  while ((size_t)length < size - 1 && (part = read(fd, text + length, size - 1 - length)) > 0)
    length += part;
  close(fd);
  text[length] = 0;
  return part < 0 ? -1 : length;
}

/* Print bytes as a C string would be written. */
static inline void show_bytes(const char *label, const void *bytes, ssize_t count) {
  const unsigned char *at = bytes;
  char text[4096];
  size_t used = 0;

  if (count < 0) {
    say("%s: -1 %s\n", label, errno_name(errno));
    return;
  }
  for (ssize_t i = 0; i < count && used < sizeof(text) - 8; i++) {
    if (at[i] >= ' ' && at[i] < 127 && at[i] != '"' && at[i] != '\\')
      text[used++] = at[i];
    else
      used += snprintf(text + used, 8, at[i] == '\n' ? "\\n" : "\\x%02x", at[i]);
  }
  text[used] = 0;
  say("%s: \"%s\"\n", label, text);
}

static inline void show_file(const char *path) {
  char text[1024];

  show_bytes(path, text, get_file(path, text, sizeof(text)));
}

static inline const char *type_name(mode_t mode) {
  static const struct guest_name names[] = {{S_IFREG, "file"},        {S_IFDIR, "directory"},
                                            {S_IFLNK, "symlink"},     {S_IFIFO, "fifo"},
                                            {S_IFSOCK, "socket"},     {S_IFCHR, "character device"},
                                            {S_IFBLK, "block device"}};

  return guest_find(names, sizeof(names) / sizeof(*names), mode & S_IFMT);
}

static inline void show_status(const char *label, const struct stat *st) {
  say("%s: %s %04o", label, type_name(st->st_mode), (unsigned)st->st_mode & 07777);
  if (!S_ISDIR(st->st_mode))
    say(" links %lu size %ld", (unsigned long)st->st_nlink, (long)st->st_size);
  say(" owner %s group %s\n", st->st_uid == geteuid() ? "self" : "other",
      st->st_gid == getegid() ? "self" : "other");
}

/* Type, permissions, links, size, owner; of the link itself when it is a symlink. */
static inline void show_stat(const char *path) {
  struct stat st;

  if (lstat(path, &st) < 0)
    say("%s: -1 %s\n", path, errno_name(errno));
  else
    show_status(path, &st);
}

static inline void show_fstat(const char *label, int fd) {
  struct stat st;

  if (fstat(fd, &st) < 0)
    say("%s: -1 %s\n", label, errno_name(errno));
  else
    show_status(label, &st);
}

static inline bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static inline bool same_path(const char *a, const char *b) {
  struct stat first, second;

  return stat(a, &first) == 0 && stat(b, &second) == 0 && same_file(&first, &second);
}

static inline bool exists(const char *path) {
  struct stat st;

  return lstat(path, &st) == 0;
}

static inline void show_link(const char *path) {
  char target[PATH_MAX];

  show_bytes(path, target, readlink(path, target, sizeof(target)));
}

/* A directory's entries without . and .., sorted. */
static inline void show_directory(const char *path) {
  struct dirent **entries;
  int count = scandir(path, &entries, NULL, alphasort);

  if (count < 0) {
    say("%s: -1 %s\n", path, errno_name(errno));
    return;
  }
  say("%s:", path);
  for (int i = 0; i < count; i++) {
    if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
      say(" %s", entries[i]->d_name);
    free(entries[i]);
  }
  say("\n");
  free(entries);
}

/* Print a path with the case's own directory written as $DIR; dir is what getcwd said there. */
static inline void show_path(const char *label, const char *dir, const char *path) {
  size_t length = strlen(dir);

  if (strncmp(path, dir, length) == 0 && (path[length] == 0 || path[length] == '/'))
    say("%s: $DIR%s\n", label, path + length);
  else
    say("%s: %s\n", label, path);
}

/* Where the case began. */
static inline const char *start_directory(void) {
  static char dir[PATH_MAX];

  if (!dir[0] && !getcwd(dir, sizeof(dir)))
    say("getcwd: %s\n", errno_name(errno));
  return dir;
}

/* Copy this program, so that a case may change or remove it. */
static inline void copy_self(const char *to, mode_t mode) {
  char block[65536];
  int in = must(open(guest_self, O_RDONLY | O_CLOEXEC));
  int out = must(open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
  ssize_t count;

  while ((count = read(in, block, sizeof(block))) > 0)
    must(write(out, block, count) == count ? 0 : -1);
  must(fchmod(out, mode));
  close(in);
  close(out);
}

#endif
