/*
 * Path walk. Two ways, with one result:
 *
 *   short: a piece of the path without "..", from a directory with no mount point
 *     on the way, is one openat2 beneath that directory; the kernel refuses to
 *     follow symlinks (ELOOP), and then the long way finds them.
 *   long: one component at a time, so that symlinks, "..", mount points and
 *     filesystems that are made up are seen.
 *
 * Paths that are still to be walked lie on a stack: a symlink's text on top of
 * what came after the symlink. They are never joined.
 */
#include "vfs/internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <string.h>

#define SYMLINKS_MAX 40 /* MAXSYMLINKS of fs/namei.c */

struct walk {
  const struct dz_view *view;
  unsigned flags;
  struct dz_node at;
  bool borrowed;        /* at.fd is still the start's own */
  struct dz_node bound; /* "absolute" and ".." stop here; borrowed fd */
  struct dz_lookup *lookup;
  int links;
  size_t depth;
  const char *rest[SYMLINKS_MAX + 2]; /* rest[depth - 1] is walked next */
  char *text[SYMLINKS_MAX + 2];       /* owned texts of symlinks, or NULL */
};

static bool blocks_links(const struct walk *walk) {
  return walk->flags & DZ_WALK_NO_SYMLINKS;
}

static void drop_at(struct walk *walk) {
  if (walk->borrowed)
    walk->at = DZ_NODE_NONE;
  walk->borrowed = false;
  dz_node_drop(&walk->at);
}

static void walk_drop(struct walk *walk) {
  for (size_t i = 0; i < walk->depth; i++)
    free(walk->text[i]);
  drop_at(walk);
}

/* The walk's end, owned by the caller. */
static int take_at(struct walk *walk, struct dz_node *node) {
  if (walk->borrowed)
    return dz_node_copy(&walk->at, node);
  *node = dz_node_take(&walk->at);
  return 0;
}

static const char *skip_slashes(const char *path) {
  return path + strspn(path, "/");
}

/* Does nothing but slashes follow the topmost path? Finished symlinks are off the stack, so only
 * the first path can be finished below another. */
static bool is_last_path(const struct walk *walk) {
  return walk->depth == 1 || (walk->depth == 2 && !*skip_slashes(walk->rest[0]));
}

/* Is `path` (no leading slash) the whole rest of the walk, slashes aside? */
static bool nothing_follows(const struct walk *walk, const char *path) {
  return is_last_path(walk) && *skip_slashes(path) == '\0';
}

/* A slash behind the last component, also behind the symlink that led to it. */
static bool slash_below(const struct walk *walk) {
  return walk->depth == 2 && walk->rest[0][0] == '/';
}

/* A path whose meaning is in its letters: no "..", no component that is too long. */
static bool is_literal(const char *path, size_t length) {
  for (const char *at = path, *end = path + length; at < end;) {
    size_t part = strcspn(at, "/");

    if (at + part > end)
      part = (size_t)(end - at);
    if (part == 2 && at[0] == '.' && at[1] == '.')
      return false;
    at += part;
    at += strspn(at, "/");
  }
  return true;
}

/* Do the letters of path lead through `rest`, a way to a mount point? Slashes and "." do not
 * count; a path that ends before the mount point does not cross it. */
static bool leads_through(const char *path, size_t length, const char *rest) {
  const char *end = path + length;

  for (;;) {
    size_t want, part;

    while (path < end && (*path == '/' || (*path == '.' && (path + 1 >= end || path[1] == '/'))))
      path++;
    rest = skip_slashes(rest);
    if (!*rest)
      return true;
    if (path >= end)
      return false;
    want = strcspn(rest, "/");
    part = strcspn(path, "/");
    if (path + part > end)
      part = (size_t)(end - path);
    if (part != want || memcmp(path, rest, want) != 0)
      return false;
    path += part;
    rest += want;
  }
}

