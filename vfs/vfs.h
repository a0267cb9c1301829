/*
 * The guest's filesystem: a table of mounts, a walk over them, and one small
 * set of operations per filesystem.
 *
 * A walk never leaves its root, whoever renames or replaces what under it: each
 * step is one openat2(2) beneath a descriptor that is held; no path string is
 * ever joined to another and handed to the host.
 */
#ifndef DZ_VFS_VFS_H
#define DZ_VFS_VFS_H

#include "host/base.h"

#include <limits.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

struct dz_vfs;
struct dz_mount;
struct dz_fs_ops;
struct dz_proc; /* proc/proc.h: who is in the silo; procfs asks it */

/* One object of the guest's filesystem, held for the length of a call or longer.
 * On hostfs `fd` is an O_PATH descriptor that the node owns. A filesystem that
 * is made up has fd -1 and names the object with ino (unique within the mount)
 * and two numbers of its own. */
struct dz_node {
  struct dz_mount *mount;
  int fd;
  mode_t mode; /* type and permission bits when it was looked up */
  dev_t dev;
  ino_t ino;
  uint64_t key[2];
};
#define DZ_NODE_NONE ((struct dz_node){.fd = -1})

void dz_node_drop(struct dz_node *node); /* also the scope cleanup */
#define DZ_NODE DZ_CLEANUP(dz_node_drop)
struct dz_node dz_node_take(struct dz_node *node);                  /* moves it out */
int dz_node_copy(const struct dz_node *from, struct dz_node *copy); /* 0 or -EMFILE … */
bool dz_node_same(const struct dz_node *a, const struct dz_node *b);

/* Who looks: the walk's root and working directory, and the caller for what
 * depends on it (/proc/self, /dev/tty). Nothing in it is owned. */
struct dz_view {
  struct dz_vfs *vfs;
  struct dz_proc *proc;
  const struct dz_node *root;
  const struct dz_node *cwd;
  pid_t tid;      /* the calling thread, host number */
  pid_t tgid;     /* its process */
  bool may_block; /* false on the receiver: what could sleep returns -DZ_EBLOCK */
};

/* Returned by what would sleep on the receiving thread: the call is then run
 * again from its start in a worker. Nothing may have been changed before. */
#define DZ_EBLOCK 10000

/* What a directory's entries are handed to; returns nonzero to stop (full). */
struct dz_entry {
  const char *name;
  ino_t ino;
  unsigned char type; /* DT_* of dirent.h */
  uint64_t next;      /* the position after this entry */
};
typedef int dz_entry_sink(void *context, const struct dz_entry *entry);

/* How an object is opened: open(2)'s flags as the guest gave them (O_CLOEXEC
 * included), mode with the umask already applied. */
struct dz_open_how {
  int flags;
  mode_t mode;
};

/* A filesystem. Operations that are NULL give the errno that Linux gives when an
 * inode lacks them (vfs_mkdir & co. in fs/namei.c): create EACCES, the others
 * EPERM, setattr EPERM, xattrs EOPNOTSUPP. All return 0 (or what is said) or a
 * negative errno. `name` is one component, never "", "." or "..". */
struct dz_fs_ops {
  const char *type; /* as in /proc/self/mountinfo */

  int (*lookup)(const struct dz_view *view, const struct dz_node *directory, const char *name,
                struct dz_node *child);
  /* Never called on the mount's root. */
  int (*parent)(const struct dz_view *view, const struct dz_node *directory,
                struct dz_node *parent);
  /* The link's text, NUL-terminated; returns its length. */
  ssize_t (*readlink)(const struct dz_view *view, const struct dz_node *link, char *text,
                      size_t size);
  /* A magic link of /proc: 0 with the object in *target; 1: an ordinary link, use readlink.
   * NULL: there are no magic links. */
  int (*follow)(const struct dz_view *view, const struct dz_node *link, struct dz_node *target);

