/*
 * Guest identity: user and group ids and capabilities as the guest sees them. The
 * host's are never changed; the table follows the rules of setuid(2) and
 * capabilities(7).
 */
#ifndef DZ_PROC_IDENTITY_H
#define DZ_PROC_IDENTITY_H

#include "proc/state.h"

/* What a rootless container's root has (podman's default set). */
#define DZ_CAPABILITIES_DEFAULT UINT64_C(0x800405fb)

void dz_identity_init(struct dz_identity *identity, uid_t uid, gid_t gid, const gid_t *groups,
                      unsigned group_count);

static inline bool dz_identity_has(const struct dz_identity *identity, int capability) {
  return identity->effective >> capability & 1;
}

/* After a change of user ids: what happens to capabilities (cap_emulate_setxuid() of
 * security/commoncap.c). */
void dz_identity_fix_capabilities(struct dz_identity *identity, const struct dz_identity *old);

#endif
