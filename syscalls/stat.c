/* What an object is: stat(2) and its kin, statx(2), access(2), readlink(2), statfs(2). */
#include "syscalls/call.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

static int64_t return_stat(struct dz_call *call, const struct dz_node *node, uint64_t address) {
  struct stat st;
  int err = dz_node_ops(node)->stat(&call->view, node, &st);

  if (err)
    return err;
  if (dz_node_ops(node) == &dz_hostfs) { /* made-up filesystems know the guest's owners */
    st.st_uid = dz_proc_show_uid(&call->silo->proc, st.st_uid);
    st.st_gid = dz_proc_show_gid(&call->silo->proc, st.st_gid);
  }
  return dz_arg_write(call, address, &st, sizeof st);
}

static int64_t stat_at(struct dz_call *call, int dirfd, uint64_t path, int flags,
                       uint64_t address) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = dz_arg_object(call, dirfd, path, flags, STAT_FLAGS, &node);

  return err ? err : return_stat(call, &node, address);
}

int64_t dz_sys_stat(struct dz_call *call) {
  return stat_at(call, AT_FDCWD, call->arguments[0], 0, call->arguments[1]);
}

int64_t dz_sys_lstat(struct dz_call *call) {
  return stat_at(call, AT_FDCWD, call->arguments[0], AT_SYMLINK_NOFOLLOW, call->arguments[1]);
}

int64_t dz_sys_fstat(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int fd = dz_arg_int(call, 0);
  int err = fd < 0 ? -EBADF : dz_arg_fd_node(call, fd, &node);

  if (!err && !call->ops->valid(call))
    err = -ESRCH;
  return err ? err : return_stat(call, &node, call->arguments[1]);
}

int64_t dz_sys_newfstatat(struct dz_call *call) {
  int flags = dz_arg_int(call, 3);

  if ((flags & AT_EMPTY_PATH) && call->arguments[1] == 0) { /* NULL is "" since Linux 6.11 */
    if (dz_arg_int(call, 0) == AT_FDCWD)
      return return_stat(call, call->view.cwd, call->arguments[2]);
    call->arguments[1] = call->arguments[2];
    return dz_sys_fstat(call);
  }
  return stat_at(call, dz_arg_int(call, 0), call->arguments[1], flags, call->arguments[2]);
}

static struct statx_timestamp stamp(const struct timespec *time) {
  return (struct statx_timestamp){.tv_sec = time->tv_sec, .tv_nsec = (uint32_t)time->tv_nsec};
}

static int statx_from_stat(const struct dz_view *view, const struct dz_node *node,
                           struct statx *out) {
  struct stat st;
  int err = dz_node_ops(node)->stat(view, node, &st);

  if (err)
    return err;
  *out = (struct statx){.stx_mask = STATX_BASIC_STATS,
                        .stx_blksize = (uint32_t)st.st_blksize,
                        .stx_nlink = (uint32_t)st.st_nlink,
                        .stx_uid = st.st_uid,
                        .stx_gid = st.st_gid,
                        .stx_mode = (uint16_t)st.st_mode,
                        .stx_ino = st.st_ino,
                        .stx_size = (uint64_t)st.st_size,
                        .stx_blocks = (uint64_t)st.st_blocks,
                        .stx_atime = stamp(&st.st_atim),
                        .stx_mtime = stamp(&st.st_mtim),
                        .stx_ctime = stamp(&st.st_ctim),
                        .stx_rdev_major = major(st.st_rdev),
                        .stx_rdev_minor = minor(st.st_rdev),
                        .stx_dev_major = major(st.st_dev),
                        .stx_dev_minor = minor(st.st_dev)};
  return 0;
}

/* The mount is the guest's, not the host's. */
static void show_mount(const struct dz_node *node, unsigned mask, struct statx *out) {
  if (!node->mount)
    return;
  out->stx_attributes_mask |= STATX_ATTR_MOUNT_ROOT;
  out->stx_attributes &= ~(uint64_t)STATX_ATTR_MOUNT_ROOT;
  if (dz_node_same(node, &node->mount->root))
    out->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
  if (mask & STATX_MNT_ID) {
    out->stx_mask |= STATX_MNT_ID;
    out->stx_mnt_id = (uint64_t)node->mount->id;
  }
}

