/*
 * What stands in /proc and is no process's.
 *
 * Left out: what shows other users' processes or the kernel's inside (interrupts, softirqs, keys,
 * key-users, kallsyms, kcore, kmsg, kpage*, iomem, ioports, modules, slabinfo, timer_list,
 * vmallocinfo, sysrq-trigger, irq, bus, driver, acpi, fs, scsi), and sysvipc, without which ipcs
 * asks the calls themselves.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

static int self_text(const struct dz_made_call *call, struct dz_text *text) {
  pid_t caller = dz_procfs_caller(call->fs, call->view);

  if (caller <= 0)
    return -ENOENT;
  dz_text_print(text, "%d", (int)caller);
  return 0;
}

static int thread_self_text(const struct dz_made_call *call, struct dz_text *text) {
  int err = self_text(call, text);

  if (!err)
    dz_text_print(text, "/task/%d", (int)call->view->tid);
  return err;
}

/* Locks of members; a lock's fifth word is its holder (lock_get_status() of fs/locks.c). Those who
 * wait follow theirs, marked "->". */
static int locks_text(const struct dz_made_call *call, struct dz_text *text) {
  const struct dz_procfs *fs = call->fs;
  struct dz_text host DZ_TEXT = {0};
  int err = dz_text_read(&host, fs->proc->proc_fd, "locks");
  const char *line, *end;

  for (line = host.data; !err && line && (end = strchr(line, '\n')); line = end + 1) {
    const char *words = strstr(line, "-> ");
    int pid;

    words = words && words < end ? words + 3 : line + strcspn(line, " ");
    if (sscanf(words, "%*s %*s %*s %d", &pid) == 1 && dz_proc_is_member(fs->proc, pid))
      dz_text_add(text, line, (size_t)(end - line) + 1);
  }
  return err;
}

/* The name of a swap file is a host path. */
static int swaps_text(const struct dz_made_call *call, struct dz_text *text) {
  const struct dz_procfs *fs = call->fs;
  struct dz_procfs_names none = {0};
  struct dz_text host DZ_TEXT = {0};
  int err = dz_text_read(&host, fs->proc->proc_fd, "swaps");
  const char *line, *end;

  for (line = host.data; !err && line && (end = strchr(line, '\n')); line = end + 1) {
    char path[PATH_MAX];
    size_t name = strcspn(line, " \t\n");

    if (line[0] == '/' && name < sizeof path) {
      memcpy(path, line, name);
      path[name] = '\0';
      dz_procfs_names_add(&none, path, text);
      dz_text_add(text, line + name, (size_t)(end - line) - name + 1);
    } else {
      dz_text_add(text, line, (size_t)(end - line) + 1);
    }
  }
  return err;
}

/* ---- rows ---- */

#define LIVE(name)                                                                                 \
  { .path = (name), .mode = S_IFREG | 0444, .kind = DZ_MADE_LIVE }
#define TEXT(name, function)                                                                       \
  { .path = (name), .mode = S_IFREG | 0444, .generate = (function) }
#define LINK(name, to)                                                                             \
  { .path = (name), .mode = S_IFLNK | 0777, .link = (to) }

const struct dz_made_row dz_procfs_root_rows[] = {
    {.path = "self", .mode = S_IFLNK | 0777, .generate = self_text},
    {.path = "thread-self", .mode = S_IFLNK | 0777, .generate = thread_self_text},
    LINK("mounts", "self/mounts"),
    LINK("net", "self/net"),
    LIVE("buddyinfo"),
    LIVE("cgroups"),
    LIVE("cmdline"),
    LIVE("cpuinfo"),
    LIVE("crypto"),
    LIVE("devices"),
    LIVE("diskstats"),
    LIVE("execdomains"),
    TEXT("filesystems", dz_procfs_filesystems_text),
    LIVE("loadavg"),
    TEXT("locks", locks_text),
    LIVE("meminfo"),
    LIVE("misc"),
    LIVE("partitions"),
    LIVE("pressure/cpu"),
    LIVE("pressure/io"),
    LIVE("pressure/memory"),
    LIVE("schedstat"),
    LIVE("stat"),
    TEXT("swaps", swaps_text),
    LIVE("tty/drivers"),
    LIVE("uptime"),
    LIVE("version"),
    LIVE("version_signature"),
    LIVE("vmstat"),
    LIVE("zoneinfo"),
};
const size_t dz_procfs_root_row_count = DZ_ARRAY_SIZE(dz_procfs_root_rows);

