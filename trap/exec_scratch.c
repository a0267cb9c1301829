/*
 * Scratch memory: where the kernel reads the name, and a script's new argv, in the
 * guest. Programs have room for it behind their own memory (loader/image.h); where
 * there is none, or another exec in the same memory uses it, a page is mapped.
 */
#include "trap/exec.h"

#include "host/calls.h"
#include "proc/mem.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* bprm_stack_limits() of fs/exec.c: pointers take at most three quarters of _STK_LIM, 6 MiB. */
#define ARGUMENT_COUNT_MAX (6 * 1024 * 1024 / 8)

void dz_exec_unmap(struct exec *exec) {
  struct dz_injection unmap = {SYS_munmap, {exec->mapped, exec->mapped_size}};
  int64_t result;

  if (exec->mapped)
    dz_attached_call(&exec->attached, &unmap, &result);
  exec->mapped = 0;
}

/* Count the guest's argv, to make a longer one. */
static int count_arguments(pid_t tid, uint64_t argv, size_t *count) {
  uint64_t pointers[512];

  *count = 0;
  if (!argv)
    return 0;
  for (;;) {
    ssize_t got = dz_mem_read_some(tid, argv + 8 * *count, pointers, sizeof pointers);

    if (got < 8)
      return -EFAULT;
    for (size_t i = 0; i < (size_t)got / 8; i++, ++*count)
      if (!pointers[i])
        return 0;
    if (*count > ARGUMENT_COUNT_MAX)
      return -E2BIG;
  }
}

/* What goes into scratch memory: the name; for scripts the new argv and its strings. */
struct scratch {
  char *data;
  size_t size;
  size_t argv_offset; /* 0: the guest's own argv is used */
};

static int scratch_fill(const struct exec *exec, const struct dz_plan *plan, uint64_t at,
                        struct scratch *scratch) {
  size_t count, kept, strings = 0, name_size = (strlen(exec->name) + 8) & ~(size_t)7;
  uint64_t *argv;
  char *text;
  int err;

  if (!plan->prefix_count) {
    scratch->size = name_size;
    scratch->data = calloc(1, name_size);
    if (!scratch->data)
      return -ENOMEM;
    memcpy(scratch->data, exec->name, strlen(exec->name));
    return 0;
  }
  err = count_arguments(exec->attached.tid, exec->argv, &count);
  if (err)
    return err;
  kept = count ? count - 1 : 0; /* all but argv[0] */
  for (size_t i = 0; i < plan->prefix_count; i++)
    strings += strlen(plan->prefix[i]) + 1;
  scratch->argv_offset = name_size;
  scratch->size = name_size + (plan->prefix_count + kept + 1) * 8 + strings;
  scratch->data = calloc(1, scratch->size);
  if (!scratch->data)
    return -ENOMEM;
  memcpy(scratch->data, exec->name, strlen(exec->name));
  argv = (uint64_t *)(void *)(scratch->data + name_size);
  text = (char *)(argv + plan->prefix_count + kept + 1);
  for (size_t i = 0; i < plan->prefix_count; i++) {
    size_t size = strlen(plan->prefix[i]) + 1;

    argv[i] = at + (uint64_t)(text - scratch->data);
    memcpy(text, plan->prefix[i], size);
    text += size;
  }
  return kept ? dz_mem_read(exec->attached.tid, exec->argv + 8, argv + plan->prefix_count, kept * 8)
              : 0;
}

static int map_scratch(struct exec *exec, size_t size) {
  struct dz_injection map = {SYS_mmap,
                             {0, (size + 4095) & ~(size_t)4095, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}};
  int64_t result;
  int err = dz_attached_call(&exec->attached, &map, &result);

  if (err)
    return err;
  if (result < 0 && result > -4096)
    return (int)result;
  exec->mapped = (uint64_t)result;
  exec->mapped_size = map.arguments[1];
  return 0;
}

/* Is the program's scratch memory in use by another exec in the same memory (a sibling of a
 * vfork, a thread)? Memories are told apart by kcmp(2). */
static bool scratch_busy(const struct exec *exec, uint64_t address) {
  for (struct dz_attached *other = exec->attached.engine->attached; other; other = other->next) {
    const struct exec *exec2 = (const struct exec *)other;

    if (other == &exec->attached || other->release != dz_exec_release ||
        exec2->name_address != address)
      continue;
    if (syscall(SYS_kcmp, other->tid, exec->attached.tid, 1 /* KCMP_VM */, 0, 0) == 0)
      return true;
  }
  return false;
}

int dz_exec_stamp(const struct dz_engine *engine, pid_t tid, uint64_t room) {
  return dz_mem_write(tid, room, engine->room_stamp, sizeof engine->room_stamp);
}

/* A program may have mapped something else over its room (packers, emulators and loaders do). */
static bool is_stamped(const struct dz_engine *engine, pid_t tid, uint64_t room) {
  uint8_t there[sizeof engine->room_stamp];

  return dz_mem_read(tid, room, there, sizeof there) == 0 &&
         memcmp(there, engine->room_stamp, sizeof there) == 0;
}

uint64_t dz_exec_borrow(const struct dz_engine *engine, const struct dz_state *state, pid_t tid) {
  const struct dz_program *program = state->program;

  if (!program || !program->scratch || !is_stamped(engine, tid, program->scratch))
    return 0;
  return program->scratch + program->scratch_size - DZ_BORROWED_MAX;
}

static int place(struct exec *exec, const struct dz_plan *plan, struct scratch *scratch) {
  const struct dz_program *program = exec->state->program;
  uint64_t room = program ? program->scratch : 0;
  uint64_t at = room + sizeof exec->attached.engine->room_stamp;
  int err = scratch_fill(exec, plan, at, scratch);

  if (err)
    return err;
  if (room && at - room + scratch->size + DZ_BORROWED_MAX <= program->scratch_size &&
      !scratch_busy(exec, at) && is_stamped(exec->attached.engine, exec->attached.tid, room) &&
      dz_mem_write(exec->attached.tid, at, scratch->data, scratch->size) == 0) {
    exec->name_address = at;
    return 0;
  }
  err = map_scratch(exec, scratch->size);
  if (err)
    return err;
  if (scratch->argv_offset) { /* its pointers hold addresses of the other place */
    uint64_t *argv = (uint64_t *)(void *)(scratch->data + scratch->argv_offset);

    for (size_t i = 0; i < plan->prefix_count; i++)
      argv[i] += exec->mapped - at;
  }
  exec->name_address = exec->mapped;
  return dz_mem_write(exec->attached.tid, exec->mapped, scratch->data, scratch->size);
}

int dz_exec_place(struct exec *exec, const struct dz_plan *plan, uint64_t *argv) {
  struct scratch scratch = {0};
  int err = place(exec, plan, &scratch);

  *argv = scratch.argv_offset ? exec->name_address + scratch.argv_offset : exec->argv;
  free(scratch.data);
  return err;
}
