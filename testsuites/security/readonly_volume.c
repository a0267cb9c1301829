/*
 * A descriptor that was opened for reading can still change the file behind it: its mode, times,
 * attributes and flags. In an earlier draft that changed host files in `:ro` volumes. And the way
 * to the file may be another path than that of the mount.
 *
 * run: -v $volume:/volume:ro
 * without: read_only
 */
#include "testsuites/security/attack.h"

#include "testsuites/security/change.h"

static void attack(void) {
  char path[64];
  int directory = open("/volume", O_RDONLY | O_DIRECTORY), file, held;

  file = openat(directory, "file", O_RDONLY);
  if (file < 0)
    broke("the test itself: /volume/file cannot be read");
  change_fd("a file", file);
  change_fd("a directory", directory);
  change_path("/volume/file");
  change_path("/volume/../volume/./file");
  change_path("/proc/self/root/volume/file");
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  change_path(path);
  snprintf(path, sizeof path, "/proc/self/fd/%d/file", directory);
  change_path(path);
  if (symlink("/volume/file", "/tmp/link") == 0)
    change_path("/tmp/link");
  held = open("/volume/file", O_PATH);
  change_empty(held);
  snprintf(path, sizeof path, "/proc/self/fd/%d", held);
  change_path(path);
  if (chdir("/volume") == 0)
    change_path("file");
  change_directory("/volume");
}
