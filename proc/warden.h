/*
 * The warden ends every process of a silo, however the supervisor ended. It runs
 * in the command denizen (the supervisor's parent) and in the supervisor itself
 * when a silo ends by itself.
 */
#ifndef DZ_PROC_WARDEN_H
#define DZ_PROC_WARDEN_H

#include "host/base.h"

/* Kill all processes that carry the silo's tag and wait until none is left: they can fork no
 * more, are stopped, swept until nothing new appears, then killed. Children of the caller are
 * reaped. 0, or -ETIMEDOUT when some are left after five seconds (in uninterruptible sleep). */
int dz_warden_sweep(uint64_t silo);

/* A number that no living silo of this user has, allotted under a lock in directory (made when
 * missing). Returns the number, or a negative errno with error filled. */
int64_t dz_warden_allot(const char *directory, struct dz_error *error);

#endif
