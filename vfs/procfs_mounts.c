/*
 * mounts, mountinfo, mountstats, and filesystems: from the guest's mount table.
 * Formats: proc_pid_mountinfo(5), fs/proc_namespace.c.
 */
#include "vfs/procfs_internal.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#define ESCAPED " \t\n\\#" /* mangle() of fs/proc_namespace.c */

/* linux/magic.h has these and no others that are likely to hold a root filesystem; xfs, zfs, exfat
 * and ntfs3 from their own headers. */
static const struct {
  unsigned long magic;
  const char *type;
} types[] = {
    {EXT4_SUPER_MAGIC, "ext4"},
    {TMPFS_MAGIC, "tmpfs"},
    {BTRFS_SUPER_MAGIC, "btrfs"},
    {OVERLAYFS_SUPER_MAGIC, "overlay"},
    {0x58465342, "xfs"},
    {F2FS_SUPER_MAGIC, "f2fs"},
    {NFS_SUPER_MAGIC, "nfs"},
    {SQUASHFS_MAGIC, "squashfs"},
    {EROFS_SUPER_MAGIC_V1, "erofs"},
    {0x2fc12fc1, "zfs"},
    {FUSE_SUPER_MAGIC, "fuse"},
    {V9FS_MAGIC, "9p"},
    {MSDOS_SUPER_MAGIC, "vfat"},
    {0x2011bab0, "exfat"},
    {RAMFS_MAGIC, "ramfs"},
    {0x6a656a63, "virtiofs"},
    {0xff534d42, "cifs"},
    {ISOFS_SUPER_MAGIC, "iso9660"},
    {0xca451a4e, "bcachefs"},
    {ECRYPTFS_SUPER_MAGIC, "ecryptfs"},
    {0x7366746e, "ntfs3"},
};

const char *dz_procfs_type(const struct dz_mount *mount) {
  struct statfs fs;

  if (mount->ops != &dz_hostfs)
    return mount->ops->type;
  if (fstatfs(mount->root.fd, &fs) == 0)
    for (size_t i = 0; i < DZ_ARRAY_SIZE(types); i++)
      if (types[i].magic == (unsigned long)fs.f_type)
        return types[i].type;
  return "unknown";
}

static void add_options(const struct dz_mount *mount, struct dz_text *text) {
  static const struct {
    unsigned long flag;
    const char *name;
  } options[] = {{ST_NOSUID, ",nosuid"},         {ST_NODEV, ",nodev"},
                 {ST_NOEXEC, ",noexec"},         {ST_NOATIME, ",noatime"},
                 {ST_NODIRATIME, ",nodiratime"}, {ST_RELATIME, ",relatime"}};
  struct statfs fs = {0};

  if (!mount->ops->statfs || mount->ops->statfs(&mount->root, &fs))
    fs.f_flags = ST_RELATIME;
  dz_text_print(text, mount->read_only || ((unsigned long)fs.f_flags & ST_RDONLY) ? "ro" : "rw");
  for (size_t i = 0; i < DZ_ARRAY_SIZE(options); i++)
    if ((unsigned long)fs.f_flags & options[i].flag)
      dz_text_print(text, "%s", options[i].name);
}

/* Where a mount of hostfs comes from is a host path, of which the last component is told. */
static const char *source_of(const struct dz_mount *mount) {
  const char *slash = mount->ops == &dz_hostfs ? strrchr(mount->source, '/') : NULL;

  return slash && slash[1] ? slash + 1 : mount->source;
}

/* Each mount that the process can reach from its root, with its path there. */
struct mount_line {
  const struct dz_mount *mount;
  const char *path;
  struct dz_text *text;
};

