/* open(2), openat(2), creat(2), openat2(2). */
#include "syscalls/call.h"

#include "host/calls.h"

#include <fcntl.h>
#include <string.h>

#define LINKS_MAX 40 /* MAXSYMLINKS of fs/namei.c */
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

/* VALID_OPEN_FLAGS of include/linux/fcntl.h; FMODE bits of the kernel's own are not the guest's. */
#define VALID_FLAGS                                                                                \
  (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC |  \
   O_ASYNC | O_DIRECT | O_LARGEFILE_BIT | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC |       \
   O_PATH | TMPFILE_BIT)
#define O_LARGEFILE_BIT 0100000
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define VALID_RESOLVE                                                                              \
  (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |               \
   RESOLVE_IN_ROOT | RESOLVE_CACHED)

struct opening {
  int dirfd;
  uint64_t path;
  int flags;
  mode_t mode;
  unsigned walk;
};

static bool wants_write(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* build_open_flags() of fs/open.c. */
static int check_flags(struct opening *opening) {
  if (opening->flags & O_PATH)
    opening->flags &= PATH_FLAGS;
  if (!(opening->flags & (O_CREAT | TMPFILE_BIT)))
    opening->mode = 0;
  if ((opening->flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
    return -EINVAL;
  if (opening->flags & TMPFILE_BIT) {
    if (!(opening->flags & O_DIRECTORY) || (opening->flags & O_ACCMODE) == O_RDONLY)
      return -EINVAL;
  }
  if (!(opening->flags & O_PATH) && (opening->flags & O_ACCMODE) == O_ACCMODE)
    opening->flags = (opening->flags & ~O_ACCMODE) | O_RDWR; /* as ioctl-only opens are rare */
  return 0;
}

static int64_t open_path_only(struct dz_call *call, const struct opening *opening,
                              struct dz_node *node) {
  int placeholder DZ_FD = -1, fd DZ_FD = -1;
  unsigned fd_flags = (unsigned)opening->flags & O_CLOEXEC;

  if ((opening->flags & O_DIRECTORY) && !S_ISDIR(node->mode))
    return -ENOTDIR;
  if (node->fd < 0) {
    placeholder = dz_vfs_placeholder(&call->view, node);
    if (placeholder < 0)
      return placeholder;
  }
  /* Nodes are held with O_NOFOLLOW, which F_GETFL would show: only who asked for it sees it. */
  if (node->fd >= 0 && (opening->flags & O_NOFOLLOW))
    return call->ops->send_path_fd(call, node->fd, fd_flags);
  fd = dz_reopen(node->fd >= 0 ? node->fd : placeholder, O_PATH | (opening->flags & O_DIRECTORY));
  return fd < 0 ? fd : call->ops->send_path_fd(call, fd, fd_flags);
}

/* An open that waits, in a worker: the caller's signals are watched meanwhile. */
static int open_watched(struct dz_call *call, const struct dz_node *node,
                        const struct dz_open_how *how) {
  int fd;

  if (!call->may_block)
    return node->mount->ops->open(&call->view, node, how);
  call->ops->begin_wait(call);
  fd = node->mount->ops->open(&call->view, node, how);
  call->ops->end_wait(call);
  return fd == -EINTR ? -DZ_ERESTARTSYS : fd;
}

static int64_t open_existing(struct dz_call *call, const struct opening *opening,
                             struct dz_node *node) {
  struct dz_open_how how = {.flags = opening->flags & ~O_CREAT, .mode = opening->mode};

  if (!(opening->flags & TMPFILE_BIT))
    how.flags &= ~O_EXCL;
  if (S_ISLNK(node->mode))
    return (opening->flags & O_DIRECTORY) ? -ENOTDIR : -ELOOP;
  if ((opening->flags & O_DIRECTORY) && !S_ISDIR(node->mode))
    return -ENOTDIR;
  if (S_ISDIR(node->mode) && ((opening->flags & O_CREAT) || wants_write(opening->flags)) &&
      !(opening->flags & TMPFILE_BIT))
    return -EISDIR;
  if (wants_write(opening->flags) && node->mount->read_only &&
      (S_ISREG(node->mode) || S_ISDIR(node->mode)))
    return -EROFS;
  if (wants_write(opening->flags) && S_ISREG(node->mode) &&
      dz_states_runs(call->silo->proc.states, node->dev, node->ino))
    return -ETXTBSY;
  if (opening->flags & TMPFILE_BIT) {
    how.mode &= ~call->state->umask;
    if (!node->mount->ops->create)
      return -EOPNOTSUPP;
    return dz_return_fd(call, node->mount->ops->create(&call->view, node, "", &how),
                        opening->flags);
  }
  if (node->mount->ops != &dz_hostfs && S_ISDIR(node->mode))
    return dz_return_fd(call, dz_vfs_placeholder(&call->view, node), opening->flags);
  if (S_ISFIFO(node->mode))
    call->ops->settle(call);
  return dz_return_fd(call, open_watched(call, node, &how), opening->flags);
}

static int64_t create_new(struct dz_call *call, const struct opening *opening,
                          struct dz_lookup *lookup) {
  struct dz_open_how how = {.flags = opening->flags, .mode = opening->mode & ~call->state->umask};

  if (!lookup->parent.mount->ops->create)
    return -EACCES;
  if (lookup->parent.mount->read_only)
    return -EROFS;
  return lookup->parent.mount->ops->create(&call->view, &lookup->parent, lookup->name, &how);
}

/* A guest without a free descriptor gets EMFILE before anything is made; here the descriptor
 * comes last, so what was made is taken back. */
static int64_t return_new(struct dz_call *call, const struct opening *opening,
                          struct dz_lookup *lookup) {
  int fd DZ_FD = (int)create_new(call, opening, lookup);
  struct stat made, there;
  int64_t number;

  if (fd < 0)
    return fd;
  number = call->ops->add_fd(call, fd, (unsigned)opening->flags & O_CLOEXEC);
  if (number == -EMFILE && fstat(fd, &made) == 0 &&
      fstatat(lookup->parent.fd, lookup->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      made.st_ino == there.st_ino && made.st_dev == there.st_dev && made.st_size == 0)
    unlinkat(lookup->parent.fd, lookup->name, 0);
  return number;
}

/* What the last component of a creating open turned out to be. 0: *link holds a symlink's text,
 * to be walked from lookup->parent; else the result. */
static int64_t open_last(struct dz_call *call, const struct opening *opening,
                         struct dz_lookup *lookup, char link[PATH_MAX]) {
  const struct dz_fs_ops *ops;
  ssize_t length;
  int err;

  if (lookup->last != DZ_LAST_NAME)
    return (opening->flags & O_EXCL) ? -EEXIST : -EISDIR;
  if (lookup->trailing_slash)
    return -EISDIR;
  err = dz_walk_last(&call->view, lookup);
  if (err == -ENOENT)
    return return_new(call, opening, lookup);
  if (err)
    return err;
  if (opening->flags & O_EXCL)
    return -EEXIST;
  if (!S_ISLNK(lookup->node.mode) || (opening->flags & O_NOFOLLOW))
    return open_existing(call, opening, &lookup->node);
  if (opening->walk & DZ_WALK_NO_SYMLINKS)
    return -ELOOP;
  ops = lookup->node.mount->ops;
  if (ops->follow) {
    struct dz_node target DZ_NODE = DZ_NODE_NONE;

    err = ops->follow(&call->view, &lookup->node, &target);
    if (err <= 0)
      return err ? err : open_existing(call, opening, &target);
  }
  length = ops->readlink(&call->view, &lookup->node, link, PATH_MAX);
  return length < 0 ? length : 0;
}

static int64_t open_creating(struct dz_call *call, const struct opening *opening) {
  struct dz_at at = {
      .dirfd = opening->dirfd, .path = opening->path, .walk = opening->walk | DZ_WALK_PARENT};
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  char link[PATH_MAX];
  int err = dz_arg_walk(call, &at, &lookup, NULL);

  for (int links = 0; !err; links++) {
    struct dz_lookup next = DZ_LOOKUP_NONE;
    int64_t result;

    link[0] = '\0';
    result = open_last(call, opening, &lookup, link);
    if (result || !link[0])
      return result;
    if (links == LINKS_MAX)
      return -ELOOP;
    err = dz_walk(&call->view, &lookup.parent, link, at.walk, &next);
    dz_lookup_drop(&lookup);
    lookup = next;
  }
  return err;
}

static int64_t do_open(struct dz_call *call, struct opening *opening) {
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct dz_at at = {.dirfd = opening->dirfd, .path = opening->path, .walk = opening->walk};
  int err = check_flags(opening);

  if (err)
    return err;
  if (opening->flags & O_CREAT)
    return open_creating(call, opening);
  if (!(opening->flags & O_NOFOLLOW))
    at.walk |= DZ_WALK_FOLLOW;
  err = dz_arg_walk(call, &at, &lookup, NULL);
  if (err)
    return err;
  if (opening->flags & O_PATH)
    return open_path_only(call, opening, &lookup.node);
  if (!lookup.node.mount)
    return -ENXIO;
  return open_existing(call, opening, &lookup.node);
}

int64_t dz_sys_open(struct dz_call *call) {
  struct opening opening = {.dirfd = AT_FDCWD,
                            .path = call->arguments[0],
                            .flags = dz_arg_int(call, 1) & VALID_FLAGS,
                            .mode = dz_arg_uint(call, 2) & 07777};

  return do_open(call, &opening);
}

int64_t dz_sys_openat(struct dz_call *call) {
  struct opening opening = {.dirfd = dz_arg_int(call, 0),
                            .path = call->arguments[1],
                            .flags = dz_arg_int(call, 2) & VALID_FLAGS,
                            .mode = dz_arg_uint(call, 3) & 07777};

  return do_open(call, &opening);
}

int64_t dz_sys_creat(struct dz_call *call) {
  struct opening opening = {.dirfd = AT_FDCWD,
                            .path = call->arguments[0],
                            .flags = O_CREAT | O_WRONLY | O_TRUNC,
                            .mode = dz_arg_uint(call, 1) & 07777};

  return do_open(call, &opening);
}

/* copy_struct_from_user(): a longer structure is fine if what we do not know is zero. */
static int read_how(struct dz_call *call, struct open_how *how) {
  uint64_t size = call->arguments[3];
  unsigned char rest[4096];

  memset(how, 0, sizeof *how);
  if (size < sizeof *how)
    return -EINVAL;
  if (size > sizeof rest)
    return -E2BIG;
  if (dz_arg_read(call, call->arguments[2], rest, size))
    return -EFAULT;
  memcpy(how, rest, sizeof *how);
  for (size_t i = sizeof *how; i < size; i++)
    if (rest[i])
      return -E2BIG;
  return 0;
}

static unsigned walk_of_resolve(uint64_t resolve) {
  static const struct {
    uint64_t resolve;
    unsigned walk;
  } table[] = {
      {RESOLVE_NO_XDEV, DZ_WALK_NO_XDEV},
      {RESOLVE_NO_MAGICLINKS, DZ_WALK_NO_MAGICLINKS},
      {RESOLVE_NO_SYMLINKS, DZ_WALK_NO_SYMLINKS | DZ_WALK_NO_MAGICLINKS},
      {RESOLVE_BENEATH, DZ_WALK_BENEATH},
      {RESOLVE_IN_ROOT, DZ_WALK_IN_ROOT},
  };
  unsigned walk = 0;

  for (size_t i = 0; i < DZ_ARRAY_SIZE(table); i++)
    if (resolve & table[i].resolve)
      walk |= table[i].walk;
  return walk;
}

int64_t dz_sys_openat2(struct dz_call *call) {
  struct open_how how;
  struct opening opening;
  int err = read_how(call, &how);

  if (err)
    return err;
  if ((how.flags & ~(uint64_t)VALID_FLAGS) || (how.resolve & ~(uint64_t)VALID_RESOLVE) ||
      (how.mode & ~(uint64_t)07777))
    return -EINVAL;
  if ((how.resolve & RESOLVE_BENEATH) && (how.resolve & RESOLVE_IN_ROOT))
    return -EINVAL;
  if (how.mode && !(how.flags & (O_CREAT | TMPFILE_BIT)))
    return -EINVAL;
  if ((how.flags & O_PATH) && (how.flags & ~(uint64_t)PATH_FLAGS))
    return -EINVAL;
  if (how.resolve & RESOLVE_CACHED) /* nothing is ever known to be cached: fs/open.c, EAGAIN */
    return -EAGAIN;
  opening = (struct opening){.dirfd = dz_arg_int(call, 0),
                             .path = call->arguments[1],
                             .flags = (int)how.flags,
                             .mode = (mode_t)how.mode,
                             .walk = walk_of_resolve(how.resolve)};
  return do_open(call, &opening);
}
