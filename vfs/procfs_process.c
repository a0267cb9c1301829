/*
 * A process's directory: who may be seen, who may look, and its entries.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

/* ---- a process that is held ---- */

static struct dz_procfs_process take(struct dz_procfs_process *process) {
  struct dz_procfs_process taken = *process;

  *process = DZ_PROCFS_PROCESS_NONE;
  return taken;
}

int dz_procfs_process_open(const struct dz_node *node, struct dz_procfs_process *process) {
  struct dz_procfs *fs = node->mount->fs;
  struct dz_procfs_ref ref = dz_procfs_ref(node);
  struct dz_procfs_process opened DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  char path[48];

  opened.fs = fs;
  opened.mount = node->mount;
  opened.pid = ref.pid;
  opened.tgid = ref.task ? ref.tgid : 0;
  if (ref.task)
    snprintf(path, sizeof path, "%d/task/%d", (int)ref.tgid, (int)ref.pid);
  else
    snprintf(path, sizeof path, "%d", (int)ref.pid);
  opened.dir = dz_openat2(fs->proc->proc_fd, path, O_PATH | O_DIRECTORY, 0,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (opened.dir < 0)
    return opened.dir;
  if (dz_states_of(fs->proc->states, ref.pid, &opened.state))
    return -ENOENT;
  *process = take(&opened);
  return 0;
}

void dz_procfs_process_drop(struct dz_procfs_process *process) {
  dz_close_scope(&process->dir);
  dz_state_scope(&process->state);
  *process = DZ_PROCFS_PROCESS_NONE;
}

static bool is_caller(const struct dz_view *view, const struct dz_procfs_process *process) {
  pid_t caller;

  if (view->tid <= 0 || process->pid == view->tid)
    return true;
  caller = dz_procfs_caller(process->fs, view);
  return caller > 0 &&
         (process->pid == caller || process->tgid == caller ||
          (!process->tgid && dz_proc_tgid(process->fs->proc, process->pid) == caller));
}

int dz_procfs_may_inspect(const struct dz_view *view, const struct dz_procfs_process *process) {
  struct dz_state *state DZ_STATE = NULL;
  const struct dz_identity *own, *its = &process->state->identity;

  if (view->tid <= 0 || process->pid == view->tid)
    return 0;
  if (dz_states_of(process->fs->proc->states, view->tid, &state))
    return -EACCES;
  own = &state->identity;
  if (own->effective & UINT64_C(1) << CAP_SYS_PTRACE)
    return 0;
  if (!process->state->undumpable && own->fsuid == its->euid && own->fsuid == its->suid &&
      own->fsuid == its->ruid && own->fsgid == its->egid && own->fsgid == its->sgid &&
      own->fsgid == its->rgid)
    return 0;
  return is_caller(view, process) ? 0 : -EACCES;
}

int dz_procfs_host_stat(const struct dz_procfs_process *process, const char *name, mode_t mode,
                        struct stat *out) {
  bool hidden = process->state->undumpable && mode != (S_IFDIR | 0555);
  struct stat host;

  if ((name ? fstatat(process->dir, name, &host, AT_SYMLINK_NOFOLLOW) : fstat(process->dir, &host)))
    return errno == ESRCH ? -ENOENT : -errno;
  out->st_nlink = host.st_nlink;
  out->st_size = host.st_size;
  out->st_atim = host.st_atim;
  out->st_mtim = host.st_mtim;
  out->st_ctim = host.st_ctim;
  out->st_uid = hidden ? 0 : process->state->identity.euid;
  out->st_gid = hidden ? 0 : process->state->identity.egid;
  return 0;
}

/* ---- entries of a host directory ---- */

struct host_dirent { /* linux_dirent64, getdents64(2) */
  uint64_t ino;
  int64_t next;
  unsigned short length;
  unsigned char type;
  char name[];
};

int dz_procfs_list_host(const struct dz_procfs_host_list *host, const struct dz_procfs_list *list) {
  char buffer[8192] __attribute__((aligned(8)));
  ssize_t got;

  if (lseek(host->fd, (off_t)list->position, SEEK_SET) < 0)
    return -errno;
  while ((got = getdents64(host->fd, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < got;) {
      const struct host_dirent *entry = (const struct host_dirent *)(buffer + at);
      struct dz_entry shown = {.name = entry->name,
                               .ino = entry->ino,
                               .type = entry->type,
                               .next = (uint64_t)entry->next};

      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0 ||
          !host->keep(host->context, entry->name, &shown))
        continue;
      if (list->sink(list->context, &shown))
        return 0;
    }
  }
  return got < 0 ? -errno : 0;
}

/* ---- entries that are processes: of the root and of task/ ---- */

static int process_lookup(const struct dz_procfs_place *directory, const char *name,
                          struct dz_procfs_ref *child, mode_t *mode) {
  bool task = directory->ref.area == DZ_PROCFS_ROW;
  int number = dz_procfs_number(name);

  if (number <= 0)
    return -ENOENT;
  child->pid = number;
  child->task = task;
  child->tgid = task ? directory->ref.pid : 0;
  *mode = S_IFDIR | 0555;
  if (!task)
    return dz_proc_is_member(directory->fs->proc, number) ? 0 : -ENOENT;
  {
    /* The kernel knows whether the thread is one of that process. */
    struct dz_node node = dz_procfs_node(directory->node->mount, child, *mode);
    struct dz_procfs_process thread DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;

    return dz_procfs_process_open(&node, &thread);
  }
}

static bool keep_task(void *context, const char *name, struct dz_entry *entry) {
  const struct dz_procfs_process *process = context;
  struct dz_procfs_ref ref = {
      .area = DZ_PROCFS_PROCESS, .pid = dz_procfs_number(name), .task = true, .tgid = process->pid};

  entry->ino = dz_procfs_ino(&ref);
  entry->type = DT_DIR;
  return ref.pid > 0;
}

static int process_list(const struct dz_procfs_place *directory,
                        const struct dz_procfs_list *list) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = dz_procfs_process_open(directory->node, &process);
  int fd DZ_FD = err ? err : dz_open_child(process.dir, "task", O_RDONLY | O_DIRECTORY, 0);

  if (fd < 0)
    return fd;
  return dz_procfs_list_host(&(struct dz_procfs_host_list){fd, keep_task, &process}, list);
}

