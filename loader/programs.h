/*
 * A silo's programs: the private directory that is its guests' real working directory.
 * What it holds has relative names that a guest's thread can be made to execute:
 *
 *   n/<number>/<name>  a program; name is at most 15 bytes of the name under which the
 *                      guest executed it, so that the kernel sets the right comm
 *   i/<name>           an interpreter, as copies of programs name it (loader/cache.h)
 *   c/<number>         a file under way, where hard links into the cache are impossible
 *
 * Programs are hard links into the cache: a guest can reach only what its own silo has
 * executed, and eviction from the cache does not concern what runs.
 *
 * The owner holds a flock(2) on the directory; a directory without one is a dead silo's
 * and removed by dz_programs_sweep().
 *
 * Names are kept for repeated use, the last 4096 of them. Older ones are removed; programs
 * that run under them go on.
 *
 * All functions but open and remove are thread-safe.
 */
#ifndef DZ_LOADER_PROGRAMS_H
#define DZ_LOADER_PROGRAMS_H

#include "loader/cache.h"

struct dz_programs;

/* A program in the silo's directory. Device and inode are what /proc/T/exe must be after
 * it was executed. */
struct dz_program_name {
  char path[64]; /* relative to dz_programs_directory_fd() */
  dev_t device;
  ino_t inode;
};

/* Make a private directory beneath parent, which is made when missing and should be on
 * the cache's filesystem, and sweep parent. cache must outlive it. 0, or a negative
 * errno with error filled. */
int dz_programs_open(const char *parent, struct dz_cache *cache, struct dz_programs **programs,
                     struct dz_error *error);

/* O_RDONLY descriptor of the directory: borrowed. */
int dz_programs_directory_fd(const struct dz_programs *programs);

/* Delete the directory and free programs (NULL: nothing). */
void dz_programs_remove(struct dz_programs *programs);

/* Remove from parent the directories of silos whose owners died. Returns 0, or the first
 * error; a missing parent is none. */
int dz_programs_sweep(const char *parent);

/*
 * All that exec needs: give the plan's program a name in the silo's directory, made from
 * basename (anything after the last '/' of it). The name of a plan that was named before
 * costs no host call. Otherwise the copy is looked for in the cache and linked. Without
 * may_copy it returns -EAGAIN when that meant to copy; call again from a worker.
 * Other errors: see dz_cache_program().
 */
int dz_programs_prepare(struct dz_programs *programs, const struct dz_plan *plan,
                        const char *basename, bool may_copy, struct dz_program_name *name,
                        struct dz_error *error);

/* The steps of it: 0, or -ENOENT when the program has no such name yet; no host call. */
int dz_programs_find(struct dz_programs *programs, const struct dz_copy_key *key,
                     const char *basename, struct dz_program_name *name);

/* Name a copy; the same again for one that has this name. -ESTALE: it was evicted, make it
 * again; -EAGAIN: may_copy was false and links are impossible. */
int dz_programs_name(struct dz_programs *programs, const struct dz_copy *copy, const char *basename,
                     bool may_copy, struct dz_program_name *name);

#endif
