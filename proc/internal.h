/* What the files of proc/ share among themselves. */
#ifndef DZ_PROC_INTERNAL_H
#define DZ_PROC_INTERNAL_H

#include "proc/state.h"

#include <pthread.h>

#define DZ_STATE_BUCKETS 4096
#define DZ_SWEEP_LEAST 4096

struct dz_state_link {
  struct dz_state_link *next;
  struct dz_state *state; /* a reference */
};

struct dz_states {
  uint64_t silo;
  pthread_mutex_t lock; /* guards all below, and the tags of all members */
  uint64_t next;        /* the next number; never reused */
  size_t count;
  size_t sweep_at;
  uint64_t recent[32]; /* numbers of the newest records */
  struct dz_state_link *buckets[DZ_STATE_BUCKETS];
};

#endif
