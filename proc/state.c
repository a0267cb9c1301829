#include "proc/state.h"

#include "host/calls.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "proc/internal.h"

int dz_tag_read(pid_t tid, uint64_t *tag) {
  struct rlimit limit;

  if (prlimit(tid, RLIMIT_LOCKS, NULL, &limit))
    return -errno;
  *tag = limit.rlim_cur;
  return 0;
}

/* ---- shared parts ---- */

static void place_put(struct dz_place *place) {
  if (place && atomic_fetch_sub(&place->references, 1) == 1) {
    dz_node_drop(&place->node);
    free(place);
  }
}

static struct dz_place *place_get(struct dz_place *place) {
  if (place)
    atomic_fetch_add(&place->references, 1);
  return place;
}

static struct dz_place *place_make(struct dz_node *node) {
  struct dz_place *place = calloc(1, sizeof *place);

  if (!place) {
    dz_node_drop(node);
    return NULL;
  }
  atomic_init(&place->references, 1);
  place->node = dz_node_take(node);
  return place;
}

struct dz_program *dz_program_make(struct dz_node *node) {
  struct dz_program *program = calloc(1, sizeof *program);

  if (!program) {
    dz_node_drop(node);
    return NULL;
  }
  atomic_init(&program->references, 1);
  program->node = dz_node_take(node);
  return program;
}

void dz_program_put(struct dz_program *program) {
  if (program && atomic_fetch_sub(&program->references, 1) == 1) {
    dz_node_drop(&program->node);
    free(program);
  }
}

/* ---- records ---- */

void dz_state_put(struct dz_state *state) {
  if (!state || atomic_fetch_sub(&state->references, 1) != 1)
    return;
  place_put(state->root);
  place_put(state->cwd);
  dz_program_put(state->program);
  free(state);
}

struct dz_state *dz_state_draft(const struct dz_state *old) {
  struct dz_state *draft = calloc(1, sizeof *draft);

  if (!draft)
    return NULL;
  if (old) {
    draft->root = place_get(old->root);
    draft->cwd = place_get(old->cwd);
    draft->program = old->program;
    if (draft->program)
      atomic_fetch_add(&draft->program->references, 1);
    draft->identity = old->identity;
    draft->umask = old->umask;
    draft->locks_soft = old->locks_soft;
    draft->locks_hard = old->locks_hard;
    draft->undumpable = old->undumpable;
  }
  if (!old)
    draft->locks_soft = draft->locks_hard = UINT64_MAX;
  atomic_init(&draft->references, 1);
  return draft;
}

static int set_place(struct dz_place **where, struct dz_node *node) {
  struct dz_place *place = place_make(node);

  if (!place)
    return -ENOMEM;
  place_put(*where);
  *where = place;
  return 0;
}

int dz_state_set_cwd(struct dz_state *draft, struct dz_node *node) {
  return set_place(&draft->cwd, node);
}

int dz_state_set_root(struct dz_state *draft, struct dz_node *node) {
  return set_place(&draft->root, node);
}

void dz_state_set_program(struct dz_state *draft, struct dz_program *program) {
  dz_program_put(draft->program);
  draft->program = program;
}

/* ---- the table ---- */

int dz_states_make(uint64_t silo, struct dz_states **made) {
  struct dz_states *states = calloc(1, sizeof *states);

  if (!states)
    return -ENOMEM;
  states->silo = silo;
  states->next = 1;
  pthread_mutex_init(&states->lock, NULL);
  *made = states;
  return 0;
}

void dz_states_free(struct dz_states *states) {
  if (!states)
    return;
  for (size_t i = 0; i < DZ_STATE_BUCKETS; i++)
    while (states->buckets[i]) {
      struct dz_state_link *link = states->buckets[i];

      states->buckets[i] = link->next;
      dz_state_put(link->state);
      free(link);
    }
  pthread_mutex_destroy(&states->lock);
  free(states);
}

static struct dz_state *find(const struct dz_states *states, uint64_t number) {
  const struct dz_state_link *link = states->buckets[number % DZ_STATE_BUCKETS];

  while (link && link->state->number != number)
    link = link->next;
  return link ? link->state : NULL;
}

