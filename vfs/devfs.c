#include "vfs/devfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#define DEVFS_DEV makedev(0, 0xfff02) /* as PROCFS_DEV of procfs.c */

/* Inode numbers: an item's own, and those of pseudo-terminals above all of them. */
#define FIRST_PTS 0x10000

static bool is_pts(const struct dz_node *node) {
  return node->ino >= FIRST_PTS;
}
static unsigned number_of(const struct dz_node *node) {
  return (unsigned)(node->ino - FIRST_PTS);
}

struct dz_node dz_devfs_node(struct dz_mount *mount, ino_t ino, mode_t mode) {
  return (struct dz_node){
      .mount = mount, .fd = -1, .mode = mode, .dev = DEVFS_DEV, .ino = ino, .key = {ino, 0}};
}

static const struct dz_made_row *row_of(const struct dz_devfs *fs, const struct dz_node *node) {
  return fs->tree.items[node->ino - 1].row;
}

unsigned dz_devfs_pts_item(const struct dz_devfs *fs) {
  return dz_made_tree_find(&fs->tree, 1, "pts");
}

static int pts_number(const char *name) {
  size_t digits = strspn(name, "0123456789");

  return digits && !name[digits] && digits < 8 && (digits == 1 || name[0] != '0') ? atoi(name) : -1;
}

/* ---- operations ---- */

static int pts_lookup(struct dz_devfs *fs, const struct dz_node *directory, int number,
                      struct dz_node *child) {
  struct dz_devfs_pty pty = {.slave = -1};
  int err = dz_devfs_pts(fs, (unsigned)number, &pty);
  int slave DZ_FD = pty.slave;
  struct stat st;

  if (!err && fstat(slave, &st))
    err = -errno;
  if (!err)
    *child = dz_devfs_node(directory->mount, FIRST_PTS + (ino_t)number, st.st_mode);
  return err;
}

/* A device that this host does not have is not there. */
static bool is_there(const struct dz_devfs *fs, unsigned item) {
  const struct dz_made_row *row = fs->tree.items[item - 1].row;

  return !row || (row->tag != DZ_DEVFS_HOST && row->tag != DZ_DEVFS_PTMX) || fs->devices[item] >= 0;
}

static int devfs_lookup(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                        const char *name, struct dz_node *child) {
  struct dz_devfs *fs = directory->mount->fs;
  unsigned item = (unsigned)directory->ino;
  int number = item == dz_devfs_pts_item(fs) ? pts_number(name) : -1;

  if (number >= 0)
    return pts_lookup(fs, directory, number, child);
  item = dz_made_tree_find(&fs->tree, item, name);
  if (!item || !is_there(fs, item))
    return -ENOENT;
  *child = dz_devfs_node(directory->mount, item, dz_made_tree_mode(&fs->tree, item));
  return 0;
}

static int devfs_parent(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                        struct dz_node *parent) {
  const struct dz_devfs *fs = directory->mount->fs;
  unsigned item = fs->tree.items[directory->ino - 1].parent;

  *parent = dz_devfs_node(directory->mount, item, dz_made_tree_mode(&fs->tree, item));
  return 0;
}

static ssize_t devfs_readlink(const struct dz_view *view DZ_UNUSED, const struct dz_node *link,
                              char *text, size_t size) {
  const struct dz_made_row *row = is_pts(link) ? NULL : row_of(link->mount->fs, link);
  size_t length;

  if (!row || !row->link)
    return -EINVAL;
  length = strlen(row->link);
  if (length >= size)
    return -ENAMETOOLONG;
  memcpy(text, row->link, length + 1);
  return (ssize_t)length;
}

static int pts_stat(struct dz_devfs *fs, unsigned number, struct stat *out) {
  struct dz_devfs_pty pty = {.slave = -1};
  int err = dz_devfs_pts(fs, number, &pty);
  int slave DZ_FD = pty.slave;

  if (err || fstat(slave, out))
    return err ? err : -errno;
  out->st_uid = pty.owned ? pty.uid : dz_proc_show_uid(fs->proc, out->st_uid);
  out->st_gid = pty.owned ? pty.gid : dz_proc_show_gid(fs->proc, out->st_gid);
  return 0;
}

/* A device shows with the host's st_dev and st_ino, as fstat of a descriptor of it does: ttyname(3)
 * and others compare the two. */
static int devfs_stat(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                      struct stat *out) {
  struct dz_devfs *fs = node->mount->fs;
  const struct dz_made_row *row;

  if (is_pts(node))
    return pts_stat(fs, number_of(node), out);
  row = row_of(fs, node);
  *out = (struct stat){.st_dev = node->dev,
                       .st_ino = node->ino,
                       .st_nlink = dz_made_tree_links(&fs->tree, (unsigned)node->ino),
                       .st_blksize = 4096,
                       .st_atim = fs->made,
                       .st_mtim = fs->made,
                       .st_ctim = fs->made};
  if (fs->devices[node->ino] >= 0 && fstat(fs->devices[node->ino], out))
    return -errno;
  out->st_mode = node->mode;
  out->st_uid = 0;
  out->st_gid = 0;
  if (row && row->tag == DZ_DEVFS_TTY)
    out->st_rdev = makedev(TTYAUX_MAJOR, 0);
  if (row && row->link)
    out->st_size = (off_t)strlen(row->link);
  return 0;
}

static int devfs_access(const struct dz_view *view, const struct dz_node *node, int mode,
                        int flags) {
  const struct dz_devfs *fs = node->mount->fs;
  struct stat st;
  int err = devfs_stat(view, node, &st);

  return err ? err : dz_made_permission(fs->proc, view, &st, mode, !(flags & AT_EACCESS));
}

