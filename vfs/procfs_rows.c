/*
 * What stands in a process's directory: one row each, in the kernel's order
 * (tgid_base_stuff and tid_base_stuff of fs/proc/base.c).
 *
 * Left out, as ENOENT: attr, autogroup, cpu_resctrl_groups, ksm_*, map_files, pagemap (frame
 * numbers are the host's), numa_maps.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <string.h>

/* ---- small texts ---- */

static int cgroup_text(const struct dz_view *view DZ_UNUSED,
                       const struct dz_procfs_process *process DZ_UNUSED, struct dz_text *text) {
  dz_text_print(text, "0::/\n");
  return 0;
}

static int cpuset_text(const struct dz_view *view DZ_UNUSED,
                       const struct dz_procfs_process *process DZ_UNUSED, struct dz_text *text) {
  dz_text_print(text, "/\n");
  return 0;
}

/* A silo has one namespace of users, the first: identity (user_namespaces(7)). */
static int id_map_text(const struct dz_view *view DZ_UNUSED,
                       const struct dz_procfs_process *process DZ_UNUSED, struct dz_text *text) {
  dz_text_print(text, "%10u %10u %10u\n", 0U, 0U, 4294967295U);
  return 0;
}

static int setgroups_text(const struct dz_view *view DZ_UNUSED,
                          const struct dz_procfs_process *process DZ_UNUSED, struct dz_text *text) {
  dz_text_print(text, "allow\n");
  return 0;
}

/* No audit session began in the silo: (unsigned)-1, as credentials(7) has it for "unset". */
static int unset_text(const struct dz_view *view DZ_UNUSED,
                      const struct dz_procfs_process *process DZ_UNUSED, struct dz_text *text) {
  dz_text_print(text, "4294967295");
  return 0;
}

static int wchan_text(const struct dz_view *view DZ_UNUSED,
                      const struct dz_procfs_process *process DZ_UNUSED, struct dz_text *text) {
  dz_text_print(text, "0");
  return 0;
}

/* ---- links ---- */

/* A process that has ended has none of them (get_task_exe_file(), get_task_root()). */
static int still_runs(const struct dz_procfs_process *process) {
  char text[8];

  return readlinkat(process->dir, "exe", text, sizeof text) < 0 && errno != EACCES ? -ENOENT : 0;
}

static const struct dz_node *node_of(const struct dz_place *place) {
  return place ? &place->node : NULL;
}

/* A node of a record may not know its mount yet: see dz_vfs_locate(). */
static int link_follow(const struct dz_view *view, const struct dz_procfs_process *process,
                       const struct dz_node *node, struct dz_node *target) {
  int err = node ? still_runs(process) : -ENOENT;

  if (!err)
    err = dz_node_copy(node, target);
  if (err)
    return err;
  dz_vfs_locate(view, target);
  if (target->mount)
    return 0;
  dz_node_drop(target);
  return -ENOENT;
}

static int link_text(const struct dz_view *view, const struct dz_procfs_process *process,
                     const struct dz_node *node, struct dz_text *text) {
  struct dz_node located DZ_NODE = DZ_NODE_NONE;
  int err = link_follow(view, process, node, &located);
  char path[PATH_MAX];
  ssize_t length = err ? err : dz_vfs_path(view, &located, path, sizeof path);

  if (length < 0)
    return (int)length;
  dz_text_add(text, path, (size_t)length);
  return 0;
}

static int cwd_text(const struct dz_view *view, const struct dz_procfs_process *process,
                    struct dz_text *text) {
  return link_text(view, process, node_of(process->state->cwd), text);
}
static int cwd_follow(const struct dz_view *view, const struct dz_procfs_process *process,
                      struct dz_node *target) {
  return link_follow(view, process, node_of(process->state->cwd), target);
}

static int root_text(const struct dz_view *view, const struct dz_procfs_process *process,
                     struct dz_text *text) {
  return link_text(view, process, node_of(process->state->root), text);
}
static int root_follow(const struct dz_view *view, const struct dz_procfs_process *process,
                       struct dz_node *target) {
  return link_follow(view, process, node_of(process->state->root), target);
}

static const struct dz_node *program_of(const struct dz_procfs_process *process) {
  return process->state->program ? &process->state->program->node : NULL;
}
static int exe_text(const struct dz_view *view, const struct dz_procfs_process *process,
                    struct dz_text *text) {
  return link_text(view, process, program_of(process), text);
}
static int exe_follow(const struct dz_view *view, const struct dz_procfs_process *process,
                      struct dz_node *target) {
  return link_follow(view, process, program_of(process), target);
}

/* ---- the rows ---- */

#define ROW_DIRECTORY(entry, bits, where, area)                                                    \
  {                                                                                                \
    .name = (entry), .mode = S_IFDIR | (bits), .kind = DZ_PROCFS_DIRECTORY, .flags = (where),      \
    .inside = (area)                                                                               \
  }
#define ROW_LIVE(entry, bits, where)                                                               \
  { .name = (entry), .mode = S_IFREG | (bits), .kind = DZ_PROCFS_LIVE, .flags = (where) }
