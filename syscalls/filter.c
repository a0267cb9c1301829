/*
 * Jumps in classic BPF go forward only, and 255 instructions far at most. So
 * the program is written from its end to its start: where a jump goes to is
 * known when it is written, and where that is too far, a jump that reaches any
 * distance is put between.
 */
#include "syscalls/filter.h"
#include "host/defence.h"
#include "syscalls/table.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

/* A place in the program: how many instructions lie from it to the end. */
typedef size_t place;

struct writer {
  struct sock_filter *program; /* filled from its end */
  size_t capacity;
  size_t length;
  const struct dz_filter_options *options;
  int error; /* the first one, a negative errno */
};

/* A run of numbers that are treated alike; it ends where the next begins. */
struct run {
  uint32_t first;
  uint32_t action;                  /* SECCOMP_RET_... */
  const struct dz_syscall *checked; /* or this row's rule */
};

static void fail(struct writer *w, int error) {
  if (!w->error)
    w->error = error;
}

static place put(struct writer *w, uint16_t code, uint32_t k, size_t yes, size_t no) {
  struct sock_filter instruction = {.code = code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = k};

  if (yes > UINT8_MAX || no > UINT8_MAX)
    fail(w, -EINVAL);
  if (w->length == w->capacity)
    fail(w, -ENOSPC);
  if (w->error)
    return w->length;
  w->program[w->capacity - ++w->length] = instruction;
  return w->length;
}

static place put_return(struct writer *w, uint32_t action) {
  return put(w, BPF_RET | BPF_K, action, 0, 0);
}

