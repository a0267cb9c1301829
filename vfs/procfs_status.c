/*
 * stat, status, limits and children of a process: the host's text, with what the
 * guest's tables know better.
 */
#include "vfs/procfs_internal.h"

#include <stdio.h>
#include <string.h>

static bool is_member(const struct dz_procfs *fs, pid_t pid) {
  return dz_proc_is_member(fs->proc, pid);
}

/* The parent, from the host's: as dz_proc_parent(), without reading the file once more. */
static pid_t shown_parent(const struct dz_procfs_process *process, pid_t leader, pid_t parent) {
  const struct dz_proc *proc = process->fs->proc;

  if (leader == proc->init)
    return 0;
  return dz_proc_is_member(proc, parent) ? parent : 1;
}

/* A process group or session. Its number outlives its leader; one whose leader lives outside of
 * the silo has none here, as in a PID namespace (pid_nr_ns() of kernel/pid.c). */
static pid_t shown_group(const struct dz_procfs_process *process, pid_t group) {
  uint64_t tag;

  if (group <= 0 || group == process->pid || group == process->fs->proc->init ||
      is_member(process->fs, group))
    return group;
  return dz_tag_read(group, &tag) == -ESRCH ? group : 0;
}

static pid_t leader_of(const struct dz_procfs_process *process) {
  return process->tgid ? process->tgid : process->pid;
}

/* Who reads its own state runs; that it waits for the supervisor meanwhile is denizen's doing. */
static bool is_reader(const struct dz_view *view, const struct dz_procfs_process *process) {
  return process->pid == view->tid;
}

int dz_procfs_stat_text(const struct dz_view *view, const struct dz_procfs_process *process,
                        struct dz_text *text) {
  struct dz_text host DZ_TEXT = {0};
  int parent, group, session, terminal, foreground, used = 0;
  const char *name_end;
  char state;
  int err = dz_text_read(&host, process->dir, "stat");

  if (err)
    return err;
  name_end = host.data ? strrchr(host.data, ')') : NULL; /* the name may hold anything */
  if (!name_end || sscanf(name_end, ") %c %d %d %d %d %d%n", &state, &parent, &group, &session,
                          &terminal, &foreground, &used) != 6)
    return -ESRCH;
  dz_text_add(text, host.data, (size_t)(name_end - host.data));
  dz_text_print(text, ") %c %d %d %d %d %d", is_reader(view, process) ? 'R' : state,
                (int)shown_parent(process, leader_of(process), parent),
                (int)shown_group(process, group), (int)shown_group(process, session), terminal,
                foreground > 0 ? (int)shown_group(process, foreground) : foreground);
  dz_text_add(text, name_end + used, host.length - (size_t)(name_end + used - host.data));
  return 0;
}

/* ---- status ---- */

struct status {
  const struct dz_view *view;
  const struct dz_procfs_process *process;
  const char *value; /* the host's, behind the tab */
  pid_t leader;      /* Tgid, which comes before PPid */
  struct dz_text *text;
};

static size_t value_length(const struct status *status) {
  return strcspn(status->value + 1, "\n");
}

static void status_state(struct status *status) {
  if (is_reader(status->view, status->process))
    dz_text_print(status->text, "R (running)");
  else
    dz_text_add(status->text, status->value + 1, value_length(status));
}

/* One number for each PID namespace, from the outermost: denizen's own is the guest's. */
static void status_group(struct status *status) {
  dz_text_print(status->text, "%d", (int)shown_group(status->process, atoi(status->value)));
}

static void status_tgid(struct status *status) {
  status->leader = atoi(status->value);
  dz_text_print(status->text, "%d", (int)status->leader);
}

static void status_parent(struct status *status) {
  dz_text_print(status->text, "%d",
                (int)shown_parent(status->process, status->leader, atoi(status->value)));
}

/* denizen attaches for an instant around exec; only a tracer of the silo is shown. */
static void status_tracer(struct status *status) {
  pid_t tracer = atoi(status->value);

  dz_text_print(status->text, "%d", is_member(status->process->fs, tracer) ? (int)tracer : 0);
}

static void status_umask(struct status *status) {
  dz_text_print(status->text, "%04o", (unsigned)status->process->state->umask);
}

static void status_uid(struct status *status) {
  const struct dz_identity *identity = &status->process->state->identity;

  dz_text_print(status->text, "%u\t%u\t%u\t%u", identity->ruid, identity->euid, identity->suid,
                identity->fsuid);
}

