/*
 * A read-only volume on a place that is named through a symlink, in a volume that may be written:
 * the place has another name without the symlink.
 *
 * run: -v $volume:/volume -v $volume/dir:/volume/link:ro
 * without: read_only
 */
#include "testsuites/security/change.h"

static void attack(void) {
  int directory = open("/volume", O_PATH | O_DIRECTORY), file;

  change_path("/volume/dir/file");
  change_path("/volume/link/file");
  change_directory("/volume/dir");
  must_fail("openat", openat(directory, "dir/file", O_WRONLY));
  file = openat(directory, "dir/file", O_RDONLY);
  change_fd("a file", file);
  must_fail("renaming the place", rename("/volume/dir", "/volume/other"));
  if (chdir("/volume/dir") == 0)
    change_path("file");
}
