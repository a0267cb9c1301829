/*
 * Guests' descriptors. A descriptor of hostfs is the host's own object; what
 * filesystem of the guest it belongs to is found from the object, never from its
 * number. Made-up objects are stood for by placeholders: unlinked directories or
 * files of the silo's own, known by their inode.
 */
#include "vfs/internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static struct dz_placeholder *find_placeholder(struct dz_vfs *vfs, dev_t dev, ino_t ino) {
  for (size_t i = 0; i < vfs->placeholder_count; i++)
    if (vfs->placeholders[i].ino == ino && vfs->placeholders[i].dev == dev) {
      vfs->placeholders[i].used = ++vfs->placeholder_clock;
      return &vfs->placeholders[i];
    }
  return NULL;
}

static struct dz_placeholder *find_placeholder_for(struct dz_vfs *vfs, const struct dz_node *node) {
  for (size_t i = 0; i < vfs->placeholder_count; i++) {
    struct dz_placeholder *placeholder = &vfs->placeholders[i];

    if (dz_node_same(&placeholder->node, node) && placeholder->node.key[0] == node->key[0] &&
        placeholder->node.key[1] == node->key[1])
      return placeholder;
  }
  return NULL;
}

static int make_object(struct dz_vfs *vfs, const struct dz_node *node) {
  bool directory = S_ISDIR(node->mode);
  char name[32];
  uint64_t random;
  int fd;

  if (getrandom(&random, sizeof random, 0) != sizeof random)
    return -EIO;
  snprintf(name, sizeof name, ".p%016llx", (unsigned long long)random);
  if (directory) {
    if (mkdirat(vfs->private_fd, name, node->mode & 0777 & ~0222))
      return -errno;
    fd = dz_open_child(vfs->private_fd, name, O_RDONLY | O_DIRECTORY, 0);
  } else {
    fd = dz_open_child(vfs->private_fd, name, O_CREAT | O_EXCL | O_RDONLY, 0400);
  }
  unlinkat(vfs->private_fd, name, directory ? AT_REMOVEDIR : 0);
  return fd;
}

static int add_placeholder(struct dz_vfs *vfs, const struct dz_node *node) {
  int fd DZ_FD = make_object(vfs, node);
  struct dz_placeholder *slot;
  struct dz_node copy = DZ_NODE_NONE;
  struct stat st;
  int err;

  if (fd < 0)
    return fd;
  if (fstat(fd, &st))
    return -errno;
  err = dz_node_copy(node, &copy);
  if (err)
    return err;
  if (vfs->placeholder_count < DZ_PLACEHOLDER_MAX) {
    slot = &vfs->placeholders[vfs->placeholder_count++];
  } else {
    slot = &vfs->placeholders[0];
    for (size_t i = 1; i < DZ_PLACEHOLDER_MAX; i++)
      if (vfs->placeholders[i].used < slot->used)
        slot = &vfs->placeholders[i];
    close(slot->fd);
    dz_node_drop(&slot->node);
  }
  *slot = (struct dz_placeholder){.dev = st.st_dev,
                                  .ino = st.st_ino,
                                  .fd = dz_steal_fd(&fd),
                                  .node = copy,
                                  .used = ++vfs->placeholder_clock};
  return slot->fd;
}

