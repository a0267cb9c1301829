/*
 * What the filesystems that are made up (procfs, devfs, sysfs) share: tables of
 * objects as trees, texts that are generated, and the descriptors that hand
 * them to a guest.
 */
#ifndef DZ_VFS_MADEUP_H
#define DZ_VFS_MADEUP_H

#include "proc/proc.h"
#include "vfs/vfs.h"

/* ---- texts ---- */

/* A text that grows. Once out of memory, it stays failed; asked for at the end. */
struct dz_text {
  char *data; /* NUL-terminated when not NULL */
  size_t length;
  size_t size;
  bool failed;
};
void dz_text_drop(struct dz_text *text); /* also the scope cleanup */
#define DZ_TEXT DZ_CLEANUP(dz_text_drop)
void dz_text_add(struct dz_text *text, const char *data, size_t length);
void dz_text_print(struct dz_text *text, const char *format, ...) DZ_PRINTF(2, 3);

/* As dz_text_add, with the octal escapes of the kernel's mangle_path() (fs/seq_file.c) for the
 * characters of `set`. */
void dz_text_add_escaped(struct dz_text *text, const char *data, const char *set);

/* Append a host file beneath dirfd, of any size. 0 or a negative errno. */
int dz_text_read(struct dz_text *text, int dirfd, const char *name);

/* ---- descriptors ---- */

/* A regular file with this content that nobody can change: a sealed memfd, opened read-only, with
 * the permission bits of mode. Its name is what readlink of /proc/PID/fd/N shows; see
 * dz_snapshot_path. */
int dz_snapshot(const char *name, mode_t mode, const struct dz_text *text);

/* If text, the kernel's name of a descriptor, is a snapshot's: its guest path, else NULL. The
 * string ends before " (deleted)", which is cut off in place. */
const char *dz_snapshot_path(char *text);

/* What open(2) says before a filesystem is asked (may_open() of fs/namei.c), for an object with
 * this type: ELOOP, ENOTDIR, EISDIR; EACCES for writing when not writable. */
int dz_made_may_open(mode_t mode, bool writable, const struct dz_open_how *how);

/* Reopen what an O_PATH descriptor refers to without sleeping where the view forbids it. */
int dz_made_reopen(const struct dz_view *view, int path_fd, int flags);

/* ---- identity ---- */

/* Permission as generic_permission() of fs/namei.c decides it for the caller; want: R_OK | W_OK |
 * X_OK. real: by the real ids, as access(2) asks. 0 or -EACCES. The supervisor itself (tid 0) may
 * do all. */
int dz_made_permission(const struct dz_proc *proc, const struct dz_view *view,
                       const struct stat *st, int want, bool real);

/* ---- trees ---- */

struct dz_made_call {
  void *fs;
  const struct dz_view *view;
  const struct dz_node *node;
};

enum dz_made_kind {
  DZ_MADE_TEXT,  /* generate makes the file's content, or the symlink's text */
  DZ_MADE_LIVE,  /* the host's own file of that path, read-only */
  DZ_MADE_PLAIN, /* a directory, or something its filesystem knows by `tag` */
};

/* One object, by its path from the root; directories on the way need no row. */
struct dz_made_row {
  const char *path;
  mode_t mode;
  enum dz_made_kind kind;
  int (*generate)(const struct dz_made_call *call, struct dz_text *text);
  const char *link; /* a symlink's text, when it is always the same */
  int tag;
};

struct dz_made_item {
  const struct dz_made_row *row; /* NULL: a directory that some row's path leads through */
  const char *name;
  size_t name_length;
  unsigned parent, child, next; /* item numbers; 0: none */
};

/* Items are numbered from 1, the root; the numbers are what inode numbers and positions in a
 * directory are made of. Does not change once it is made. */
struct dz_made_tree {
  struct dz_made_item *items;
  unsigned count, room;
};

int dz_made_tree_make(struct dz_made_tree *tree);
int dz_made_tree_add(struct dz_made_tree *tree, const struct dz_made_row *rows, size_t count);
void dz_made_tree_drop(struct dz_made_tree *tree);

/* The item of that name in a directory, or 0. */
unsigned dz_made_tree_find(const struct dz_made_tree *tree, unsigned directory, const char *name);
mode_t dz_made_tree_mode(const struct dz_made_tree *tree, unsigned item);
size_t dz_made_tree_links(const struct dz_made_tree *tree, unsigned item);

/* The path from the root, "" for the root, else "/a/b"; returns its length. */
ssize_t dz_made_tree_path(const struct dz_made_tree *tree, unsigned item, char *text, size_t size);

#endif