static place load(struct writer *w, size_t offset) {
  return put(w, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Low or high half of an argument; x86-64 is little-endian. */
static place load_low(struct writer *w, int argument) {
  return load(w, offsetof(struct seccomp_data, args) + 8 * (size_t)argument);
}

static place load_high(struct writer *w, int argument) {
  return load(w, offsetof(struct seccomp_data, args) + 8 * (size_t)argument + 4);
}

/* A place that leads to `to` and can be reached over `between` more instructions. */
static place reachable(struct writer *w, place to, size_t between) {
  if (w->length + between - to <= UINT8_MAX)
    return to;
  return put(w, BPF_JMP | BPF_JA, (uint32_t)(w->length - to), 0, 0);
}

/* if (A <comparison> k) goto yes; else goto no; */
static place branch(struct writer *w, uint16_t comparison, uint32_t k, place yes, place no) {
  yes = reachable(w, yes, 1);
  no = reachable(w, no, 0);
  return put(w, BPF_JMP | comparison | BPF_K, k, w->length - yes, w->length - no);
}

static place is_in(struct writer *w, const struct dz_condition *condition, int argument,
                   unsigned bits, place yes, place no) {
  for (size_t i = condition->value_count; i-- > 0;) {
    uint64_t value = condition->values[i];
    place equal = branch(w, BPF_JEQ, (uint32_t)value, yes, no);

    if (bits == 64) {
      equal = load_low(w, argument);
      branch(w, BPF_JEQ, (uint32_t)(value >> 32), equal, no);
      equal = load_high(w, argument);
    }
    no = equal;
  }
  return bits == 64 ? no : load_low(w, argument);
}

static place half_masked(struct writer *w, uint32_t mask, uint32_t value, place yes, place no) {
  branch(w, BPF_JEQ, value, yes, no);
  return put(w, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
}

static place is_masked(struct writer *w, const struct dz_condition *condition, int argument,
                       unsigned bits, place yes, place no) {
  uint64_t mask = condition->mask, value = condition->value;

  half_masked(w, (uint32_t)mask, (uint32_t)value, yes, no);
  yes = load_low(w, argument);
  if (bits != 64 || mask >> 32 == 0)
    return yes;
  half_masked(w, (uint32_t)(mask >> 32), (uint32_t)(value >> 32), yes, no);
  return load_high(w, argument);
}

static place check(struct writer *w, const struct dz_syscall *row,
                   const struct dz_condition *condition, place yes, place no) {
  int argument = dz_syscall_argument(row, condition->argument);
  unsigned bits = argument < 0 ? 0 : dz_argument_bits(row->arguments[argument].type);

  if (bits == 32 && !dz_defence("width"))
    bits = 64;
  if (bits != 32 && bits != 64) {
    fail(w, -EINVAL);
    return no;
  }
  switch (condition->kind) {
  case DZ_CONDITION_IN:
    return is_in(w, condition, argument, bits, yes, no);
  case DZ_CONDITION_NOT_IN:
    return is_in(w, condition, argument, bits, no, yes);
  default:
    return is_masked(w, condition, argument, bits, yes, no);
  }
}

static place check_rule(struct writer *w, const struct dz_syscall *row) {
  place no = put_return(w, row->refusal ? SECCOMP_RET_ERRNO | (uint32_t)row->refusal
                                        : w->options->to_supervisor);
  place allowed = put_return(w, SECCOMP_RET_ALLOW);

  for (size_t i = DZ_ALTERNATIVES_MAX; i-- > 0;) {
    const struct dz_alternative *alternative = &row->rule->any[i];
    place yes = allowed;

    if (!alternative->all[0].kind || alternative->unless & w->options->needs)
      continue;
    for (size_t j = DZ_CONDITIONS_MAX; j-- > 0;)
      if (alternative->all[j].kind)
        yes = check(w, row, &alternative->all[j], yes, no);
    no = yes;
  }
  return no;
}

static struct run treatment(const struct dz_syscall *row, const struct dz_filter_options *options) {
  struct run run = {.action = options->to_supervisor};

  if (!row)
    return run;
  if (row->disposition == DZ_NATIVE || !dz_defence_of_call(row->name) ||
      (row->needs && !(row->needs & options->needs)))
    run.action = SECCOMP_RET_ALLOW;
  else if (row->disposition == DZ_REFUSED)
    run.action = SECCOMP_RET_ERRNO | (uint32_t)row->refusal;
  else if (row->disposition == DZ_CHECKED)
    run.checked = row;
  return run;
}

/* The numbers from 0 up, as runs; 0 when there are too many. The last run has no end: unknown
 * numbers, and those with the bit of x32 or, taken as unsigned, below zero. */
static size_t find_runs(const struct dz_filter_options *options, struct run *runs,
                        size_t capacity) {
  const struct dz_syscall *row = NULL;
  size_t count = 0;
  int end = 0;

  while ((row = dz_syscall_next(row)))
    end = row->number + 1;
  if ((size_t)end >= capacity)
    return 0;
  for (int number = 0; number <= end; number++) {
    struct run run = treatment(dz_syscall_by_number(number), options);

    if (count && !run.checked && !runs[count - 1].checked && run.action == runs[count - 1].action)
      continue;
    run.first = (uint32_t)number;
    runs[count++] = run;
  }
  return count;
}

/* A binary search for the number, in A, among runs. */
static place search(struct writer *w, const struct run *runs, size_t count) {
  size_t half = count / 2;
  place upper, lower;

  if (count == 1)
    return runs->checked ? check_rule(w, runs->checked) : put_return(w, runs->action);
  upper = search(w, runs + half, count - half);
  lower = search(w, runs, half);
  return branch(w, BPF_JGE, runs[half].first, upper, lower);
}

int dz_filter_make(const struct dz_filter_options *options, struct sock_filter *program,
                   size_t capacity) {
  struct dz_filter_options chosen = *options;
  struct writer w = {.program = program, .capacity = capacity, .options = &chosen};
  struct run runs[512];
  size_t run_count;
  place foreign, native;

  if (!chosen.to_supervisor)
    chosen.to_supervisor = SECCOMP_RET_USER_NOTIF;
  run_count = find_runs(&chosen, runs, DZ_ARRAY_SIZE(runs));
  if (!run_count)
    return -ENOSPC;
  search(&w, runs, run_count);
  native = load(&w, offsetof(struct seccomp_data, nr));
  foreign = put_return(&w, dz_defence("arch") ? chosen.to_supervisor : SECCOMP_RET_ALLOW);
  branch(&w, BPF_JEQ, AUDIT_ARCH_X86_64, native, foreign);
  load(&w, offsetof(struct seccomp_data, arch));
  if (w.error)
    return w.error;
  memmove(program, program + capacity - w.length, w.length * sizeof *program);
  return (int)w.length;
}
