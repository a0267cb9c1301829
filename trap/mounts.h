/* The mount table of a silo, made from its description. */
#ifndef DZ_TRAP_MOUNTS_H
#define DZ_TRAP_MOUNTS_H

#include "syscalls/call.h"
#include "trap/silo.h"

/* Fill silo->vfs and silo->needs. private_fd: the silo's private directory. */
int dz_mounts_make(const struct dz_silo_config *config, struct dz_silo *silo, int private_fd,
                   struct dz_error *error);

#endif
