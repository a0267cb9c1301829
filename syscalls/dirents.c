/* getdents(2), getdents64(2): host directories are read through a copy of the caller's own
 * descriptor, which shares its position; made-up ones are listed by their filesystem. */
#include "syscalls/call.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#define READ_MOST (256 * 1024)

struct old_dirent {
  unsigned long ino;
  unsigned long offset;
  unsigned short length;
  char name[];
}; /* and after the name's NUL a padding, the last byte of which is the type */

struct listing {
  char *buffer;
  size_t size, used;
  bool old;
  bool full;
  uint64_t next; /* position after what was taken */
};

static size_t record_length(bool old, const char *name) {
  size_t head = old ? offsetof(struct old_dirent, name) : offsetof(struct dirent64, d_name);

  return (head + strlen(name) + (old ? 2 : 1) + 7) & ~(size_t)7;
}

static int take(void *context, const struct dz_entry *entry) {
  struct listing *listing = context;
  size_t length = record_length(listing->old, entry->name);
  char *at = listing->buffer + listing->used;

  if (listing->used + length > listing->size) {
    listing->full = true;
    return 1;
  }
  memset(at, 0, length);
  if (listing->old) {
    struct old_dirent *record = (struct old_dirent *)(void *)at;

    record->ino = entry->ino;
    record->offset = entry->next;
    record->length = (unsigned short)length;
    memcpy(record->name, entry->name, strlen(entry->name));
    at[length - 1] = (char)entry->type;
  } else {
    struct dirent64 *record = (struct dirent64 *)(void *)at;

    record->d_ino = entry->ino;
    record->d_off = (off64_t)entry->next;
    record->d_reclen = (unsigned short)length;
    record->d_type = entry->type;
    memcpy(record->d_name, entry->name, strlen(entry->name));
  }
  listing->used += length;
  listing->next = entry->next;
  return 0;
}

static int list_dots(struct listing *listing, const struct dz_node *node, uint64_t position) {
  static const char *const dots[] = {".", ".."};

  for (; position < 2; position++) {
    struct dz_entry entry = {
        .name = dots[position], .ino = node->ino, .type = DT_DIR, .next = position + 1};

    if (take(listing, &entry))
      return 1;
  }
  return 0;
}

static int64_t list_made_up(struct dz_call *call, const struct dz_node *node, int fd,
                            struct listing *listing) {
  off_t position = lseek(fd, 0, SEEK_CUR);
  int err = 0;

  if (position < 0)
    return -errno;
  listing->next = (uint64_t)position;
  if (!list_dots(listing, node, listing->next)) {
    uint64_t from = listing->next < 2 ? 2 : listing->next;

    err = node->mount->ops->list(&call->view, node, from, take, listing);
  }
  if (err < 0)
    return err;
  if (!listing->used && listing->full)
    return -EINVAL;
  if (listing->used && lseek(fd, (off_t)listing->next, SEEK_SET) < 0)
    return -errno;
  return (int64_t)listing->used;
}

static int64_t read_directory(struct dz_call *call, bool old) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  size_t size = dz_arg_uint(call, 2);
  int fd DZ_FD = dz_arg_fd_copy(call, dz_arg_int(call, 0), false);
  char *buffer DZ_FREE = NULL;
  int64_t result;
  int err = fd < 0 ? fd : dz_arg_fd_node(call, dz_arg_int(call, 0), &node);

  if (err)
    return err;
  if (!S_ISDIR(node.mode))
    return -ENOTDIR;
  if (!call->ops->valid(call))
    return -ESRCH;
  if (size > READ_MOST)
    size = READ_MOST;
  buffer = malloc(size ? size : 1);
  if (!buffer)
    return -ENOMEM;
  if (node.mount && node.mount->ops->list) {
    struct listing listing = {.buffer = buffer, .size = size, .old = old};

    result = list_made_up(call, &node, fd, &listing);
  } else {
    result = dz_result(syscall(old ? SYS_getdents : SYS_getdents64, fd, buffer, size));
  }
  if (result <= 0)
    return result;
  return dz_arg_write(call, call->arguments[1], buffer, (size_t)result) ? -EFAULT : result;
}

int64_t dz_sys_getdents(struct dz_call *call) {
  return read_directory(call, true);
}

int64_t dz_sys_getdents64(struct dz_call *call) {
  return read_directory(call, false);
}
