/* What the files of proc/ share among themselves. */
#ifndef DZ_PROC_INTERNAL_H
#define DZ_PROC_INTERNAL_H

#include "proc/state.h"

#include <pthread.h>

#define DZ_STATE_BUCKETS 4096
#define DZ_SWEEP_LEAST 4096

#define DZ_KEPT_SECONDS 5

struct dz_state_link {
  struct dz_state_link *next;         /* in its bucket by number */
  struct dz_state_link *next_content; /* in its bucket by content */
  struct dz_state *state;             /* a reference */
};

struct dz_states {
  uint64_t silo;
  pthread_mutex_t lock; /* guards all below, and the tags of all members */
  uint64_t next;        /* the next number; never reused */
  size_t count;
  size_t sweep_at;
  struct dz_state_link *buckets[DZ_STATE_BUCKETS];
  struct dz_state_link *contents[DZ_STATE_BUCKETS]; /* so that equal records are one */
};

/* The bucket by content that a record belongs to. */
size_t dz_state_content_bucket(const struct dz_state *state);

#endif