int dz_states_of(struct dz_states *states, pid_t tid, struct dz_state **state) {
  uint64_t tag = 0;
  int err = dz_tag_read(tid, &tag);

  *state = NULL;
  if (err)
    return err;
  if (tag >> DZ_TAG_RECORD_BITS != states->silo)
    return -ESRCH;
  pthread_mutex_lock(&states->lock);
  *state = find(states, tag & DZ_TAG_RECORD_MASK);
  if (*state)
    atomic_fetch_add(&(*state)->references, 1);
  pthread_mutex_unlock(&states->lock);
  return *state ? 0 : -ENODATA;
}

static bool same_place(const struct dz_place *a, const struct dz_place *b) {
  return a == b || dz_node_same(&a->node, &b->node);
}

/* Does one say what the other says? Processes that work in the same directories share records, and
 * a loop over some directories makes no more records than there are directories. */
static bool same_content(const struct dz_state *a, const struct dz_state *b) {
  return a->program == b->program && a->umask == b->umask && a->locks_soft == b->locks_soft &&
         a->locks_hard == b->locks_hard && a->undumpable == b->undumpable &&
         same_place(a->root, b->root) && same_place(a->cwd, b->cwd) &&
         memcmp(&a->identity, &b->identity, sizeof a->identity) == 0;
}

size_t dz_state_content_bucket(const struct dz_state *state) {
  const uint64_t parts[] = {(uintptr_t)state->program, state->cwd->node.ino, state->cwd->node.dev,
                            state->root->node.ino,     state->umask,         state->identity.euid,
                            state->identity.fsuid,     state->locks_soft};
  uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a, by words */

  for (size_t i = 0; i < DZ_ARRAY_SIZE(parts); i++)
    hash = (hash ^ parts[i]) * UINT64_C(1099511628211);
  return (hash >> 20) % DZ_STATE_BUCKETS;
}

static struct dz_state *find_equal(struct dz_states *states, const struct dz_state *draft) {
  struct dz_state_link *link = states->contents[dz_state_content_bucket(draft)];

  while (link && !same_content(link->state, draft))
    link = link->next_content;
  return link ? link->state : NULL;
}

static int add(struct dz_states *states, struct dz_state *draft) {
  struct dz_state_link *link = malloc(sizeof *link);
  struct dz_state_link **bucket, **content;

  if (!link)
    return -ENOMEM;
  draft->number = states->next++;
  bucket = &states->buckets[draft->number % DZ_STATE_BUCKETS];
  content = &states->contents[dz_state_content_bucket(draft)];
  *link = (struct dz_state_link){.next = *bucket, .next_content = *content, .state = draft};
  *bucket = *content = link;
  states->count++;
  return 0;
}

/* fork copies the limits before the child can be seen: a record that a multithreaded process
 * gives up may be in a child that does not show yet. */
static bool forks_unseen(pid_t tid) {
  char path[48];
  struct stat st;

  snprintf(path, sizeof path, "/proc/%d/task", (int)tid);
  return stat(path, &st) == 0 && st.st_nlink > 3;
}

int dz_states_give(struct dz_states *states, pid_t tid, const struct dz_state *old,
                   struct dz_state *draft) {
  struct rlimit limit, was;
  struct dz_state *equal;
  bool unseen = old && forks_unseen(tid);
  int err = 0;

  pthread_mutex_lock(&states->lock);
  equal = find_equal(states, draft);
  if (equal) {
    dz_state_put(draft);
    draft = equal;
  } else {
    err = add(states, draft);
    if (err)
      dz_state_put(draft);
  }
  limit = (struct rlimit){.rlim_cur = states->silo << DZ_TAG_RECORD_BITS | draft->number,
                          .rlim_max = RLIM_INFINITY};
  if (!err && prlimit(tid, RLIMIT_LOCKS, &limit, &was))
    err = -errno;
  if (!err && old) {
    struct dz_state *given_up = find(states, old->number);

    if (was.rlim_cur != (states->silo << DZ_TAG_RECORD_BITS | old->number))
      err = -DZ_ETAMPERED;
    if (given_up && unseen && given_up != draft)
      given_up->kept_until = dz_monotonic_ns() / DZ_NS_PER_S + DZ_KEPT_SECONDS;
  }
  pthread_mutex_unlock(&states->lock);
  return err;
}
