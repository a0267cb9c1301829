#include "proc/identity.h"

#include <linux/securebits.h>
#include <string.h>

/* CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP:
 * bits of linux/capability.h. */
void dz_identity_init(struct dz_identity *identity, uid_t uid, gid_t gid, const gid_t *groups,
                      unsigned group_count) {
  uint64_t capabilities = uid == 0 ? DZ_CAPABILITIES_DEFAULT : 0;

  memset(identity, 0, sizeof *identity);
  identity->ruid = identity->euid = identity->suid = identity->fsuid = uid;
  identity->rgid = identity->egid = identity->sgid = identity->fsgid = gid;
  identity->permitted = identity->effective = capabilities;
  identity->bounding = DZ_CAPABILITIES_DEFAULT;
  identity->group_count = group_count > DZ_GROUPS_MAX ? DZ_GROUPS_MAX : group_count;
  if (identity->group_count)
    memcpy(identity->groups, groups, identity->group_count * sizeof *groups);
}

void dz_identity_fix_capabilities(struct dz_identity *identity, const struct dz_identity *old) {
  bool was_root = old->ruid == 0 || old->euid == 0 || old->suid == 0;
  bool is_root = identity->ruid == 0 || identity->euid == 0 || identity->suid == 0;

  if (identity->securebits & SECBIT_NO_SETUID_FIXUP)
    return;
  if (was_root && !is_root) {
    if (!(identity->securebits & SECBIT_KEEP_CAPS))
      identity->permitted = identity->effective = 0;
    identity->ambient = 0;
  }
  if (old->euid == 0 && identity->euid != 0)
    identity->effective = 0;
  if (old->euid != 0 && identity->euid == 0)
    identity->effective = identity->permitted;
}
