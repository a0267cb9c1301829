/*
 * The mount table. A mount point is known by the inode that it covers, so that
 * renames around it do not matter. Mounts are made before the first guest runs
 * and stay: walks read the table without a lock.
 */
#include "vfs/internal.h"

#include "host/calls.h"
#include "host/defence.h"

#include <fcntl.h>
#include <string.h>

int dz_vfs_make(int private_fd, struct dz_vfs **made, struct dz_error *error) {
  struct dz_vfs *vfs = calloc(1, sizeof *vfs);

  if (!vfs)
    return dz_fail(error, -ENOMEM, "mount table: out of memory");
  vfs->private_fd = private_fd;
  vfs->next_mount_id = 1;
  pthread_mutex_init(&vfs->placeholder_lock, NULL);
  *made = vfs;
  return 0;
}

static void mount_free(struct dz_mount *mount) {
  dz_node_drop(&mount->covered);
  dz_node_drop(&mount->root);
  free(mount->target);
  free(mount->source);
  free(mount);
}

void dz_vfs_free(struct dz_vfs *vfs) {
  if (!vfs)
    return;
  for (size_t i = 0; i < vfs->placeholder_count; i++) {
    close(vfs->placeholders[i].fd);
    dz_node_drop(&vfs->placeholders[i].node);
  }
  for (size_t i = 0; i < vfs->mount_count; i++)
    mount_free(vfs->mounts[i]);
  for (size_t i = 0; i < vfs->ancestor_count; i++)
    free(vfs->ancestors[i].rest);
  free(vfs->ancestors);
  pthread_mutex_destroy(&vfs->placeholder_lock);
  free(vfs);
}

size_t dz_vfs_mount_count(const struct dz_vfs *vfs) {
  return vfs->mount_count;
}

const struct dz_mount *dz_vfs_mount_at(const struct dz_vfs *vfs, size_t index) {
  return index < vfs->mount_count ? vfs->mounts[index] : NULL;
}

const struct dz_node *dz_vfs_root(const struct dz_vfs *vfs) {
  return &vfs->mounts[0]->root;
}

struct dz_mount *dz_vfs_mount_on(const struct dz_vfs *vfs, const struct dz_node *node) {
  for (size_t i = vfs->mount_count; i-- > 1;)
    if (dz_node_same(&vfs->mounts[i]->covered, node))
      return vfs->mounts[i];
  return NULL;
}

/* Is node a mount's root, or covered by one (rename, unlink and rmdir give EBUSY)? */
bool dz_vfs_is_mountpoint(const struct dz_vfs *vfs, const struct dz_node *node) {
  if (dz_vfs_mount_on(vfs, node))
    return true;
  for (size_t i = 0; i < vfs->mount_count; i++)
    if (dz_node_same(&vfs->mounts[i]->root, node))
      return true;
  return false;
}

void dz_vfs_seal(struct dz_vfs *vfs) {
  vfs->sealed = true;
}

void dz_vfs_moved(struct dz_vfs *vfs, const struct dz_node *directory) {
  for (size_t i = 0; i < vfs->ancestor_count; i++)
    if (vfs->ancestors[i].dev == directory->dev && vfs->ancestors[i].ino == directory->ino)
      vfs->ancestors_moved = true;
}

static int ancestor_add(struct dz_vfs *vfs, const struct dz_node *directory, const char *rest) {
  struct dz_ancestor *grown =
      realloc(vfs->ancestors, (vfs->ancestor_count + 1) * sizeof *vfs->ancestors);

  if (!grown)
    return -ENOMEM;
  vfs->ancestors = grown;
  grown[vfs->ancestor_count] =
      (struct dz_ancestor){.dev = directory->dev, .ino = directory->ino, .rest = strdup(rest)};
  if (!grown[vfs->ancestor_count].rest)
    return -ENOMEM;
  vfs->ancestor_count++;
  return 0;
}

/* Note every directory between the mount's root and the covered object, by walking up
 * from the object's parent; names come from the target's own components. */
static int ancestors_note(struct dz_vfs *vfs, const struct dz_view *view, const char *target) {
  const char *at = target;

  for (;;) {
    struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
    char *prefix DZ_FREE = strndup(target, (size_t)(at - target) + 1);
    int err;

    at += strspn(at, "/");
    if (!*at)
      return 0;
    if (!prefix)
      return -ENOMEM;
    err = dz_walk(view, view->root, prefix, DZ_WALK_FOLLOW, &lookup);
    if (!err)
      err = ancestor_add(vfs, &lookup.node, at);
    if (err)
      return err;
    at += strcspn(at, "/");
  }
}

