/*
 * Volumes of `denizen run`: what -v says, and the few host files that a guest
 * sees without being asked for.
 */
#ifndef DZ_CLI_RUN_VOLUMES_H
#define DZ_CLI_RUN_VOLUMES_H

#include "trap/silo.h"

/* The texts of the volumes are the list's own memory. */
struct dz_volume_list {
  struct dz_volume *items;
  size_t count;
};

/* Add SOURCE:TARGET[:ro|rw]. SOURCE must exist; it is made absolute and free of
 * symbolic links. TARGET must be absolute; it is cleaned of "//", "/./" and a
 * final slash; ".." and "/" itself are refused, and so is a target that was
 * given before. */
int dz_volumes_add(struct dz_volume_list *list, const char *text, struct dz_error *error);

/* Put the host's name resolution and time zone first in the list, read-only:
 * /etc/resolv.conf, /etc/hosts, /etc/localtime, each the file that the host's
 * symbolic links lead to, where it exists. A volume of the user's at the same
 * place or above it wins. */
int dz_volumes_add_host_etc(struct dz_volume_list *list, struct dz_error *error);

void dz_volumes_drop(struct dz_volume_list *list);

#endif
