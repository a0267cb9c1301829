/*
 * State records: what a process inherits and the kernel cannot keep for us —
 * working directory, root, umask, identity, and the program that it runs as the
 * guest names it.
 *
 * A process carries its record's number, with the silo's, in the soft value of
 * RLIMIT_LOCKS (the state tag): a limit that the kernel has not used since 2.4,
 * inherited by fork at exactly the right instant and kept by exec. The filter
 * keeps it out of the guest's reach.
 *
 * Records never change; a change makes a new one. Numbers are never used again.
 */
#ifndef DZ_PROC_STATE_H
#define DZ_PROC_STATE_H

#include "host/base.h"
#include "vfs/vfs.h"

#include <stdatomic.h>

/* A directory that records share. */
struct dz_place {
  atomic_uint references;
  struct dz_node node;
};

#define DZ_GROUPS_MAX 64

struct dz_identity {
  uid_t ruid, euid, suid, fsuid;
  gid_t rgid, egid, sgid, fsgid;
  uint64_t permitted, effective, inheritable, bounding, ambient; /* capabilities as shown */
  unsigned group_count;
  gid_t groups[DZ_GROUPS_MAX];
  unsigned securebits;
};

/* The program that a process runs, as the guest sees it. Shared by records. */
struct dz_program {
  atomic_uint references;
  struct dz_node node;   /* the guest's own file, not denizen's copy: /proc/self/exe is
                            dz_vfs_path() of it at the time of asking, as the kernel's is */
  uint64_t scratch;      /* guest address that denizen may write to during an exec, 0: none */
  uint64_t scratch_size; /* bytes there */
};

struct dz_state {
  atomic_uint references;
  uint64_t number;
  struct dz_place *root;
  struct dz_place *cwd;
  struct dz_program *program;
  struct dz_identity identity;
  mode_t umask;
  uint64_t locks_soft, locks_hard; /* RLIMIT_LOCKS as the guest set it; it carries the tag */
  bool undumpable; /* prctl(PR_SET_DUMPABLE, 0), remembered and answered, not performed */
  /* A multithreaded process gave this record up, and a fork under way may have copied its number:
   * kept until then (CLOCK_MONOTONIC, seconds), far longer than any fork takes. */
  uint64_t kept_until;
};

#define DZ_TAG_RECORD_BITS 40
#define DZ_TAG_RECORD_MASK ((UINT64_C(1) << DZ_TAG_RECORD_BITS) - 1)
#define DZ_TAG_SILO_MAX ((UINT64_C(1) << 22) - 1)

/* The tag of the process of thread tid. 0 or a negative errno (ESRCH, EPERM). */
int dz_tag_read(pid_t tid, uint64_t *tag);

struct dz_states;

int dz_states_make(uint64_t silo, struct dz_states **made);
void dz_states_free(struct dz_states *states);

/* The record that the process of tid carries, with a reference for the caller. -ESRCH when it is
 * gone or carries none of ours. */
int dz_states_of(struct dz_states *states, pid_t tid, struct dz_state **state);
void dz_state_put(struct dz_state *state);
static inline void dz_state_scope(struct dz_state **state) {
  if (*state)
    dz_state_put(*state);
}
#define DZ_STATE DZ_CLEANUP(dz_state_scope)

/* A draft of a new record: a copy of old (or empty), to be changed, then given to a process. */
struct dz_state *dz_state_draft(const struct dz_state *old);
/* Both take the node over, also on failure. */
int dz_state_set_cwd(struct dz_state *draft, struct dz_node *node);
int dz_state_set_root(struct dz_state *draft, struct dz_node *node);
void dz_state_set_program(struct dz_state *draft,
                          struct dz_program *program); /* takes a reference over */

/* Takes the node over, also on failure (NULL: out of memory). */
struct dz_program *dz_program_make(struct dz_node *node);
void dz_program_put(struct dz_program *program);

/* Give the process of tid the draft (taken over) instead of old (NULL for a first one). An equal
 * record is shared. 0; -ESRCH when the process is gone; -DZ_ETAMPERED when the process carried
 * another record than old, which means that the silo must end. */
#define DZ_ETAMPERED 10003
int dz_states_give(struct dz_states *states, pid_t tid, const struct dz_state *old,
                   struct dz_state *draft);

/* Free records that no process carries. Returns how many are left. Called by the receiver only,
 * while no tag is being changed. */
size_t dz_states_sweep(struct dz_states *states);
bool dz_states_sweep_due(const struct dz_states *states);

/* Is some living process's program this file (ETXTBSY)? */
bool dz_states_runs(struct dz_states *states, dev_t dev, ino_t ino);

#endif
