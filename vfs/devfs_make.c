/*
 * What /dev holds, and how it is made.
 */
#include "vfs/devfs_internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/major.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

/* Numbers of devices: Documentation/admin-guide/devices.txt. `tag` says who opens it. */
#define DEVICE(name, who)                                                                          \
  { .path = (name), .mode = S_IFCHR | 0666, .kind = DZ_MADE_PLAIN, .tag = (who) }
#define LINK(name, to)                                                                             \
  { .path = (name), .mode = S_IFLNK | 0777, .link = (to) }

static const struct dz_made_row rows[] = {
    DEVICE("null", DZ_DEVFS_HOST),
    DEVICE("zero", DZ_DEVFS_HOST),
    DEVICE("full", DZ_DEVFS_HOST),
    DEVICE("random", DZ_DEVFS_HOST),
    DEVICE("urandom", DZ_DEVFS_HOST),
    DEVICE("tty", DZ_DEVFS_TTY),
    DEVICE("ptmx", DZ_DEVFS_PTMX),
    DEVICE("pts/ptmx", DZ_DEVFS_PTMX),
    LINK("fd", "/proc/self/fd"),
    LINK("stdin", "/proc/self/fd/0"),
    LINK("stdout", "/proc/self/fd/1"),
    LINK("stderr", "/proc/self/fd/2"),
    {.path = "shm", .mode = S_IFDIR | S_ISVTX | 0777, .kind = DZ_MADE_PLAIN},
};

static const struct {
  const char *name, *host;
  unsigned major, minor;
} host_devices[] = {
    {"null", "/dev/null", MEM_MAJOR, 3},       {"zero", "/dev/zero", MEM_MAJOR, 5},
    {"full", "/dev/full", MEM_MAJOR, 7},       {"random", "/dev/random", MEM_MAJOR, 8},
    {"urandom", "/dev/urandom", MEM_MAJOR, 9}, {"ptmx", "/dev/ptmx", TTYAUX_MAJOR, 2},
};

static int open_host_device(size_t index) {
  int fd DZ_FD = (int)dz_result(open(host_devices[index].host, O_PATH | O_CLOEXEC));
  struct stat st;

  if (fd < 0)
    return fd;
  if (fstat(fd, &st))
    return -errno;
  if (!S_ISCHR(st.st_mode) ||
      st.st_rdev != makedev(host_devices[index].major, host_devices[index].minor))
    return -ENODEV;
  return dz_steal_fd(&fd);
}

static int open_devices(struct dz_devfs *fs, struct dz_error *error) {
  unsigned pts_ptmx = dz_made_tree_find(&fs->tree, dz_devfs_pts_item(fs), "ptmx");

  fs->devices = malloc((fs->tree.count + 1) * sizeof *fs->devices);
  if (!fs->devices)
    return dz_fail(error, -ENOMEM, "/dev: out of memory");
  for (unsigned i = 0; i <= fs->tree.count; i++)
    fs->devices[i] = -1;
  for (size_t i = 0; i < DZ_ARRAY_SIZE(host_devices); i++) {
    int fd = open_host_device(i);

    if (fd < 0 && i == 0)
      return dz_fail(error, fd, "%s of the host: %s", host_devices[i].host, strerror(-fd));
    if (fd < 0)
      dz_debug("%s of the host: %s", host_devices[i].host, strerror(-fd));
    else
      fs->devices[dz_made_tree_find(&fs->tree, 1, host_devices[i].name)] = fd;
  }
  if (fs->devices[dz_made_tree_find(&fs->tree, 1, "ptmx")] >= 0)
    fs->devices[pts_ptmx] =
        fcntl(fs->devices[dz_made_tree_find(&fs->tree, 1, "ptmx")], F_DUPFD_CLOEXEC, 0);
  return 0;
}

int dz_devfs_make(struct dz_proc *proc, void **made, struct dz_node *root, struct dz_error *error) {
  struct dz_devfs *fs = calloc(1, sizeof *fs);
  int err;

  *root = DZ_NODE_NONE;
  if (!fs)
    return dz_fail(error, -ENOMEM, "/dev: out of memory");
  fs->proc = proc;
  pthread_mutex_init(&fs->lock, NULL);
  clock_gettime(CLOCK_REALTIME, &fs->made);
  err = dz_made_tree_make(&fs->tree);
  if (!err)
    err = dz_made_tree_add(&fs->tree, rows, DZ_ARRAY_SIZE(rows));
  err = err ? dz_fail(error, err, "/dev: out of memory") : open_devices(fs, error);
  if (err) {
    dz_devfs_free(fs);
    return err;
  }
  *made = fs;
  *root = dz_devfs_node(NULL, 1, S_IFDIR | 0755);
  return 0;
}

void dz_devfs_free(void *made) {
  struct dz_devfs *fs = made;

  if (!fs)
    return;
  for (unsigned i = 0; fs->devices && i <= fs->tree.count; i++)
    dz_close_scope(&fs->devices[i]);
  for (size_t i = 0; i < fs->pty_count; i++)
    close(fs->ptys[i].slave);
  free(fs->devices);
  free(fs->ptys);
  dz_made_tree_drop(&fs->tree);
  pthread_mutex_destroy(&fs->lock);
  free(fs);
}

int dz_devfs_make_shm(int private_fd, struct dz_error *error) {
  int fd DZ_FD = -1;

  if (mkdirat(private_fd, DZ_DEVFS_SHM_NAME, 0700) && errno != EEXIST)
    return dz_fail(error, -errno, "/dev/shm: its directory cannot be made: %s", strerror(errno));
  fd = dz_open_child(private_fd, DZ_DEVFS_SHM_NAME, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0 || fchmod(fd, S_ISVTX | 0777)) /* mkdir's mode is cut by the umask */
    return dz_fail(error, fd < 0 ? fd : -errno, "/dev/shm: its directory cannot be opened");
  return dz_steal_fd(&fd);
}
