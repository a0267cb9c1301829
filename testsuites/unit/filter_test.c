#include "syscalls/filter.h"
#include "syscalls/table.h"
#include "testsuites/unit/filter_cases.h"
#include "testsuites/unit/filter_machine.h"

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <string.h>

struct filter {
  struct sock_filter program[DZ_FILTER_MAX];
  int length;
};

static void make(struct filter *filter, unsigned needs) {
  struct dz_filter_options options = {.needs = needs};

  filter->length = dz_filter_make(&options, filter->program, DZ_FILTER_MAX);
  cr_assert_gt(filter->length, 0);
}

static uint32_t run(const struct filter *filter, int number, const uint64_t arguments[6]) {
  struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_X86_64};

  memcpy(data.args, arguments, sizeof data.args);
  return filter_run(filter->program, &data);
}

Test(filter, is_a_program_that_the_kernel_takes_and_short) {
  struct filter filter;

  for (unsigned needs = 0; needs <= DZ_NEED_ALL; needs++) {
    const char *fault;

    make(&filter, needs);
    fault = filter_fault(filter.program, (size_t)filter.length);
    cr_expect_null(fault, "needs %u: %s", needs, fault);
    cr_expect_lt(filter.length, 900);
  }
}

Test(filter, without_room_there_is_none) {
  struct dz_filter_options options = {.needs = DZ_NEED_ALL};
  struct filter filter;

  make(&filter, DZ_NEED_ALL);
  for (size_t room = 0; room < (size_t)filter.length; room++)
    cr_expect_eq(dz_filter_make(&options, filter.program, room), -ENOSPC);
  cr_expect_eq(dz_filter_make(&options, filter.program, (size_t)filter.length), filter.length);
}

Test(filter, other_architectures_and_numbers_of_no_call_go_to_the_supervisor) {
  static const int numbers[] = {337,  400,        423,        470, 511, 512,       547,
                                1000, 0x40000000, 0x40000027, -1,  -2,  INT32_MIN, INT32_MAX};
  static const uint32_t arches[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0, UINT32_MAX};
  static const uint64_t none[6];
  struct filter filter;

  make(&filter, 0);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(numbers); i++)
    cr_expect_eq(run(&filter, numbers[i], none), SECCOMP_RET_USER_NOTIF, "%d", numbers[i]);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(arches); i++)
    for (int number = -1; number < 600; number++) {
      struct seccomp_data data = {.nr = number, .arch = arches[i]};

      cr_expect_eq(filter_run(filter.program, &data), SECCOMP_RET_USER_NOTIF);
    }
}

Test(filter, native_calls_are_allowed_without_running_it) {
  const struct dz_syscall *row = NULL;
  struct filter filter;

  make(&filter, DZ_NEED_ALL);
  while ((row = dz_syscall_next(row)))
    cr_expect_eq(filter_always_allows(filter.program, AUDIT_ARCH_X86_64, row->number),
                 row->disposition == DZ_NATIVE, "%s", row->name);
}

Test(filter, every_asking_is_what_the_engine_chose) {
  struct dz_filter_options options = {.needs = DZ_NEED_ALL, .to_supervisor = SECCOMP_RET_TRACE};
  struct sock_filter program[DZ_FILTER_MAX];
  int length = dz_filter_make(&options, program, DZ_FILTER_MAX);
  size_t traces = 0;

  for (int i = 0; i < length; i++)
    if (program[i].code == (BPF_RET | BPF_K)) {
      cr_expect_neq(program[i].k, SECCOMP_RET_USER_NOTIF);
      traces += program[i].k == SECCOMP_RET_TRACE;
    }
  cr_expect_gt(traces, 0);
}

Test(filter, single_calls_are_treated_as_the_manual_asks) {
  struct filter filter;

  for (size_t i = 0; i < filter_case_count; i++) {
    const struct filter_case *at = &filter_cases[i];
    uint32_t expected = at->expected == FILTER_ALLOWS ? SECCOMP_RET_ALLOW
                        : at->expected == FILTER_ASKS ? SECCOMP_RET_USER_NOTIF
                                                      : SECCOMP_RET_ERRNO | (uint32_t)at->expected;

    make(&filter, at->needs);
    cr_expect_eq(run(&filter, dz_syscall_by_name(at->call)->number, at->arguments), expected,
                 "%s(%#lx, %#lx, %#lx), needs %u", at->call, at->arguments[0], at->arguments[1],
                 at->arguments[2], at->needs);
  }
}

/* ---- generated calls, judged by the row, in words rather than in instructions ---- */

static uint64_t at_width(uint64_t value, unsigned bits) {
  return bits == 64 ? value : value & ((1UL << bits) - 1);
}

static bool condition_holds(const struct dz_condition *condition, uint64_t argument,
                            unsigned bits) {
  bool found = false;

  if (condition->kind == DZ_CONDITION_MASK)
    return (at_width(argument, bits) & condition->mask) == condition->value;
  for (size_t i = 0; i < condition->value_count; i++)
    found |= at_width(argument, bits) == at_width(condition->values[i], bits);
  return found == (condition->kind == DZ_CONDITION_IN);
}