#define ROW_TEXT(entry, bits, where, function)                                                     \
  {                                                                                                \
    .name = (entry), .mode = S_IFREG | (bits), .kind = DZ_PROCFS_TEXT, .flags = (where),           \
    .text = (function)                                                                             \
  }
#define ROW_LINK(entry, function, magic)                                                           \
  {                                                                                                \
    .name = (entry), .mode = S_IFLNK | 0777, .kind = DZ_PROCFS_LINK, .flags = BOTH | PRIVATE,      \
    .text = (function), .follow = (magic)                                                          \
  }

#define BOTH DZ_PROCFS_IN_BOTH
#define PROCESS DZ_PROCFS_IN_PROCESS
#define THREAD DZ_PROCFS_IN_THREAD
#define PRIVATE DZ_PROCFS_PRIVATE
#define WRITABLE DZ_PROCFS_WRITABLE
#define SLEEPS DZ_PROCFS_SLEEPS

const struct dz_procfs_row dz_procfs_rows[] = {
    ROW_DIRECTORY("task", 0555, PROCESS, DZ_PROCFS_PROCESS),
    ROW_DIRECTORY("fd", 0500, BOTH, DZ_PROCFS_FD),
    ROW_DIRECTORY("fdinfo", 0555, BOTH, DZ_PROCFS_FDINFO),
    ROW_DIRECTORY("ns", 0511, BOTH, DZ_PROCFS_NS),
    ROW_DIRECTORY("net", 0555, BOTH, DZ_PROCFS_NET),
    ROW_LIVE("environ", 0400, BOTH | PRIVATE),
    ROW_LIVE("auxv", 0400, BOTH | PRIVATE),
    ROW_TEXT("status", 0444, BOTH, dz_procfs_status_text),
    ROW_LIVE("personality", 0400, BOTH | PRIVATE),
    ROW_TEXT("limits", 0444, BOTH, dz_procfs_limits_text),
    ROW_LIVE("sched", 0444, BOTH),
    ROW_LIVE("comm", 0644, BOTH | WRITABLE),
    ROW_LIVE("syscall", 0400, BOTH | PRIVATE),
    ROW_LIVE("cmdline", 0444, BOTH),
    ROW_TEXT("stat", 0444, BOTH, dz_procfs_stat_text),
    ROW_LIVE("statm", 0444, BOTH),
    ROW_TEXT("maps", 0444, BOTH | PRIVATE | SLEEPS, dz_procfs_maps_text),
    ROW_TEXT("children", 0444, THREAD, dz_procfs_children_text),
    ROW_LIVE("mem", 0600, BOTH | PRIVATE | WRITABLE),
    ROW_LINK("cwd", cwd_text, cwd_follow),
    ROW_LINK("root", root_text, root_follow),
    ROW_LINK("exe", exe_text, exe_follow),
    ROW_TEXT("mounts", 0444, BOTH, dz_procfs_mounts_text),
    ROW_TEXT("mountinfo", 0444, BOTH, dz_procfs_mountinfo_text),
    ROW_TEXT("mountstats", 0400, PROCESS, dz_procfs_mountstats_text),
    ROW_LIVE("clear_refs", 0200, PROCESS | WRITABLE),
    ROW_TEXT("smaps", 0444, BOTH | PRIVATE | SLEEPS, dz_procfs_smaps_text),
    ROW_LIVE("smaps_rollup", 0444, BOTH | PRIVATE | SLEEPS),
    ROW_TEXT("wchan", 0444, BOTH, wchan_text),
    /* Shown to real root alone (proc_pid_stack()). */
    {.name = "stack", .mode = S_IFREG | 0400, .kind = DZ_PROCFS_REFUSED, .flags = BOTH},
    ROW_LIVE("schedstat", 0444, BOTH),
    ROW_TEXT("cpuset", 0444, BOTH, cpuset_text),
    ROW_TEXT("cgroup", 0444, BOTH, cgroup_text),
    ROW_LIVE("oom_score", 0444, BOTH),
    ROW_LIVE("oom_adj", 0644, BOTH | WRITABLE),
    ROW_LIVE("oom_score_adj", 0644, BOTH | WRITABLE),
    ROW_TEXT("loginuid", 0644, BOTH, unset_text),
    ROW_TEXT("sessionid", 0444, BOTH, unset_text),
    ROW_LIVE("coredump_filter", 0644, PROCESS | WRITABLE),
    ROW_LIVE("io", 0400, BOTH | PRIVATE),
    ROW_TEXT("uid_map", 0644, BOTH, id_map_text),
    ROW_TEXT("gid_map", 0644, BOTH, id_map_text),
    ROW_TEXT("projid_map", 0644, BOTH, id_map_text),
    ROW_TEXT("setgroups", 0644, BOTH, setgroups_text),
    ROW_LIVE("timers", 0444, PROCESS),
    ROW_LIVE("timerslack_ns", 0666, PROCESS),
    ROW_LIVE("arch_status", 0444, BOTH),
};
const size_t dz_procfs_row_count = DZ_ARRAY_SIZE(dz_procfs_rows);
_Static_assert(DZ_ARRAY_SIZE(dz_procfs_rows) <= 128, "dz_procfs.present has a bit for each row");
