/* /proc of the host: what the supervisor reads about its guests. */
#include "testsuites/kernel/probes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool listed(pid_t pid) {
  char name[16];
  DIR *list = opendir("/proc");
  struct dirent *entry;
  bool found = false;

  if (!list)
    return false;
  snprintf(name, sizeof name, "%d", (int)pid);
  while (!found && (entry = readdir(list)))
    found = strcmp(entry->d_name, name) == 0;
  closedir(list);
  return found;
}

/* Of a child: its files can be read, it is found in the list, its root and cwd can be opened. */
int dz_probe_proc_readable(struct dz_probe_report *report) {
  static const char *const files[] = {"status", "stat", "maps", "mountinfo", "mem", "cmdline"};
  static const char *const links[] = {"exe", "cwd", "root", "fd/0"};
  char path[64], target[256];
  pid_t child;
  int zero = open("/dev/null", O_RDWR);

  dup2(zero, 0);
  child = dz_probe_fork();
  if (child == 0)
    for (;;)
      pause();
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, files[i]);
    int fd DZ_FD = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return dz_probe_lacks(report, -errno, "/proc/PID/%s: %s", files[i], strerror(errno));
  }
  for (size_t i = 0; i < DZ_ARRAY_SIZE(links); i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, links[i]);
    if (readlink(path, target, sizeof target) < 0)
      return dz_probe_lacks(report, -errno, "/proc/PID/%s: %s", links[i], strerror(errno));
  }
  if (!listed(child))
    return dz_probe_lacks(report, -ENOENT, "a child is not in the list of processes");
  return dz_probe_ok(report, "a child's status, maps, memory and links are read");
}

/* hidepid keeps others' processes out of sight; only what is visible can be counted. */
int dz_probe_proc_lists_others(struct dz_probe_report *report) {
  struct stat status;

  if (stat("/proc/1", &status) < 0 || !listed(1))
    return dz_probe_lacks(report, -EACCES, "others' processes are hidden (hidepid)");
  return dz_probe_ok(report, "others' processes are listed%s",
                     geteuid() == 0 ? " (as root: for a user hidepid may hide them)" : "");
}
