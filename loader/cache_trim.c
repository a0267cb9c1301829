#include "host/calls.h"
#include "loader/cache.h"
#include "loader/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* A copy that was just made or found is not yet linked into its silo. */
#define GRACE_SECONDS 2

struct found {
  struct timespec used;
  uint64_t size;
  char name[DZ_COPY_NAME_MAX];
};

struct listing {
  struct found *copies;
  size_t count, room;
  uint64_t bytes;
};

static void free_listing(struct listing *listing) {
  free(listing->copies);
}

static void close_stream(DIR **stream) {
  if (*stream)
    closedir(*stream);
}

static void add(struct listing *listing, int directory, const char *name) {
  struct found *copy;
  struct stat stat;

  if (strlen(name) >= sizeof copy->name || fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
    return;
  if (listing->count == listing->room) {
    size_t room = listing->room ? 2 * listing->room : 64;
    struct found *copies = realloc(listing->copies, room * sizeof *copies);

    if (!copies)
      return;
    listing->copies = copies;
    listing->room = room;
  }
  copy = &listing->copies[listing->count++];
  copy->used = stat.st_mtim;
  copy->size = (uint64_t)stat.st_size;
  memcpy(copy->name, name, strlen(name) + 1);
  listing->bytes += copy->size;
}

static void remove_if_dead(int directory, const char *name) {
  int fd DZ_FD = dz_open_child(directory, name, O_RDONLY | O_NONBLOCK, 0);

  if (fd >= 0 && dz_owner_dead(fd))
    unlinkat(directory, name, 0);
}

static void list(int directory, struct listing *listing) {
  int copy = (int)dz_result(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR *stream DZ_CLEANUP(close_stream) = copy < 0 ? NULL : fdopendir(copy);
  struct dirent *entry;

  while (stream && (entry = readdir(stream))) {
    if (entry->d_name[0] == 'p')
      add(listing, directory, entry->d_name);
    else if (entry->d_name[0] == 't')
      remove_if_dead(directory, entry->d_name);
  }
}

static int by_use(const void *left, const void *right) {
  const struct timespec *a = &((const struct found *)left)->used;
  const struct timespec *b = &((const struct found *)right)->used;

  if (a->tv_sec != b->tv_sec)
    return a->tv_sec < b->tv_sec ? -1 : 1;
  return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

static bool in_use(const struct found *copy, time_t now, const char *keep) {
  return (copy->used.tv_sec > now - GRACE_SECONDS && copy->used.tv_sec <= now + GRACE_SECONDS) ||
         (keep && strcmp(copy->name, keep) == 0);
}

uint64_t dz_cache_trim(int directory, uint64_t limit, const char *keep) {
  int lock DZ_FD = dz_open_child(directory, "lock", O_RDWR | O_CREAT, 0600);
  struct listing listing DZ_CLEANUP(free_listing) = {0};
  time_t now = time(NULL);
  size_t i;

  if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
    return limit;
  list(directory, &listing);
  if (listing.bytes > limit)
    qsort(listing.copies, listing.count, sizeof *listing.copies, by_use);
  for (i = 0; i < listing.count && listing.bytes > limit; i++) {
    if (in_use(&listing.copies[i], now, keep))
      continue;
    if (unlinkat(directory, listing.copies[i].name, 0) == 0 || errno == ENOENT)
      listing.bytes -= listing.copies[i].size;
  }
  return listing.bytes;
}
