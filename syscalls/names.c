/* Names in directories: mkdir, mknod, symlink, link, unlink, rename. Order of checks and errnos
 * as in fs/namei.c. */
#include "host/defence.h"
#include "syscalls/call.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The parent of a name that is to be made (filename_create()). */
static int find_new(struct dz_call *call, int dirfd, uint64_t path, bool directory,
                    struct dz_lookup *lookup) {
  struct dz_at at = {.dirfd = dirfd, .path = path, .walk = DZ_WALK_PARENT};
  int err = dz_arg_walk(call, &at, lookup, NULL);

  if (err)
    return err;
  if (lookup->last != DZ_LAST_NAME)
    return -EEXIST;
  err = dz_walk_last(&call->view, lookup);
  if (err == 0)
    return -EEXIST;
  if (err != -ENOENT)
    return err;
  if (lookup->trailing_slash && !directory)
    return -ENOENT;
  return lookup->parent.mount->read_only ? -EROFS : 0;
}

static int64_t mkdir_at(struct dz_call *call, int dirfd, uint64_t path, mode_t mode) {
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  int err = find_new(call, dirfd, path, true, &at);

  if (err)
    return err;
  if (!at.parent.mount->ops->mkdir)
    return -EPERM;
  return at.parent.mount->ops->mkdir(&at.parent, at.name, mode & 01777 & ~call->state->umask);
}

int64_t dz_sys_mkdir(struct dz_call *call) {
  return mkdir_at(call, AT_FDCWD, call->arguments[0], dz_arg_uint(call, 1));
}

int64_t dz_sys_mkdirat(struct dz_call *call) {
  return mkdir_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_uint(call, 2));
}

static int64_t mknod_at(struct dz_call *call, int dirfd, uint64_t path, mode_t mode, dev_t device) {
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  mode_t type = mode & S_IFMT;
  int err;

  if (type == S_IFDIR)
    return -EPERM;
  if (type != 0 && type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
      type != S_IFSOCK)
    return -EINVAL;
  err = find_new(call, dirfd, path, false, &at);
  if (err)
    return err;
  /* Devices of a host directory would be the host's own. The one exception is the whiteout,
   * which anybody may make (vfs_mknod()). */
  if ((type == S_IFCHR || type == S_IFBLK) && !(type == S_IFCHR && device == 0))
    return -EPERM;
  if (!at.parent.mount->ops->mknod)
    return -EPERM;
  return at.parent.mount->ops->mknod(&at.parent, at.name, (mode & ~(call->state->umask & 0777)),
                                     device);
}

/* The kernel's new_decode_dev(): 12 bits of major, 20 of minor. */
static dev_t decode_device(unsigned device) {
  return makedev((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
}

int64_t dz_sys_mknod(struct dz_call *call) {
  return mknod_at(call, AT_FDCWD, call->arguments[0], dz_arg_uint(call, 1) & 0xffff,
                  decode_device(dz_arg_uint(call, 2)));
}

int64_t dz_sys_mknodat(struct dz_call *call) {
  return mknod_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_uint(call, 2) & 0xffff,
                  decode_device(dz_arg_uint(call, 3)));
}

static int64_t symlink_at(struct dz_call *call, uint64_t target, int dirfd, uint64_t path) {
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  char text[PATH_MAX];
  ssize_t length = dz_arg_string(call, target, text);
  int err;

  if (length < 0)
    return length;
  if (length == 0)
    return -ENOENT;
  err = find_new(call, dirfd, path, false, &at);
  if (err)
    return err;
  if (!at.parent.mount->ops->symlink)
    return -EPERM;
  return at.parent.mount->ops->symlink(&at.parent, at.name, text);
}

int64_t dz_sys_symlink(struct dz_call *call) {
  return symlink_at(call, call->arguments[0], AT_FDCWD, call->arguments[1]);
}

int64_t dz_sys_symlinkat(struct dz_call *call) {
  return symlink_at(call, call->arguments[0], dz_arg_int(call, 1), call->arguments[2]);
}

static int64_t link_at(struct dz_call *call, int old_dirfd, uint64_t old_path, int new_dirfd,
                       uint64_t new_path, int flags) {
  struct dz_node old DZ_NODE = DZ_NODE_NONE;
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  int err;

  if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
    return -EINVAL;
  err = dz_arg_object(call, old_dirfd, old_path,
                      (flags & AT_EMPTY_PATH) |
                          ((flags & AT_SYMLINK_FOLLOW) ? 0 : AT_SYMLINK_NOFOLLOW),
                      AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, &old);
  if (err)
    return err;
  err = find_new(call, new_dirfd, new_path, false, &at);
  if (err)
    return err;
  dz_vfs_locate(&call->view, &old);
  if (old.mount != at.parent.mount && dz_defence("mounts"))
    return -EXDEV;
  if (S_ISDIR(old.mode) || !old.mount->ops->link)
    return -EPERM;
  return old.mount->ops->link(&old, &at.parent, at.name);
}

int64_t dz_sys_link(struct dz_call *call) {
  return link_at(call, AT_FDCWD, call->arguments[0], AT_FDCWD, call->arguments[1], 0);
}

int64_t dz_sys_linkat(struct dz_call *call) {
  return link_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2),
                 call->arguments[3], dz_arg_int(call, 4));
}

