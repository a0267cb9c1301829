/* /sys: the allow-list, and that what it shows is the host's. */
#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(sysfs, .init = room_make, .fini = room_free);

Test(sysfs, files_are_the_hosts) {
  static const char *const files[] = {"/sys/devices/system/cpu/online",
                                      "/sys/devices/system/cpu/possible",
                                      "/sys/devices/system/cpu/cpu0/topology/core_id",
                                      "/sys/kernel/mm/transparent_hugepage/enabled",
                                      "/sys/class/net/lo/mtu",
                                      "/sys/class/net/lo/address",
                                      "/sys/class/net/lo/statistics/rx_errors"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    char *text DZ_FREE = NULL, host[4096];

    if (dz_read_file_at(AT_FDCWD, files[i], host, sizeof host) < 0) {
      cr_log_warn("%s: this host does not have it", files[i]);
      continue;
    }
    text = room_read(files[i]);
    cr_assert_str_eq(text, host, "%s", files[i]);
  }
}

Test(sysfs, processors_are_listed) {
  char *names DZ_FREE = room_list("/sys/devices/system/cpu", 1000);
  char *pieces DZ_FREE = room_list("/sys/devices/system/cpu", 1);

  cr_assert(room_listed(names, "cpu0"));
  cr_assert(room_listed(names, "online"));
  cr_assert(!room_listed(names, "uevent") && !room_listed(names, "power"));
  cr_assert_str_eq(names, pieces);
}

Test(sysfs, interfaces_are_directories) {
  char *names DZ_FREE = room_list("/sys/class/net", 100);
  struct stat st;

  if (access("/sys/class/net/lo", F_OK)) {
    cr_log_warn("this host has no interface lo: not tried");
    return;
  }
  cr_assert(room_listed(names, "lo"));
  cr_assert_eq(room_stat("/sys/class/net/lo", &st), 0);
  cr_assert(S_ISDIR(st.st_mode));
}

/* Every entry that can be reached from the root by listing can be looked up, and no file can be
 * opened for writing. */
static unsigned visit(const char *path, unsigned depth) {
  char *names DZ_FREE = room_list(path, 1000), *rest = names, *name;
  unsigned seen = 0;

  while (depth < 10 && (name = strtok_r(rest, " ", &rest))) {
    char child[512];
    struct stat st;

    snprintf(child, sizeof child, "%s/%s", path, name);
    cr_assert_eq(room_stat(child, &st), 0, "%s", child);
    cr_assert(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode), "%s", child);
    cr_assert_eq(st.st_mode & 0222, 0, "%s", child);
    if (S_ISDIR(st.st_mode))
      seen += visit(child, depth + 1);
    else
      cr_assert_eq(room_open(child, O_WRONLY), -EACCES, "%s", child);
    seen++;
  }
  return seen;
}

Test(sysfs, the_whole_tree_can_be_visited_and_not_written) {
  cr_assert_gt(visit("/sys", 0), 30);
}

Test(sysfs, what_is_not_on_the_list_does_not_exist) {
  static const char *const names[] = {"kernel/debug",
                                      "kernel/security",
                                      "bus/pci",
                                      "class/net/lo/uevent",
                                      "class/net/lo/device",
                                      "devices/system/cpu/cpu0/uevent",
                                      "devices/virtual",
                                      "devices/system/cpu/cpux",
                                      "devices/system/cpu/cpu",
                                      "devices/system/memory",
                                      "firmware/dmi",
                                      "fs/cgroup/cgroup.kill",
                                      "power"};
  struct stat st;

  for (size_t i = 0; i < DZ_ARRAY_SIZE(names); i++)
    cr_assert_eq(room_stat(room_format("/sys/%s", names[i]), &st), -ENOENT, "%s", names[i]);
}

Test(sysfs, dot_dot_and_paths) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE, root DZ_NODE = DZ_NODE_NONE;
  char text[PATH_MAX];

  cr_assert_eq(room_walk("/sys/devices/system/cpu/../../..", 0, &node), 0);
  cr_assert_eq(room_walk("/sys", 0, &root), 0);
  cr_assert(dz_node_same(&node, &root));
  cr_assert_eq(room_walk("/sys/devices/system/cpu/online", 0, &node), 0);
  cr_assert_gt(dz_vfs_path(&room.view, &node, text, sizeof text), 0);
  cr_assert_str_eq(text, "/sys/devices/system/cpu/online");
}

Test(sysfs, control_group_limits_are_numbers_or_max) {
  static const char *const files[] = {"memory.max", "memory.high", "pids.max"};
  struct stat st;

  if (room_stat("/sys/fs/cgroup/memory.max", &st)) {
    char *names DZ_FREE = room_list("/sys/fs/cgroup", 100);

    cr_assert_str_eq(names, " ", "without cgroup v2 the directory is empty");
    cr_log_warn("this host has no cgroup v2: limits were not read");
    return;
  }
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    char *text DZ_FREE = room_read(room_format("/sys/fs/cgroup/%s", files[i]));

    cr_assert(strcmp(text, "max\n") == 0 || strtoull(text, NULL, 10) > 0, "%s: %s", files[i], text);
  }
}
