/*
 * What lies where in a guest's memory: /proc/PID/maps (proc_pid_maps(5)) taken apart. Only
 * mapped files and the vDSO are kept: code and its symbols are there.
 */
#ifndef DZ_SIGNALS_MODULES_H
#define DZ_SIGNALS_MODULES_H

#include "host/base.h"

/* A file that is mapped. */
struct dz_module {
  const char *name; /* in the text */
  uint64_t ino;     /* 0: the vDSO, which is in no file */
  uint64_t base;    /* where its first byte is mapped, 0 when it is not */
};

struct dz_mapping {
  uint64_t start, end;
  uint64_t offset; /* in the file */
  unsigned module;
};

struct dz_modules {
  struct dz_mapping *mappings; /* in rising order */
  size_t mapping_count;
  struct dz_module *modules;
  size_t module_count;
  char *text;
};

/* Takes the text over, also on failure; malformed lines are left out. 0 or -ENOMEM. */
int dz_modules_make(struct dz_modules *modules, char *text);
void dz_modules_drop(struct dz_modules *modules);
#define DZ_MODULES DZ_CLEANUP(dz_modules_drop)

/* The mapping that an address is in, or NULL. */
const struct dz_mapping *dz_modules_find(const struct dz_modules *modules, uint64_t address);

#endif
