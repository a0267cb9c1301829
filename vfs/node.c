#include "vfs/internal.h"

#include <fcntl.h>

void dz_node_drop(struct dz_node *node) {
  if (node->fd >= 0)
    close(node->fd);
  *node = DZ_NODE_NONE;
}

struct dz_node dz_node_take(struct dz_node *node) {
  struct dz_node taken = *node;

  *node = DZ_NODE_NONE;
  return taken;
}

int dz_node_copy(const struct dz_node *from, struct dz_node *copy) {
  *copy = *from;
  if (from->fd < 0)
    return 0;
  copy->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
  if (copy->fd >= 0)
    return 0;
  *copy = DZ_NODE_NONE;
  return -errno;
}

bool dz_node_same(const struct dz_node *a, const struct dz_node *b) {
  return a->mount == b->mount && a->ino == b->ino && a->dev == b->dev;
}

void dz_lookup_drop(struct dz_lookup *lookup) {
  dz_node_drop(&lookup->parent);
  dz_node_drop(&lookup->node);
}
