#include "vfs/madeup.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* linux/memfd.h, Linux 6.3 */
#endif

/* ---- texts ---- */

void dz_text_drop(struct dz_text *text) {
  free(text->data);
  *text = (struct dz_text){0};
}

/* Make room for `more` bytes and a NUL. */
static bool make_room(struct dz_text *text, size_t more) {
  size_t size = text->size ? text->size : 1024;
  char *grown;

  if (text->failed)
    return false;
  while (size - text->length <= more)
    size *= 2;
  if (size == text->size)
    return true;
  grown = realloc(text->data, size);
  if (!grown) {
    text->failed = true;
    return false;
  }
  text->data = grown;
  text->size = size;
  return true;
}

void dz_text_add(struct dz_text *text, const char *data, size_t length) {
  if (!make_room(text, length))
    return;
  memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void dz_text_print(struct dz_text *text, const char *format, ...) {
  va_list arguments;
  int length;

  if (!make_room(text, 128))
    return;
  va_start(arguments, format);
  length = vsnprintf(text->data + text->length, text->size - text->length, format, arguments);
  va_end(arguments);
  if (length < 0 || !make_room(text, (size_t)length))
    return;
  va_start(arguments, format);
  vsnprintf(text->data + text->length, text->size - text->length, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
}

void dz_text_add_escaped(struct dz_text *text, const char *data, const char *set) {
  while (*data) {
    size_t plain = strcspn(data, set);

    dz_text_add(text, data, plain);
    data += plain;
    if (*data)
      dz_text_print(text, "\\%03o", (unsigned)(unsigned char)*data++);
  }
}

int dz_text_read(struct dz_text *text, int dirfd, const char *name) {
  int fd DZ_FD = dz_openat2(dirfd, name, O_RDONLY, 0,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

  if (fd < 0)
    return fd;
  for (;;) {
    ssize_t got;

    if (!make_room(text, 4096))
      return -ENOMEM;
    got = read(fd, text->data + text->length, text->size - text->length - 1);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -errno;
    text->length += (size_t)got;
    text->data[text->length] = '\0';
    if (got == 0)
      return 0;
  }
}

/* ---- descriptors ---- */

static int make_memfd(const char *name) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

  if (fd < 0 && errno == EINVAL)
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return (int)dz_result(fd);
}

int dz_snapshot(const char *name, mode_t mode, const struct dz_text *text) {
  int fd DZ_FD = -1;
  int err;

  if (text->failed)
    return -ENOMEM;
  fd = make_memfd(name[0] == '/' ? name + 1 : name);
  if (fd < 0)
    return fd;
  err = dz_write_all(fd, text->data, text->length);
  if (err)
    return err;
  if (fchmod(fd, mode & 0777 & ~0222U) ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
    return -errno;
  return dz_reopen(fd, O_RDONLY);
}

/* The kernel names a memfd "/memfd:NAME (deleted)" (mm/memfd.c, mm/shmem.c). */
#define MEMFD_PREFIX "/memfd:"
#define DELETED " (deleted)"

const char *dz_snapshot_path(char *text) {
  static const char *const places[] = {MEMFD_PREFIX "proc/", MEMFD_PREFIX "sys/"};
  size_t length = strlen(text);

  if (length < strlen(DELETED) || strcmp(text + length - strlen(DELETED), DELETED) != 0)
    return NULL;
  for (size_t i = 0; i < DZ_ARRAY_SIZE(places); i++)
    if (strncmp(text, places[i], strlen(places[i])) == 0) {
      text[length - strlen(DELETED)] = '\0';
      text[strlen(MEMFD_PREFIX) - 1] = '/';
      return text + strlen(MEMFD_PREFIX) - 1;
    }
  return NULL;
}

static bool wants_write(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

int dz_made_may_open(mode_t mode, bool writable, const struct dz_open_how *how) {
  if (S_ISLNK(mode))
    return -ELOOP;
  if (S_ISDIR(mode))
    return wants_write(how->flags) || (how->flags & O_CREAT) ? -EISDIR : 0;
  if (how->flags & O_DIRECTORY)
    return -ENOTDIR;
  return wants_write(how->flags) && !writable ? -EACCES : 0;
}

int dz_made_reopen(const struct dz_view *view, int path_fd, int flags) {
  struct statfs fs;
  struct stat st;
  int fd;

  flags |= O_NOCTTY;
  if (view->may_block || (flags & O_NONBLOCK))
    return dz_reopen(path_fd, flags);
  if (fstat(path_fd, &st))
    return -errno;
  if (S_ISFIFO(st.st_mode)) {
    /* A pipe's other end is not waited for, a FIFO's is (fifo_open() of fs/pipe.c). */
    if (fstatfs(path_fd, &fs))
      return -errno;
    return fs.f_type == PIPEFS_MAGIC ? dz_reopen(path_fd, flags) : -DZ_EBLOCK;
  }
  fd = dz_reopen(path_fd, flags | O_NONBLOCK);
  if (fd == -EWOULDBLOCK)
    return -DZ_EBLOCK;
  if (fd >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
    int err = -errno;

    close(fd);
    return err;
  }
  return fd;
}

/* ---- identity ---- */

static bool in_group(const struct dz_identity *identity, gid_t own, gid_t gid) {
  if (own == gid)
    return true;
  for (unsigned i = 0; i < identity->group_count; i++)
    if (identity->groups[i] == gid)
      return true;
  return false;
}

static bool overrides(const struct dz_identity *identity, const struct stat *st, int want,
                      bool real) {
  uint64_t capabilities = !real                 ? identity->effective
                          : identity->ruid == 0 ? identity->permitted
                                                : 0;
  bool reads = !(want & W_OK) && (S_ISDIR(st->st_mode) || !(want & X_OK));

  if (reads && (capabilities & UINT64_C(1) << CAP_DAC_READ_SEARCH))
    return true;
  if (!(capabilities & UINT64_C(1) << CAP_DAC_OVERRIDE))
    return false;
  return S_ISDIR(st->st_mode) || !(want & X_OK) || (st->st_mode & 0111);
}

int dz_made_permission(const struct dz_proc *proc, const struct dz_view *view,
                       const struct stat *st, int want, bool real) {
  struct dz_state *state DZ_STATE = NULL;
  const struct dz_identity *identity;
  mode_t bits;

  want &= R_OK | W_OK | X_OK;
  if (!want || view->tid <= 0 || dz_states_of(proc->states, view->tid, &state))
    return 0;
  identity = &state->identity;
  if (st->st_uid == (real ? identity->ruid : identity->fsuid))
    bits = st->st_mode >> 6;
  else if (in_group(identity, real ? identity->rgid : identity->fsgid, st->st_gid))
    bits = st->st_mode >> 3;
  else
    bits = st->st_mode;
  if (((mode_t)want & ~bits) == 0 || overrides(identity, st, want, real))
    return 0;
  return -EACCES;
}
