/*
 * What of the host's /sys may be seen.
 */
#include "vfs/sysfs_internal.h"

#include <string.h>

/* Files: '#' stands for digits, '*' for a whole name. What leads to one is a directory. */
static const char *const files[] = {
    "class/net/*/addr_len",
    "class/net/*/address",
    "class/net/*/broadcast",
    "class/net/*/carrier",
    "class/net/*/dev_id",
    "class/net/*/dormant",
    "class/net/*/duplex",
    "class/net/*/flags",
    "class/net/*/ifindex",
    "class/net/*/iflink",
    "class/net/*/link_mode",
    "class/net/*/mtu",
    "class/net/*/name_assign_type",
    "class/net/*/netdev_group",
    "class/net/*/operstate",
    "class/net/*/speed",
    "class/net/*/statistics/*",
    "class/net/*/tx_queue_len",
    "class/net/*/type",
    "devices/system/cpu/cpu#/cache/index#/*",
    "devices/system/cpu/cpu#/cpu_capacity",
    "devices/system/cpu/cpu#/cpufreq/*",
    "devices/system/cpu/cpu#/online",
    "devices/system/cpu/cpu#/topology/*",
    "devices/system/cpu/isolated",
    "devices/system/cpu/kernel_max",
    "devices/system/cpu/offline",
    "devices/system/cpu/online",
    "devices/system/cpu/possible",
    "devices/system/cpu/present",
    "devices/system/cpu/smt/*",
    "devices/system/cpu/vulnerabilities/*",
    "devices/system/node/has_cpu",
    "devices/system/node/has_memory",
    "devices/system/node/has_normal_memory",
    "devices/system/node/node#/cpulist",
    "devices/system/node/node#/cpumap",
    "devices/system/node/node#/distance",
    "devices/system/node/node#/hugepages/*/*",
    "devices/system/node/node#/meminfo",
    "devices/system/node/node#/numastat",
    "devices/system/node/online",
    "devices/system/node/possible",
    "kernel/address_bits",
    "kernel/cpu_byteorder",
    "kernel/mm/hugepages/*/*",
    "kernel/mm/transparent_hugepage/*",
};

/* Directories that are there whatever the host has, empty but for what is made up in them. */
const char *const dz_sysfs_directories[] = {"block",     "bus",       "class",   "class/block",
                                            "class/net", "dev",       "devices", "firmware",
                                            "fs",        "fs/cgroup", "kernel",  "module"};

const size_t dz_sysfs_directory_count = DZ_ARRAY_SIZE(dz_sysfs_directories);

static bool component_matches(const char *pattern, size_t pattern_length, const char *name,
                              size_t length) {
  if (pattern_length == 1 && pattern[0] == '*')
    return true;
  while (pattern_length && length) {
    if (*pattern == '#') {
      size_t digits = 0;

      while (digits < length && name[digits] >= '0' && name[digits] <= '9')
        digits++;
      if (!digits)
        return false;
      name += digits;
      length -= digits;
    } else {
      if (*pattern != *name)
        return false;
      name++;
      length--;
    }
    pattern++;
    pattern_length--;
  }
  return !pattern_length && !length;
}

static enum dz_sysfs_verdict match(const char *pattern, const char *path) {
  while (*path) {
    size_t want = strcspn(pattern, "/"), have = strcspn(path, "/");

    if (!component_matches(pattern, want, path, have))
      return DZ_SYSFS_HIDDEN;
    pattern += want;
    path += have;
    if (!*pattern)
      return *path ? DZ_SYSFS_HIDDEN : DZ_SYSFS_HOST_FILE;
    pattern++;
    path += *path == '/';
  }
  return DZ_SYSFS_HOST_DIRECTORY;
}

const struct dz_made_row *dz_sysfs_own_file(const char *path) {
  for (size_t i = 0; i < dz_sysfs_cgroup_row_count; i++)
    if (strcmp(dz_sysfs_cgroup_rows[i].path, path) == 0)
      return &dz_sysfs_cgroup_rows[i];
  return NULL;
}

enum dz_sysfs_verdict dz_sysfs_judge(const struct dz_sysfs *fs, const char *path) {
  if (!*path)
    return DZ_SYSFS_OWN_DIRECTORY;
  for (size_t i = 0; i < dz_sysfs_directory_count; i++)
    if (strcmp(dz_sysfs_directories[i], path) == 0)
      return DZ_SYSFS_OWN_DIRECTORY;
  if (dz_sysfs_own_file(path))
    return fs->cgroup >= 0 ? DZ_SYSFS_OWN_FILE : DZ_SYSFS_HIDDEN;
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    enum dz_sysfs_verdict verdict = match(files[i], path);

    if (verdict != DZ_SYSFS_HIDDEN)
      return verdict;
  }
  return DZ_SYSFS_HIDDEN;
}
