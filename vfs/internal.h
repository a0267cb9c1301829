/* What the files of vfs/ share among themselves. */
#ifndef DZ_VFS_INTERNAL_H
#define DZ_VFS_INTERNAL_H

#include "vfs/vfs.h"

#include <pthread.h>

/* A directory on the way from a mount's root to a mount point in it, and what is
 * left of the way: a literal path from such a directory may cross the mount. */
struct dz_ancestor {
  dev_t dev;
  ino_t ino;
  char *rest; /* "etc/resolv.conf", "proc" */
};

/* A placeholder in some guest's descriptor table, known by its inode, which the
 * held descriptor keeps from being used again. */
struct dz_placeholder {
  dev_t dev;
  ino_t ino;
  int fd;
  struct dz_node node; /* fd -1, or a copy that is held */
  uint64_t used;       /* when a guest last named it: the longest unused goes first */
};

/* Index in a hostfs node's key: nonzero where a walk may not go. */
#define DZ_HOSTFS_FORBIDDEN 0

#define DZ_MOUNT_MAX 128
#define DZ_PLACEHOLDER_MAX 2048

struct dz_vfs {
  struct dz_mount *mounts[DZ_MOUNT_MAX];
  size_t mount_count;
  int next_mount_id;
  struct dz_ancestor *ancestors;
  size_t ancestor_count;
  bool ancestors_moved; /* paths of ancestors can no longer be trusted: walk step by step */
  bool sealed;          /* all mounts are made: walks are guests' walks */
  int private_fd;       /* the silo's private directory, for placeholders */

  pthread_mutex_t placeholder_lock; /* guards the fields below; taken last */
  struct dz_placeholder placeholders[DZ_PLACEHOLDER_MAX];
  size_t placeholder_count;
  uint64_t placeholder_clock;
};

/* The real parent of a hostfs directory, proved to lie beneath the mount's root. */
int dz_hostfs_parent(const struct dz_view *view, const struct dz_node *directory,
                     struct dz_node *parent);

#endif
