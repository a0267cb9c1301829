/*
 * fd, fdinfo and ns of a process: directories of numbers and names that the host
 * lists, of links that the guest's own objects stand behind.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Hold the process and see whether the caller may look into it. */
static int open_private(const struct dz_procfs_place *place, struct dz_procfs_process *process) {
  int err = dz_procfs_process_open(place->node, process);

  return err ? err : dz_procfs_may_inspect(place->view, process);
}

static void entry_path(const struct dz_procfs_ref *ref, char path[32]) {
  snprintf(path, 32, ref->area == DZ_PROCFS_FD ? "fd/%u" : "fdinfo/%u", ref->item);
}

static int number_lookup(const struct dz_procfs_place *directory, const char *name,
                         struct dz_procfs_ref *child, mode_t *mode) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int number = dz_procfs_number(name);
  char path[32];
  struct stat st;
  int err;

  if (number < 0)
    return -ENOENT;
  err = open_private(directory, &process);
  if (err)
    return err;
  child->item = (unsigned)number;
  entry_path(child, path);
  if (fstatat(process.dir, path, &st, AT_SYMLINK_NOFOLLOW))
    return errno == ESRCH ? -ENOENT : -errno;
  *mode = st.st_mode;
  return 0;
}

static bool keep_number(void *context, const char *name, struct dz_entry *entry) {
  struct dz_procfs_ref *ref = context;
  int number = dz_procfs_number(name);

  ref->item = (unsigned)number;
  entry->ino = dz_procfs_ino(ref);
  entry->type = ref->area == DZ_PROCFS_FD ? DT_LNK : DT_REG;
  return number >= 0;
}

static int number_list(const struct dz_procfs_place *directory, const struct dz_procfs_list *list) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_procfs_ref ref = directory->ref;
  int err = open_private(directory, &process);
  int fd DZ_FD = -1;

  if (err)
    return err;
  ref.area = dz_procfs_rows[directory->ref.item].inside;
  fd = dz_open_child(process.dir, ref.area == DZ_PROCFS_FD ? "fd" : "fdinfo",
                     O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0)
    return fd;
  return dz_procfs_list_host(&(struct dz_procfs_host_list){fd, keep_number, &ref}, list);
}

static int number_stat(const struct dz_procfs_place *place, struct stat *out) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = open_private(place, &process);
  char path[32];

  entry_path(&place->ref, path);
  return err ? err : dz_procfs_host_stat(&process, path, place->node->mode, out);
}

static void number_name(const struct dz_procfs_place *place, char name[NAME_MAX + 1]) {
  snprintf(name, NAME_MAX + 1, "%u", place->ref.item);
}

/* ---- fd ---- */

static int no_open(const struct dz_procfs_place *place DZ_UNUSED,
                   const struct dz_open_how *how DZ_UNUSED) {
  return -ELOOP;
}

static int fd_readlink(const struct dz_procfs_place *place, struct dz_text *text) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_procfs_object object DZ_PROCFS_OBJECT = {.node = DZ_NODE_NONE};
  int err = open_private(place, &process);

  if (!err)
    err = dz_procfs_object(place->view, &process, (int)place->ref.item, &object);
  if (!err)
    dz_text_add(text, object.text, strlen(object.text));
  return err;
}

static int fd_follow(const struct dz_procfs_place *place, struct dz_node *target) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = open_private(place, &process);

  return err ? err : dz_procfs_object_follow(place->view, &process, (int)place->ref.item, target);
}

const struct dz_procfs_area_ops dz_procfs_fd_area = {
    .lookup = number_lookup,
    .list = number_list,
    .stat = number_stat,
    .open = no_open,
    .readlink = fd_readlink,
    .follow = fd_follow,
    .name = number_name,
};

/* ---- fdinfo ---- */

/* The number of a mount is the guest's, as in its mountinfo. */
static int fdinfo_open(const struct dz_procfs_place *place,
                       const struct dz_open_how *how DZ_UNUSED) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_procfs_object object DZ_PROCFS_OBJECT = {.node = DZ_NODE_NONE};
  struct dz_text host DZ_TEXT = {0}, text DZ_TEXT = {0};
  int err = open_private(place, &process);
  const char *line, *end;
  char path[32];

  entry_path(&place->ref, path);
  if (!err)
    err = dz_text_read(&host, process.dir, path);
  if (!err)
    err = dz_procfs_object(place->view, &process, (int)place->ref.item, &object);
  if (err)
    return err == -ESRCH ? -ENOENT : err;
  for (line = host.data; line && (end = strchr(line, '\n')); line = end + 1)
    if (strncmp(line, "mnt_id:", strlen("mnt_id:")) == 0)
      dz_text_print(&text, "mnt_id:\t%d\n", object.mount_id);
    else
      dz_text_add(&text, line, (size_t)(end - line) + 1);
  return dz_procfs_snapshot(place->view, place->node, &text);
}

