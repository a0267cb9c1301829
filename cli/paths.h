/*
 * Where denizen keeps its files on the host, by the XDG Base Directory
 * Specification: copies of programs in $XDG_CACHE_HOME/denizen, and running
 * silos' private files in "silos" beneath it, so that hard links from the one
 * to the other are possible.
 *
 * Where there is no home to use (HOME unset or not absolute, owned by another
 * user as with `sudo`, or not writable) it is /var/tmp/denizen-UID.
 */
#ifndef DZ_CLI_PATHS_H
#define DZ_CLI_PATHS_H

#include "host/base.h"

#include <limits.h>

struct dz_paths {
  char cache_dir[PATH_MAX];
  char runtime_dir[PATH_MAX];
};

/* Choose the directories and make them, mode 0700. An existing one must belong
 * to the caller; a shared place such as /var/tmp must not have tricked us. */
int dz_paths_make(struct dz_paths *paths, struct dz_error *error);

/* Name the cache that exists without making one: 0, or -ENOENT when there is none. */
int dz_paths_find(struct dz_paths *paths, struct dz_error *error);

#endif
