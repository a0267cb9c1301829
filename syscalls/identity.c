/* Who the caller is: credentials(7), capabilities(7). The rules are those of kernel/sys.c and
 * security/commoncap.c, with the guest's own table as their subject. */
#include "proc/identity.h"

#include "syscalls/call.h"

#include <linux/capability.h>
#include <string.h>

#define SAME ((unsigned)-1)

static const struct dz_identity *who(const struct dz_call *call) {
  return &call->state->identity;
}

int64_t dz_sys_getuid(struct dz_call *call) {
  return who(call)->ruid;
}
int64_t dz_sys_geteuid(struct dz_call *call) {
  return who(call)->euid;
}
int64_t dz_sys_getgid(struct dz_call *call) {
  return who(call)->rgid;
}
int64_t dz_sys_getegid(struct dz_call *call) {
  return who(call)->egid;
}

static int64_t return_three(struct dz_call *call, unsigned a, unsigned b, unsigned c) {
  unsigned values[3] = {a, b, c};

  for (int i = 0; i < 3; i++)
    if (dz_arg_write(call, call->arguments[i], &values[i], sizeof values[i]))
      return -EFAULT;
  return 0;
}

int64_t dz_sys_getresuid(struct dz_call *call) {
  return return_three(call, who(call)->ruid, who(call)->euid, who(call)->suid);
}

int64_t dz_sys_getresgid(struct dz_call *call) {
  return return_three(call, who(call)->rgid, who(call)->egid, who(call)->sgid);
}

/* Give the caller a changed identity. */
static int64_t become(struct dz_call *call, struct dz_identity *identity) {
  struct dz_state *draft;

  if (memcmp(identity, who(call), sizeof *identity) == 0)
    return 0;
  dz_identity_fix_capabilities(identity, who(call));
  draft = dz_state_draft(call->state);
  if (!draft)
    return -ENOMEM;
  draft->identity = *identity;
  return dz_call_change_state(call, draft);
}

static bool may_set_uids(const struct dz_call *call) {
  return dz_identity_has(who(call), CAP_SETUID);
}

static bool may_set_gids(const struct dz_call *call) {
  return dz_identity_has(who(call), CAP_SETGID);
}

int64_t dz_sys_setuid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  uid_t uid = dz_arg_uint(call, 0);

  if (uid == SAME)
    return -EINVAL;
  if (may_set_uids(call))
    identity.ruid = identity.suid = uid;
  else if (uid != identity.ruid && uid != identity.suid)
    return -EPERM;
  identity.euid = identity.fsuid = uid;
  return become(call, &identity);
}

int64_t dz_sys_setgid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  gid_t gid = dz_arg_uint(call, 0);

  if (gid == SAME)
    return -EINVAL;
  if (may_set_gids(call))
    identity.rgid = identity.sgid = gid;
  else if (gid != identity.rgid && gid != identity.sgid)
    return -EPERM;
  identity.egid = identity.fsgid = gid;
  return become(call, &identity);
}

int64_t dz_sys_setreuid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  const struct dz_identity *old = who(call);
  uid_t ruid = dz_arg_uint(call, 0), euid = dz_arg_uint(call, 1);

  if (ruid != SAME) {
    if (ruid != old->ruid && ruid != old->euid && !may_set_uids(call))
      return -EPERM;
    identity.ruid = ruid;
  }
  if (euid != SAME) {
    if (euid != old->ruid && euid != old->euid && euid != old->suid && !may_set_uids(call))
      return -EPERM;
    identity.euid = euid;
  }
  if (ruid != SAME || (euid != SAME && euid != old->ruid))
    identity.suid = identity.euid;
  identity.fsuid = identity.euid;
  return become(call, &identity);
}

int64_t dz_sys_setregid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  const struct dz_identity *old = who(call);
  gid_t rgid = dz_arg_uint(call, 0), egid = dz_arg_uint(call, 1);

  if (rgid != SAME) {
    if (rgid != old->rgid && rgid != old->egid && !may_set_gids(call))
      return -EPERM;
    identity.rgid = rgid;
  }
  if (egid != SAME) {
    if (egid != old->rgid && egid != old->egid && egid != old->sgid && !may_set_gids(call))
      return -EPERM;
    identity.egid = egid;
  }
  if (rgid != SAME || (egid != SAME && egid != old->rgid))
    identity.sgid = identity.egid;
  identity.fsgid = identity.egid;
  return become(call, &identity);
}

static bool one_of(unsigned id, unsigned a, unsigned b, unsigned c) {
  return id == SAME || id == a || id == b || id == c;
}

int64_t dz_sys_setresuid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  uid_t ruid = dz_arg_uint(call, 0), euid = dz_arg_uint(call, 1), suid = dz_arg_uint(call, 2);

  if (!may_set_uids(call) && (!one_of(ruid, identity.ruid, identity.euid, identity.suid) ||
                              !one_of(euid, identity.ruid, identity.euid, identity.suid) ||
                              !one_of(suid, identity.ruid, identity.euid, identity.suid)))
    return -EPERM;
  if (ruid != SAME)
    identity.ruid = ruid;
  if (euid != SAME)
    identity.euid = euid;
  if (suid != SAME)
    identity.suid = suid;
  identity.fsuid = identity.euid;
  return become(call, &identity);
}