static int process_stat(const struct dz_procfs_place *place, struct stat *out) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = dz_procfs_process_open(place->node, &process);

  return err ? err : dz_procfs_host_stat(&process, NULL, place->node->mode, out);
}

static int process_open(const struct dz_procfs_place *place,
                        const struct dz_open_how *how DZ_UNUSED) {
  if (!dz_proc_is_member(place->fs->proc, place->ref.pid))
    return -ENOENT;
  return dz_vfs_placeholder(place->view, place->node);
}

static void process_name(const struct dz_procfs_place *place, char name[NAME_MAX + 1]) {
  snprintf(name, NAME_MAX + 1, "%d", (int)place->ref.pid);
}

const struct dz_procfs_area_ops dz_procfs_process_area = {
    .lookup = process_lookup,
    .list = process_list,
    .stat = process_stat,
    .open = process_open,
    .name = process_name,
};

/* ---- entries of a process's directory ---- */

bool dz_procfs_row_shown(const struct dz_procfs *fs, const struct dz_procfs_ref *process,
                         size_t row) {
  unsigned where = process->task ? DZ_PROCFS_IN_THREAD : DZ_PROCFS_IN_PROCESS;

  return (dz_procfs_rows[row].flags & where) && (fs->present[row / 64] >> row % 64 & 1);
}

int dz_procfs_row_find(const struct dz_procfs *fs, const struct dz_procfs_ref *process,
                       const char *name) {
  for (size_t i = 0; i < dz_procfs_row_count; i++)
    if (strcmp(dz_procfs_rows[i].name, name) == 0)
      return dz_procfs_row_shown(fs, process, i) ? (int)i : -ENOENT;
  return -ENOENT;
}

static int row_lookup(const struct dz_procfs_place *directory, const char *name,
                      struct dz_procfs_ref *child, mode_t *mode) {
  int row = dz_procfs_row_find(directory->fs, &directory->ref, name);

  if (row < 0 || !dz_proc_is_member(directory->fs->proc, directory->ref.pid))
    return -ENOENT;
  child->item = (unsigned)row;
  *mode = dz_procfs_rows[row].mode;
  return 0;
}

static int row_list(const struct dz_procfs_place *directory, const struct dz_procfs_list *list) {
  struct dz_procfs_ref ref = directory->ref;

  if (!dz_proc_is_member(directory->fs->proc, ref.pid))
    return -ENOENT;
  ref.area = DZ_PROCFS_ROW;
  for (size_t i = list->position > 2 ? list->position - 2 : 0; i < dz_procfs_row_count; i++) {
    if (!dz_procfs_row_shown(directory->fs, &ref, i))
      continue;
    ref.item = (unsigned)i;
    if (list->sink(list->context,
                   &(struct dz_entry){.name = dz_procfs_rows[i].name,
                                      .ino = dz_procfs_ino(&ref),
                                      .type = (dz_procfs_rows[i].mode & S_IFMT) >> 12,
                                      .next = i + 3}))
      break;
  }
  return 0;
}

