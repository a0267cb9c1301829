#include "vfs/madeup.h"

#include <string.h>

static unsigned add_item(struct dz_made_tree *tree, unsigned parent, const char *name,
                         size_t length) {
  unsigned number = tree->count + 1, *link;

  if (tree->count == tree->room) {
    unsigned room = tree->room ? 2 * tree->room : 64;
    struct dz_made_item *grown = realloc(tree->items, room * sizeof *grown);

    if (!grown)
      return 0;
    tree->items = grown;
    tree->room = room;
  }
  tree->items[tree->count++] =
      (struct dz_made_item){.name = name, .name_length = length, .parent = parent};
  if (parent) {
    link = &tree->items[parent - 1].child;
    while (*link)
      link = &tree->items[*link - 1].next;
    *link = number;
  }
  return number;
}

static unsigned find(const struct dz_made_tree *tree, unsigned directory, const char *name,
                     size_t length) {
  unsigned at = tree->items[directory - 1].child;

  while (at) {
    const struct dz_made_item *item = &tree->items[at - 1];

    if (item->name_length == length && memcmp(item->name, name, length) == 0)
      return at;
    at = item->next;
  }
  return 0;
}

int dz_made_tree_make(struct dz_made_tree *tree) {
  *tree = (struct dz_made_tree){0};
  return add_item(tree, 0, "", 0) ? 0 : -ENOMEM;
}

int dz_made_tree_add(struct dz_made_tree *tree, const struct dz_made_row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *path = rows[i].path;
    unsigned at = 1;

    while (*path) {
      size_t length = strcspn(path, "/");
      unsigned child = find(tree, at, path, length);

      if (!child)
        child = add_item(tree, at, path, length);
      if (!child)
        return -ENOMEM;
      at = child;
      path += length;
      path += strspn(path, "/");
    }
    tree->items[at - 1].row = &rows[i];
  }
  return 0;
}

void dz_made_tree_drop(struct dz_made_tree *tree) {
  free(tree->items);
  *tree = (struct dz_made_tree){0};
}

unsigned dz_made_tree_find(const struct dz_made_tree *tree, unsigned directory, const char *name) {
  return find(tree, directory, name, strlen(name));
}

mode_t dz_made_tree_mode(const struct dz_made_tree *tree, unsigned item) {
  const struct dz_made_row *row = tree->items[item - 1].row;

  return row ? row->mode : S_IFDIR | 0555;
}

/* A directory's link count: 2 and one for each directory in it. */
size_t dz_made_tree_links(const struct dz_made_tree *tree, unsigned item) {
  size_t links = 1;

  if (!S_ISDIR(dz_made_tree_mode(tree, item)))
    return links;
  links++;
  for (unsigned at = tree->items[item - 1].child; at; at = tree->items[at - 1].next)
    links += S_ISDIR(dz_made_tree_mode(tree, at));
  return links;
}

ssize_t dz_made_tree_path(const struct dz_made_tree *tree, unsigned item, char *text, size_t size) {
  size_t length = 0, at;

  for (unsigned up = item; up > 1; up = tree->items[up - 1].parent)
    length += 1 + tree->items[up - 1].name_length;
  if (length >= size)
    return -ENAMETOOLONG;
  text[at = length] = '\0';
  for (unsigned up = item; up > 1; up = tree->items[up - 1].parent) {
    const struct dz_made_item *here = &tree->items[up - 1];

    at -= here->name_length;
    memcpy(text + at, here->name, here->name_length);
    text[--at] = '/';
  }
  return (ssize_t)length;
}