static bool may_cross(const struct dz_vfs *vfs, const struct dz_node *from, const char *path,
                      size_t length) {
  for (size_t i = 0; i < vfs->ancestor_count; i++) {
    const struct dz_ancestor *ancestor = &vfs->ancestors[i];

    if (ancestor->ino == from->ino && ancestor->dev == from->dev &&
        leads_through(path, length, ancestor->rest))
      return true;
  }
  return false;
}

static bool is_forbidden(const struct dz_view *view, const struct dz_node *node) {
  return view->vfs->sealed && node->mount->ops == &dz_hostfs && node->key[DZ_HOSTFS_FORBIDDEN];
}

static int set_at(struct walk *walk, struct dz_node *next) {
  if (next->mount && is_forbidden(walk->view, next))
    return -EACCES;
  if ((walk->flags & DZ_WALK_NO_XDEV) && next->mount != walk->at.mount)
    return -EXDEV;
  drop_at(walk);
  walk->at = dz_node_take(next);
  return 0;
}

/* Step onto what is mounted on the node, if anything (more than once where mounts are stacked). */
static int cross_mounts(struct walk *walk, struct dz_node *node) {
  struct dz_mount *mount;

  while ((mount = dz_vfs_mount_on(walk->view->vfs, node))) {
    struct dz_node root DZ_NODE = DZ_NODE_NONE;
    int err = (walk->flags & DZ_WALK_NO_XDEV) ? -EXDEV : dz_node_copy(&mount->root, &root);

    if (err)
      return err;
    dz_node_drop(node);
    *node = dz_node_take(&root);
  }
  return 0;
}

static int go_to_bound(struct walk *walk) {
  struct dz_node root DZ_NODE = DZ_NODE_NONE;
  int err;

  if (walk->flags & DZ_WALK_BENEATH)
    return -EXDEV;
  err = dz_node_copy(&walk->bound, &root);
  return err ? err : set_at(walk, &root);
}

static int go_up(struct walk *walk) {
  struct dz_node parent DZ_NODE = DZ_NODE_NONE;
  int err;

  if (dz_node_same(&walk->at, &walk->bound))
    return (walk->flags & DZ_WALK_BENEATH) ? -EXDEV : 0;
  while (dz_node_same(&walk->at, &walk->at.mount->root)) {
    struct dz_node covered DZ_NODE = DZ_NODE_NONE;

    if (!walk->at.mount->parent)
      return 0;
    err = dz_node_copy(&walk->at.mount->covered, &covered);
    if (!err)
      err = set_at(walk, &covered);
    if (err)
      return err;
  }
  err = walk->at.mount->ops->parent(walk->view, &walk->at, &parent);
  if (!err)
    err = cross_mounts(walk, &parent);
  return err ? err : set_at(walk, &parent);
}

static int push_link(struct walk *walk, const struct dz_node *link) {
  char text[PATH_MAX];
  ssize_t length = link->mount->ops->readlink(walk->view, link, text, sizeof text);

  if (length < 0)
    return (int)length;
  if (length == 0)
    return -ENOENT;
  if (walk->depth == DZ_ARRAY_SIZE(walk->rest))
    return -ELOOP;
  walk->text[walk->depth] = strdup(text);
  if (!walk->text[walk->depth])
    return -ENOMEM;
  walk->rest[walk->depth] = walk->text[walk->depth];
  walk->depth++;
  return text[0] == '/' ? go_to_bound(walk) : 0;
}

/* Follow a symlink that stands in walk->at (which is its directory). */
static int follow_link(struct walk *walk, const struct dz_node *link) {
  struct dz_node target DZ_NODE = DZ_NODE_NONE;
  int err;

  if (blocks_links(walk) || ++walk->links > SYMLINKS_MAX)
    return -ELOOP;
  if (!link->mount->ops->follow)
    return push_link(walk, link);
  err = link->mount->ops->follow(walk->view, link, &target);
  if (err == 1)
    return push_link(walk, link);
  if (err)
    return err;
  if (walk->flags & (DZ_WALK_NO_MAGICLINKS | DZ_WALK_BENEATH | DZ_WALK_IN_ROOT))
    return (walk->flags & DZ_WALK_NO_MAGICLINKS) ? -ELOOP : -EXDEV;
  return set_at(walk, &target);
}

