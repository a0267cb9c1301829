#include "loader/programs.h"
#include "loader/programs_directory.h"

#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#define COMM_SIZE 16 /* TASK_COMM_LEN, include/linux/sched.h */
#define MAX_NAMES 4096

/* An eviction by another supervisor between look-up and link; once is rare enough. */
#define EVICTION_TRIES 8

/* An interpreter's link, and how many programs need it. */
struct interpreter {
  TAILQ_ENTRY(interpreter) link;
  size_t uses;
  char name[DZ_COPY_NAME_MAX];
};
TAILQ_HEAD(interpreters, interpreter);

/* What a name is found by: compared by memcmp(3), the rest of basename is zeroes. */
struct name_key {
  struct dz_copy_key copy;
  char basename[COMM_SIZE];
};

struct program {
  struct name_key key; /* first: the tree compares keys */
  uint64_t number;
  dev_t device;
  ino_t inode;
  struct interpreter *interpreter;
  TAILQ_ENTRY(program) link;
};
TAILQ_HEAD(program_list, program);

struct dz_programs {
  struct dz_cache *cache;
  struct dz_programs_directory directory;
  pthread_mutex_t mutex; /* guards what follows; the cache's may be taken outside it only */
  uint64_t last_number;
  void *names;                /* tsearch(3) tree */
  struct program_list by_use; /* least recently used first */
  size_t count;
  struct interpreters interpreters;
};

static int compare(const void *left, const void *right) {
  return memcmp(left, right, sizeof(struct name_key));
}

static void make_key(struct name_key *key, const struct dz_copy_key *copy, const char *basename) {
  const char *slash = strrchr(basename, '/');
  const char *last = slash ? slash + 1 : basename;

  key->copy = *copy;
  memset(key->basename, 0, sizeof key->basename);
  memcpy(key->basename, last, strnlen(last, COMM_SIZE - 1));
  if (key->basename[0] == '\0' || strcmp(key->basename, ".") == 0 ||
      strcmp(key->basename, "..") == 0)
    key->basename[0] = '_';
}

static void answer(const struct program *program, struct dz_program_name *name) {
  dz_programs_print(name->path, program->number, program->key.basename);
  name->device = program->device;
  name->inode = program->inode;
}

/* With the mutex held. */
static bool find(struct dz_programs *programs, const struct name_key *key,
                 struct dz_program_name *name) {
  struct program *const *found = tfind(key, &programs->names, compare);

  if (!found)
    return false;
  TAILQ_REMOVE(&programs->by_use, *found, link);
  TAILQ_INSERT_TAIL(&programs->by_use, *found, link);
  answer(*found, name);
  return true;
}

/* With the mutex held: the interpreter is linked, one more program needs it. */
static int need_interpreter(struct dz_programs *programs, const struct dz_copy *copy,
                            const struct dz_origin *origin, struct interpreter **needed) {
  struct interpreter *interpreter;
  int result;

  TAILQ_FOREACH(interpreter, &programs->interpreters, link) {
    if (strcmp(interpreter->name, copy->interpreter) == 0) {
      interpreter->uses++;
      *needed = interpreter;
      return 0;
    }
  }
  interpreter = calloc(1, sizeof *interpreter);
  if (!interpreter)
    return -ENOMEM;
  result = dz_programs_place_interpreter(&programs->directory, origin, copy->interpreter);
  if (result < 0) {
    free(interpreter);
    return result;
  }
  interpreter->uses = 1;
  memcpy(interpreter->name, copy->interpreter, sizeof interpreter->name);
  TAILQ_INSERT_HEAD(&programs->interpreters, interpreter, link);
  *needed = interpreter;
  return 0;
}

static void release_interpreter(struct dz_programs *programs, struct interpreter *interpreter) {
  if (!interpreter || --interpreter->uses > 0)
    return;
  dz_programs_drop_interpreter(&programs->directory, interpreter->name);
  TAILQ_REMOVE(&programs->interpreters, interpreter, link);
  free(interpreter);
}

/* With the mutex held: forget a program and remove its name. */
static void forget(struct dz_programs *programs, struct program *program) {
  tdelete(program, &programs->names, compare);
  TAILQ_REMOVE(&programs->by_use, program, link);
  programs->count--;
  dz_programs_drop(&programs->directory, program->number, program->key.basename);
  release_interpreter(programs, program->interpreter);
  free(program);
}

/* With the mutex held. */
static int remember(struct dz_programs *programs, struct program *program) {
  if (!tsearch(program, &programs->names, compare))
    return -ENOMEM;
  TAILQ_INSERT_TAIL(&programs->by_use, program, link);
  if (++programs->count > MAX_NAMES)
    forget(programs, TAILQ_FIRST(&programs->by_use));
  return 0;
}

/* With the mutex held: link the program and what it needs, and remember it. */
static int install(struct dz_programs *programs, const struct dz_copy *copy,
                   const struct dz_origin *program_origin,
                   const struct dz_origin *interpreter_origin, struct program *program) {
  int result = 0;

  program->number = ++programs->last_number;
  if (copy->dynamic)
    result = need_interpreter(programs, copy, interpreter_origin, &program->interpreter);
  if (result < 0)
    return result;
  result = dz_programs_place(&programs->directory, program_origin, program->number,
                             program->key.basename, &program->device, &program->inode);
  if (result == 0)
    result = remember(programs, program);
  if (result < 0) {
    dz_programs_drop(&programs->directory, program->number, program->key.basename);
    release_interpreter(programs, program->interpreter);
  }
  return result;
}

