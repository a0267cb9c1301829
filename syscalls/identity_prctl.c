/* prctl(2)'s options about the caller's identity (security/commoncap.c, cap_task_prctl()). */
#include "proc/identity.h"
#include "syscalls/call.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/prctl.h>

static int64_t change(struct dz_call *call, const struct dz_identity *identity) {
  struct dz_state *draft = dz_state_draft(call->state);

  if (!draft)
    return -ENOMEM;
  draft->identity = *identity;
  return dz_call_change_state(call, draft);
}

static int64_t drop_bounding(struct dz_call *call, struct dz_identity *identity,
                             uint64_t capability) {
  if (!dz_identity_has(identity, CAP_SETPCAP))
    return -EPERM;
  if (!cap_valid(capability))
    return -EINVAL;
  identity->bounding &= ~(UINT64_C(1) << capability);
  return change(call, identity);
}

static int64_t ambient(struct dz_call *call, struct dz_identity *identity) {
  uint64_t operation = call->arguments[1], capability = call->arguments[2];
  uint64_t bit;

  if (operation == PR_CAP_AMBIENT_CLEAR_ALL) {
    if (call->arguments[2] || call->arguments[3] || call->arguments[4])
      return -EINVAL;
    identity->ambient = 0;
    return change(call, identity);
  }
  if (!cap_valid(capability) || call->arguments[3] || call->arguments[4])
    return -EINVAL;
  bit = UINT64_C(1) << capability;
  if (operation == PR_CAP_AMBIENT_IS_SET)
    return (identity->ambient & bit) != 0;
  if (operation == PR_CAP_AMBIENT_LOWER)
    identity->ambient &= ~bit;
  else if (operation != PR_CAP_AMBIENT_RAISE)
    return -EINVAL;
  else if (!(identity->permitted & identity->inheritable & bit) ||
           (identity->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
    return -EPERM;
  else
    identity->ambient |= bit;
  return change(call, identity);
}

static int64_t set_securebits(struct dz_call *call, struct dz_identity *identity, uint64_t bits) {
  unsigned old = identity->securebits;

  /* A locked bit stays, a lock stays, unknown bits are refused. */
  if ((((old & SECURE_ALL_LOCKS) >> 1) & (old ^ bits)) || (old & SECURE_ALL_LOCKS & ~bits) ||
      (bits & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) ||
      !dz_identity_has(identity, CAP_SETPCAP))
    return -EPERM;
  identity->securebits = (unsigned)bits;
  return change(call, identity);
}

static int64_t set_keep_capabilities(struct dz_call *call, struct dz_identity *identity,
                                     uint64_t keep) {
  if (keep > 1)
    return -EINVAL;
  if (identity->securebits & SECBIT_KEEP_CAPS_LOCKED)
    return -EPERM;
  identity->securebits =
      (identity->securebits & ~(unsigned)SECBIT_KEEP_CAPS) | (keep ? SECBIT_KEEP_CAPS : 0);
  return change(call, identity);
}

int64_t dz_identity_prctl(struct dz_call *call) {
  struct dz_identity identity = call->state->identity;
  int option = dz_arg_int(call, 0);
  char what[32];

  switch (option) {
  case PR_CAPBSET_READ:
    return cap_valid(call->arguments[1]) ? (int64_t)(identity.bounding >> call->arguments[1] & 1)
                                         : -EINVAL;
  case PR_CAPBSET_DROP:
    return drop_bounding(call, &identity, call->arguments[1]);
  case PR_CAP_AMBIENT:
    return ambient(call, &identity);
  case PR_GET_SECUREBITS:
    return identity.securebits;
  case PR_SET_SECUREBITS:
    return set_securebits(call, &identity, call->arguments[1]);
  case PR_GET_KEEPCAPS:
    return (identity.securebits & SECBIT_KEEP_CAPS) != 0;
  case PR_SET_KEEPCAPS:
    return set_keep_capabilities(call, &identity, call->arguments[1]);
  case PR_GET_SECCOMP: /* the guest has installed no filter of its own */
    return 0;
  default:
    snprintf(what, sizeof what, "option %d", option);
    call->ops->unsupported(call, what);
    return -EINVAL;
  }
}
