/*
 * The filesystem's operations: what a node is, then its area's function.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

static const struct dz_procfs_area_ops *const areas[DZ_PROCFS_AREAS] = {
    [DZ_PROCFS_TREE] = &dz_procfs_tree_area,     [DZ_PROCFS_PROCESS] = &dz_procfs_process_area,
    [DZ_PROCFS_ROW] = &dz_procfs_row_area,       [DZ_PROCFS_FD] = &dz_procfs_fd_area,
    [DZ_PROCFS_FDINFO] = &dz_procfs_fdinfo_area, [DZ_PROCFS_NS] = &dz_procfs_ns_area,
    [DZ_PROCFS_NET] = &dz_procfs_net_area,
};

/* The area of a directory's entries. The root has those of the tree, and processes. */
static enum dz_procfs_area inside(const struct dz_procfs_ref *directory) {
  switch (directory->area) {
  case DZ_PROCFS_PROCESS:
    return DZ_PROCFS_ROW;
  case DZ_PROCFS_ROW:
    return dz_procfs_rows[directory->item].inside;
  default:
    return DZ_PROCFS_TREE;
  }
}

static bool is_root(const struct dz_procfs_ref *ref) {
  return ref->area == DZ_PROCFS_TREE && ref->item == 1;
}

static struct dz_procfs_place place_of(const struct dz_view *view, const struct dz_node *node) {
  return (struct dz_procfs_place){
      .view = view, .fs = node->mount->fs, .node = node, .ref = dz_procfs_ref(node)};
}

int dz_procfs_snapshot(const struct dz_view *view, const struct dz_node *node,
                       const struct dz_text *text) {
  const char *target = node->mount->target ? node->mount->target : "";
  char path[PATH_MAX], name[240]; /* memfd_create(2): at most 249 bytes */
  ssize_t length = dz_procfs.path(view, node, path, sizeof path);

  if (length < 0)
    return (int)length;
  snprintf(name, sizeof name, "%.100s%.130s", target, path);
  return dz_snapshot(name, node->mode, text);
}

/* ---- operations ---- */

static int procfs_lookup(const struct dz_view *view, const struct dz_node *directory,
                         const char *name, struct dz_node *child) {
  struct dz_procfs_place place = place_of(view, directory);
  struct dz_procfs_ref ref = {.pid = place.ref.pid, .task = place.ref.task, .tgid = place.ref.tgid};
  enum dz_procfs_area area = inside(&place.ref);
  mode_t mode = 0;
  int err;

  if (is_root(&place.ref) && dz_procfs_number(name) > 0)
    area = DZ_PROCFS_PROCESS;
  ref.area = area;
  err = areas[area]->lookup(&place, name, &ref, &mode);
  if (!err)
    *child = dz_procfs_node(directory->mount, &ref, mode);
  return err;
}

static int procfs_parent(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                         struct dz_node *parent) {
  struct dz_procfs_ref ref = dz_procfs_ref(directory), up;
  struct dz_procfs *fs = directory->mount->fs;
  mode_t mode = S_IFDIR | 0555;

  up = dz_procfs_parent_ref(fs, &ref);
  if (up.area == DZ_PROCFS_TREE)
    mode = dz_made_tree_mode(&fs->tree, up.item);
  else if (up.area == DZ_PROCFS_ROW)
    mode = dz_procfs_rows[up.item].mode;
  *parent = dz_procfs_node(directory->mount, &up, mode);
  return 0;
}

static ssize_t procfs_readlink(const struct dz_view *view, const struct dz_node *link, char *text,
                               size_t size) {
  struct dz_procfs_place place = place_of(view, link);
  struct dz_text made DZ_TEXT = {0};
  int err;

  if (!S_ISLNK(link->mode))
    return -EINVAL;
  err = areas[place.ref.area]->readlink(&place, &made);
  if (err)
    return err;
  if (made.failed || !made.data)
    return -ENOMEM;
  if (made.length >= size)
    return -ENAMETOOLONG;
  memcpy(text, made.data, made.length + 1);
  return (ssize_t)made.length;
}

static int procfs_follow(const struct dz_view *view, const struct dz_node *link,
                         struct dz_node *target) {
  struct dz_procfs_place place = place_of(view, link);

  return areas[place.ref.area]->follow ? areas[place.ref.area]->follow(&place, target) : 1;
}

static int procfs_stat(const struct dz_view *view, const struct dz_node *node, struct stat *out) {
  struct dz_procfs_place place = place_of(view, node);
  int err;

  *out = (struct stat){.st_nlink = 1};
  err = areas[place.ref.area]->stat(&place, out);
  if (err)
    return err;
  out->st_dev = node->dev;
  out->st_ino = node->ino;
  out->st_mode = node->mode;
  out->st_blksize = 1024; /* s_blocksize of fs/proc/root.c */
  out->st_blocks = 0;
  return 0;
}

static bool may_write(const struct dz_procfs_ref *ref) {
  return ref->area == DZ_PROCFS_ROW && (dz_procfs_rows[ref->item].flags & DZ_PROCFS_WRITABLE);
}

static int procfs_access(const struct dz_view *view, const struct dz_node *node, int mode,
                         int flags) {
  struct dz_procfs_place place = place_of(view, node);
  struct stat st;
  int err;

  if ((mode & W_OK) && !S_ISDIR(node->mode) && !may_write(&place.ref))
    return -EACCES;
  err = procfs_stat(view, node, &st);
  return err ? err : dz_made_permission(place.fs->proc, view, &st, mode, !(flags & AT_EACCESS));
}

