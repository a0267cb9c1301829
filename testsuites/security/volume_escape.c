/*
 * A name for a file of a read-only volume in a place that may be written: then the file could be
 * changed by that name. The volume lies on the same filesystem of the host as the root.
 *
 * run: -v $volume:/volume:ro
 * without: mounts,read_only
 */
#include "testsuites/security/change.h"

static void attack(void) {
  int file = open("/volume/file", O_PATH), directory = open("/volume", O_PATH | O_DIRECTORY);
  char path[64];

  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  must_fail("link", link("/volume/file", "/tmp/a"));
  must_fail("linkat by descriptor", linkat(file, "", AT_FDCWD, "/tmp/b", AT_EMPTY_PATH));
  must_fail("linkat by /proc", linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/c", AT_SYMLINK_FOLLOW));
  must_fail("linkat from its directory", linkat(directory, "file", AT_FDCWD, "/tmp/d", 0));
  must_fail("rename", rename("/volume/file", "/tmp/e"));
  must_fail("exchange",
            syscall(SYS_renameat2, AT_FDCWD, "/volume/file", AT_FDCWD, "/etc/hostname", 2));
  must_fail("renaming the volume itself", rename("/volume", "/tmp/volume"));
  must_fail("renaming what lies below", rename("/tmp/under", "/volume/made"));
}