/* ---- the area ---- */

static const struct dz_made_item *item_of(const struct dz_procfs *fs, unsigned item) {
  return &fs->tree.items[item - 1];
}

/* A live file is there if the host has it; nobody may write it. */
static int live_stat(const struct dz_procfs *fs, const struct dz_made_row *row, struct stat *out) {
  if (fstatat(fs->proc->proc_fd, row->path, out, AT_SYMLINK_NOFOLLOW))
    return -errno;
  if (!S_ISREG(out->st_mode))
    return -ENOENT;
  out->st_mode &= ~(mode_t)0222;
  return 0;
}

static int tree_lookup(const struct dz_procfs_place *directory, const char *name,
                       struct dz_procfs_ref *child, mode_t *mode) {
  const struct dz_procfs *fs = directory->fs;
  const struct dz_made_row *row;
  struct stat st;
  int err;

  child->item = dz_made_tree_find(&fs->tree, directory->ref.item, name);
  if (!child->item)
    return -ENOENT;
  *mode = dz_made_tree_mode(&fs->tree, child->item);
  row = item_of(fs, child->item)->row;
  if (!row || row->kind != DZ_MADE_LIVE)
    return 0;
  err = live_stat(fs, row, &st);
  *mode = st.st_mode;
  return err;
}

static int tree_list(const struct dz_procfs_place *directory, const struct dz_procfs_list *list) {
  const struct dz_procfs *fs = directory->fs;
  unsigned at = item_of(fs, directory->ref.item)->child;

  for (; at; at = item_of(fs, at)->next) {
    const struct dz_made_item *item = item_of(fs, at);
    struct dz_procfs_ref ref = {.area = DZ_PROCFS_TREE, .item = at};
    char name[NAME_MAX + 1];
    struct stat st;

    if (at < list->position ||
        (item->row && item->row->kind == DZ_MADE_LIVE && live_stat(fs, item->row, &st)))
      continue;
    snprintf(name, sizeof name, "%.*s", (int)item->name_length, item->name);
    if (list->sink(list->context, &(struct dz_entry){
                                      .name = name,
                                      .ino = dz_procfs_ino(&ref),
                                      .type = (dz_made_tree_mode(&fs->tree, at) & S_IFMT) >> 12,
                                      .next = at + 1,
                                  }))
      break;
  }
  return 0;
}

static int tree_stat(const struct dz_procfs_place *place, struct stat *out) {
  const struct dz_procfs *fs = place->fs;
  const struct dz_made_row *row = item_of(fs, place->ref.item)->row;
  struct stat host;

  out->st_nlink = dz_made_tree_links(&fs->tree, place->ref.item);
  out->st_atim = out->st_mtim = out->st_ctim = fs->made;
  if (!row || row->kind != DZ_MADE_LIVE)
    return 0;
  if (live_stat(fs, row, &host))
    return -ENOENT;
  out->st_atim = host.st_atim;
  out->st_mtim = host.st_mtim;
  out->st_ctim = host.st_ctim;
  return 0;
}

static int generate(const struct dz_procfs_place *place, struct dz_text *text) {
  const struct dz_made_row *row = item_of(place->fs, place->ref.item)->row;
  struct dz_made_call call = {place->fs, place->view, place->node};

  if (!row->link)
    return row->generate(&call, text);
  dz_text_add(text, row->link, strlen(row->link));
  return 0;
}

static int tree_open(const struct dz_procfs_place *place, const struct dz_open_how *how) {
  const struct dz_procfs *fs = place->fs;
  const struct dz_made_row *row = item_of(fs, place->ref.item)->row;
  struct stat st = {.st_mode = place->node->mode};
  struct dz_text text DZ_TEXT = {0};
  int err = dz_made_permission(fs->proc, place->view, &st, R_OK, false);

  if (err)
    return err;
  if (S_ISDIR(place->node->mode))
    return dz_vfs_placeholder(place->view, place->node);
  if (row->kind == DZ_MADE_LIVE)
    return dz_open_child(fs->proc->proc_fd, row->path, (uint64_t)(how->flags & O_NONBLOCK), 0);
  err = generate(place, &text);
  return err ? err : dz_procfs_snapshot(place->view, place->node, &text);
}

const struct dz_procfs_area_ops dz_procfs_tree_area = {
    .lookup = tree_lookup,
    .list = tree_list,
    .stat = tree_stat,
    .open = tree_open,
    .readlink = generate,
};
