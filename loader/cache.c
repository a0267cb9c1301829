#include "loader/cache.h"
#include "host/calls.h"
#include "loader/copy.h"
#include "loader/directory.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1 /* include/uapi/linux/fs.h */
#endif

/* Other supervisors add copies that we do not count: look at the directory now and then. */
#define COPIES_BETWEEN_TRIMS 64
#define TEMPORARY_TRIES 8

/* A copy that one thread makes while others that want it wait. */
struct in_flight {
  const char *name;
  struct in_flight *next;
};

struct dz_cache {
  int directory;
  uint64_t limit;
  pthread_mutex_t mutex; /* guards what follows; nothing is locked within */
  pthread_cond_t finished;
  struct in_flight *in_flight;
  uint64_t bytes; /* an estimate */
  unsigned copies_since_trim;
};

/* A copy under way. */
struct temporary {
  char name[DZ_RANDOM_NAME_MAX + 1];
  int held; /* keeps its lock */
};

/* What a copy is made from. */
struct original {
  int fd;
  const struct dz_file_key *key;
  const struct dz_image *image; /* of a program; NULL for an interpreter, which is not changed */
  bool dynamic;                 /* the interpreter's name is to be put in */
  char interpreter[DZ_COPY_NAME_MAX + 2];
};

static uint64_t copy_size(const struct original *original) {
  return original->dynamic ? dz_copy_patched_size(original->key->size, original->interpreter)
                           : original->key->size;
}

static int print_key(char *text, size_t size, char kind, const struct dz_file_key *key) {
  return snprintf(text, size, "%c%llx-%llx-%llx-%llx-%llx-%llx", kind,
                  (unsigned long long)key->device, (unsigned long long)key->inode,
                  (unsigned long long)key->size, (unsigned long long)key->ctime_seconds,
                  (unsigned long long)key->ctime_nanoseconds, (unsigned long long)key->head);
}

/* The same file is copied in other ways as a program with an interpreter, as one without, and as an
 * interpreter itself. */
enum role { ROLE_INTERPRETER, ROLE_STATIC, ROLE_DYNAMIC };

/* At most 2 * (1 + 5 * 17 + 8) characters: nanoseconds have eight digits. */
static void copy_name(const struct dz_copy_key *key, enum role role, char name[DZ_COPY_NAME_MAX]) {
  int length = print_key(name, DZ_COPY_NAME_MAX, 'p', &key->program);

  if (role == ROLE_DYNAMIC)
    print_key(name + length, DZ_COPY_NAME_MAX - (size_t)length, 'i', &key->interpreter);
  else if (role == ROLE_STATIC)
    snprintf(name + length, DZ_COPY_NAME_MAX - (size_t)length, "s");
}

