/*
 * Host directories of denizen's own: the cache and the silos' private ones.
 * Descriptors are O_RDONLY and the caller's.
 */
#ifndef DZ_LOADER_DIRECTORY_H
#define DZ_LOADER_DIRECTORY_H

#include "host/base.h"

/* "0123456789abcdef0123456789abcdef": names that nobody has used. */
#define DZ_RANDOM_NAME_MAX 33
int dz_random_name(char name[DZ_RANDOM_NAME_MAX]);

/* Open a directory for files that are executed; missing ones on its way are made with
 * mode 0700. -EPERM, with error filled, when another user owns it or may write in it,
 * -EACCES when its filesystem is mounted noexec. Returns a descriptor. */
int dz_directory_open(const char *path, struct dz_error *error);

/* Remove what is in a directory, and below, of any depth that fits the stack: ours have
 * two levels. Goes on after errors and returns the first. */
int dz_directory_clear(int fd);

/* Take the lock that says "its owner lives" on a new file or directory: 0, or -ESTALE
 * when a sweep took it first and it is gone. Filesystems without locks: 0; see below. */
int dz_owner_lock(int fd);

/* True when the owner of a file or directory is dead: the lock was free, and fd has it
 * now. Where locks do not work nothing is ever taken for dead. */
bool dz_owner_dead(int fd);

#endif