const struct dz_procfs_area_ops dz_procfs_fdinfo_area = {
    .lookup = number_lookup,
    .list = number_list,
    .stat = number_stat,
    .open = fdinfo_open,
    .name = number_name,
};

/* ---- ns ---- */

/* ns_entries of fs/proc/namespaces.c. The silo shares the host's namespaces; their numbers are
 * shown and can be compared, but a guest cannot enter one, so it gets no descriptor of one. */
static const char *const namespaces[] = {
    "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",
    "user",   "uts"};

static void namespace_path(unsigned item, char path[32]) {
  snprintf(path, 32, "ns/%s", namespaces[item]);
}

static int ns_lookup(const struct dz_procfs_place *directory, const char *name,
                     struct dz_procfs_ref *child, mode_t *mode) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  char path[32];
  int err;

  for (unsigned i = 0; i < DZ_ARRAY_SIZE(namespaces); i++) {
    if (strcmp(namespaces[i], name) != 0)
      continue;
    err = open_private(directory, &process);
    namespace_path(i, path);
    if (!err && faccessat(process.dir, path, F_OK, AT_SYMLINK_NOFOLLOW))
      err = errno == ESRCH ? -ENOENT : -errno;
    child->item = i;
    *mode = S_IFLNK | 0777;
    return err;
  }
  return -ENOENT;
}

static bool keep_namespace(void *context, const char *name, struct dz_entry *entry) {
  struct dz_procfs_ref *ref = context;

  for (unsigned i = 0; i < DZ_ARRAY_SIZE(namespaces); i++)
    if (strcmp(namespaces[i], name) == 0) {
      ref->item = i;
      entry->ino = dz_procfs_ino(ref);
      entry->type = DT_LNK;
      return true;
    }
  return false;
}

static int ns_list(const struct dz_procfs_place *directory, const struct dz_procfs_list *list) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_procfs_ref ref = directory->ref;
  int err = open_private(directory, &process);
  int fd DZ_FD = err ? err : dz_open_child(process.dir, "ns", O_RDONLY | O_DIRECTORY, 0);

  ref.area = DZ_PROCFS_NS;
  if (fd < 0)
    return fd;
  return dz_procfs_list_host(&(struct dz_procfs_host_list){fd, keep_namespace, &ref}, list);
}

static int ns_stat(const struct dz_procfs_place *place, struct stat *out) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = open_private(place, &process);
  char path[32];

  namespace_path(place->ref.item, path);
  return err ? err : dz_procfs_host_stat(&process, path, place->node->mode, out);
}

static int ns_readlink(const struct dz_procfs_place *place, struct dz_text *text) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = open_private(place, &process);
  char path[32], name[64];
  ssize_t length;

  if (err)
    return err;
  namespace_path(place->ref.item, path);
  length = readlinkat(process.dir, path, name, sizeof name);
  if (length < 0)
    return errno == ESRCH ? -ENOENT : -errno;
  dz_text_add(text, name, (size_t)length);
  return 0;
}

static int ns_follow(const struct dz_procfs_place *place, struct dz_node *target) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = open_private(place, &process), fd;
  char path[32];

  if (err)
    return err;
  namespace_path(place->ref.item, path);
  fd = (int)dz_result(openat(process.dir, path, O_PATH | O_CLOEXEC));
  return fd < 0 ? fd : dz_procfs_namespace(place->fs, fd, target);
}

static void ns_name(const struct dz_procfs_place *place, char name[NAME_MAX + 1]) {
  snprintf(name, NAME_MAX + 1, "%s", namespaces[place->ref.item]);
}

const struct dz_procfs_area_ops dz_procfs_ns_area = {
    .lookup = ns_lookup,
    .list = ns_list,
    .stat = ns_stat,
    .open = no_open,
    .readlink = ns_readlink,
    .follow = ns_follow,
    .name = ns_name,
};
