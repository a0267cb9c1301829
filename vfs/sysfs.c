/*
 * A node is a path that was found on the allow-list and then on the host; it keeps
 * its number for as long as the silo lives.
 */
#include "vfs/sysfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#define SYSFS_DEV makedev(0, 0xfff03) /* as PROCFS_DEV of procfs.c */
#define PATHS_MAX 65536

#define TRIES 1000

/* Symlinks of the host's sysfs are the kernel's and stay within it. Their ".." makes openat2(2)
 * give EAGAIN whenever something is renamed anywhere on the host meanwhile: try again. */
static int open_host(const struct dz_sysfs *fs, const char *path, int flags) {
  int fd = -ENOENT;

  if (fs->host < 0)
    return fd;
  for (int i = 0; i < TRIES; i++) {
    fd = dz_openat2(fs->host, path, (uint64_t)flags, 0,
                    RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
    if (fd != -EAGAIN)
      break;
  }
  return fd == -EXDEV ? -ENOENT : fd;
}

/* ---- nodes ---- */

/* The number of a path, given on first sight. 0: no room. */
static ino_t number_of(struct dz_sysfs *fs, const char *path) {
  size_t at = 0;

  pthread_mutex_lock(&fs->lock);
  while (at < fs->path_count && strcmp(fs->paths[at], path) != 0)
    at++;
  if (at == fs->path_count && at == fs->path_room && at < PATHS_MAX) {
    size_t room = fs->path_room ? 2 * fs->path_room : 64;
    char **grown = realloc(fs->paths, room * sizeof *grown);

    if (grown) {
      fs->paths = grown;
      fs->path_room = room;
    }
  }
  if (at == fs->path_count) {
    char *copy = at < fs->path_room ? strdup(path) : NULL;

    if (copy)
      fs->paths[fs->path_count++] = copy;
    else
      at = (size_t)-1;
  }
  pthread_mutex_unlock(&fs->lock);
  return at + 1;
}

/* A path's string stays where it is; the table that points to it may move. */
static const char *path_of(const struct dz_node *node) {
  struct dz_sysfs *fs = node->mount->fs;
  const char *path;

  pthread_mutex_lock(&fs->lock);
  path = fs->paths[node->ino - 1];
  pthread_mutex_unlock(&fs->lock);
  return path;
}

static struct dz_node node_of(struct dz_mount *mount, ino_t ino, mode_t mode) {
  return (struct dz_node){
      .mount = mount, .fd = -1, .mode = mode, .dev = SYSFS_DEV, .ino = ino, .key = {ino, 0}};
}

/* stat of what is at a path, as the guest sees it. */
static int look(const struct dz_sysfs *fs, const char *path, struct stat *out) {
  enum dz_sysfs_verdict verdict = dz_sysfs_judge(fs, path);
  int fd DZ_FD = -1;

  *out = (struct stat){.st_mode = S_IFDIR | 0555,
                       .st_nlink = 2,
                       .st_atim = fs->made,
                       .st_mtim = fs->made,
                       .st_ctim = fs->made};
  if (verdict == DZ_SYSFS_OWN_FILE) {
    out->st_mode = dz_sysfs_own_file(path)->mode;
    out->st_nlink = 1;
  }
  if (verdict == DZ_SYSFS_OWN_DIRECTORY || verdict == DZ_SYSFS_OWN_FILE)
    return 0;
  fd = verdict == DZ_SYSFS_HIDDEN ? -ENOENT : open_host(fs, path, O_PATH);
  if (fd < 0)
    return fd;
  if (fstat(fd, out))
    return -errno;
  if (verdict == DZ_SYSFS_HOST_DIRECTORY ? !S_ISDIR(out->st_mode) : !S_ISREG(out->st_mode))
    return -ENOENT;
  out->st_mode &= ~(mode_t)0222;
  return 0;
}

static int join(const char *directory, const char *name, char path[PATH_MAX]) {
  int length = snprintf(path, PATH_MAX, "%s%s%s", directory, *directory ? "/" : "", name);

  return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* ---- operations ---- */

static int sysfs_lookup(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                        const char *name, struct dz_node *child) {
  struct dz_sysfs *fs = directory->mount->fs;
  char path[PATH_MAX];
  struct stat st;
  ino_t ino;
  int err = join(path_of(directory), name, path);

  if (!err)
    err = look(fs, path, &st);
  if (err)
    return err;
  ino = number_of(fs, path);
  if (!ino)
    return -ENOMEM;
  *child = node_of(directory->mount, ino, st.st_mode);
  return 0;
}

static int sysfs_parent(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                        struct dz_node *parent) {
  struct dz_sysfs *fs = directory->mount->fs;
  char path[PATH_MAX], *slash;
  ino_t ino;

  snprintf(path, sizeof path, "%s", path_of(directory));
  slash = strrchr(path, '/');
  *(slash ? slash : path) = '\0';
  ino = number_of(fs, path);
  if (!ino)
    return -ENOMEM;
  *parent = node_of(directory->mount, ino, S_IFDIR | 0555);
  return 0;
}

static int sysfs_stat(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                      struct stat *out) {
  int err = look(node->mount->fs, path_of(node), out);

  out->st_dev = node->dev;
  out->st_ino = node->ino;
  out->st_uid = 0;
  out->st_gid = 0;
  return err;
}

static int sysfs_access(const struct dz_view *view, const struct dz_node *node, int mode,
                        int flags) {
  const struct dz_sysfs *fs = node->mount->fs;
  struct stat st;
  int err = (mode & W_OK) && !S_ISDIR(node->mode) ? -EACCES : sysfs_stat(view, node, &st);

  return err ? err : dz_made_permission(fs->proc, view, &st, mode, !(flags & AT_EACCESS));
}

static int open_own(const struct dz_view *view, const struct dz_node *node, const char *path) {
  struct dz_made_call call = {node->mount->fs, view, node};
  struct dz_text text DZ_TEXT = {0};
  char name[240];
  int err = dz_sysfs_own_file(path)->generate(&call, &text);

  snprintf(name, sizeof name, "%.100s/%.130s", node->mount->target ? node->mount->target : "",
           path);
  return err ? err : dz_snapshot(name, node->mode, &text);
}

static int sysfs_open(const struct dz_view *view, const struct dz_node *node,
                      const struct dz_open_how *how) {
  struct dz_sysfs *fs = node->mount->fs;
  const char *path = path_of(node);
  int err;

  if (how->flags & O_PATH)
    return dz_vfs_placeholder(view, node);
  err = dz_made_may_open(node->mode, false, how);
  if (!err)
    err = sysfs_access(view, node, R_OK, AT_EACCESS);
  if (err)
    return err;
  if (S_ISDIR(node->mode))
    return dz_vfs_placeholder(view, node);
  if (dz_sysfs_judge(fs, path) == DZ_SYSFS_OWN_FILE)
    return open_own(view, node, path);
  return open_host(fs, path, O_RDONLY | (how->flags & O_NONBLOCK));
}

/* Host entries keep the host's positions, which are below 2^31 (kernfs_dir_fop_readdir()); what
 * is made up comes behind. */
#define FIRST_OWN (UINT64_C(1) << 32)

struct host_dirent { /* linux_dirent64, getdents64(2) */
  uint64_t ino;
  int64_t next;
  unsigned short length;
  unsigned char type;
  char name[];
};

/* Hand on one entry, if it may be seen. Returns what the sink said. */
static int list_entry(struct dz_sysfs *fs, const char *directory, const struct host_dirent *entry,
                      dz_entry_sink *sink, void *context) {
  char path[PATH_MAX];
  enum dz_sysfs_verdict verdict;
  struct dz_entry shown = {.name = entry->name, .next = (uint64_t)entry->next};

  if (entry->name[0] == '.' || join(directory, entry->name, path))
    return 0;
  verdict = dz_sysfs_judge(fs, path);
  if (verdict == DZ_SYSFS_HOST_DIRECTORY && (entry->type == DT_DIR || entry->type == DT_LNK))
    shown.type = DT_DIR;
  else if (verdict == DZ_SYSFS_HOST_FILE && entry->type == DT_REG)
    shown.type = DT_REG;
  else
    return 0;
  shown.ino = number_of(fs, path);
  return shown.ino ? sink(context, &shown) : 0;
}

/* 1 when the sink is full. */
static int list_host(struct dz_sysfs *fs, const char *directory, uint64_t position,
                     dz_entry_sink *sink, void *context) {
  int fd DZ_FD = open_host(fs, *directory ? directory : ".", O_RDONLY | O_DIRECTORY);
  char buffer[8192] __attribute__((aligned(8)));
  ssize_t got;

  if (fd < 0)
    return 0; /* a directory that only we have */
  if (lseek(fd, (off_t)position, SEEK_SET) < 0)
    return -errno;
  while ((got = getdents64(fd, buffer, sizeof buffer)) > 0)
    for (ssize_t at = 0; at < got;) {
      const struct host_dirent *entry = (const struct host_dirent *)(buffer + at);

      at += entry->length;
      if (list_entry(fs, directory, entry, sink, context))
        return 1;
    }
  return got < 0 ? -errno : 0;
}

/* The last component of path if it lies in the directory, or NULL. */
static const char *name_in(const char *directory, const char *path) {
  size_t length = strlen(directory);

  if (strncmp(path, directory, length) != 0 || (length && path[length] != '/'))
    return NULL;
  path += length + (length > 0);
  return *path && !strchr(path, '/') ? path : NULL;
}

static int list_own(struct dz_sysfs *fs, const char *directory, uint64_t position,
                    dz_entry_sink *sink, void *context) {
  size_t count = dz_sysfs_directory_count + dz_sysfs_cgroup_row_count;

  for (size_t i = position > FIRST_OWN ? (size_t)(position - FIRST_OWN) : 0; i < count; i++) {
    bool is_directory = i < dz_sysfs_directory_count;
    const char *path = is_directory ? dz_sysfs_directories[i]
                                    : dz_sysfs_cgroup_rows[i - dz_sysfs_directory_count].path;
    const char *name = name_in(directory, path);
    ino_t ino = name && dz_sysfs_judge(fs, path) != DZ_SYSFS_HIDDEN ? number_of(fs, path) : 0;

    if (ino && sink(context, &(struct dz_entry){name, ino, is_directory ? DT_DIR : DT_REG,
                                                FIRST_OWN + i + 1}))
      break;
  }
  return 0;
}

static int sysfs_list(const struct dz_view *view DZ_UNUSED, const struct dz_node *directory,
                      uint64_t position, dz_entry_sink *sink, void *context) {
  struct dz_sysfs *fs = directory->mount->fs;
  const char *path = path_of(directory);
  int done = position < FIRST_OWN ? list_host(fs, path, position, sink, context) : 0;

  if (done)
    return done < 0 ? done : 0;
  return list_own(fs, path, position, sink, context);
}

static int sysfs_statfs(const struct dz_node *node DZ_UNUSED, struct statfs *out) {
  *out = (struct statfs){.f_type = SYSFS_MAGIC,
                         .f_bsize = getpagesize(),
                         .f_namelen = NAME_MAX,
                         .f_frsize = getpagesize(),
                         .f_flags = 0x20 | 0x1 | 0x2 | 0x4 | 0x8}; /* ST_VALID, RDONLY, NOSUID … */
  return 0;
}

static ssize_t sysfs_path(const struct dz_view *view DZ_UNUSED, const struct dz_node *node,
                          char *text, size_t size) {
  const char *path = path_of(node);
  int length = snprintf(text, size, "%s%s", *path ? "/" : "", path);

  return (size_t)length < size ? length : -ENAMETOOLONG;
}

static ssize_t sysfs_readlink(const struct dz_view *view DZ_UNUSED,
                              const struct dz_node *link DZ_UNUSED, char *text DZ_UNUSED,
                              size_t size DZ_UNUSED) {
  return -EINVAL; /* there are no symlinks */
}

const struct dz_fs_ops dz_sysfs = {
    .type = "sysfs",
    .lookup = sysfs_lookup,
    .parent = sysfs_parent,
    .readlink = sysfs_readlink,
    .stat = sysfs_stat,
    .access = sysfs_access,
    .open = sysfs_open,
    .list = sysfs_list,
    .statfs = sysfs_statfs,
    .path = sysfs_path,
};

/* ---- made and unmade ---- */

int dz_sysfs_make(struct dz_proc *proc, void **made, struct dz_node *root, struct dz_error *error) {
  struct dz_sysfs *fs = calloc(1, sizeof *fs);
  ino_t ino = 0;

  *root = DZ_NODE_NONE;
  if (fs) {
    fs->proc = proc;
    fs->cgroup = -1;
    fs->host = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    pthread_mutex_init(&fs->lock, NULL);
    clock_gettime(CLOCK_REALTIME, &fs->made);
    if (fs->host >= 0)
      dz_sysfs_cgroup_open(fs);
    ino = number_of(fs, "");
  }
  if (!ino) {
    dz_sysfs_free(fs);
    return dz_fail(error, -ENOMEM, "/sys: out of memory");
  }
  *made = fs;
  *root = node_of(NULL, ino, S_IFDIR | 0555);
  return 0;
}

void dz_sysfs_free(void *made) {
  struct dz_sysfs *fs = made;

  if (!fs)
    return;
  dz_close_scope(&fs->host);
  dz_close_scope(&fs->cgroup);
  for (size_t i = 0; i < fs->path_count; i++)
    free(fs->paths[i]);
  free(fs->paths);
  pthread_mutex_destroy(&fs->lock);
  free(fs);
}
