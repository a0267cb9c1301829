/*
 * --read-only: nothing of the root filesystem changes.
 *
 * run: --read-only
 * without: read_only
 */
#include "testsuites/security/change.h"

static void attack(void) {
  int file = open("/data/file", O_RDONLY), directory = open("/data", O_RDONLY | O_DIRECTORY);

  if (file < 0 || directory < 0)
    broke("the test itself: /data/file cannot be read");
  change_fd("a file", file);
  change_fd("a directory", directory);
  change_path("/data/file");
  change_path("/proc/self/root/data/file");
  change_empty(open("/data/file", O_PATH));
  change_directory("/data");
}