static int procfs_open(const struct dz_view *view, const struct dz_node *node,
                       const struct dz_open_how *how) {
  struct dz_procfs_place place = place_of(view, node);
  int err;

  if (how->flags & O_PATH)
    return dz_vfs_placeholder(view, node);
  err = dz_made_may_open(node->mode, may_write(&place.ref), how);
  return err ? err : areas[place.ref.area]->open(&place, how);
}

/* Positions: the tree's items at their number, processes above all of them. */
#define FIRST_PROCESS 0x10000

static int list_processes(const struct dz_procfs_place *place, const struct dz_procfs_list *list) {
  pid_t *pids DZ_FREE = NULL;
  size_t count;
  int err = dz_proc_list(place->fs->proc, &pids, &count);

  if (err)
    return err;
  for (size_t i = 0; i < count; i++) {
    struct dz_procfs_ref ref = {.area = DZ_PROCFS_PROCESS, .pid = pids[i]};
    uint64_t position = FIRST_PROCESS + (uint64_t)pids[i];
    char name[16];

    if (position < list->position)
      continue;
    snprintf(name, sizeof name, "%d", (int)pids[i]);
    if (list->sink(list->context, &(struct dz_entry){.name = name,
                                                     .ino = dz_procfs_ino(&ref),
                                                     .type = DT_DIR,
                                                     .next = position + 1}))
      break;
  }
  return 0;
}

struct counting_sink {
  const struct dz_procfs_list *list;
  bool full;
};

static int count_entry(void *context, const struct dz_entry *entry) {
  struct counting_sink *counting = context;

  counting->full = counting->list->sink(counting->list->context, entry);
  return counting->full;
}

static int procfs_list(const struct dz_view *view, const struct dz_node *directory,
                       uint64_t position, dz_entry_sink *sink, void *context) {
  struct dz_procfs_place place = place_of(view, directory);
  struct dz_procfs_list list = {position, sink, context};
  struct counting_sink counting = {&list, false};
  struct dz_procfs_list counted = {position, count_entry, &counting};
  int err;

  if (!is_root(&place.ref))
    return areas[inside(&place.ref)]->list(&place, &list);
  err = position < FIRST_PROCESS ? dz_procfs_tree_area.list(&place, &counted) : 0;
  return err || counting.full ? err : list_processes(&place, &list);
}

static int procfs_statfs(const struct dz_node *node DZ_UNUSED, struct statfs *out) {
  *out = (struct statfs){.f_type = PROC_SUPER_MAGIC,
                         .f_bsize = getpagesize(),
                         .f_namelen = NAME_MAX,
                         .f_frsize = getpagesize(),
                         .f_flags = 0x20 | 0x1000}; /* ST_VALID, ST_RELATIME: linux/statfs.h */
  return 0;
}

static ssize_t procfs_path(const struct dz_view *view, const struct dz_node *node, char *text,
                           size_t size) {
  struct dz_procfs *fs = node->mount->fs;
  struct dz_procfs_ref chain[8];
  size_t count = 0, length;
  ssize_t tree;

  for (chain[0] = dz_procfs_ref(node); chain[count].area != DZ_PROCFS_TREE; count++)
    chain[count + 1] = dz_procfs_parent_ref(fs, &chain[count]);
  tree = dz_made_tree_path(&fs->tree, chain[count].item, text, size);
  if (tree < 0)
    return tree;
  length = (size_t)tree;
  while (count-- > 0) {
    struct dz_procfs_place place = {.view = view, .fs = fs, .ref = chain[count]};
    char name[NAME_MAX + 1];

    areas[chain[count].area]->name(&place, name);
    if (length + 1 + strlen(name) >= size)
      return -ENAMETOOLONG;
    text[length++] = '/';
    memcpy(text + length, name, strlen(name) + 1);
    length += strlen(name);
  }
  return (ssize_t)length;
}

/* What does not exist in /proc cannot be made there: lookups end in ENOENT before any directory
 * is asked to make something (proc_lookup_de() of fs/proc/generic.c). */
static int no_create(const struct dz_view *view DZ_UNUSED,
                     const struct dz_node *directory DZ_UNUSED, const char *name DZ_UNUSED,
                     const struct dz_open_how *how) {
  return (how->flags & O_TMPFILE) == O_TMPFILE ? -EOPNOTSUPP : -ENOENT;
}
static int no_mkdir(const struct dz_node *directory DZ_UNUSED, const char *name DZ_UNUSED,
                    mode_t mode DZ_UNUSED) {
  return -ENOENT;
}
static int no_mknod(const struct dz_node *directory DZ_UNUSED, const char *name DZ_UNUSED,
                    mode_t mode DZ_UNUSED, dev_t device DZ_UNUSED) {
  return -ENOENT;
}
static int no_symlink(const struct dz_node *directory DZ_UNUSED, const char *name DZ_UNUSED,
                      const char *text DZ_UNUSED) {
  return -ENOENT;
}

const struct dz_fs_ops dz_procfs = {
    .type = "proc",
    .lookup = procfs_lookup,
    .parent = procfs_parent,
    .readlink = procfs_readlink,
    .follow = procfs_follow,
    .stat = procfs_stat,
    .access = procfs_access,
    .open = procfs_open,
    .list = procfs_list,
    .create = no_create,
    .mkdir = no_mkdir,
    .mknod = no_mknod,
    .symlink = no_symlink,
    .statfs = procfs_statfs,
    .path = procfs_path,
};
