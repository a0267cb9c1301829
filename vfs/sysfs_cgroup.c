/*
 * fs/cgroup: cgroup v2 as seen from the silo, which is the root of its own. A
 * guest runs in the supervisor's control group, so what that group and those above
 * it allow is what binds: the least of them. Files: Documentation/admin-guide/cgroup-v2.rst.
 */
#include "vfs/sysfs_internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

#define RESOLVE_HOST (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int open_hierarchy(const struct dz_sysfs *fs) {
  static const char *const places[] = {"fs/cgroup", "fs/cgroup/unified"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(places); i++) {
    int fd DZ_FD = dz_openat2(fs->host, places[i], O_PATH | O_DIRECTORY, 0, RESOLVE_HOST);
    struct statfs type;

    if (fd >= 0 && fstatfs(fd, &type) == 0 && type.f_type == CGROUP2_SUPER_MAGIC)
      return dz_steal_fd(&fd);
  }
  return -1;
}

/* "0::/user.slice/…" of /proc/self/cgroup (cgroups(7)); a group outside of the cgroup namespace
 * shows with "..", and cannot be opened beneath. */
void dz_sysfs_cgroup_open(struct dz_sysfs *fs) {
  int hierarchy DZ_FD = open_hierarchy(fs);
  char text[8192], path[PATH_MAX];
  const char *line;

  fs->cgroup = -1;
  if (hierarchy < 0 || dz_read_file_at(fs->proc->proc_fd, "self/cgroup", text, sizeof text) < 0)
    return;
  for (line = text; line && strncmp(line, "0::/", 4) != 0;) {
    line = strchr(line, '\n');
    line = line ? line + 1 : NULL;
  }
  if (!line || sscanf(line, "0::/%4095[^\n]", path) != 1)
    snprintf(path, sizeof path, ".");
  fs->cgroup = dz_openat2(hierarchy, path, O_PATH | O_DIRECTORY, 0, RESOLVE_HOST);
  fs->cgroup_depth = strcmp(path, ".") != 0;
  for (const char *at = path; (at = strchr(at, '/')); at++)
    fs->cgroup_depth++;
}

/* ---- the least of all limits on the way up ---- */

/* Call look with each group's file of that name, the own first. */
static int each_group(const struct dz_sysfs *fs, const char *name,
                      void (*look)(void *context, const char *value), void *context) {
  int at DZ_FD = fs->cgroup < 0 ? -1 : fcntl(fs->cgroup, F_DUPFD_CLOEXEC, 0);

  for (unsigned depth = fs->cgroup_depth; at >= 0; depth--) {
    char value[128];
    int up;

    if (dz_read_file_at(at, name, value, sizeof value) > 0)
      look(context, value);
    if (depth == 0)
      break;
    up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    dz_close_scope(&at);
    at = up;
  }
  return fs->cgroup < 0 ? -ENOENT : 0;
}

static void least_number(void *context, const char *value) {
  uint64_t *least = context, number;
  char *end;

  number = strtoull(value, &end, 10);
  if (end != value && number < *least)
    *least = number;
}

static int number_text(const struct dz_made_call *call, struct dz_text *text, const char *name) {
  uint64_t least = UINT64_MAX;
  int err = each_group(call->fs, name, least_number, &least);

  if (least == UINT64_MAX)
    dz_text_print(text, "max\n");
  else
    dz_text_print(text, "%llu\n", (unsigned long long)least);
  return err;
}

#define LIMIT(function, name)                                                                      \
  static int function(const struct dz_made_call *call, struct dz_text *text) {                     \
    return number_text(call, text, name);                                                          \
  }
LIMIT(memory_max_text, "memory.max")
LIMIT(memory_high_text, "memory.high")
LIMIT(memory_swap_max_text, "memory.swap.max")
LIMIT(pids_max_text, "pids.max")

struct share {
  uint64_t quota, period;
};

static void least_share(void *context, const char *value) {
  struct share *least = context;
  unsigned long long quota, period;

  if (sscanf(value, "%llu %llu", &quota, &period) != 2 || !period)
    return; /* "max PERIOD" */
  if (least->quota == UINT64_MAX || (long double)quota / (long double)period <
                                        (long double)least->quota / (long double)least->period)
    *least = (struct share){quota, period};
}

static int cpu_max_text(const struct dz_made_call *call, struct dz_text *text) {
  struct share least = {UINT64_MAX, 100000};
  int err = each_group(call->fs, "cpu.max", least_share, &least);

  if (least.quota == UINT64_MAX)
    dz_text_print(text, "max %llu\n", (unsigned long long)least.period);
  else
    dz_text_print(text, "%llu %llu\n", (unsigned long long)least.quota,
                  (unsigned long long)least.period);
  return err;
}

/* ---- other files ---- */

static int controllers_text(const struct dz_made_call *call, struct dz_text *text) {
  const struct dz_sysfs *fs = call->fs;

  return fs->cgroup < 0 ? -ENOENT : dz_text_read(text, fs->cgroup, "cgroup.controllers");
}

static int procs_text(const struct dz_made_call *call, struct dz_text *text) {
  const struct dz_sysfs *fs = call->fs;
  pid_t *pids DZ_FREE = NULL;
  size_t count;
  int err = dz_proc_list(fs->proc, &pids, &count);

  for (size_t i = 0; !err && i < count; i++)
    dz_text_print(text, "%d\n", (int)pids[i]);
  return err;
}

#define FILE_OF(name, function)                                                                    \
  { .path = "fs/cgroup/" name, .mode = S_IFREG | 0444, .generate = (function) }

const struct dz_made_row dz_sysfs_cgroup_rows[] = {
    FILE_OF("cgroup.controllers", controllers_text),
    FILE_OF("cgroup.procs", procs_text),
    FILE_OF("cpu.max", cpu_max_text),
    FILE_OF("memory.high", memory_high_text),
    FILE_OF("memory.max", memory_max_text),
    FILE_OF("memory.swap.max", memory_swap_max_text),
    FILE_OF("pids.max", pids_max_text),
};
const size_t dz_sysfs_cgroup_row_count = DZ_ARRAY_SIZE(dz_sysfs_cgroup_rows);