  int (*stat)(const struct dz_view *view, const struct dz_node *node, struct stat *out);
  /* NULL: made from stat. */
  int (*statx)(const struct dz_view *view, const struct dz_node *node, unsigned flags,
               unsigned mask, struct statx *out);
  int (*access)(const struct dz_view *view, const struct dz_node *node, int mode, int flags);

  /* A host descriptor to hand to the guest (close-on-exec in the supervisor). */
  int (*open)(const struct dz_view *view, const struct dz_node *node,
              const struct dz_open_how *how);
  /* Entries from position on, for directories that are made up; NULL on hostfs, where the
   * guest's descriptor is the host directory itself. "." and ".." are added by the caller:
   * positions 0 and 1 are theirs, the filesystem's start at 2. */
  int (*list)(const struct dz_view *view, const struct dz_node *directory, uint64_t position,
              dz_entry_sink *sink, void *context);

  /* Returns a descriptor like open. how->flags has O_CREAT; `tmpfile` too. */
  int (*create)(const struct dz_view *view, const struct dz_node *directory, const char *name,
                const struct dz_open_how *how);
  int (*mkdir)(const struct dz_node *directory, const char *name, mode_t mode);
  int (*mknod)(const struct dz_node *directory, const char *name, mode_t mode, dev_t device);
  int (*symlink)(const struct dz_node *directory, const char *name, const char *text);
  int (*link)(const struct dz_node *node, const struct dz_node *directory, const char *name);
  int (*unlink)(const struct dz_node *directory, const char *name, int flags);
  int (*rename)(const struct dz_node *from, const char *from_name, const struct dz_node *to,
                const char *to_name, unsigned flags);
  int (*chmod)(const struct dz_node *node, mode_t mode);
  int (*chown)(const struct dz_node *node, uid_t uid, gid_t gid);
  int (*utimens)(const struct dz_node *node, const struct timespec times[2]);
  int (*truncate)(const struct dz_node *node, off_t length);
  int (*statfs)(const struct dz_node *node, struct statfs *out);
  /* The path from the mount's root, "" for the root itself, else "/a/b"; returns its length. */
  ssize_t (*path)(const struct dz_view *view, const struct dz_node *node, char *text, size_t size);
};

/* ---- mounts ---- */

struct dz_mount {
  const struct dz_fs_ops *ops;
  void *fs; /* the filesystem's own */
  struct dz_mount *parent;
  struct dz_node covered; /* in parent: the object that it stands on; fd -1 for the root mount */
  struct dz_node root;
  bool read_only;
  bool is_file; /* a bind mount of a file */
  int id;       /* as in mountinfo */
  char *target; /* guest path at mount time, for mountinfo */
  char *source; /* for mountinfo */
};

/* private_fd: a host directory of the silo's own (borrowed), for placeholders. */
int dz_vfs_make(int private_fd, struct dz_vfs **vfs, struct dz_error *error);
void dz_vfs_free(struct dz_vfs *vfs);

/* Mount the host object at host_fd (taken over, also on failure): the first one becomes "/";
 * others on the guest path target, which must exist (or is made, when `make` is set, as an
 * empty directory or file). */
struct dz_mount_request {
  const struct dz_fs_ops *ops;
  void *fs;
  struct dz_node root; /* root.fd is taken over */
  const char *target;
  const char *source;
  bool read_only;
  bool make;
};
int dz_vfs_mount(struct dz_vfs *vfs, struct dz_mount_request *request, struct dz_error *error);

/* No more mounts: from now on walks are guests' walks. */
void dz_vfs_seal(struct dz_vfs *vfs);

size_t dz_vfs_mount_count(const struct dz_vfs *vfs);
const struct dz_mount *dz_vfs_mount_at(const struct dz_vfs *vfs, size_t index);
const struct dz_node *dz_vfs_root(const struct dz_vfs *vfs);

/* The mount that stands on node, or NULL. */
struct dz_mount *dz_vfs_mount_on(const struct dz_vfs *vfs, const struct dz_node *node);
bool dz_vfs_is_mountpoint(const struct dz_vfs *vfs, const struct dz_node *node);

/* A directory that holds a mount point was moved: walks no longer take the short way. */
void dz_vfs_moved(struct dz_vfs *vfs, const struct dz_node *directory);