static int each_mount(const struct dz_view *view, const struct dz_procfs_process *process,
                      struct dz_text *text, void (*print)(const struct mount_line *line)) {
  struct dz_view its = *view;

  if (process->state->root)
    its.root = &process->state->root->node;
  for (size_t i = 0; i < dz_vfs_mount_count(view->vfs); i++) {
    const struct dz_mount *mount = dz_vfs_mount_at(view->vfs, i);
    char path[PATH_MAX];

    if (dz_vfs_path(&its, &mount->root, path, sizeof path) >= 0 && path[0] == '/')
      print(&(struct mount_line){mount, path, text});
  }
  return 0;
}

static void print_mount(const struct mount_line *line) {
  dz_text_add_escaped(line->text, source_of(line->mount), ESCAPED);
  dz_text_add(line->text, " ", 1);
  dz_text_add_escaped(line->text, line->path, ESCAPED);
  dz_text_print(line->text, " %s ", dz_procfs_type(line->mount));
  add_options(line->mount, line->text);
  dz_text_print(line->text, " 0 0\n");
}

/* The root's parent is shown as the root itself, as of the first root of a kernel. */
static void print_mountinfo(const struct mount_line *line) {
  const struct dz_mount *mount = line->mount;

  dz_text_print(line->text, "%d %d %u:%u / ", mount->id,
                mount->parent ? mount->parent->id : mount->id, major(mount->root.dev),
                minor(mount->root.dev));
  dz_text_add_escaped(line->text, line->path, ESCAPED);
  dz_text_add(line->text, " ", 1);
  add_options(mount, line->text);
  dz_text_print(line->text, " - %s ", dz_procfs_type(mount));
  dz_text_add_escaped(line->text, source_of(mount), ESCAPED);
  dz_text_print(line->text, mount->read_only ? " ro\n" : " rw\n");
}

static void print_mountstats(const struct mount_line *line) {
  dz_text_print(line->text, "device ");
  dz_text_add_escaped(line->text, source_of(line->mount), ESCAPED);
  dz_text_print(line->text, " mounted on ");
  dz_text_add_escaped(line->text, line->path, ESCAPED);
  dz_text_print(line->text, " with fstype %s \n", dz_procfs_type(line->mount));
}

int dz_procfs_mounts_text(const struct dz_view *view, const struct dz_procfs_process *process,
                          struct dz_text *text) {
  return each_mount(view, process, text, print_mount);
}

int dz_procfs_mountinfo_text(const struct dz_view *view, const struct dz_procfs_process *process,
                             struct dz_text *text) {
  return each_mount(view, process, text, print_mountinfo);
}

int dz_procfs_mountstats_text(const struct dz_view *view, const struct dz_procfs_process *process,
                              struct dz_text *text) {
  return each_mount(view, process, text, print_mountstats);
}

/* filesystems(5): those that the silo has, once each; "nodev" for those without a block device. */
int dz_procfs_filesystems_text(const struct dz_made_call *call, struct dz_text *text) {
  static const char *const without_device[] = {"sysfs",    "tmpfs", "proc", "devtmpfs", "devpts",
                                               "overlay",  "nfs",   "fuse", "9p",       "ramfs",
                                               "virtiofs", "cifs",  "zfs",  "ecryptfs", "unknown"};
  size_t own = 5; /* the first five are always there */
  struct dz_vfs *vfs = call->view->vfs;

  for (size_t i = 0; i < own; i++)
    dz_text_print(text, "nodev\t%s\n", without_device[i]);
  for (size_t i = 0; i < dz_vfs_mount_count(vfs); i++) {
    const char *type = dz_procfs_type(dz_vfs_mount_at(vfs, i));
    bool device = true, known = false;
    char line[64];

    for (size_t j = 0; j < DZ_ARRAY_SIZE(without_device); j++)
      device &= strcmp(without_device[j], type) != 0;
    snprintf(line, sizeof line, "%s\t%s\n", device ? "" : "nodev", type);
    known = text->data && strstr(text->data, line) != NULL;
    if (!known)
      dz_text_print(text, "%s", line);
  }
  return 0;
}
