/*
 * The files behind loader/programs.h: a silo's private directory. Internal to loader/.
 * Functions return 0 or a negative errno; the caller serializes those that change names.
 */
#ifndef DZ_LOADER_PROGRAMS_DIRECTORY_H
#define DZ_LOADER_PROGRAMS_DIRECTORY_H

#include "loader/cache.h"

struct dz_programs_directory {
  int parent;
  int fd;                          /* holds the owner's lock */
  int names, interpreters, copies; /* n, i, c */
  char name[48];                   /* in parent */
};

/* Where a file is taken from: linked, or moved when it is ours alone. */
struct dz_origin {
  int directory;
  bool move;
  char name[DZ_COPY_NAME_MAX];
};
#define DZ_ORIGIN_NONE                                                                             \
  { .directory = -1 }

int dz_programs_directory_make(const char *parent, struct dz_programs_directory *directory,
                               struct dz_error *error);
void dz_programs_directory_remove(struct dz_programs_directory *directory);

/* "n/<number>/<basename>" */
void dz_programs_print(char path[64], uint64_t number, const char *basename);

/* Give a program its name and tell what it is; remove it. */
int dz_programs_place(struct dz_programs_directory *directory, const struct dz_origin *origin,
                      uint64_t number, const char *basename, dev_t *device, ino_t *inode);
void dz_programs_drop(struct dz_programs_directory *directory, uint64_t number,
                      const char *basename);

int dz_programs_place_interpreter(struct dz_programs_directory *directory,
                                  const struct dz_origin *origin, const char *name);
void dz_programs_drop_interpreter(struct dz_programs_directory *directory, const char *name);

/* True for results of the two place functions that say: no link can be made here. */
bool dz_programs_needs_copy(int result);

/* Copy a file of the cache into c/, to be moved from there. origin is to be dropped. */
int dz_programs_fetch(struct dz_programs_directory *directory, int cache, const char *name,
                      struct dz_origin *origin);
void dz_programs_drop_origin(struct dz_origin *origin);

#endif
