/*
 * The guard: a small process that ends a silo when both the command denizen and the
 * supervisor are gone, or when the supervisor does not end although the command has.
 * It is in a session of its own and holds nothing but the two descriptors that tell.
 */
#ifndef DZ_TRAP_GUARD_H
#define DZ_TRAP_GUARD_H

#include "trap/silo.h"

/* Start it, after the supervisor: silo->guard and guard_line. 0 or a negative errno. */
int dz_guard_start(struct dz_silo_handle *silo);

/* The silo has ended as it should: the guard ends too, and is reaped. */
void dz_guard_dismiss(struct dz_silo_handle *silo);

#endif
