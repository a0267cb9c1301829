/* What the files of devfs share among themselves. */
#ifndef DZ_VFS_DEVFS_INTERNAL_H
#define DZ_VFS_DEVFS_INTERNAL_H

#include "vfs/devfs.h"
#include "vfs/madeup.h"

#include <pthread.h>

enum dz_devfs_tag { DZ_DEVFS_NONE, DZ_DEVFS_HOST, DZ_DEVFS_PTMX, DZ_DEVFS_TTY };

/* A pseudo-terminal that the silo opened. The held descriptor is of the slave's own inode: once
 * the pair is gone it can only give EIO, also when the host uses its number again. */
struct dz_devfs_pty {
  unsigned number;
  int slave;  /* O_PATH */
  bool owned; /* chown was asked for: uid and gid are what the guest gave */
  uid_t uid;
  gid_t gid;
};

struct dz_devfs {
  struct dz_proc *proc;
  struct dz_made_tree tree;
  struct timespec made;
  int *devices; /* by item: an O_PATH descriptor of the host's, or -1 */

  pthread_mutex_t lock; /* guards the fields below */
  struct dz_devfs_pty *ptys;
  size_t pty_count, pty_room;
};

struct dz_node dz_devfs_node(struct dz_mount *mount, ino_t ino, mode_t mode);

/* The item of /dev/pts. */
unsigned dz_devfs_pts_item(const struct dz_devfs *fs);

/* The functions below take the lock. */
int dz_devfs_ptmx(struct dz_devfs *fs, int ptmx, int flags);

/* A copy of the slave's O_PATH descriptor, with its owner as shown; -ENOENT when it is not the
 * silo's or is gone. */
int dz_devfs_pts(struct dz_devfs *fs, unsigned number, struct dz_devfs_pty *pty);
int dz_devfs_pts_chown(struct dz_devfs *fs, unsigned number, uid_t uid, gid_t gid);

/* The living ones' numbers, in rising order; the caller frees *numbers. */
int dz_devfs_pts_list(struct dz_devfs *fs, unsigned **numbers, size_t *count);

/* The controlling terminal of the caller, opened; -ENXIO when it has none. */
int dz_devfs_tty(struct dz_devfs *fs, const struct dz_view *view, int flags);

#endif
