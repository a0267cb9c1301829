/* What the files of procfs share among themselves. */
#ifndef DZ_VFS_PROCFS_INTERNAL_H
#define DZ_VFS_PROCFS_INTERNAL_H

#include "vfs/madeup.h"
#include "vfs/procfs.h"

struct dz_procfs {
  struct dz_proc *proc;
  struct dz_made_tree tree; /* everything that is no process's */
  struct dz_mount objects;  /* in no table: what descriptors refer to outside of all mounts */
  dev_t host_dev;           /* of the host's /proc */
  struct timespec made;
  uint64_t present[2]; /* a bit for each row of a process's directory that this host has */
};

/* ---- what a node is ---- */

enum dz_procfs_area {
  DZ_PROCFS_TREE,    /* item: of the tree */
  DZ_PROCFS_PROCESS, /* /proc/PID, /proc/TGID/task/PID */
  DZ_PROCFS_ROW,     /* item: index of the row */
  DZ_PROCFS_FD,      /* item: the descriptor */
  DZ_PROCFS_FDINFO,
  DZ_PROCFS_NS, /* item: index into the table of names */
  DZ_PROCFS_NET,
  DZ_PROCFS_AREAS,
};

struct dz_procfs_ref {
  enum dz_procfs_area area;
  unsigned item;
  pid_t pid;
  bool task;  /* by way of /proc/TGID/task */
  pid_t tgid; /* with task */
};

struct dz_procfs_ref dz_procfs_ref(const struct dz_node *node);
ino_t dz_procfs_ino(const struct dz_procfs_ref *ref);
struct dz_node dz_procfs_node(struct dz_mount *mount, const struct dz_procfs_ref *ref, mode_t mode);

/* What a node lies in: not for the root. */
struct dz_procfs_ref dz_procfs_parent_ref(const struct dz_procfs *fs,
                                          const struct dz_procfs_ref *ref);

/* The calling process, or a negative errno. */
pid_t dz_procfs_caller(const struct dz_procfs *fs, const struct dz_view *view);

/* A process number as a path has it: no sign, no leading zero (name_to_int() of fs/proc/util.c).
 * -1 when it is none. */
int dz_procfs_number(const char *name);

/* ---- a process ---- */

/* A process or thread whose directory on the host is held: whoever gets its number later, what is
 * opened beneath is its own or fails. Its record was read after the directory was opened, so it
 * is a member. */
struct dz_procfs_process {
  struct dz_procfs *fs;
  struct dz_mount *mount;
  pid_t pid;
  pid_t tgid; /* 0 when the path does not say */
  int dir;
  struct dz_state *state;
};
#define DZ_PROCFS_PROCESS_NONE ((struct dz_procfs_process){.dir = -1})
int dz_procfs_process_open(const struct dz_node *node, struct dz_procfs_process *process);
void dz_procfs_process_drop(struct dz_procfs_process *process);
#define DZ_PROCFS_PROCESS_SCOPE DZ_CLEANUP(dz_procfs_process_drop)

/* May the caller see what is private of the process (__ptrace_may_access() of kernel/ptrace.c with
 * PTRACE_MODE_READ_FSCREDS)? 0 or -EACCES. */
int dz_procfs_may_inspect(const struct dz_view *view, const struct dz_procfs_process *process);

typedef int dz_procfs_text(const struct dz_view *view, const struct dz_procfs_process *process,
                           struct dz_text *text);

enum dz_procfs_kind {
  DZ_PROCFS_LIVE,
  DZ_PROCFS_TEXT,
  DZ_PROCFS_LINK,
  DZ_PROCFS_DIRECTORY,
  DZ_PROCFS_REFUSED, /* shown, never opened: EACCES */
};

enum dz_procfs_flags {
  DZ_PROCFS_IN_PROCESS = 1 << 0, /* stands in /proc/PID */
  DZ_PROCFS_IN_THREAD = 1 << 1,  /* stands in /proc/PID/task/TID */
  DZ_PROCFS_IN_BOTH = DZ_PROCFS_IN_PROCESS | DZ_PROCFS_IN_THREAD,
  DZ_PROCFS_PRIVATE = 1 << 2,  /* for those who may inspect the process */
  DZ_PROCFS_WRITABLE = 1 << 3, /* live, and may be written */
  DZ_PROCFS_SLEEPS = 1 << 4,   /* takes a lock that the process may hold for long */
};

struct dz_procfs_row {
  const char *name;
  mode_t mode;
  enum dz_procfs_kind kind;
  unsigned flags;
  dz_procfs_text *text; /* content, or a link's text */
  int (*follow)(const struct dz_view *view, const struct dz_procfs_process *process,
                struct dz_node *target);
  enum dz_procfs_area inside; /* of a directory */
};
extern const struct dz_procfs_row dz_procfs_rows[];
extern const size_t dz_procfs_row_count;

/* ---- areas: one set of functions for each kind of directory below a process's ---- */

struct dz_procfs_place {
  const struct dz_view *view;
  struct dz_procfs *fs;
  const struct dz_node *node;
  struct dz_procfs_ref ref;
};

