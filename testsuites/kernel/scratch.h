/*
 * The scratch directory of a probe: its own, empty, private, removed afterwards. One that a killed
 * runner left is removed by the next run: its lock (flock(2)) is free then.
 */
#ifndef DZ_TESTSUITES_KERNEL_SCRATCH_H
#define DZ_TESTSUITES_KERNEL_SCRATCH_H

#include "testsuites/kernel/probe.h"

struct dz_probe_scratch {
  int fd;
  char name[48];
};

/* 0 or a negative errno. */
int dz_probe_scratch_make(int base, struct dz_probe_scratch *scratch);
void dz_probe_scratch_remove(int base, struct dz_probe_scratch *scratch);

#endif