static void status_gid(struct status *status) {
  const struct dz_identity *identity = &status->process->state->identity;

  dz_text_print(status->text, "%u\t%u\t%u\t%u", identity->rgid, identity->egid, identity->sgid,
                identity->fsgid);
}

static void status_groups(struct status *status) {
  const struct dz_identity *identity = &status->process->state->identity;

  for (unsigned i = 0; i < identity->group_count; i++)
    dz_text_print(status->text, i ? " %u" : "%u", identity->groups[i]);
  dz_text_print(status->text, " "); /* "for backwards compatibility", task_state() */
}

#define STATUS_CAPABILITIES(set)                                                                   \
  static void status_##set(struct status *status) {                                                \
    dz_text_print(status->text, "%016llx",                                                         \
                  (unsigned long long)status->process->state->identity.set);                       \
  }
STATUS_CAPABILITIES(inheritable)
STATUS_CAPABILITIES(permitted)
STATUS_CAPABILITIES(effective)
STATUS_CAPABILITIES(bounding)
STATUS_CAPABILITIES(ambient)

/* no_new_privs and the filter are denizen's: the guest asked for neither. */
static void status_zero(struct status *status) {
  dz_text_print(status->text, "0");
}

static const struct {
  const char *name;
  void (*print)(struct status *status);
} status_fields[] = {
    {"State:", status_state},
    {"NSpgid:", status_group},
    {"NSsid:", status_group},
    {"Umask:", status_umask},
    {"Tgid:", status_tgid},
    {"PPid:", status_parent},
    {"TracerPid:", status_tracer},
    {"Uid:", status_uid},
    {"Gid:", status_gid},
    {"Groups:", status_groups},
    {"CapInh:", status_inheritable},
    {"CapPrm:", status_permitted},
    {"CapEff:", status_effective},
    {"CapBnd:", status_bounding},
    {"CapAmb:", status_ambient},
    {"NoNewPrivs:", status_zero},
    {"Seccomp:", status_zero},
    {"Seccomp_filters:", status_zero},
};

static void status_line(struct status *status, const char *line, size_t length) {
  const char *colon = memchr(line, ':', length);
  size_t name = colon ? (size_t)(colon - line) + 1 : 0;

  for (size_t i = 0; name && i < DZ_ARRAY_SIZE(status_fields); i++)
    if (strlen(status_fields[i].name) == name && memcmp(status_fields[i].name, line, name) == 0) {
      status->value = line + name;
      dz_text_print(status->text, "%s\t", status_fields[i].name);
      status_fields[i].print(status);
      dz_text_add(status->text, "\n", 1);
      return;
    }
  dz_text_add(status->text, line, length + 1);
}

int dz_procfs_status_text(const struct dz_view *view, const struct dz_procfs_process *process,
                          struct dz_text *text) {
  struct status status = {.view = view, .process = process, .leader = process->pid, .text = text};
  struct dz_text host DZ_TEXT = {0};
  int err = dz_text_read(&host, process->dir, "status");
  const char *line, *end;

  if (err || !host.data)
    return err ? err : -ESRCH;
  for (line = host.data; (end = strchr(line, '\n')); line = end + 1)
    status_line(&status, line, (size_t)(end - line));
  return 0;
}

/* ---- limits, children ---- */

/* The soft value of RLIMIT_LOCKS is the state tag. */
#define LOCKS "Max file locks"

int dz_procfs_limits_text(const struct dz_view *view DZ_UNUSED,
                          const struct dz_procfs_process *process, struct dz_text *text) {
  struct dz_text host DZ_TEXT = {0};
  int err = dz_text_read(&host, process->dir, "limits");
  const char *line, *end;

  if (err || !host.data)
    return err ? err : -ESRCH;
  for (line = host.data; (end = strchr(line, '\n')); line = end + 1)
    if (strncmp(line, LOCKS, strlen(LOCKS)) == 0)
      dz_text_print(text, "%-25s %-20s %-20s %-10s\n", LOCKS, "unlimited", "unlimited", "locks");
    else
      dz_text_add(text, line, (size_t)(end - line) + 1);
  return 0;
}

int dz_procfs_children_text(const struct dz_view *view DZ_UNUSED,
                            const struct dz_procfs_process *process, struct dz_text *text) {
  struct dz_text host DZ_TEXT = {0};
  int err = dz_text_read(&host, process->dir, "children");
  char *at = host.data, *end;

  if (err)
    return err;
  for (long pid; at && (pid = strtol(at, &end, 10), end != at); at = end)
    if (is_member(process->fs, (pid_t)pid))
      dz_text_print(text, "%ld ", pid);
  return 0;
}
