/*
 * hostfs: a host directory (or file) as the guest's. Objects are O_PATH
 * descriptors; what the guest opens is the host's own open file.
 *
 * Device nodes of a host directory are never opened (as under mount -o nodev):
 * devices are devfs's.
 */
#include "vfs/internal.h"

#include "host/calls.h"
#include "host/defence.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* The host's /proc, met within a volume, would be opened with the supervisor's rights: memory of
 * other processes, its own too. Walks stop there, unless a mount of the guest's covers it. */
static bool is_host_proc(int fd) {
  struct statfs fs;

  return dz_defence("host_proc") && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int dz_hostfs_node(struct dz_mount *mount, int fd, struct dz_node *node) {
  struct stat st;

  if (fd < 0)
    return fd;
  if (fstat(fd, &st)) {
    int err = -errno;

    close(fd);
    return err;
  }
  *node = (struct dz_node){
      .mount = mount, .fd = fd, .mode = st.st_mode, .dev = st.st_dev, .ino = st.st_ino};
  node->key[DZ_HOSTFS_FORBIDDEN] = mount && st.st_dev != mount->root.dev && is_host_proc(fd);
  return 0;
}

static int hostfs_lookup(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                         const char *name, struct dz_node *child) {
  return dz_hostfs_node(directory->mount, dz_open_child(directory->fd, name, O_PATH, 0), child);
}

/* Walk up from a held directory until the mount's root is met: whatever was renamed where, the
 * guest gets no directory that is not beneath it. 0, or -ENOENT as path_connected() of
 * fs/namei.c gives for a directory that was moved out of a bind mount. */
static int prove_beneath(const struct dz_node *root, const struct dz_node *directory) {
  int at DZ_FD = -1;
  dev_t dev = directory->dev;
  ino_t ino = directory->ino;

  while (dz_defence("beneath") && (dev != root->dev || ino != root->ino)) {
    int from = at >= 0 ? at : directory->fd;
    int up DZ_FD = (int)dz_result(openat(from, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat st;

    if (up < 0)
      return up;
    if (fstat(up, &st))
      return -errno;
    if (st.st_dev == dev && st.st_ino == ino)
      return -ENOENT;
    dev = st.st_dev;
    ino = st.st_ino;
    dz_close_scope(&at);
    at = dz_steal_fd(&up);
  }
  return 0;
}

int dz_hostfs_parent(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                     struct dz_node *parent) {
  struct dz_node up DZ_NODE = DZ_NODE_NONE;
  int fd = (int)dz_result(openat(directory->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  int err = dz_hostfs_node(directory->mount, fd, &up);

  if (!err)
    err = prove_beneath(&directory->mount->root, &up);
  if (!err)
    *parent = dz_node_take(&up);
  return err;
}

static ssize_t hostfs_readlink(const struct dz_view *view DZ_UNUSED, const struct dz_node *link,
                               char *text, size_t size) {
  ssize_t length = readlinkat(link->fd, "", text, size - 1);

  if (length < 0)
    return errno == ENOENT ? -EINVAL : -errno; /* an O_PATH descriptor of no symlink */
  text[length] = '\0';
  return length;
}

static int hostfs_stat(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                       struct stat *out) {
  return (int)dz_result(fstat(node->fd, out));
}

static int hostfs_statx(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                        unsigned flags, unsigned mask, struct statx *out) {
  return (int)dz_result(
      syscall(SYS_statx, node->fd, "", AT_EMPTY_PATH | (flags & AT_STATX_SYNC_TYPE), mask, out));
}

static int hostfs_access(const struct dz_view *view DZ_UNUSED, const struct dz_node *node, int mode,
                         int flags) {
  return (int)dz_result(
      syscall(SYS_faccessat2, node->fd, "", mode, AT_EMPTY_PATH | (flags & AT_EACCESS)));
}

/* Opening may sleep: a FIFO waits for its other end, a file for a lease to be given up. */
static int open_object(const struct dz_view *view, const struct dz_node *node, int flags) {
  int fd;

  if (view->may_block || !S_ISREG(node->mode) || !dz_defence("workers"))
    return dz_reopen(node->fd, flags);
  fd = dz_reopen(node->fd, flags | O_NONBLOCK);
  if (fd == -EWOULDBLOCK)
    return -DZ_EBLOCK;
  if (fd >= 0 && !(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
    int err = -errno;

    close(fd);
    return err;
  }
  return fd;
}

static int hostfs_open(const struct dz_view *view, const struct dz_node *node,
                       const struct dz_open_how *how) {
  int flags = how->flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW);

  if (S_ISLNK(node->mode))
    return -ELOOP;
  if (S_ISSOCK(node->mode))
    return -ENXIO;
  if ((S_ISCHR(node->mode) || S_ISBLK(node->mode)) && dz_defence("devices"))
    return -EACCES;
  if (S_ISFIFO(node->mode) && !(flags & O_NONBLOCK) && !view->may_block && dz_defence("workers"))
    return -DZ_EBLOCK;
  return open_object(view, node, flags | O_NOCTTY);
}

/* Without O_NOFOLLOW, which F_GETFL would show. */
static int create_child(int directory, const char *name, int flags, mode_t mode) {
  return dz_openat2(directory, name, (uint64_t)(unsigned)flags, mode,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int hostfs_create(const struct dz_view *view, const struct dz_node *directory,
                         const char *name, const struct dz_open_how *how) {
  int flags = how->flags | O_NOCTTY;
  int fd;

  if ((flags & O_TMPFILE) == O_TMPFILE) {
    char self[DZ_SELF_FD_MAX];

    return (int)dz_result(open(dz_self_fd_path(directory->fd, self), flags | O_CLOEXEC, how->mode));
  }
  if (flags & O_EXCL)
    return create_child(directory->fd, name, flags, how->mode);
  /* The caller found no such file. O_EXCL makes sure that no device or FIFO that
   * came meanwhile is opened; then the walk is done again. */
  fd = create_child(directory->fd, name, flags | O_EXCL, how->mode);
  if (fd != -EEXIST)
    return fd;
  {
    struct dz_node node DZ_NODE = DZ_NODE_NONE;
    int err = hostfs_lookup(view, directory, name, &node);

    if (err)
      return err;
    return S_ISDIR(node.mode) ? -EISDIR : hostfs_open(view, &node, how);
  }
}

static int hostfs_mkdir(const struct dz_node *directory, const char *name, mode_t mode) {
  return (int)dz_result(mkdirat(directory->fd, name, mode));
}

static int hostfs_mknod(const struct dz_node *directory, const char *name, mode_t mode,
                        dev_t device) {
  return (int)dz_result(mknodat(directory->fd, name, mode, device));
}

static int hostfs_symlink(const struct dz_node *directory, const char *name, const char *text) {
  return (int)dz_result(symlinkat(text, directory->fd, name));
}

/* linkat with AT_EMPTY_PATH needs a capability before Linux 6.10; the way by /proc does not. */
static int hostfs_link(const struct dz_node *node, const struct dz_node *directory,
                       const char *name) {
  char self[DZ_SELF_FD_MAX];

  if (linkat(node->fd, "", directory->fd, name, AT_EMPTY_PATH) == 0)
    return 0;
  if (errno != ENOENT || S_ISLNK(node->mode))
    return -errno;
  return (int)dz_result(
      linkat(AT_FDCWD, dz_self_fd_path(node->fd, self), directory->fd, name, AT_SYMLINK_FOLLOW));
}

static int hostfs_unlink(const struct dz_node *directory, const char *name, int flags) {
  return (int)dz_result(unlinkat(directory->fd, name, flags));
}

static int hostfs_rename(const struct dz_node *from, const char *from_name,
                         const struct dz_node *to, const char *to_name, unsigned flags) {
  return (int)dz_result(syscall(SYS_renameat2, from->fd, from_name, to->fd, to_name, flags));
}

static int hostfs_chmod(const struct dz_node *node, mode_t mode) {
  char self[DZ_SELF_FD_MAX];

  return (int)dz_result(chmod(dz_self_fd_path(node->fd, self), mode));
}

static int hostfs_chown(const struct dz_node *node, uid_t uid, gid_t gid) {
  return (int)dz_result(fchownat(node->fd, "", uid, gid, AT_EMPTY_PATH));
}

static int hostfs_utimens(const struct dz_node *node, const struct timespec times[2]) {
  return (int)dz_result(syscall(SYS_utimensat, node->fd, "", times, AT_EMPTY_PATH));
}

static int hostfs_truncate(const struct dz_node *node, off_t length) {
  char self[DZ_SELF_FD_MAX];

  if (S_ISDIR(node->mode))
    return -EISDIR;
  if (!S_ISREG(node->mode))
    return -EINVAL;
  return (int)dz_result(truncate(dz_self_fd_path(node->fd, self), length));
}

static int hostfs_statfs(const struct dz_node *node, struct statfs *out) {
  return (int)dz_result(fstatfs(node->fd, out));
}

/* Both paths come from the kernel at this moment; the host's part is cut off, not trusted. */
static ssize_t hostfs_path(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                           char *text, size_t size) {
  char self[DZ_SELF_FD_MAX], root[PATH_MAX], whole[PATH_MAX];
  ssize_t root_length, length;

  root_length = readlink(dz_self_fd_path(node->mount->root.fd, self), root, sizeof root - 1);
  length = readlink(dz_self_fd_path(node->fd, self), whole, sizeof whole - 1);
  if (root_length < 0 || length < 0)
    return -errno;
  root[root_length] = whole[length] = '\0';
  if (root_length == 1)
    root_length = 0; /* "/" */
  if (length < root_length || memcmp(whole, root, (size_t)root_length) != 0 ||
      (whole[root_length] && whole[root_length] != '/'))
    return -EXDEV;
  length -= root_length;
  if (length == 1)
    length = 0;
  if ((size_t)length >= size)
    return -ENAMETOOLONG;
  memcpy(text, whole + root_length, (size_t)length);
  text[length] = '\0';
  return length;
}

const struct dz_fs_ops dz_hostfs = {
    .type = "hostfs",
    .lookup = hostfs_lookup,
    .parent = dz_hostfs_parent,
    .readlink = hostfs_readlink,
    .stat = hostfs_stat,
    .statx = hostfs_statx,
    .access = hostfs_access,
    .open = hostfs_open,
    .create = hostfs_create,
    .mkdir = hostfs_mkdir,
    .mknod = hostfs_mknod,
    .symlink = hostfs_symlink,
    .link = hostfs_link,
    .unlink = hostfs_unlink,
    .rename = hostfs_rename,
    .chmod = hostfs_chmod,
    .chown = hostfs_chown,
    .utimens = hostfs_utimens,
    .truncate = hostfs_truncate,
    .statfs = hostfs_statfs,
    .path = hostfs_path,
};