struct dz_procfs_list {
  uint64_t position;
  dz_entry_sink *sink;
  void *context;
};

/* Functions on a directory whose entries are of the area (lookup, list), and on such an entry. */
struct dz_procfs_area_ops {
  int (*lookup)(const struct dz_procfs_place *directory, const char *name,
                struct dz_procfs_ref *child, mode_t *mode);
  int (*list)(const struct dz_procfs_place *directory, const struct dz_procfs_list *list);
  int (*stat)(const struct dz_procfs_place *place, struct stat *out);
  int (*open)(const struct dz_procfs_place *place, const struct dz_open_how *how);
  int (*readlink)(const struct dz_procfs_place *place, struct dz_text *text);
  int (*follow)(const struct dz_procfs_place *place, struct dz_node *target); /* as in vfs.h */
  void (*name)(const struct dz_procfs_place *place, char name[NAME_MAX + 1]);
};
extern const struct dz_procfs_area_ops dz_procfs_tree_area, dz_procfs_process_area,
    dz_procfs_row_area, dz_procfs_fd_area, dz_procfs_fdinfo_area, dz_procfs_ns_area,
    dz_procfs_net_area;

/* Is this row in that directory, on this host? */
bool dz_procfs_row_shown(const struct dz_procfs *fs, const struct dz_procfs_ref *process,
                         size_t row);
int dz_procfs_row_find(const struct dz_procfs *fs, const struct dz_procfs_ref *process,
                       const char *name);

/* Fill stat from the host's object of that name in the process's directory (NULL: the directory
 * itself), with the owner that the guest knows: mode decides whether an undumpable process hides
 * behind root (task_dump_owner() of fs/proc/base.c). */
int dz_procfs_host_stat(const struct dz_procfs_process *process, const char *name, mode_t mode,
                        struct stat *out);

/* Read the entries of a host directory (its open descriptor) from a position on, and hand on those
 * for which keep fills ino and type and returns true. */
struct dz_procfs_host_list {
  int fd;
  bool (*keep)(void *context, const char *name, struct dz_entry *entry);
  void *context;
};
int dz_procfs_list_host(const struct dz_procfs_host_list *host, const struct dz_procfs_list *list);

/* Open a snapshot for a node of procfs. */
int dz_procfs_snapshot(const struct dz_view *view, const struct dz_node *node,
                       const struct dz_text *text);

/* ---- rows and tables ---- */

dz_procfs_text dz_procfs_stat_text, dz_procfs_status_text, dz_procfs_limits_text,
    dz_procfs_children_text, dz_procfs_maps_text, dz_procfs_smaps_text, dz_procfs_mounts_text,
    dz_procfs_mountinfo_text, dz_procfs_mountstats_text;

int dz_procfs_filesystems_text(const struct dz_made_call *call, struct dz_text *text);

/* Objects outside of processes' directories. */
extern const struct dz_made_row dz_procfs_root_rows[], dz_procfs_sys_rows[];
extern const size_t dz_procfs_root_row_count, dz_procfs_sys_row_count;

/* The type of a filesystem by statfs's magic, as mount names it. */
const char *dz_procfs_type(const struct dz_mount *mount);

/* ---- host names into guest names ---- */

/* Where hostfs mounts lie on the host and in the guest, longest host name first. */
struct dz_procfs_names {
  size_t count;
  struct {
    char *host; /* "" for "/" */
    size_t length;
    char *guest; /* "" for "/" */
  } mounts[128];
};
void dz_procfs_names_make(const struct dz_view *view, struct dz_procfs_names *names);
void dz_procfs_names_drop(struct dz_procfs_names *names);
#define DZ_PROCFS_NAMES DZ_CLEANUP(dz_procfs_names_drop)

/* Append the guest's name of a host path as the kernel shows it (" (deleted)" and escapes kept).
 * What is no part of the guest's tree shows as "/" and its last component, so that no name of a
 * host directory is told. Returns whether it is part of the tree. */
bool dz_procfs_names_add(const struct dz_procfs_names *names, const char *host,
                         struct dz_text *text);

/* ---- what a descriptor refers to ---- */

struct dz_procfs_object {
  struct dz_node node; /* of some mount, or of fs->objects */
  char text[PATH_MAX]; /* what readlink shows */
  int mount_id;        /* 0: outside of all mounts */
};
void dz_procfs_object_drop(struct dz_procfs_object *object);
#define DZ_PROCFS_OBJECT DZ_CLEANUP(dz_procfs_object_drop)
int dz_procfs_object(const struct dz_view *view, const struct dz_procfs_process *process,
                     int descriptor, struct dz_procfs_object *object);

/* The object behind the magic link /proc/PID/fd/N. A directory outside of the guest's tree gives
 * EACCES. */
int dz_procfs_object_follow(const struct dz_view *view, const struct dz_procfs_process *process,
                            int descriptor, struct dz_node *target);

/* A namespace's file: it can be asked about, never opened. path_fd is taken over. */
int dz_procfs_namespace(struct dz_procfs *fs, int path_fd, struct dz_node *node);

extern const struct dz_fs_ops dz_procfs_object_ops;

#endif