static int open_device(const struct dz_view *view, const struct dz_node *node, int flags) {
  struct dz_devfs *fs = node->mount->fs;
  struct dz_devfs_pty pty = {.slave = -1};
  int err;

  if (is_pts(node)) {
    err = dz_devfs_pts(fs, number_of(node), &pty);
    if (!err)
      err = dz_made_reopen(view, pty.slave, flags);
    dz_close_scope(&pty.slave);
    return err;
  }
  switch (row_of(fs, node)->tag) {
  case DZ_DEVFS_TTY:
    return dz_devfs_tty(fs, view, flags);
  case DZ_DEVFS_PTMX:
    return dz_devfs_ptmx(fs, fs->devices[node->ino], flags);
  default:
    return dz_made_reopen(view, fs->devices[node->ino], flags);
  }
}

static int devfs_open(const struct dz_view *view, const struct dz_node *node,
                      const struct dz_open_how *how) {
  static const int wants[] = {
      [O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK, [O_ACCMODE] = R_OK | W_OK};
  int flags = how->flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW | O_DIRECTORY | O_TRUNC);
  int err;

  if (how->flags & O_PATH)
    return dz_vfs_placeholder(view, node);
  err = dz_made_may_open(node->mode, true, how);
  if (!err)
    err = devfs_access(view, node, wants[how->flags & O_ACCMODE], AT_EACCESS);
  if (err)
    return err;
  if (S_ISDIR(node->mode))
    return dz_vfs_placeholder(view, node);
  return open_device(view, node, flags);
}

static int list_pts(struct dz_devfs *fs, uint64_t position, dz_entry_sink *sink, void *context) {
  unsigned *numbers DZ_FREE = NULL;
  size_t count;
  int err = dz_devfs_pts_list(fs, &numbers, &count);

  for (size_t i = 0; !err && i < count; i++) {
    uint64_t ino = FIRST_PTS + (uint64_t)numbers[i];
    char name[16];

    if (ino < position)
      continue;
    snprintf(name, sizeof name, "%u", numbers[i]);
    if (sink(context, &(struct dz_entry){name, ino, DT_CHR, ino + 1}))
      break;
  }
  return err;
}

static int devfs_list(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                      uint64_t position, dz_entry_sink *sink, void *context) {
  struct dz_devfs *fs = directory->mount->fs;
  unsigned at = fs->tree.items[directory->ino - 1].child;

  for (; at; at = fs->tree.items[at - 1].next) {
    const struct dz_made_item *item = &fs->tree.items[at - 1];
    char name[NAME_MAX + 1];

    if (at < position || !is_there(fs, at))
      continue;
    snprintf(name, sizeof name, "%.*s", (int)item->name_length, item->name);
    if (sink(context, &(struct dz_entry){
                          .name = name,
                          .ino = at,
                          .type = (dz_made_tree_mode(&fs->tree, at) & S_IFMT) >> 12,
                          .next = at + 1,
                      }))
      return 0;
  }
  return directory->ino == dz_devfs_pts_item(fs) ? list_pts(fs, position, sink, context) : 0;
}

static int devfs_chmod(const struct dz_node *node, mode_t mode) {
  struct dz_devfs *fs = node->mount->fs;
  struct dz_devfs_pty pty = {.slave = -1};
  char self[DZ_SELF_FD_MAX];
  int err = is_pts(node) ? dz_devfs_pts(fs, number_of(node), &pty) : -EPERM;
  int slave DZ_FD = pty.slave;

  return err ? err : (int)dz_result(chmod(dz_self_fd_path(slave, self), mode & 07777));
}

static int devfs_chown(const struct dz_node *node, uid_t uid, gid_t gid) {
  return is_pts(node) ? dz_devfs_pts_chown(node->mount->fs, number_of(node), uid, gid) : -EPERM;
}

static int devfs_truncate(const struct dz_node *node, off_t length DZ_UNUSED) {
  return S_ISDIR(node->mode) ? -EISDIR : -EINVAL;
}

/* glibc's posix_openpt looks at the type of /dev/pts. */
static int devfs_statfs(const struct dz_node *node, struct statfs *out) {
  bool pts = is_pts(node) || node->ino == dz_devfs_pts_item(node->mount->fs);

  *out = (struct statfs){.f_type = pts ? DEVPTS_SUPER_MAGIC : TMPFS_MAGIC,
                         .f_bsize = getpagesize(),
                         .f_namelen = NAME_MAX,
                         .f_frsize = getpagesize(),
                         .f_flags = 0x20 | 0x2 | 0x8}; /* ST_VALID, ST_NOSUID, ST_NOEXEC */
  return 0;
}

static ssize_t devfs_path(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                          char *text, size_t size) {
  const struct dz_devfs *fs = node->mount->fs;
  int length;

  if (!is_pts(node))
    return dz_made_tree_path(&fs->tree, (unsigned)node->ino, text, size);
  length = snprintf(text, size, "/pts/%u", number_of(node));
  return (size_t)length < size ? length : -ENAMETOOLONG;
}

const struct dz_fs_ops dz_devfs = {
    .type = "devtmpfs",
    .lookup = devfs_lookup,
    .parent = devfs_parent,
    .readlink = devfs_readlink,
    .stat = devfs_stat,
    .access = devfs_access,
    .open = devfs_open,
    .list = devfs_list,
    .chmod = devfs_chmod,
    .chown = devfs_chown,
    .truncate = devfs_truncate,
    .statfs = devfs_statfs,
    .path = devfs_path,
};
