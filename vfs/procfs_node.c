/*
 * What a node of procfs is, and how the filesystem is made.
 */
#include "vfs/procfs_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

/* st_dev: unnamed devices have major 0 (Documentation/admin-guide/devices.txt); this minor is far
 * above those that the host gives out, from 0 upwards. */
#define PROCFS_DEV makedev(0, 0xfff01)

/* An inode number, from its lowest bit: area (8), item (31), task (1), pid (24). Numbers of
 * processes are below 2^22, of descriptors below 2^31 (PID_MAX_LIMIT, NR_OPEN_MAX). */
ino_t dz_procfs_ino(const struct dz_procfs_ref *ref) {
  return (ino_t)ref->area | (ino_t)ref->item << 8 | (ino_t)ref->task << 39 | (ino_t)ref->pid << 40;
}

struct dz_procfs_ref dz_procfs_ref(const struct dz_node *node) {
  return (struct dz_procfs_ref){
      .area = (enum dz_procfs_area)(node->ino & 0xff),
      .item = (unsigned)(node->ino >> 8) & 0x7fffffff,
      .task = node->ino >> 39 & 1,
      .pid = (pid_t)(node->ino >> 40),
      .tgid = (pid_t)node->key[1],
  };
}

struct dz_node dz_procfs_node(struct dz_mount *mount, const struct dz_procfs_ref *ref,
                              mode_t mode) {
  return (struct dz_node){
      .mount = mount,
      .fd = -1,
      .mode = mode,
      .dev = PROCFS_DEV,
      .ino = dz_procfs_ino(ref),
      .key = {dz_procfs_ino(ref), (uint64_t)ref->tgid},
  };
}

int dz_procfs_number(const char *name) {
  size_t digits = strspn(name, "0123456789");

  if (!digits || name[digits] || digits > 9 || (digits > 1 && name[0] == '0'))
    return -1;
  return atoi(name);
}

pid_t dz_procfs_caller(const struct dz_procfs *fs, const struct dz_view *view) {
  if (view->tgid > 0)
    return view->tgid;
  return view->tid > 0 ? dz_proc_tgid(fs->proc, view->tid) : -ENOENT;
}

struct dz_procfs_ref dz_procfs_parent_ref(const struct dz_procfs *fs,
                                          const struct dz_procfs_ref *ref) {
  struct dz_procfs_ref up = {.area = DZ_PROCFS_TREE, .item = 1};

  if (ref->area == DZ_PROCFS_TREE) {
    up.item = fs->tree.items[ref->item - 1].parent;
    return up;
  }
  if (ref->area == DZ_PROCFS_PROCESS && !ref->task)
    return up;
  if (ref->area == DZ_PROCFS_PROCESS) {
    up = (struct dz_procfs_ref){.area = DZ_PROCFS_PROCESS, .pid = ref->tgid};
    up.item = (unsigned)dz_procfs_row_find(fs, &up, "task");
    up.area = DZ_PROCFS_ROW;
    return up;
  }
  up = *ref;
  up.item = 0;
  up.area = DZ_PROCFS_PROCESS;
  if (ref->area == DZ_PROCFS_ROW)
    return up;
  for (size_t i = 0; i < dz_procfs_row_count; i++)
    if (dz_procfs_rows[i].kind == DZ_PROCFS_DIRECTORY && dz_procfs_rows[i].inside == ref->area)
      up.item = (unsigned)i;
  up.area = DZ_PROCFS_ROW;
  return up;
}

/* ---- made and unmade ---- */

static void probe_rows(struct dz_procfs *fs) {
  int self DZ_FD = openat(fs->proc->proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);

  for (size_t i = 0; i < dz_procfs_row_count; i++)
    if (dz_procfs_rows[i].kind != DZ_PROCFS_LIVE || self < 0 ||
        faccessat(self, dz_procfs_rows[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
      fs->present[i / 64] |= UINT64_C(1) << i % 64;
}

int dz_procfs_make(struct dz_proc *proc, void **made, struct dz_node *root,
                   struct dz_error *error) {
  struct dz_procfs *fs = calloc(1, sizeof *fs);
  struct stat st;

  *root = DZ_NODE_NONE;
  if (!fs || dz_made_tree_make(&fs->tree) ||
      dz_made_tree_add(&fs->tree, dz_procfs_root_rows, dz_procfs_root_row_count) ||
      dz_made_tree_add(&fs->tree, dz_procfs_sys_rows, dz_procfs_sys_row_count)) {
    dz_procfs_free(fs);
    return dz_fail(error, -ENOMEM, "/proc: out of memory");
  }
  if (fstat(proc->proc_fd, &st)) {
    int err = -errno;

    dz_procfs_free(fs);
    return dz_fail(error, err, "/proc of the host: %s", strerror(-err));
  }
  fs->proc = proc;
  fs->host_dev = st.st_dev;
  fs->objects = (struct dz_mount){
      .ops = &dz_procfs_object_ops, .fs = fs, .covered = DZ_NODE_NONE, .root = DZ_NODE_NONE};
  clock_gettime(CLOCK_REALTIME, &fs->made);
  probe_rows(fs);
  *made = fs;
  *root = dz_procfs_node(NULL, &(struct dz_procfs_ref){.area = DZ_PROCFS_TREE, .item = 1},
                         S_IFDIR | 0555);
  return 0;
}

void dz_procfs_free(void *made) {
  struct dz_procfs *fs = made;

  if (!fs)
    return;
  dz_made_tree_drop(&fs->tree);
  free(fs);
}
