/* What the files of sysfs share among themselves. */
#ifndef DZ_VFS_SYSFS_INTERNAL_H
#define DZ_VFS_SYSFS_INTERNAL_H

#include "vfs/madeup.h"
#include "vfs/sysfs.h"

#include <pthread.h>

struct dz_sysfs {
  struct dz_proc *proc;
  int host;              /* O_PATH of the host's /sys, or -1 */
  int cgroup;            /* the supervisor's own control group (version 2), or -1 */
  unsigned cgroup_depth; /* how many groups it lies below the hierarchy's root */
  struct timespec made;

  pthread_mutex_t lock; /* guards the fields below */
  char **paths;         /* of objects that were looked up, by inode number - 1; never removed */
  size_t path_count, path_room;
};

enum dz_sysfs_verdict {
  DZ_SYSFS_HIDDEN,
  DZ_SYSFS_HOST_DIRECTORY,
  DZ_SYSFS_HOST_FILE,
  DZ_SYSFS_OWN_DIRECTORY,
  DZ_SYSFS_OWN_FILE,
};

/* What may be at a path ("" for the root, no leading slash); whether the host has it is not asked.
 */
enum dz_sysfs_verdict dz_sysfs_judge(const struct dz_sysfs *fs, const char *path);

/* Directories that are there whatever the host has. */
extern const char *const dz_sysfs_directories[];
extern const size_t dz_sysfs_directory_count;

/* The row of a file that is made up, or NULL. */
const struct dz_made_row *dz_sysfs_own_file(const char *path);

/* What fs/cgroup holds: the limits that bind the silo. */
extern const struct dz_made_row dz_sysfs_cgroup_rows[];
extern const size_t dz_sysfs_cgroup_row_count;

/* Find the supervisor's own control group. */
void dz_sysfs_cgroup_open(struct dz_sysfs *fs);

#endif