int64_t dz_sys_statx(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  unsigned flags = dz_arg_uint(call, 2), mask = dz_arg_uint(call, 3);
  struct statx out = {0};
  int err;

  if ((mask & STATX__RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
    return -EINVAL;
  if ((flags & AT_EMPTY_PATH) && call->arguments[1] == 0)
    err = dz_arg_fd_node(call, dz_arg_int(call, 0), &node);
  else
    err = dz_arg_object(call, dz_arg_int(call, 0), call->arguments[1], (int)flags,
                        STAT_FLAGS | AT_STATX_SYNC_TYPE, &node);
  if (err)
    return err;
  if (dz_node_ops(&node)->statx)
    err = dz_node_ops(&node)->statx(&call->view, &node, flags, mask, &out);
  else
    err = statx_from_stat(&call->view, &node, &out);
  if (err)
    return err;
  show_mount(&node, mask, &out);
  if (dz_node_ops(&node) == &dz_hostfs) {
    out.stx_uid = dz_proc_show_uid(&call->silo->proc, out.stx_uid);
    out.stx_gid = dz_proc_show_gid(&call->silo->proc, out.stx_gid);
  }
  return dz_arg_write(call, call->arguments[4], &out, sizeof out);
}

static int64_t access_at(struct dz_call *call, int dirfd, uint64_t path, int mode, int flags) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err;

  if (mode & ~(R_OK | W_OK | X_OK))
    return -EINVAL;
  err = dz_arg_object(call, dirfd, path, flags, AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
                      &node);
  if (err)
    return err;
  if ((mode & W_OK) && node.mount && node.mount->read_only &&
      (S_ISREG(node.mode) || S_ISDIR(node.mode) || S_ISLNK(node.mode)))
    return -EROFS; /* sb_permission() of fs/namei.c */
  if (!dz_node_ops(&node)->access)
    return -EACCES;
  return dz_node_ops(&node)->access(&call->view, &node, mode, flags);
}

int64_t dz_sys_access(struct dz_call *call) {
  return access_at(call, AT_FDCWD, call->arguments[0], dz_arg_int(call, 1), 0);
}

int64_t dz_sys_faccessat(struct dz_call *call) {
  return access_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2), 0);
}

int64_t dz_sys_faccessat2(struct dz_call *call) {
  return access_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2),
                   dz_arg_int(call, 3));
}

static int64_t readlink_at(struct dz_call *call, int dirfd, uint64_t path, uint64_t buffer,
                           int size) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  char text[PATH_MAX];
  ssize_t length;
  int err;

  if (size <= 0)
    return -EINVAL;
  /* An empty path reads the link that an O_PATH descriptor refers to, without a flag. */
  err = dz_arg_object(call, dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
                      AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &node);
  if (err)
    return err;
  if (!S_ISLNK(node.mode)) {
    char first;

    return dz_arg_read(call, path, &first, 1) || first ? -EINVAL : -ENOENT;
  }
  length = dz_node_ops(&node)->readlink(&call->view, &node, text, sizeof text);
  if (length < 0)
    return length;
  if (length > size)
    length = size;
  err = dz_arg_write(call, buffer, text, (size_t)length);
  return err ? err : length;
}

int64_t dz_sys_readlink(struct dz_call *call) {
  return readlink_at(call, AT_FDCWD, call->arguments[0], call->arguments[1], dz_arg_int(call, 2));
}

int64_t dz_sys_readlinkat(struct dz_call *call) {
  return readlink_at(call, dz_arg_int(call, 0), call->arguments[1], call->arguments[2],
                     dz_arg_int(call, 3));
}

int64_t dz_sys_statfs(struct dz_call *call) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct statfs out = {0};
  int err = dz_arg_object(call, AT_FDCWD, call->arguments[0], 0, 0, &node);

  if (err)
    return err;
  if (!dz_node_ops(&node)->statfs)
    return -ENOSYS;
  err = dz_node_ops(&node)->statfs(&node, &out);
  if (err)
    return err;
  if (node.mount && node.mount->read_only)
    out.f_flags |= 1 /* ST_RDONLY */;
  return dz_arg_write(call, call->arguments[1], &out, sizeof out);
}