int64_t dz_sys_setresgid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  gid_t rgid = dz_arg_uint(call, 0), egid = dz_arg_uint(call, 1), sgid = dz_arg_uint(call, 2);

  if (!may_set_gids(call) && (!one_of(rgid, identity.rgid, identity.egid, identity.sgid) ||
                              !one_of(egid, identity.rgid, identity.egid, identity.sgid) ||
                              !one_of(sgid, identity.rgid, identity.egid, identity.sgid)))
    return -EPERM;
  if (rgid != SAME)
    identity.rgid = rgid;
  if (egid != SAME)
    identity.egid = egid;
  if (sgid != SAME)
    identity.sgid = sgid;
  identity.fsgid = identity.egid;
  return become(call, &identity);
}

/* These return the old value whatever happens (setfsuid(2)). */
int64_t dz_sys_setfsuid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  uid_t old = identity.fsuid, uid = dz_arg_uint(call, 0);

  if (uid != SAME && (may_set_uids(call) ||
                      one_of(uid, identity.ruid, identity.euid, identity.suid) || uid == old)) {
    identity.fsuid = uid;
    become(call, &identity);
  }
  return old;
}

int64_t dz_sys_setfsgid(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  gid_t old = identity.fsgid, gid = dz_arg_uint(call, 0);

  if (gid != SAME && (may_set_gids(call) ||
                      one_of(gid, identity.rgid, identity.egid, identity.sgid) || gid == old)) {
    identity.fsgid = gid;
    become(call, &identity);
  }
  return old;
}

int64_t dz_sys_getgroups(struct dz_call *call) {
  int size = dz_arg_int(call, 0);
  unsigned count = who(call)->group_count;

  if (size < 0)
    return -EINVAL;
  if (size == 0)
    return count;
  if ((unsigned)size < count)
    return -EINVAL;
  if (dz_arg_write(call, call->arguments[1], who(call)->groups, count * sizeof(gid_t)))
    return -EFAULT;
  return count;
}

int64_t dz_sys_setgroups(struct dz_call *call) {
  struct dz_identity identity = *who(call);
  unsigned size = dz_arg_uint(call, 0);

  if (!may_set_gids(call))
    return -EPERM;
  if (size > 65536)
    return -EINVAL;
  if (size > DZ_GROUPS_MAX)
    return -ENOMEM; /* more than a record holds */
  memset(identity.groups, 0, sizeof identity.groups);
  identity.group_count = size;
  if (size && dz_arg_read(call, call->arguments[1], identity.groups, size * sizeof(gid_t)))
    return -EFAULT;
  return become(call, &identity);
}

/* ---- capabilities ---- */

/* How many 32-bit words the caller's version of the structures has; 0: unknown (capget(2)). */
static int read_cap_header(struct dz_call *call, struct __user_cap_header_struct *header) {
  if (dz_arg_read(call, call->arguments[0], header, sizeof *header))
    return -EFAULT;
  if (header->version == _LINUX_CAPABILITY_VERSION_1)
    return 1;
  if (header->version == _LINUX_CAPABILITY_VERSION_2 ||
      header->version == _LINUX_CAPABILITY_VERSION_3)
    return 2;
  header->version = _LINUX_CAPABILITY_VERSION_3;
  return dz_arg_write(call, call->arguments[0], header, sizeof *header) ? -EFAULT : 0;
}

int64_t dz_sys_capget(struct dz_call *call) {
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[2];
  struct dz_state *other DZ_STATE = NULL;
  const struct dz_identity *identity = who(call);
  int words = read_cap_header(call, &header);

  if (words < 0)
    return words;
  if (words == 0)
    return call->arguments[1] ? -EINVAL : 0;
  if (header.pid < 0)
    return -EINVAL;
  if (header.pid && header.pid != call->tid) {
    if (dz_states_of(call->silo->proc.states, header.pid, &other))
      return -ESRCH;
    identity = &other->identity;
  }
  if (!call->arguments[1])
    return 0;
  for (int i = 0; i < 2; i++)
    data[i] =
        (struct __user_cap_data_struct){.effective = (uint32_t)(identity->effective >> 32 * i),
                                        .permitted = (uint32_t)(identity->permitted >> 32 * i),
                                        .inheritable = (uint32_t)(identity->inheritable >> 32 * i)};
  return dz_arg_write(call, call->arguments[1], data, (size_t)words * sizeof *data);
}

int64_t dz_sys_capset(struct dz_call *call) {
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[2] = {{0}};
  struct dz_identity identity = *who(call);
  uint64_t effective, permitted, inheritable;
  struct dz_state *draft;
  int words = read_cap_header(call, &header);

  if (words < 0)
    return words;
  if (words == 0)
    return -EINVAL;
  if (header.pid && header.pid != call->tid && header.pid != dz_call_tgid(call))
    return -EPERM;
  if (dz_arg_read(call, call->arguments[1], data, (size_t)words * sizeof *data))
    return -EFAULT;
  effective = data[0].effective | (uint64_t)data[1].effective << 32;
  permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  /* cap_capset() of security/commoncap.c */
  if (inheritable & ~(identity.inheritable | identity.permitted) &&
      !dz_identity_has(&identity, CAP_SETPCAP))
    return -EPERM;
  if ((inheritable & ~(identity.inheritable | identity.bounding)) ||
      (permitted & ~identity.permitted) || (effective & ~permitted))
    return -EPERM;
  identity.effective = effective;
  identity.permitted = permitted;
  identity.inheritable = inheritable;
  identity.ambient &= permitted & inheritable;
  draft = dz_state_draft(call->state);
  if (!draft)
    return -ENOMEM;
  draft->identity = identity;
  return dz_call_change_state(call, draft);
}
