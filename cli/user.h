/*
 * Who the guest is: what --user says, looked up in the root filesystem's own
 * /etc/passwd and /etc/group (passwd(5), group(5)). The files are opened beneath
 * the root with openat2(2) RESOLVE_IN_ROOT, so a symbolic link in a hostile root
 * cannot make denizen read the host's.
 */
#ifndef DZ_CLI_USER_H
#define DZ_CLI_USER_H

#include "host/base.h"

#include <sys/types.h>

struct dz_user {
  uid_t uid;
  gid_t gid;
  gid_t *groups; /* supplementary groups, gid first */
  size_t group_count;
  char *home; /* "/root" for user 0 and "/" for others where passwd doesn't say */
};

/* spec: UID, UID:GID, NAME, NAME:GROUP and mixtures; NULL is user 0. root is a
 * host directory. A number needs no entry in passwd: its group is then 0, as
 * with docker and podman. Where a group is named there are no supplementary
 * groups besides; where none is, they are those that list the user. */
int dz_user_lookup(const char *root, const char *spec, struct dz_user *user,
                   struct dz_error *error);

void dz_user_drop(struct dz_user *user);

#endif
