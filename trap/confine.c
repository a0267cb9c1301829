/*
 * Confinement of a guest's first process, inherited by all others: no capability
 * of the host, and Landlock as the second wall where the host has it.
 */
#include "host/defence.h"
#include "trap/engine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Newer than Debian 12's headers: include/uapi/linux/landlock.h of Linux 6.12. */
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset_attributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

/* Filesystem rights by ABI version (landlock(7)). */
static uint64_t rights_of(int abi) {
  if (abi >= 5)
    return (UINT64_C(1) << 16) - 1; /* … IOCTL_DEV */
  if (abi >= 3)
    return (UINT64_C(1) << 15) - 1; /* … TRUNCATE */
  if (abi >= 2)
    return (UINT64_C(1) << 14) - 1; /* … REFER */
  return (UINT64_C(1) << 13) - 1;
}

/* What no exec gives back: the bounding set is empty, root's number means nothing. */
static int drop_for_good(void) {
  for (int cap = 0; cap <= 63; cap++)
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL && errno != EPERM)
      return -errno;
  /* Without CAP_SETPCAP there was nothing to lose. */
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                               SECBIT_NO_SETUID_FIXUP_LOCKED);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return 0;
}

int dz_confine_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}};

  if (!dz_defence("capabilities"))
    return 0;
  return (int)dz_result(syscall(SYS_capset, &header, none));
}

/* A supervisor that root started acts on files for its guests, as a root who is confined to the
 * silo's own directories would, and needs nothing else. */
int dz_confine_supervisor(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct held[2], kept[2] = {{0}};
  const uint32_t files =
      1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_FSETID;
  int err;

  if (!dz_defence("capabilities"))
    return 0;
  if (syscall(SYS_capget, &header, held))
    return -errno;
  err = drop_for_good();
  if (err)
    return err;
  kept[0].effective = kept[0].permitted = held[0].permitted & files;
  return (int)dz_result(syscall(SYS_capset, &header, kept));
}

int dz_confine_landlock(int programs_fd) {
  struct ruleset_attributes attributes = {0};
  struct landlock_path_beneath_attr programs = {.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE |
                                                                  LANDLOCK_ACCESS_FS_READ_FILE,
                                                .parent_fd = programs_fd};
  int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  int ruleset DZ_FD = -1;
  size_t size = abi >= 6 ? sizeof attributes : sizeof(uint64_t);

  if (abi < 1 || !dz_defence("landlock"))
    return 0; /* the host lacks it: one wall less; `denizen doctor` says so */
  attributes.handled_access_fs = rights_of(abi);
  if (abi >= 6)
    attributes.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
  ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
  if (ruleset < 0)
    return -errno;
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &programs, 0))
    return -errno;
  return (int)dz_result(syscall(SYS_landlock_restrict_self, ruleset, 0));
}