int dz_vfs_placeholder(const struct dz_view *view, const struct dz_node *node) {
  struct dz_vfs *vfs = view->vfs;
  struct dz_placeholder *placeholder;
  int fd;

  pthread_mutex_lock(&vfs->placeholder_lock);
  placeholder = find_placeholder_for(vfs, node);
  fd = placeholder ? placeholder->fd : add_placeholder(vfs, node);
  if (fd >= 0) /* each open has a position of its own */
    fd = dz_reopen(fd, S_ISDIR(node->mode) ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  pthread_mutex_unlock(&vfs->placeholder_lock);
  return fd;
}

/* Which mount holds a host directory: the one whose root is met first on the way up. */
static struct dz_mount *mount_of_directory(const struct dz_vfs *vfs, const struct dz_node *node) {
  int at DZ_FD = -1;
  dev_t dev = node->dev;
  ino_t ino = node->ino;

  for (;;) {
    int up DZ_FD = -1;
    struct stat st;

    for (size_t i = vfs->mount_count; i-- > 0;) {
      struct dz_mount *mount = vfs->mounts[i];

      if (mount->ops == &dz_hostfs && mount->root.dev == dev && mount->root.ino == ino)
        return mount;
    }
    up = openat(at >= 0 ? at : node->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (up < 0 || fstat(up, &st) || (st.st_dev == dev && st.st_ino == ino))
      return NULL;
    dev = st.st_dev;
    ino = st.st_ino;
    dz_close_scope(&at);
    at = dz_steal_fd(&up);
  }
}

/* A file has no way up: compare the kernel's path of it with the mounts' own, deepest first. */
static struct dz_mount *mount_of_file(const struct dz_view *view, const struct dz_node *node) {
  struct dz_mount *best = NULL;
  ssize_t best_length = -1;
  char text[PATH_MAX];

  for (size_t i = 0; i < view->vfs->mount_count; i++) {
    struct dz_mount *mount = view->vfs->mounts[i];
    struct dz_node in_mount = *node;
    ssize_t length;

    if (mount->ops != &dz_hostfs)
      continue;
    in_mount.mount = mount;
    length = mount->ops->path(view, &in_mount, text, sizeof text);
    if (length >= 0 && (best_length < 0 || length < best_length)) {
      best = mount;
      best_length = length;
    }
  }
  return best;
}

int dz_vfs_node_of(const struct dz_view *view, int path_fd, struct dz_node *node) {
  struct dz_node found DZ_NODE = DZ_NODE_NONE;
  int err = dz_hostfs_node(NULL, path_fd, &found);

  if (err)
    return err;
  if (S_ISDIR(found.mode) || S_ISREG(found.mode)) {
    struct dz_placeholder *placeholder;

    pthread_mutex_lock(&view->vfs->placeholder_lock);
    placeholder = find_placeholder(view->vfs, found.dev, found.ino);
    err = placeholder ? dz_node_copy(&placeholder->node, node) : 1;
    pthread_mutex_unlock(&view->vfs->placeholder_lock);
    if (err <= 0)
      return err;
  }
  *node = dz_node_take(&found);
  return 0;
}

void dz_vfs_locate(const struct dz_view *view, struct dz_node *node) {
  if (node->mount)
    return;
  if (S_ISDIR(node->mode))
    node->mount = mount_of_directory(view->vfs, node);
  if (!node->mount) /* a file, or a directory that may not be searched: there is no way up */
    node->mount = mount_of_file(view, node);
}

/* Names that the kernel gives to what has no place in a filesystem (d_dname of each kind). */
static bool is_anonymous(const struct dz_node *node) {
  static const char *const prefixes[] = {"/memfd:", "pipe:[", "socket:[", "anon_inode:"};
  char self[DZ_SELF_FD_MAX], text[PATH_MAX];
  ssize_t length = readlink(dz_self_fd_path(node->fd, self), text, sizeof text - 1);

  if (length < 0)
    return false;
  text[length] = '\0';
  for (size_t i = 0; i < DZ_ARRAY_SIZE(prefixes); i++)
    if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
      return true;
  return false;
}

int dz_vfs_may_change(const struct dz_view *view, struct dz_node *node) {
  bool elsewhere = !node->mount || node->mount->ops != &dz_hostfs;

  if (elsewhere && node->fd >= 0 && is_anonymous(node))
    return 0;
  if (!node->mount)
    dz_vfs_locate(view, node);
  if (!node->mount || node->mount->ops != &dz_hostfs)
    return -EPERM;
  return node->mount->read_only ? -EROFS : 0;
}