static int row_stat(const struct dz_procfs_place *place, struct stat *out) {
  const struct dz_procfs_row *row = &dz_procfs_rows[place->ref.item];
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = dz_procfs_process_open(place->node, &process);

  if (err)
    return err;
  err = dz_procfs_host_stat(&process, row->name, row->mode, out);
  if (err == -ENOENT && row->kind != DZ_PROCFS_LIVE) { /* what this host does not have */
    err = dz_procfs_host_stat(&process, NULL, row->mode, out);
    out->st_nlink = S_ISDIR(row->mode) ? 2 : 1;
  }
  return err;
}

/* What the mode bits and the kernel's own check say of the caller. */
static int may_use(const struct dz_procfs_place *place, const struct dz_procfs_process *process,
                   int want) {
  const struct dz_procfs_row *row = &dz_procfs_rows[place->ref.item];
  struct stat st = {.st_mode = row->mode};
  bool hidden = process->state->undumpable;
  int err;

  st.st_uid = hidden ? 0 : process->state->identity.euid;
  st.st_gid = hidden ? 0 : process->state->identity.egid;
  err = S_ISLNK(row->mode) ? 0 : dz_made_permission(place->fs->proc, place->view, &st, want, false);
  if (!err && (row->flags & DZ_PROCFS_PRIVATE))
    err = dz_procfs_may_inspect(place->view, process);
  return err;
}

static int open_text(const struct dz_procfs_place *place, const struct dz_procfs_process *process) {
  struct dz_text text DZ_TEXT = {0};
  int err = dz_procfs_rows[place->ref.item].text(place->view, process, &text);

  if (err == -ESRCH)
    return -ENOENT;
  return err ? err : dz_procfs_snapshot(place->view, place->node, &text);
}

static int row_open(const struct dz_procfs_place *place, const struct dz_open_how *how) {
  static const int wants[] = {
      [O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK, [O_ACCMODE] = R_OK | W_OK};
  const struct dz_procfs_row *row = &dz_procfs_rows[place->ref.item];
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int flags = how->flags & (O_ACCMODE | O_TRUNC | O_APPEND | O_NONBLOCK);
  int err = dz_procfs_process_open(place->node, &process), fd;

  if (!err)
    err = may_use(place, &process, wants[how->flags & O_ACCMODE]);
  if (err || row->kind == DZ_PROCFS_REFUSED)
    return err ? err : -EACCES;
  if (row->kind == DZ_PROCFS_DIRECTORY)
    return dz_vfs_placeholder(place->view, place->node);
  if ((row->flags & DZ_PROCFS_SLEEPS) && !place->view->may_block)
    return -DZ_EBLOCK;
  if (row->kind == DZ_PROCFS_TEXT)
    return open_text(place, &process);
  fd = dz_open_child(process.dir, row->name, (uint64_t)flags, 0);
  return fd == -ESRCH ? -ENOENT : fd;
}

static int row_readlink(const struct dz_procfs_place *place, struct dz_text *text) {
  const struct dz_procfs_row *row = &dz_procfs_rows[place->ref.item];
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = dz_procfs_process_open(place->node, &process);

  if (!err)
    err = may_use(place, &process, R_OK);
  return err ? err : row->text(place->view, &process, text);
}

static int row_follow(const struct dz_procfs_place *place, struct dz_node *target) {
  const struct dz_procfs_row *row = &dz_procfs_rows[place->ref.item];
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err;

  if (!row->follow)
    return 1;
  err = dz_procfs_process_open(place->node, &process);
  if (!err)
    err = may_use(place, &process, R_OK);
  return err ? err : row->follow(place->view, &process, target);
}

static void row_name(const struct dz_procfs_place *place, char name[NAME_MAX + 1]) {
  snprintf(name, NAME_MAX + 1, "%s", dz_procfs_rows[place->ref.item].name);
}

const struct dz_procfs_area_ops dz_procfs_row_area = {
    .lookup = row_lookup,
    .list = row_list,
    .stat = row_stat,
    .open = row_open,
    .readlink = row_readlink,
    .follow = row_follow,
    .name = row_name,
};
