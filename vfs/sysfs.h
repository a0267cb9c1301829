/*
 * /sys: the little of it that C libraries, language runtimes and lscpu read, as
 * live read-only files of the host on an allow-list. What is a symlink to a
 * directory on the host shows as that directory.
 */
#ifndef DZ_VFS_SYSFS_H
#define DZ_VFS_SYSFS_H

#include "proc/proc.h"
#include "vfs/vfs.h"

extern const struct dz_fs_ops dz_sysfs;

/* proc is borrowed. A host without /sys gives an almost empty one. */
int dz_sysfs_make(struct dz_proc *proc, void **fs, struct dz_node *root, struct dz_error *error);
void dz_sysfs_free(void *fs);

#endif
