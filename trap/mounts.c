#include "trap/mounts.h"

#include "host/calls.h"
#include "vfs/devfs.h"
#include "vfs/procfs.h"
#include "vfs/sysfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

static int mount_host(struct dz_vfs *vfs, int fd, const char *source, const char *target,
                      bool read_only, struct dz_error *error) {
  struct dz_mount_request request = {
      .ops = &dz_hostfs, .target = target, .source = source, .read_only = read_only, .make = true};
  struct statfs fs;
  int err;

  if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
    close(fd);
    return dz_fail(error, -EACCES,
                   "%s: a proc filesystem of the host cannot be given to guests; they have a /proc "
                   "of their own",
                   source);
  }
  err = dz_hostfs_node(NULL, fd, &request.root);
  if (err)
    return dz_fail(error, err, "%s: %s", source, strerror(-err));
  return dz_vfs_mount(vfs, &request, error);
}

static int mount_root(const struct dz_silo_config *config, struct dz_vfs *vfs,
                      struct dz_error *error) {
  int fd = open(config->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return dz_fail(error, -errno,
                   "root filesystem %s: %s; make one with debootstrap or mmdebstrap, or name an "
                   "existing directory",
                   config->root, strerror(errno));
  return mount_host(vfs, fd, config->root, "/", config->read_only, error);
}

static int mount_volumes(const struct dz_silo_config *config, struct dz_vfs *vfs,
                         struct dz_error *error) {
  for (size_t i = 0; i < config->volume_count; i++) {
    const struct dz_volume *volume = &config->volumes[i];
    struct dz_error own = {0};
    int fd = open(volume->source, O_PATH | O_CLOEXEC);
    int err = fd < 0 ? dz_fail(&own, -errno, "volume %s: %s", volume->source, strerror(errno))
                     : mount_host(vfs, fd, volume->source, volume->target, volume->read_only, &own);

    if (err && !volume->optional)
      return dz_fail(error, err, "%s", own.text);
  }
  return 0;
}

/* /dev/shm: a host directory of the silo's own, shared by its processes alone. */
static int mount_shm(struct dz_vfs *vfs, int private_fd, struct dz_error *error) {
  int fd = dz_devfs_make_shm(private_fd, error);

  return fd < 0 ? fd : mount_host(vfs, fd, "shm", "/dev/shm", false, error);
}

typedef int make_fs(struct dz_proc *proc, void **fs, struct dz_node *root, struct dz_error *error);

static const struct {
  const struct dz_fs_ops *ops;
  make_fs *make;
  const char *target;
} made_up[] = {
    {&dz_procfs, dz_procfs_make, "/proc"},
    {&dz_sysfs, dz_sysfs_make, "/sys"},
    {&dz_devfs, dz_devfs_make, "/dev"},
};

static int mount_made_up(struct dz_silo *silo, struct dz_error *error) {
  for (size_t i = 0; i < DZ_ARRAY_SIZE(made_up); i++) {
    struct dz_mount_request request = {.ops = made_up[i].ops,
                                       .target = made_up[i].target,
                                       .source = made_up[i].ops->type,
                                       .make = true};
    int err = made_up[i].make(&silo->proc, &request.fs, &request.root, error);

    if (!err)
      err = dz_vfs_mount(silo->vfs, &request, error);
    if (err)
      return err;
  }
  return 0;
}

int dz_mounts_make(const struct dz_silo_config *config, struct dz_silo *silo, int private_fd,
                   struct dz_error *error) {
  int err = dz_vfs_make(private_fd, &silo->vfs, error);

  if (!err)
    err = mount_root(config, silo->vfs, error);
  if (!err)
    err = mount_made_up(silo, error);
  if (!err)
    err = mount_shm(silo->vfs, private_fd, error);
  if (!err)
    err = mount_volumes(config, silo->vfs, error);
  dz_vfs_seal(silo->vfs);
  /* Guests hold descriptors of files that are not theirs to change: inherited stdio at least. */
  silo->needs = DZ_NEED_MERGED_DIRS | DZ_NEED_IDENTITY | DZ_NEED_GUARD;
  if (silo->proc.host_uid != silo->proc.shown_uid || silo->proc.host_gid != silo->proc.shown_gid)
    silo->needs |= DZ_NEED_OWNER_VIEW;
  return err;
}