/* Make what a mount is to stand on: a directory for a directory, else an empty file. */
static int target_make(const struct dz_view *view, const char *target, bool directory) {
  size_t length = strlen(target);

  for (size_t end = 1; end <= length; end++) {
    struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
    char *prefix DZ_FREE = NULL;
    bool last = end == length;
    int err;

    if (!last && target[end] != '/')
      continue;
    prefix = strndup(target, end);
    if (!prefix)
      return -ENOMEM;
    if (dz_walk(view, view->root, prefix, DZ_WALK_FOLLOW, &lookup) == 0)
      continue;
    err = dz_walk(view, view->root, prefix, DZ_WALK_PARENT, &lookup);
    if (err)
      return err;
    if (lookup.last != DZ_LAST_NAME || lookup.parent.fd < 0)
      return -EEXIST;
    if (!last || directory) {
      if (mkdirat(lookup.parent.fd, lookup.name, 0755) && errno != EEXIST)
        return -errno;
    } else {
      int fd DZ_FD =
          dz_open_child(lookup.parent.fd, lookup.name, O_CREAT | O_EXCL | O_WRONLY, 0644);

      if (fd < 0)
        return fd;
    }
  }
  return 0;
}

static int target_find(struct dz_vfs *vfs, const struct dz_mount_request *request,
                       struct dz_mount *mount) {
  struct dz_view view = {
      .vfs = vfs, .root = dz_vfs_root(vfs), .cwd = dz_vfs_root(vfs), .may_block = true};
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  bool directory = S_ISDIR(request->root.mode);
  char real[PATH_MAX];
  ssize_t length;
  int err = dz_walk(&view, view.root, request->target, DZ_WALK_FOLLOW, &lookup);

  if (err == -ENOENT && request->make) {
    err = target_make(&view, request->target, directory);
    if (!err)
      err = dz_walk(&view, view.root, request->target, DZ_WALK_FOLLOW, &lookup);
  }
  if (err)
    return err;
  if (S_ISDIR(lookup.node.mode) != directory)
    return directory ? -ENOTDIR : -EISDIR;
  if (dz_node_same(&lookup.node, view.root))
    return -EBUSY;
  /* By its real path: the target may lead through symlinks. */
  length = dz_vfs_path(&view, &lookup.node, real, sizeof real);
  err = length < 0 ? (int)length : ancestors_note(vfs, &view, real);
  if (err)
    return err;
  mount->parent = lookup.node.mount;
  mount->covered = dz_node_take(&lookup.node);
  return 0;
}

int dz_vfs_mount(struct dz_vfs *vfs, struct dz_mount_request *request, struct dz_error *error) {
  struct dz_mount *mount = calloc(1, sizeof *mount);
  struct dz_node root DZ_NODE = dz_node_take(&request->root);
  int err = 0;

  request->root = root; /* for its type; still owned here */
  if (!mount || vfs->mount_count == DZ_MOUNT_MAX) {
    free(mount);
    return dz_fail(error, mount ? -ENOSPC : -ENOMEM, "mount %s: too many mounts (%d at most)",
                   request->target, DZ_MOUNT_MAX);
  }
  mount->covered = DZ_NODE_NONE;
  mount->root = DZ_NODE_NONE;
  if (vfs->mount_count > 0)
    err = target_find(vfs, request, mount);
  mount->target = strdup(request->target);
  mount->source = strdup(request->source);
  if (!err && (!mount->target || !mount->source))
    err = -ENOMEM;
  if (err) {
    mount_free(mount);
    return dz_fail(error, err, "%s: cannot be mounted on %s: %s", request->source, request->target,
                   strerror(-err));
  }
  mount->ops = request->ops;
  mount->fs = request->fs;
  mount->read_only = request->read_only && dz_defence("read_only");
  mount->is_file = !S_ISDIR(root.mode);
  mount->id = vfs->next_mount_id++;
  mount->root = dz_node_take(&root);
  mount->root.mount = mount;
  vfs->mounts[vfs->mount_count++] = mount;
  return 0;
}