static int64_t unlink_at(struct dz_call *call, int dirfd, uint64_t path) {
  struct dz_at where = {.dirfd = dirfd, .path = path, .walk = DZ_WALK_PARENT};
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  int err = dz_arg_walk(call, &where, &at, NULL);

  if (err)
    return err;
  if (at.last != DZ_LAST_NAME)
    return -EISDIR;
  err = dz_walk_last(&call->view, &at);
  if (err)
    return err;
  if (at.trailing_slash)
    return S_ISDIR(at.node.mode) ? -EISDIR : -ENOTDIR;
  if (at.parent.mount->read_only)
    return -EROFS;
  if (dz_vfs_is_mountpoint(call->silo->vfs, &at.node))
    return S_ISDIR(at.node.mode) ? -EISDIR : -EBUSY;
  if (!at.parent.mount->ops->unlink)
    return -EPERM;
  return at.parent.mount->ops->unlink(&at.parent, at.name, 0);
}

static int64_t rmdir_at(struct dz_call *call, int dirfd, uint64_t path) {
  struct dz_at where = {.dirfd = dirfd, .path = path, .walk = DZ_WALK_PARENT};
  struct dz_lookup at DZ_LOOKUP = DZ_LOOKUP_NONE;
  int err = dz_arg_walk(call, &where, &at, NULL);

  if (err)
    return err;
  if (at.last == DZ_LAST_DOTDOT)
    return -ENOTEMPTY;
  if (at.last == DZ_LAST_DOT)
    return -EINVAL;
  if (at.last == DZ_LAST_ROOT)
    return -EBUSY;
  err = dz_walk_last(&call->view, &at);
  if (err)
    return err;
  if (at.parent.mount->read_only)
    return -EROFS;
  if (dz_vfs_is_mountpoint(call->silo->vfs, &at.node))
    return -EBUSY;
  if (!at.parent.mount->ops->unlink)
    return -EPERM;
  return at.parent.mount->ops->unlink(&at.parent, at.name, AT_REMOVEDIR);
}

int64_t dz_sys_unlink(struct dz_call *call) {
  return unlink_at(call, AT_FDCWD, call->arguments[0]);
}

int64_t dz_sys_rmdir(struct dz_call *call) {
  return rmdir_at(call, AT_FDCWD, call->arguments[0]);
}

int64_t dz_sys_unlinkat(struct dz_call *call) {
  int flags = dz_arg_int(call, 2);

  if (flags & ~AT_REMOVEDIR)
    return -EINVAL;
  return (flags & AT_REMOVEDIR) ? rmdir_at(call, dz_arg_int(call, 0), call->arguments[1])
                                : unlink_at(call, dz_arg_int(call, 0), call->arguments[1]);
}

/* What the host cannot know: mount points on either name. The rest are its own checks. */
static int rename_checks(struct dz_call *call, struct dz_lookup *from, struct dz_lookup *to,
                         unsigned flags) {
  int err = dz_walk_last(&call->view, from);

  if (err)
    return err;
  err = dz_walk_last(&call->view, to);
  if (err && (err != -ENOENT || (flags & RENAME_EXCHANGE)))
    return err;
  if (!err && (flags & RENAME_NOREPLACE))
    return -EEXIST;
  if ((flags & RENAME_EXCHANGE) && to->trailing_slash && !S_ISDIR(to->node.mode))
    return -ENOTDIR;
  if (!S_ISDIR(from->node.mode)) {
    if (from->trailing_slash || (to->trailing_slash && !(flags & RENAME_EXCHANGE)))
      return -ENOTDIR;
  }
  if (err == 0 && dz_vfs_is_mountpoint(call->silo->vfs, &to->node))
    return -EBUSY;
  if (dz_vfs_is_mountpoint(call->silo->vfs, &from->node))
    return -EBUSY;
  return 0;
}

static int64_t rename_at(struct dz_call *call, int old_dirfd, uint64_t old_path, int new_dirfd,
                         uint64_t new_path, unsigned flags) {
  struct dz_at old = {.dirfd = old_dirfd, .path = old_path, .walk = DZ_WALK_PARENT};
  struct dz_at new = {.dirfd = new_dirfd, .path = new_path, .walk = DZ_WALK_PARENT};
  struct dz_lookup from DZ_LOOKUP = DZ_LOOKUP_NONE, to DZ_LOOKUP = DZ_LOOKUP_NONE;
  int64_t result;
  int err;

  if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
    return -EINVAL;
  if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE))
    return -EINVAL;
  err = dz_arg_walk(call, &old, &from, NULL);
  if (!err)
    err = dz_arg_walk(call, &new, &to, NULL);
  if (err)
    return err;
  if (from.parent.mount != to.parent.mount)
    return -EXDEV;
  if (from.last != DZ_LAST_NAME)
    return -EBUSY;
  if (to.last != DZ_LAST_NAME)
    return (flags & RENAME_NOREPLACE) ? -EEXIST : -EBUSY;
  if (from.parent.mount->read_only)
    return -EROFS;
  if (!from.parent.mount->ops->rename)
    return -EPERM;
  err = rename_checks(call, &from, &to, flags);
  if (err)
    return err;
  result = from.parent.mount->ops->rename(&from.parent, from.name, &to.parent, to.name, flags);
  if (result == 0 && S_ISDIR(from.node.mode))
    dz_vfs_moved(call->silo->vfs, &from.node);
  if (result == 0 && (flags & RENAME_EXCHANGE))
    dz_vfs_moved(call->silo->vfs, &to.node);
  return result;
}

int64_t dz_sys_rename(struct dz_call *call) {
  return rename_at(call, AT_FDCWD, call->arguments[0], AT_FDCWD, call->arguments[1], 0);
}

int64_t dz_sys_renameat(struct dz_call *call) {
  return rename_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2),
                   call->arguments[3], 0);
}

int64_t dz_sys_renameat2(struct dz_call *call) {
  return rename_at(call, dz_arg_int(call, 0), call->arguments[1], dz_arg_int(call, 2),
                   call->arguments[3], dz_arg_uint(call, 4));
}
