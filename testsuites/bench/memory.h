/* What a supervisor itself costs in memory. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include "testsuites/bench/place.h"

struct memory {
  long resident_kib;     /* of the largest process of that program */
  long proportional_kib; /* of all of them, shared pages shared out (PSS) */
  int processes;
};

/* Measure the processes that run the file program (a host path) while a shell waits for its
 * input in place. 0 or -1. Source of the numbers: /proc/PID/smaps_rollup, proc(5). */
int memory_for_a_shell(const struct place *place, const char *program, struct memory *found);

#endif
