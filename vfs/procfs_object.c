/*
 * What a descriptor of a process refers to, and the objects that are in no mount:
 * pipes, sockets, terminals, memfds, and files that the silo was handed from
 * outside. A new open of one of these is the host's own open of what the guest
 * holds already.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

void dz_procfs_object_drop(struct dz_procfs_object *object) {
  dz_node_drop(&object->node);
}

/* ---- access ---- */

static bool is_memory_device(dev_t rdev) { /* null, zero, full, random, urandom */
  static const unsigned minors[] = {3, 5, 7, 8, 9};

  for (size_t i = 0; major(rdev) == MEM_MAJOR && i < DZ_ARRAY_SIZE(minors); i++)
    if (minor(rdev) == minors[i])
      return true;
  return false;
}

static bool is_pty_slave(dev_t rdev) {
  return major(rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
         major(rdev) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

static bool is_anonymous(const char *name, const struct stat *st) {
  if (S_ISFIFO(st->st_mode))
    return name[0] != '/';
  if (S_ISCHR(st->st_mode))
    return is_memory_device(st->st_rdev) || is_pty_slave(st->st_rdev);
  return S_ISREG(st->st_mode) && strncmp(name, "/memfd:", strlen("/memfd:")) == 0;
}

/* Access modes that the process's own open file has, as R_OK | W_OK. Asked of a copy of the
 * descriptor, because the number may stand for another file by now. */
static int held_access(const struct dz_procfs_process *process, int descriptor,
                       const struct stat *st) {
  static const int access_of[] = {
      [O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK, [O_ACCMODE] = 0};
  const struct dz_proc *proc = process->fs->proc;
  int pidfd DZ_FD = dz_proc_pidfd(proc, process->tgid ? process->tgid : process->pid, 0);
  int copy DZ_FD = pidfd < 0 ? -1 : dz_pidfd_getfd(pidfd, descriptor);
  struct stat its;
  int flags;

  if (copy < 0 || fstat(copy, &its) || its.st_dev != st->st_dev || its.st_ino != st->st_ino)
    return 0;
  flags = fcntl(copy, F_GETFL);
  return flags < 0 || (flags & O_PATH) ? 0 : access_of[flags & O_ACCMODE];
}

/* ---- what is it ---- */

static void show_base(char text[PATH_MAX]) {
  const char *base = strrchr(text, '/');

  if (base)
    memmove(text, base, strlen(base) + 1);
}

/* Objects that no mount of hostfs can hold; their text is true as it is, or made so. */
static bool is_outside(const struct dz_procfs *fs, int path_fd, const struct stat *st,
                       struct dz_procfs_object *object) {
  const char *snapshot;
  struct statfs host;

  if (object->text[0] != '/')
    return true;
  if (S_ISREG(st->st_mode) && strncmp(object->text, "/memfd:", strlen("/memfd:")) == 0) {
    snapshot = dz_snapshot_path(object->text);
    if (snapshot)
      memmove(object->text, snapshot, strlen(snapshot) + 1);
    return true;
  }
  if (S_ISCHR(st->st_mode) && (is_memory_device(st->st_rdev) || is_pty_slave(st->st_rdev)))
    return true;
  if (st->st_dev == fs->host_dev) /* a live file: same name on both sides */
    return !S_ISDIR(st->st_mode);
  return S_ISREG(st->st_mode) && fstatfs(path_fd, &host) == 0 && host.f_type == SYSFS_MAGIC;
}

int dz_procfs_object(const struct dz_view *view, const struct dz_procfs_process *process,
                     int descriptor, struct dz_procfs_object *object) {
  struct dz_procfs *fs = process->fs;
  char name[32], self[DZ_SELF_FD_MAX];
  int path_fd DZ_FD = -1;
  struct stat st;
  ssize_t length;
  int err;

  *object = (struct dz_procfs_object){.node = DZ_NODE_NONE};
  snprintf(name, sizeof name, "fd/%d", descriptor);
  path_fd = (int)dz_result(openat(process->dir, name, O_PATH | O_CLOEXEC));
  if (path_fd < 0)
    return path_fd == -ESRCH ? -ENOENT : path_fd;
  length = readlink(dz_self_fd_path(path_fd, self), object->text, sizeof object->text - 1);
  if (length < 0 || fstat(path_fd, &st))
    return -errno;
  object->text[length] = '\0';
  if (is_outside(fs, path_fd, &st, object)) {
    err = dz_hostfs_node(&fs->objects, dz_steal_fd(&path_fd), &object->node);
    object->mount_id = st.st_dev == fs->host_dev ? process->mount->id : 0;
    return err;
  }
  err = dz_vfs_node_of(view, dz_steal_fd(&path_fd), &object->node);
  if (err)
    return err;
  dz_vfs_locate(view, &object->node);
  if (object->node.mount) {
    char path[PATH_MAX];

    object->mount_id = object->node.mount->id;
    if (dz_vfs_path(view, &object->node, path, sizeof path) >= 0)
      memcpy(object->text, path, strlen(path) + 1);
    else
      show_base(object->text);
    return 0;
  }
  object->node.mount = &fs->objects;
  show_base(object->text);
  return 0;
}

int dz_procfs_object_follow(const struct dz_view *view, const struct dz_procfs_process *process,
                            int descriptor, struct dz_node *target) {
  struct dz_procfs_object object DZ_PROCFS_OBJECT = {.node = DZ_NODE_NONE};
  int err = dz_procfs_object(view, process, descriptor, &object);
  char name[PATH_MAX], self[DZ_SELF_FD_MAX];
  struct stat st;
  ssize_t length;

  if (err)
    return err;
  if (object.node.mount == &process->fs->objects) {
    if (S_ISDIR(object.node.mode)) /* a directory that is no part of the guest's tree */
      return -EACCES;
    length = readlink(dz_self_fd_path(object.node.fd, self), name, sizeof name - 1);
    if (length < 0 || fstat(object.node.fd, &st))
      return -errno;
    name[length] = '\0';
    object.node.key[0] =
        (uint64_t)(is_anonymous(name, &st) ? R_OK | W_OK : held_access(process, descriptor, &st));
  }
  *target = dz_node_take(&object.node);
  return 0;
}

int dz_procfs_namespace(struct dz_procfs *fs, int path_fd, struct dz_node *node) {
  return dz_hostfs_node(&fs->objects, path_fd, node); /* key[0] is 0: no access */
}

/* ---- operations ---- */

static int object_stat(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                       struct stat *out) {
  const struct dz_procfs *fs = node->mount->fs;

  if (fstat(node->fd, out))
    return -errno;
  out->st_uid = dz_proc_show_uid(fs->proc, out->st_uid);
  out->st_gid = dz_proc_show_gid(fs->proc, out->st_gid);
  return 0;
}

static int object_access(const struct dz_view *view DZ_UNUSED, const struct dz_node *node, int mode,
                         int flags DZ_UNUSED) {
  int outside = mode & (R_OK | W_OK) & ~(int)node->key[0];

  if (outside || ((mode & X_OK) && !(node->mode & 0111)))
    return -EACCES;
  return 0;
}

/* The access that the guest's own descriptor has is all that a new open may have, unless the
 * object is the silo's alone. */
static int object_open(const struct dz_view *view, const struct dz_node *node,
                       const struct dz_open_how *how) {
  static const uint64_t wants[] = {
      [O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK, [O_ACCMODE] = R_OK | W_OK};
  uint64_t want = wants[how->flags & O_ACCMODE] | (how->flags & O_TRUNC ? W_OK : 0);

  if (how->flags & O_PATH)
    return fcntl(node->fd, F_DUPFD_CLOEXEC, 0);
  if (S_ISSOCK(node->mode))
    return -ENXIO;
  if (how->flags & O_DIRECTORY)
    return -ENOTDIR;
  if (S_ISBLK(node->mode) || (want & ~node->key[0]))
    return -EACCES;
  return dz_made_reopen(view, node->fd,
                        how->flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW | O_DIRECTORY));
}

static int object_statfs(const struct dz_node *node, struct statfs *out) {
  return (int)dz_result(fstatfs(node->fd, out));
}

static ssize_t object_path(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                           char *text, size_t size) {
  char self[DZ_SELF_FD_MAX], name[PATH_MAX];
  ssize_t length = readlink(dz_self_fd_path(node->fd, self), name, sizeof name - 1);
  const char *shown = name;

  if (length < 0)
    return -errno;
  name[length] = '\0';
  if (name[0] == '/' && strncmp(name, "/memfd:", strlen("/memfd:")) != 0)
    shown = strrchr(name, '/');
  length = (ssize_t)strlen(shown);
  if ((size_t)length >= size)
    return -ENAMETOOLONG;
  memcpy(text, shown, (size_t)length + 1);
  return length;
}

static int object_lookup(const struct dz_view *view DZ_UNUSED,
                         const struct dz_node *directory DZ_UNUSED, const char *name DZ_UNUSED,
                         struct dz_node *child DZ_UNUSED) {
  return -ENOTDIR;
}

const struct dz_fs_ops dz_procfs_object_ops = {
    .type = "anon",
    .lookup = object_lookup,
    .stat = object_stat,
    .access = object_access,
    .open = object_open,
    .statfs = object_statfs,
    .path = object_path,
};