/* Make a t… file: its name, a descriptor that holds its lock, and one to write it. */
static int create_temporary(struct dz_cache *cache, struct temporary *file, int *writer) {
  int tries;

  file->name[0] = 't';
  for (tries = 0; tries < TEMPORARY_TRIES; tries++) {
    int written DZ_FD = -1, held DZ_FD = -1;
    int result = dz_random_name(file->name + 1);

    if (result < 0)
      return result;
    written = dz_open_child(cache->directory, file->name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (written < 0)
      return written;
    held = dz_open_child(cache->directory, file->name, O_RDONLY, 0);
    if (held >= 0 && dz_owner_lock(held) == 0) {
      *writer = dz_steal_fd(&written);
      file->held = dz_steal_fd(&held);
      return 0;
    }
    unlinkat(cache->directory, file->name, 0);
  }
  return -EBUSY;
}

/* Fill a temporary file. When this returns nobody has it open for writing. */
static int fill(const struct original *original, int writer) {
  int fd DZ_FD = writer;
  int result = dz_copy_content(original->fd, fd, original->key->size);

  if (result == 0 && original->image)
    result = dz_copy_make_room(fd, original->image);
  if (result == 0 && original->dynamic)
    result = dz_copy_patch(fd, original->key->size, original->image, original->interpreter);
  if (result == 0)
    result = dz_head_unchanged(original->fd, original->key);
  if (result == 0 && fchmod(fd, 0555) < 0)
    result = -errno;
  return result;
}

/* 0 when the copy is there, whole; its time of use is renewed. */
static int look_up(struct dz_cache *cache, const char *name, uint64_t size) {
  static const struct timespec now[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
  struct stat stat;

  if (fstatat(cache->directory, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  if (!S_ISREG(stat.st_mode) || (uint64_t)stat.st_size != size)
    return -ENOENT;
  utimensat(cache->directory, name, now, AT_SYMLINK_NOFOLLOW);
  return 0;
}

/* Give a finished temporary file its name. When another supervisor was faster its copy
 * stays, unless that is not whole. */
static int publish(struct dz_cache *cache, const char *temporary, const char *name, uint64_t size) {
  int result = (int)dz_result(
      renameat2(cache->directory, temporary, cache->directory, name, RENAME_NOREPLACE));

  if (result == -EEXIST && look_up(cache, name, size) == 0) {
    unlinkat(cache->directory, temporary, 0);
    return 0;
  }
  if (result == -EEXIST || result == -EINVAL) /* EINVAL: the filesystem lacks the flag */
    result = (int)dz_result(renameat(cache->directory, temporary, cache->directory, name));
  return result;
}

static void account(struct dz_cache *cache, const char *name, uint64_t size) {
  bool trim;
  uint64_t bytes;

  pthread_mutex_lock(&cache->mutex);
  cache->bytes += size;
  cache->copies_since_trim++;
  trim = cache->bytes > cache->limit || cache->copies_since_trim >= COPIES_BETWEEN_TRIMS;
  if (trim)
    cache->copies_since_trim = 0;
  pthread_mutex_unlock(&cache->mutex);
  if (!trim)
    return;
  bytes = dz_cache_trim(cache->directory, cache->limit, name);
  pthread_mutex_lock(&cache->mutex);
  cache->bytes = bytes;
  pthread_mutex_unlock(&cache->mutex);
}

static bool is_in_flight(const struct dz_cache *cache, const char *name) {
  const struct in_flight *flight;

  for (flight = cache->in_flight; flight; flight = flight->next)
    if (strcmp(flight->name, name) == 0)
      return true;
  return false;
}

static void begin_flight(struct dz_cache *cache, struct in_flight *flight) {
  pthread_mutex_lock(&cache->mutex);
  while (is_in_flight(cache, flight->name))
    pthread_cond_wait(&cache->finished, &cache->mutex);
  flight->next = cache->in_flight;
  cache->in_flight = flight;
  pthread_mutex_unlock(&cache->mutex);
}

static void end_flight(struct dz_cache *cache, struct in_flight *flight) {
  struct in_flight **link = &cache->in_flight;

  pthread_mutex_lock(&cache->mutex);
  while (*link != flight)
    link = &(*link)->next;
  *link = flight->next;
  pthread_cond_broadcast(&cache->finished);
  pthread_mutex_unlock(&cache->mutex);
}

static void let_go(struct temporary *temporary) {
  if (temporary->held >= 0)
    close(temporary->held);
}

static int make_copy(struct dz_cache *cache, const struct original *original, const char *name,
                     uint64_t size) {
  struct temporary temporary DZ_CLEANUP(let_go) = {.held = -1};
  int writer = -1, result;

  dz_head_settle(original->fd, original->key);
  result = create_temporary(cache, &temporary, &writer);
  if (result < 0)
    return result;
  result = fill(original, writer);
  if (result == 0)
    result = publish(cache, temporary.name, name, size);
  if (result == 0)
    account(cache, name, size);
  else
    unlinkat(cache->directory, temporary.name, 0);
  return result;
}

/* The copy of that name is there, or -EAGAIN. */
static int obtain(struct dz_cache *cache, const struct original *original, const char *name,
                  bool may_copy) {
  struct in_flight flight = {.name = name};
  uint64_t size = copy_size(original);
  int result = look_up(cache, name, size);

  if (result != -ENOENT)
    return result;
  if (!may_copy)
    return -EAGAIN;
  begin_flight(cache, &flight);
  result = look_up(cache, name, size);
  if (result == -ENOENT)
    result = make_copy(cache, original, name, size);
  end_flight(cache, &flight);
  return result;
}

static int obtain_interpreter(struct dz_cache *cache, const struct dz_plan *plan, bool may_copy,
                              struct dz_copy *copy) {
  struct original original = {.fd = plan->interpreter, .key = &plan->interpreter_key};
  struct dz_copy_key key = {.program = plan->interpreter_key};

  copy_name(&key, ROLE_INTERPRETER, copy->interpreter);
  return obtain(cache, &original, copy->interpreter, may_copy);
}

int dz_cache_program(struct dz_cache *cache, const struct dz_plan *plan, bool may_copy,
                     struct dz_copy *copy, struct dz_error *error) {
  struct original original = {
      .fd = plan->program, .key = &plan->program_key, .image = &plan->image};
  int result;

  copy->key = (struct dz_copy_key){plan->program_key, plan->interpreter_key};
  copy->dynamic = plan->kind == DZ_PLAN_PATCHED;
  if (copy->dynamic) {
    result = obtain_interpreter(cache, plan, may_copy, copy);
    if (result == -EAGAIN)
      return result;
    if (result < 0)
      return dz_fail(error, result, "cannot copy %s, the interpreter of %s: %s",
                     plan->image.interpreter, plan->program_path, strerror(-result));
    original.dynamic = true;
    snprintf(original.interpreter, sizeof original.interpreter, "i/%s", copy->interpreter);
  }
  copy_name(&copy->key, copy->dynamic ? ROLE_DYNAMIC : ROLE_STATIC, copy->program);
  result = obtain(cache, &original, copy->program, may_copy);
  if (result < 0 && result != -EAGAIN)
    return dz_fail(error, result, "cannot copy %s: %s", plan->program_path, strerror(-result));
  return result;
}

int dz_cache_directory_fd(const struct dz_cache *cache) {
  return cache->directory;
}

int dz_cache_open(const char *directory, uint64_t limit_bytes, struct dz_cache **cache,
                  struct dz_error *error) {
  int fd = dz_directory_open(directory, error);

  if (fd < 0)
    return fd;
  *cache = calloc(1, sizeof **cache);
  if (!*cache) {
    close(fd);
    return dz_fail(error, -ENOMEM, "no memory");
  }
  (*cache)->directory = fd;
  (*cache)->limit = limit_bytes;
  pthread_mutex_init(&(*cache)->mutex, NULL);
  pthread_cond_init(&(*cache)->finished, NULL);
  (*cache)->bytes = dz_cache_trim(fd, limit_bytes, NULL);
  return 0;
}

void dz_cache_close(struct dz_cache *cache) {
  if (!cache)
    return;
  close(cache->directory);
  pthread_cond_destroy(&cache->finished);
  pthread_mutex_destroy(&cache->mutex);
  free(cache);
}
