/* cgroup v2 delegation: a group of one's own, with limits and an end for all its processes. */
#include "testsuites/kernel/probes.h"

#include "host/calls.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The mount point of the cgroup2 filesystem: proc(5), mountinfo. */
static bool find_mount(char *point, size_t size) {
  FILE *file = fopen("/proc/self/mountinfo", "re");
  char line[1024];
  bool found = false;

  if (!file)
    return false;
  while (!found && fgets(line, sizeof line, file)) {
    char *type = strstr(line, " - cgroup2 ");
    char where[512];

    if (type && sscanf(line, "%*s %*s %*s %*s %511s", where) == 1) {
      snprintf(point, size, "%s", where);
      found = true;
    }
  }
  fclose(file);
  return found;
}

/* This process's group in the unified hierarchy: cgroups(7), /proc/self/cgroup. */
static bool find_own(char *path, size_t size) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  char line[1024];
  bool found = false;

  if (!file)
    return false;
  while (!found && fgets(line, sizeof line, file)) {
    if (strncmp(line, "0::", 3) != 0)
      continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(path, size, "%s", line + 3);
    found = true;
  }
  fclose(file);
  return found;
}

/* A process in the group is ended through it. 0 or a negative errno. */
static int use_group(int group) {
  char number[16];
  pid_t child = dz_probe_fork();
  int err;

  if (child == 0)
    for (;;)
      pause();
  snprintf(number, sizeof number, "%d", (int)child);
  err = dz_probe_write_file(group, "cgroup.procs", number);
  if (err == 0)
    err = dz_probe_write_file(group, "cgroup.kill", "1"); /* Linux 5.14 */
  if (err)
    kill(child, SIGKILL);
  return dz_probe_wait(child) == 128 + SIGKILL ? err : -EPROTO;
}

int dz_probe_cgroup(struct dz_probe_report *report) {
  char mount[512], own[1024], path[PATH_MAX], controllers[256] = "";
  char name[48];
  int parent, group, err;

  if (!find_mount(mount, sizeof mount) || !find_own(own, sizeof own))
    return dz_probe_lacks(report, -ENOENT, "no unified hierarchy is mounted");
  snprintf(path, sizeof path, "%s%s", mount, own);
  parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0)
    return dz_probe_lacks(report, -errno, "%.200s: %s", path, strerror(errno));
  snprintf(name, sizeof name, "denizen-probe-%d", (int)getpid());
  if (mkdirat(parent, name, 0755) < 0)
    return dz_probe_lacks(report, -errno, "%.200s is not delegated: %s", path, strerror(errno));
  group = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  err = group < 0 ? -errno : use_group(group);
  dz_read_file_at(group, "cgroup.controllers", controllers, sizeof controllers);
  controllers[strcspn(controllers, "\n")] = '\0';
  /* The kernel lets a group go a moment after its last process. */
  for (int i = 0; i < 100 && unlinkat(parent, name, AT_REMOVEDIR) < 0; i++)
    dz_probe_sleep_us(1000);
  if (err)
    return dz_probe_lacks(report, err, "a process cannot be moved and ended: %s", strerror(-err));
  return dz_probe_ok(report, "made, entered, ended by cgroup.kill; controllers: %s",
                     *controllers ? controllers : "none");
}