static void pop_finished(struct walk *walk) {
  while (walk->depth > 1 && !*skip_slashes(walk->rest[walk->depth - 1])) {
    /* A slash at the end of a symlink's text asks for a directory, as the slash behind the
     * symlink does: what follows is a component of it, so the walk finds out by itself. */
    walk->depth--;
    free(walk->text[walk->depth]);
    walk->text[walk->depth] = NULL;
  }
}

/* The short way: all of the top path, or all but its last component when the parent is wanted.
 * 0: done; 1: not possible, go the long way; negative: the walk's error. */
static int try_short(struct walk *walk, const char **path) {
  const char *from = *path;
  size_t length = strlen(from);
  bool last = is_last_path(walk);
  char piece[PATH_MAX];
  struct dz_node next DZ_NODE = DZ_NODE_NONE;
  int fd, err;

  if (walk->at.mount->ops != &dz_hostfs || walk->view->vfs->ancestors_moved ||
      (walk->flags & DZ_WALK_NO_XDEV))
    return 1;
  if (last && (walk->flags & DZ_WALK_PARENT)) {
    while (length && from[length - 1] == '/')
      length--;
    while (length && from[length - 1] != '/')
      length--;
  }
  if (!length || length >= sizeof piece || !is_literal(from, length) ||
      may_cross(walk->view->vfs, &walk->at, from, length))
    return 1;
  memcpy(piece, from, length);
  piece[length] = '\0';
  fd = dz_openat2(walk->at.fd, piece, O_PATH | O_NOFOLLOW, 0,
                  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (fd == -ELOOP || fd == -EXDEV || fd == -EAGAIN)
    return 1;
  if (fd == -ENOTDIR || fd == -ENAMETOOLONG)
    return 1; /* a symlink before the culprit may change the answer's cause */
  if (fd < 0)
    return fd;
  err = dz_hostfs_node(walk->at.mount, fd, &next);
  if (err)
    return err;
  if (S_ISLNK(next.mode) &&
      !(last && !slash_below(walk) &&
        !(walk->flags & (DZ_WALK_FOLLOW | DZ_WALK_PARENT | DZ_WALK_NO_SYMLINKS))))
    return 1;
  if (!S_ISDIR(next.mode) &&
      (!last || (walk->flags & DZ_WALK_PARENT) || from[length - 1] == '/' || slash_below(walk)))
    return -ENOTDIR;
  *path = from + length;
  return set_at(walk, &next);
}

static int step(struct walk *walk, const char *name, bool last) {
  struct dz_node child DZ_NODE = DZ_NODE_NONE;
  int err;

  if (!S_ISDIR(walk->at.mode))
    return -ENOTDIR;
  if (strcmp(name, ".") == 0)
    return 0;
  if (strcmp(name, "..") == 0)
    return go_up(walk);
  err = walk->at.mount->ops->lookup(walk->view, &walk->at, name, &child);
  if (!err)
    err = cross_mounts(walk, &child);
  if (err)
    return err;
  if (S_ISLNK(child.mode) && (!last || (walk->flags & DZ_WALK_FOLLOW)))
    return follow_link(walk, &child);
  return set_at(walk, &child);
}

/* Take the next component off *path into name. */
static int next_name(const char **path, char name[NAME_MAX + 1]) {
  size_t length = strcspn(*path, "/");

  if (length > NAME_MAX)
    return -ENAMETOOLONG;
  memcpy(name, *path, length);
  name[length] = '\0';
  *path += length;
  return 0;
}

static int finish_parent(struct walk *walk, const char *name, bool slash) {
  struct dz_lookup *lookup = walk->lookup;

  if (!S_ISDIR(walk->at.mode))
    return -ENOTDIR;
  lookup->last = strcmp(name, ".") == 0    ? DZ_LAST_DOT
                 : strcmp(name, "..") == 0 ? DZ_LAST_DOTDOT
                                           : DZ_LAST_NAME;
  lookup->trailing_slash = slash;
  memcpy(lookup->name, name, strlen(name) + 1);
  return take_at(walk, &lookup->parent);
}

static int run(struct walk *walk) {
  for (;;) {
    const char **path = &walk->rest[walk->depth - 1];
    char name[NAME_MAX + 1];
    bool last, slash;
    int err;

    *path = skip_slashes(*path);
    if (!**path) {
      pop_finished(walk);
      path = &walk->rest[walk->depth - 1];
      *path = skip_slashes(*path);
      if (!**path)
        break;
    }
    if (!S_ISDIR(walk->at.mode))
      return -ENOTDIR;
    err = try_short(walk, path);
    if (err < 0)
      return err;
    if (err == 0)
      continue;
    err = next_name(path, name);
    if (err)
      return err;
    slash = **path == '/';
    pop_finished(walk);
    last = nothing_follows(walk, walk->rest[walk->depth - 1]);
    if (last && (walk->flags & DZ_WALK_PARENT))
      return finish_parent(walk, name, slash || *walk->rest[0] == '/');
    /* A slash behind the last component makes the kernel follow it and want a directory. */
    err = step(walk, name, last && !slash && *walk->rest[0] != '/');
    if (err)
      return err;
    if (last && (slash || *walk->rest[0] == '/') && walk->depth == 1 && !S_ISDIR(walk->at.mode) &&
        !*skip_slashes(walk->rest[0]))
      return -ENOTDIR;
  }
  if (walk->flags & DZ_WALK_PARENT) {
    walk->lookup->last = DZ_LAST_ROOT;
    return take_at(walk, &walk->lookup->parent);
  }
  return take_at(walk, &walk->lookup->node);
}

int dz_walk(const struct dz_view *view, const struct dz_node *start, const char *path,
            unsigned flags, struct dz_lookup *lookup) {
  struct walk walk = {.view = view, .flags = flags, .borrowed = true, .lookup = lookup, .depth = 1};
  int err;

  if (!*path)
    return -ENOENT;
  if (!start)
    start = view->cwd;
  walk.rest[0] = path;
  walk.bound = (flags & (DZ_WALK_IN_ROOT | DZ_WALK_BENEATH)) ? *start : *view->root;
  lookup->trailing_slash = path[strlen(path) - 1] == '/';
  walk.at = *path == '/' ? walk.bound : *start;
  err = *path == '/' && (flags & DZ_WALK_BENEATH) ? -EXDEV : run(&walk);
  walk_drop(&walk);
  return err;
}

int dz_walk_last(const struct dz_view *view, struct dz_lookup *lookup) {
  struct walk walk = {.view = view, .at = DZ_NODE_NONE, .lookup = lookup};
  int err;

  if (lookup->last == DZ_LAST_ROOT || lookup->last == DZ_LAST_DOT)
    return dz_node_copy(&lookup->parent, &lookup->node);
  if (lookup->last == DZ_LAST_DOTDOT) {
    walk.bound = *view->root;
    walk.at = lookup->parent;
    walk.borrowed = true;
    err = go_up(&walk);
    if (!err)
      err = take_at(&walk, &lookup->node);
    walk_drop(&walk);
    return err;
  }
  err = lookup->parent.mount->ops->lookup(view, &lookup->parent, lookup->name, &lookup->node);
  if (!err)
    err = cross_mounts(&walk, &lookup->node);
  return !err && is_forbidden(view, &lookup->node) ? -EACCES : err;
}