static bool alternative_holds(const struct dz_syscall *row,
                              const struct dz_alternative *alternative,
                              const uint64_t arguments[6]) {
  for (int i = 0; i < DZ_CONDITIONS_MAX && alternative->all[i].kind; i++) {
    int position = dz_syscall_argument(row, alternative->all[i].argument);
    unsigned bits = dz_argument_bits(row->arguments[position].type);

    if (!condition_holds(&alternative->all[i], arguments[position], bits))
      return false;
  }
  return alternative->all[0].kind != DZ_CONDITION_NONE;
}

static uint32_t judge(const struct dz_syscall *row, unsigned needs, const uint64_t arguments[6]) {
  if (row->disposition == DZ_NATIVE)
    return SECCOMP_RET_ALLOW;
  if (row->disposition == DZ_REFUSED)
    return SECCOMP_RET_ERRNO | (uint32_t)row->refusal;
  if (row->disposition == DZ_EMULATED && row->needs)
    return row->needs & needs ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
  for (int i = 0; row->rule && i < DZ_ALTERNATIVES_MAX; i++)
    if (!(row->rule->any[i].unless & needs) &&
        alternative_holds(row, &row->rule->any[i], arguments))
      return SECCOMP_RET_ALLOW;
  return row->refusal ? SECCOMP_RET_ERRNO | (uint32_t)row->refusal : SECCOMP_RET_USER_NOTIF;
}

/* splitmix64: small, and the same everywhere. */
static uint64_t random_next(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* A value at or near the edge of a condition. */
static uint64_t edge(const struct dz_condition *condition, uint64_t *state) {
  uint64_t random = random_next(state);

  if (condition->kind == DZ_CONDITION_MASK) {
    uint64_t flip = random_next(state) % 2 ? 1UL << random_next(state) % 64 : 0;

    return ((random & ~condition->mask) | condition->value) ^ flip;
  }
  return condition->values[random % condition->value_count] +
         (random >> 32 & 1 ? 0 : (random >> 33) % 3 - 1);
}

static uint64_t any_value(uint64_t *state) {
  uint64_t random = random_next(state);

  switch (random % 4) {
  case 0:
    return 0;
  case 1:
    return (random >> 8) % 64;
  case 2:
    return -((random >> 8) % 256);
  default:
    return random_next(state);
  }
}

/* Half of what is generated aims at one alternative of the rule; a third of the arguments then get
 * something else in their high half. */
static void generate(const struct dz_syscall *row, uint64_t arguments[6], uint64_t *state) {
  const struct dz_alternative *aim = NULL;
  size_t alternatives = 0;

  while (row->rule && alternatives < DZ_ALTERNATIVES_MAX &&
         row->rule->any[alternatives].all[0].kind)
    alternatives++;
  if (alternatives && random_next(state) % 2)
    aim = &row->rule->any[random_next(state) % alternatives];
  for (int i = 0; i < 6; i++)
    arguments[i] = any_value(state);
  for (int i = 0; aim && i < DZ_CONDITIONS_MAX && aim->all[i].kind; i++)
    arguments[dz_syscall_argument(row, aim->all[i].argument)] = edge(&aim->all[i], state);
  for (int i = 0; i < 6; i++)
    if (random_next(state) % 3 == 0)
      arguments[i] ^= random_next(state) << 32;
}

struct outcomes {
  unsigned allowed, other;
};

static struct outcomes try_row(const struct filter *filter, const struct dz_syscall *row,
                               unsigned needs, uint64_t *state) {
  enum { PLAIN_TRIES = 50, CHECKED_TRIES = 1500 };
  struct outcomes outcomes = {0};

  for (int i = 0; i < (row->rule ? CHECKED_TRIES : PLAIN_TRIES); i++) {
    uint64_t arguments[6];
    uint32_t action, expected;

    generate(row, arguments, state);
    action = run(filter, row->number, arguments);
    expected = judge(row, needs, arguments);
    cr_assert_eq(action, expected, "%s(%#lx, %#lx, %#lx, %#lx), needs %u: %#x, not %#x", row->name,
                 arguments[0], arguments[1], arguments[2], arguments[3], needs, action, expected);
    if (action == SECCOMP_RET_ALLOW)
      outcomes.allowed++;
    else
      outcomes.other++;
  }
  return outcomes;
}

Test(filter, does_what_the_table_says_with_generated_arguments) {
  uint64_t state = 20240229;
  struct filter filter;

  for (unsigned needs = 0; needs <= DZ_NEED_ALL; needs++) {
    const struct dz_syscall *row = NULL;

    make(&filter, needs);
    while ((row = dz_syscall_next(row))) {
      struct outcomes outcomes = try_row(&filter, row, needs, &state);

      if (row->disposition == DZ_UNSUPPORTED || row->disposition == DZ_INJECTED ||
          row->disposition == DZ_REFUSED || (row->disposition == DZ_EMULATED && !row->needs))
        cr_expect_eq(outcomes.allowed, 0, "%s is allowed", row->name);
      if (row->rule && needs == 0)
        cr_expect(outcomes.allowed && outcomes.other, "%s: only one outcome was tried", row->name);
    }
  }
}
