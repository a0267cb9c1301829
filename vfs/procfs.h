/*
 * /proc, true to the silo: its processes only, as the guest's tables know them.
 *
 * A file is one of three things. Live: the host's own file, where reading it tells
 * nothing about processes outside and writing changes nothing outside. Text: a
 * snapshot generated when it is opened. Link: a symlink, or a magic link whose
 * object comes from the state record or the process's descriptor table.
 *
 * Formats: proc(5), and fs/proc/ of Linux 6.18.
 */
#ifndef DZ_VFS_PROCFS_H
#define DZ_VFS_PROCFS_H

#include "proc/proc.h"
#include "vfs/vfs.h"

extern const struct dz_fs_ops dz_procfs;

/* proc is borrowed; its init, hostname and domainname may be filled in later. */
int dz_procfs_make(struct dz_proc *proc, void **fs, struct dz_node *root, struct dz_error *error);
void dz_procfs_free(void *fs);

#endif
