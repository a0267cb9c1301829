/*
 * Host paths that the kernel shows (maps, sockets, locks) into the guest's. The
 * prefixes come from the kernel at the moment of asking.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <string.h>

void dz_procfs_names_drop(struct dz_procfs_names *names) {
  for (size_t i = 0; i < names->count; i++) {
    free(names->mounts[i].host);
    free(names->mounts[i].guest);
  }
  names->count = 0;
}

static void add_mount(const struct dz_view *view, const struct dz_mount *mount,
                      struct dz_procfs_names *names) {
  char self[DZ_SELF_FD_MAX], host[PATH_MAX], guest[PATH_MAX];
  ssize_t length = readlink(dz_self_fd_path(mount->root.fd, self), host, sizeof host - 1);
  size_t at = names->count;

  if (length <= 0 || dz_vfs_path(view, &mount->root, guest, sizeof guest) < 0)
    return;
  host[length] = '\0';
  if (length == 1)
    host[length = 0] = '\0';
  if (strcmp(guest, "/") == 0)
    guest[0] = '\0';
  while (at > 0 && names->mounts[at - 1].length < (size_t)length) {
    names->mounts[at] = names->mounts[at - 1];
    at--;
  }
  names->mounts[at].host = strdup(host);
  names->mounts[at].guest = strdup(guest);
  names->mounts[at].length = (size_t)length;
  names->count++;
}

void dz_procfs_names_make(const struct dz_view *view, struct dz_procfs_names *names) {
  names->count = 0;
  for (size_t i = 0; i < dz_vfs_mount_count(view->vfs); i++) {
    const struct dz_mount *mount = dz_vfs_mount_at(view->vfs, i);

    if (mount->ops == &dz_hostfs && names->count < DZ_ARRAY_SIZE(names->mounts))
      add_mount(view, mount, names);
  }
}

/* Names that are no paths, though they look so: shared memory (mm/shmem.c, ipc/shm.c), and
 * devices, which have the same names in the guest. */
static bool is_kernels_own(const char *host) {
  static const char *const own[] = {"/memfd:", "/SYSV", "/[aio]", "/anon_hugepage", "/dev/"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(own); i++)
    if (strncmp(host, own[i], strlen(own[i])) == 0)
      return true;
  return false;
}

bool dz_procfs_names_add(const struct dz_procfs_names *names, const char *host,
                         struct dz_text *text) {
  const char *base;

  for (size_t i = 0; i < names->count; i++) {
    const char *rest = host + names->mounts[i].length;

    if (!names->mounts[i].host || !names->mounts[i].guest ||
        strncmp(host, names->mounts[i].host, names->mounts[i].length) != 0 ||
        (*rest && *rest != '/'))
      continue;
    dz_text_add(text, names->mounts[i].guest, strlen(names->mounts[i].guest));
    dz_text_add(text, rest, strlen(rest));
    return true;
  }
  base = strrchr(host, '/');
  if (!is_kernels_own(host) && base)
    host = base;
  dz_text_add(text, host, strlen(host));
  return false;
}
