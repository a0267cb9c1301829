/*
 * Sweeping: which records does no process carry any more? /proc is listed in
 * rising order of numbers while no tag changes (the table's lock is held), so a
 * child that is forked meanwhile has its parent's tag, which is seen, or a higher
 * number, which is still to come; unless the numbers wrapped, and then nothing is freed.
 */
#include "proc/internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

bool dz_states_sweep_due(const struct dz_states *states) {
  return states->count > (states->sweep_at ? states->sweep_at : DZ_SWEEP_LEAST);
}

static long last_pid(void) {
  char text[128];
  const char *space;

  if (dz_read_file_at(AT_FDCWD, "/proc/loadavg", text, sizeof text) < 0)
    return -1;
  space = strrchr(text, ' ');
  return space ? atol(space) : -1;
}

struct seen {
  uint64_t *numbers;
  size_t count, room;
};

static int compare_numbers(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

  return x < y ? -1 : x > y;
}

static int note(struct seen *seen, uint64_t number) {
  if (seen->count == seen->room) {
    size_t room = seen->room ? 2 * seen->room : 256;
    uint64_t *grown = realloc(seen->numbers, room * sizeof *grown);

    if (!grown)
      return -ENOMEM;
    seen->numbers = grown;
    seen->room = room;
  }
  seen->numbers[seen->count++] = number;
  return 0;
}

/* The record numbers of all members, sorted. */
static int list_carried(const struct dz_states *states, struct seen *seen) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  int err = proc ? 0 : -errno;

  while (!err && (entry = readdir(proc))) {
    pid_t pid = atoi(entry->d_name);
    uint64_t tag;

    if (pid > 0 && dz_tag_read(pid, &tag) == 0 && tag >> DZ_TAG_RECORD_BITS == states->silo)
      err = note(seen, tag & DZ_TAG_RECORD_MASK);
  }
  if (proc)
    closedir(proc);
  if (!err && seen->count)
    qsort(seen->numbers, seen->count, sizeof *seen->numbers, compare_numbers);
  return err;
}

static void unlink_content(struct dz_states *states, const struct dz_state_link *link) {
  struct dz_state_link **at = &states->contents[dz_state_content_bucket(link->state)];

  while (*at && *at != link)
    at = &(*at)->next_content;
  if (*at)
    *at = link->next_content;
}

static void free_unseen(struct dz_states *states, const struct seen *seen) {
  uint64_t now = dz_monotonic_ns() / DZ_NS_PER_S;

  for (size_t i = 0; i < DZ_STATE_BUCKETS; i++) {
    struct dz_state_link **at = &states->buckets[i];

    while (*at) {
      struct dz_state_link *link = *at;

      if ((seen->count && bsearch(&link->state->number, seen->numbers, seen->count,
                                  sizeof *seen->numbers, compare_numbers)) ||
          link->state->kept_until >= now) {
        at = &link->next;
        continue;
      }
      *at = link->next;
      unlink_content(states, link);
      dz_state_put(link->state);
      free(link);
      states->count--;
    }
  }
}

size_t dz_states_sweep(struct dz_states *states) {
  struct seen seen = {0};
  long before, after;

  pthread_mutex_lock(&states->lock);
  before = last_pid();
  if (before >= 0 && list_carried(states, &seen) == 0) {
    after = last_pid();
    if (after >= before)
      free_unseen(states, &seen);
  }
  states->sweep_at = 2 * states->count > DZ_SWEEP_LEAST ? 2 * states->count : DZ_SWEEP_LEAST;
  pthread_mutex_unlock(&states->lock);
  free(seen.numbers);
  return states->count;
}

static bool is_program(const struct dz_state *state, dev_t dev, ino_t ino) {
  return state->program && state->program->node.ino == ino && state->program->node.dev == dev;
}

bool dz_states_runs(struct dz_states *states, dev_t dev, ino_t ino) {
  struct seen seen = {0};
  bool candidate = false, runs = false;

  pthread_mutex_lock(&states->lock);
  for (size_t i = 0; i < DZ_STATE_BUCKETS && !candidate; i++)
    for (struct dz_state_link *link = states->buckets[i]; link && !candidate; link = link->next)
      candidate = is_program(link->state, dev, ino);
  if (candidate && list_carried(states, &seen) == 0)
    for (size_t i = 0; i < DZ_STATE_BUCKETS && !runs; i++)
      for (struct dz_state_link *link = states->buckets[i]; link && !runs; link = link->next)
        runs = is_program(link->state, dev, ino) && seen.count &&
               bsearch(&link->state->number, seen.numbers, seen.count, sizeof *seen.numbers,
                       compare_numbers);
  pthread_mutex_unlock(&states->lock);
  free(seen.numbers);
  return runs;
}
