/*
 * The cache of program copies: a host directory that all silos of a user share,
 * several supervisors at once. A copy is found by the key of its program and of its
 * interpreter (loader/head.h), spelt out in its file name; it is complete when it has
 * its name, is never changed, has mode 0555, and neither set-uid bits nor capabilities.
 *
 * Files in the directory:
 *   p…    a copy; its mtime is the time of its last use by a silo that lacked it
 *   t…    a copy that is being made; its maker holds a flock(2) on it, and what nobody
 *         holds is removed at the next opportunity
 *   lock  held by the one who evicts
 *
 * A crash of the host can leave a copy shorter than it was written; its size is checked
 * before every use, and data precede the size on ext4, xfs and btrfs.
 *
 * All functions are thread-safe. No thread may fork while a copy is being made: the child
 * would hold the file open for writing, and exec of it would fail (ETXTBSY).
 */
#ifndef DZ_LOADER_CACHE_H
#define DZ_LOADER_CACHE_H

#include "loader/plan.h"

struct dz_cache;

/* What a copy is a copy of; the interpreter's is all zeroes when there is none. */
struct dz_copy_key {
  struct dz_file_key program;
  struct dz_file_key interpreter;
};

#define DZ_COPY_NAME_MAX 224

struct dz_copy {
  struct dz_copy_key key;
  bool dynamic;
  char program[DZ_COPY_NAME_MAX]; /* file names in the cache's directory */
  /* With dynamic: the copy of the interpreter. The program's copy names "i/" and this. */
  char interpreter[DZ_COPY_NAME_MAX];
};

/* Open or make the cache in directory. limit_bytes bounds the size of all copies: the
 * least recently used go when it is exceeded, except those used within the last seconds.
 * Copies that silos still execute have further links there and live on.
 * 0, or a negative errno with error filled. */
int dz_cache_open(const char *directory, uint64_t limit_bytes, struct dz_cache **cache,
                  struct dz_error *error);
void dz_cache_close(struct dz_cache *cache);

/* Fill copy for a plan of kind DZ_PLAN_ORIGINAL or DZ_PLAN_PATCHED. Without may_copy it
 * returns -EAGAIN instead of copying: call again where that may take its time, and up to
 * 20 ms more for a program that changed just before (dz_head_settle). Errors: -ETXTBSY
 * when the program changed meanwhile, those of the host's filesystem. A copy can vanish
 * by eviction at any time. */
int dz_cache_program(struct dz_cache *cache, const struct dz_plan *plan, bool may_copy,
                     struct dz_copy *copy, struct dz_error *error);

/* The cache's directory, for links out of it; borrowed. */
int dz_cache_directory_fd(const struct dz_cache *cache);

/* Remove least recently used copies until all are together at most limit bytes, and what
 * dead makers left. keep is spared. Returns the bytes that are there afterwards. While
 * somebody else is at it nothing is done, and limit is returned. directory: a cache's. */
uint64_t dz_cache_trim(int directory, uint64_t limit, const char *keep);

#endif