/* ---- walk ---- */

enum dz_walk_flags {
  DZ_WALK_FOLLOW = 1 << 0,      /* follow a symlink in the last place */
  DZ_WALK_PARENT = 1 << 1,      /* stop at the last component: parent and name are filled */
  DZ_WALK_NO_SYMLINKS = 1 << 2, /* openat2's RESOLVE_* */
  DZ_WALK_NO_MAGICLINKS = 1 << 3,
  DZ_WALK_NO_XDEV = 1 << 4,
  DZ_WALK_BENEATH = 1 << 5,
  DZ_WALK_IN_ROOT = 1 << 6,
};

enum dz_last { DZ_LAST_NAME, DZ_LAST_DOT, DZ_LAST_DOTDOT, DZ_LAST_ROOT };

struct dz_lookup {
  struct dz_node parent;   /* with DZ_WALK_PARENT */
  struct dz_node node;     /* without; or filled by dz_walk_last */
  enum dz_last last;       /* what the last component is */
  bool trailing_slash;     /* the path ends in '/' */
  char name[NAME_MAX + 1]; /* the last component, DZ_LAST_NAME only */
};
void dz_lookup_drop(struct dz_lookup *lookup);
#define DZ_LOOKUP DZ_CLEANUP(dz_lookup_drop)
#define DZ_LOOKUP_NONE ((struct dz_lookup){.parent = {.fd = -1}, .node = {.fd = -1}})

/* Walk path from start (NULL: the working directory) as Linux does (path_resolution(7)).
 * Errors: ENOENT (also for an empty path), ENOTDIR, ELOOP, ENAMETOOLONG, EACCES, EXDEV. */
int dz_walk(const struct dz_view *view, const struct dz_node *start, const char *path,
            unsigned flags, struct dz_lookup *lookup);

/* The object that a DZ_WALK_PARENT lookup names, not followed, into lookup->node. -ENOENT. */
int dz_walk_last(const struct dz_view *view, struct dz_lookup *lookup);

/* The absolute guest path of a node as seen from view->root, NUL-terminated; returns its length.
 * "(unreachable)…" and " (deleted)" as d_path gives them. -ENAMETOOLONG when it does not fit. */
ssize_t dz_vfs_path(const struct dz_view *view, const struct dz_node *node, char *text,
                    size_t size);

/* ---- guests' descriptors ---- */

/* The node behind a host descriptor that a guest was given (an O_PATH copy of it: taken over,
 * also on failure). Host objects come with mount NULL: that is dz_vfs_locate's to find, where it
 * matters. */
int dz_vfs_node_of(const struct dz_view *view, int path_fd, struct dz_node *node);

/* Find the mount that a node of dz_vfs_node_of belongs to. It stays NULL for objects that are no
 * part of the guest's filesystem (pipes, sockets, files that are gone from it). */
void dz_vfs_locate(const struct dz_view *view, struct dz_node *node);

/* May the guest change what the object is (mode, owner, times, attributes)? Locates it. 0; -EROFS
 * on a read-only mount; -EPERM for a host object that is in no mount, such as a file that standard
 * output was redirected to, unless it is of the guest's own making (memfd, pipe, socket). */
int dz_vfs_may_change(const struct dz_view *view, struct dz_node *node);

/* A real host descriptor that stands for a made-up object in a guest's table (a directory
 * of /proc, anything opened with O_PATH): dz_vfs_node_of knows it again. */
int dz_vfs_placeholder(const struct dz_view *view, const struct dz_node *node);

/* ---- filesystems ---- */

extern const struct dz_fs_ops dz_hostfs;

/* Host objects without a mount (pipes, sockets, deleted files) are asked like hostfs's. */
static inline const struct dz_fs_ops *dz_node_ops(const struct dz_node *node) {
  return node->mount ? node->mount->ops : &dz_hostfs;
}

/* A node for a host object; fd is taken over, also on failure. */
int dz_hostfs_node(struct dz_mount *mount, int fd, struct dz_node *node);

#endif
