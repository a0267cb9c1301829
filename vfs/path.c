#include "vfs/internal.h"

#include "host/calls.h"

#include <string.h>

/* Put the piece in front of what text[*at..] holds already. */
static int prepend(char *text, size_t *at, const char *piece, size_t length) {
  if (length > *at)
    return -ENAMETOOLONG;
  *at -= length;
  memcpy(text + *at, piece, length);
  return 0;
}

/* The guest path, built from its end: within the mount, then the mount point within its own. */
static ssize_t absolute(const struct dz_view *view, const struct dz_node *node, char *text,
                        size_t size) {
  char piece[PATH_MAX];
  size_t at = size;
  int err = prepend(text, &at, "", 1);

  while (!err) {
    ssize_t length = node->mount->ops->path(view, node, piece, sizeof piece);

    if (length < 0)
      return length;
    err = prepend(text, &at, piece, (size_t)length);
    if (!node->mount->parent)
      break;
    node = &node->mount->covered;
  }
  if (!err && text[at] == '\0')
    err = prepend(text, &at, "/", 1);
  if (err)
    return err;
  if (at >= size)
    return -ENAMETOOLONG;
  memmove(text, text + at, size - at);
  return (ssize_t)(size - at - 1);
}

/* A host object that is in no mount: a memfd, a file that stdio was redirected to. Its last name
 * alone tells nothing of the host's tree. */
static ssize_t detached(const struct dz_node *node, char *text, size_t size) {
  char self[DZ_SELF_FD_MAX], whole[PATH_MAX];
  const char *slash;
  ssize_t length = readlink(dz_self_fd_path(node->fd, self), whole, sizeof whole - 1);

  if (length < 0)
    return -errno;
  whole[length] = '\0';
  slash = strrchr(whole, '/');
  slash = slash ? slash : whole;
  length -= slash - whole;
  if ((size_t)length >= size)
    return -ENAMETOOLONG;
  memcpy(text, slash, (size_t)length + 1);
  return length;
}

ssize_t dz_vfs_path(const struct dz_view *view, const struct dz_node *node, char *text,
                    size_t size) {
  char root[PATH_MAX];
  ssize_t length, root_length;

  if (!node->mount)
    return detached(node, text, size);
  length = absolute(view, node, text, size);
  if (length < 0 || dz_node_same(view->root, dz_vfs_root(view->vfs)))
    return length;
  root_length = absolute(view, view->root, root, sizeof root);
  if (root_length < 0)
    return root_length;
  if (length >= root_length && memcmp(text, root, (size_t)root_length) == 0 &&
      (text[root_length] == '/' || text[root_length] == '\0')) {
    if (length == root_length) {
      text[0] = '/';
      text[1] = '\0';
      return 1;
    }
    memmove(text, text + root_length, (size_t)(length - root_length) + 1);
    return length - root_length;
  }
  if ((size_t)length + strlen("(unreachable)") >= size)
    return -ENAMETOOLONG;
  memmove(text + strlen("(unreachable)"), text, (size_t)length + 1);
  memcpy(text, "(unreachable)", strlen("(unreachable)"));
  return length + (ssize_t)strlen("(unreachable)");
}
