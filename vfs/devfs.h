/*
 * /dev: a handful of the host's devices, pseudo-terminals of the silo's own, and
 * the usual links. Devices are reopened from descriptors held since the start.
 */
#ifndef DZ_VFS_DEVFS_H
#define DZ_VFS_DEVFS_H

#include "proc/proc.h"
#include "vfs/vfs.h"

extern const struct dz_fs_ops dz_devfs;

/* proc is borrowed; its terminal may be filled in later. */
int dz_devfs_make(struct dz_proc *proc, void **fs, struct dz_node *root, struct dz_error *error);
void dz_devfs_free(void *fs);

/* Make the directory for /dev/shm, mode 1777, in a host directory of the silo's own: a descriptor
 * for it, to be mounted as hostfs on /dev/shm. The caller removes it at the end. */
int dz_devfs_make_shm(int private_fd, struct dz_error *error);
#define DZ_DEVFS_SHM_NAME "shm"

#endif