/* Install from where the files are, unless another thread was faster. */
static int install_once(struct dz_programs *programs, const struct dz_copy *copy,
                        const struct name_key *key, const struct dz_origin *program_origin,
                        const struct dz_origin *interpreter_origin, struct dz_program_name *name) {
  struct program *program = calloc(1, sizeof *program);
  int result = 0;

  if (!program)
    return -ENOMEM;
  program->key = *key;
  pthread_mutex_lock(&programs->mutex);
  if (find(programs, key, name)) {
    free(program);
  } else {
    result = install(programs, copy, program_origin, interpreter_origin, program);
    if (result == 0)
      answer(program, name);
    else
      free(program);
  }
  pthread_mutex_unlock(&programs->mutex);
  return result;
}

/* Where links out of the cache are impossible: copies of our own, made without the mutex
 * and then moved into place. */
static int install_copies(struct dz_programs *programs, const struct dz_copy *copy,
                          const struct name_key *key, struct dz_program_name *name) {
  struct dz_origin program = DZ_ORIGIN_NONE, interpreter = DZ_ORIGIN_NONE;
  int cache = dz_cache_directory_fd(programs->cache);
  int result = dz_programs_fetch(&programs->directory, cache, copy->program, &program);

  if (result == 0 && copy->dynamic)
    result = dz_programs_fetch(&programs->directory, cache, copy->interpreter, &interpreter);
  if (result == 0)
    result = install_once(programs, copy, key, &program, &interpreter, name);
  dz_programs_drop_origin(&program);
  dz_programs_drop_origin(&interpreter);
  return result;
}

int dz_programs_name(struct dz_programs *programs, const struct dz_copy *copy, const char *basename,
                     bool may_copy, struct dz_program_name *name) {
  int cache = dz_cache_directory_fd(programs->cache);
  struct dz_origin program = {.directory = cache}, interpreter = {.directory = cache};
  struct name_key key;
  int result;

  memcpy(program.name, copy->program, sizeof program.name);
  memcpy(interpreter.name, copy->interpreter, sizeof interpreter.name);
  make_key(&key, &copy->key, basename);
  result = install_once(programs, copy, &key, &program, &interpreter, name);
  if (!dz_programs_needs_copy(result))
    return result == -ENOENT ? -ESTALE : result;
  if (!may_copy)
    return -EAGAIN;
  result = install_copies(programs, copy, &key, name);
  return result == -ENOENT ? -ESTALE : result;
}

int dz_programs_find(struct dz_programs *programs, const struct dz_copy_key *key,
                     const char *basename, struct dz_program_name *name) {
  struct name_key wanted;
  bool found;

  make_key(&wanted, key, basename);
  pthread_mutex_lock(&programs->mutex);
  found = find(programs, &wanted, name);
  pthread_mutex_unlock(&programs->mutex);
  return found ? 0 : -ENOENT;
}

static int name_copy(struct dz_programs *programs, const struct dz_plan *plan, const char *basename,
                     bool may_copy, struct dz_program_name *name, struct dz_error *error) {
  struct dz_copy copy;
  int result = dz_cache_program(programs->cache, plan, may_copy, &copy, error);

  if (result == 0)
    result = dz_programs_name(programs, &copy, basename, may_copy, name);
  return result;
}

int dz_programs_prepare(struct dz_programs *programs, const struct dz_plan *plan,
                        const char *basename, bool may_copy, struct dz_program_name *name,
                        struct dz_error *error) {
  struct dz_copy_key key = {plan->program_key, plan->interpreter_key};
  int tries, result = dz_programs_find(programs, &key, basename, name);

  if (result == 0)
    return 0;
  for (tries = 0; tries < EVICTION_TRIES; tries++) {
    result = name_copy(programs, plan, basename, may_copy, name, error);
    if (result != -ESTALE)
      break;
  }
  if (result < 0 && result != -EAGAIN)
    return dz_fail(error, result, "cannot prepare %s for execution: %s", plan->program_path,
                   strerror(-result));
  return result;
}

int dz_programs_directory_fd(const struct dz_programs *programs) {
  return programs->directory.fd;
}

int dz_programs_open(const char *parent, struct dz_cache *cache, struct dz_programs **programs,
                     struct dz_error *error) {
  struct dz_programs *made = calloc(1, sizeof *made);
  int result = made ? dz_programs_directory_make(parent, &made->directory, error) : -ENOMEM;

  if (result < 0) {
    free(made);
    return dz_fail(error, result, "no memory");
  }
  made->cache = cache;
  pthread_mutex_init(&made->mutex, NULL);
  TAILQ_INIT(&made->by_use);
  TAILQ_INIT(&made->interpreters);
  *programs = made;
  return 0;
}

static void keep_node(DZ_UNUSED void *node) {}

void dz_programs_remove(struct dz_programs *programs) {
  struct interpreter *interpreter;
  struct program *program;

  if (!programs)
    return;
  dz_programs_directory_remove(&programs->directory);
  tdestroy(programs->names, keep_node);
  while ((program = TAILQ_FIRST(&programs->by_use))) {
    TAILQ_REMOVE(&programs->by_use, program, link);
    free(program);
  }
  while ((interpreter = TAILQ_FIRST(&programs->interpreters))) {
    TAILQ_REMOVE(&programs->interpreters, interpreter, link);
    free(interpreter);
  }
  pthread_mutex_destroy(&programs->mutex);
  free(programs);
}
