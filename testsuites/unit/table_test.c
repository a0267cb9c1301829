#include "syscalls/table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The numbers of Linux 6.18 (arch/x86/entry/syscalls/syscall_64.tbl): no calls between these. */
enum { OLD_LAST = 336, NEW_FIRST = 424, NEW_LAST = 469 };

Test(table, every_number_of_linux_has_one_row_and_no_other_has) {
  const struct dz_syscall *row = NULL;
  int expected = 0;

  while ((row = dz_syscall_next(row))) {
    cr_expect_eq(row->number, expected, "%s is %d, expected %d", row->name, row->number, expected);
    cr_expect_eq(dz_syscall_by_number(row->number), row);
    cr_expect_eq(dz_syscall_by_name(row->name), row, "%s is there twice", row->name);
    expected = row->number == OLD_LAST ? NEW_FIRST : row->number + 1;
  }
  cr_expect_eq(expected, NEW_LAST + 1);
}

Test(table, what_is_no_call_has_no_row) {
  static const int64_t numbers[] = {-1,         OLD_LAST + 1, NEW_FIRST - 1, NEW_LAST + 1,
                                    0x40000000, 1LL << 32,    INT64_MIN,     INT64_MAX};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(numbers); i++)
    cr_expect_null(dz_syscall_by_number(numbers[i]));
  cr_expect_null(dz_syscall_by_name("no such call"));
  cr_expect_null(dz_syscall_by_name(""));
}

/* Every line "#define __NR_name number" of the header; returns the highest number. */
static int compare_with_header(FILE *header) {
  char line[256], name[64];
  int number, highest = -1;

  while (fgets(line, sizeof line, header)) {
    const struct dz_syscall *row;

    if (sscanf(line, "#define __NR_%63s %d", name, &number) != 2)
      continue;
    highest = number > highest ? number : highest;
    row = dz_syscall_by_number(number);
    cr_expect(row && strcmp(row->name, name) == 0, "%d is %s in the header, %s in the table",
              number, name, row ? row->name : "nothing");
  }
  return highest;
}

Test(table, names_and_numbers_are_those_of_the_kernels_header) {
  static const char path[] = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
  FILE *header = fopen(path, "re");

  if (!header)
    cr_skip_test("%s cannot be read", path);
  cr_expect_geq(compare_with_header(header), __NR_futex_waitv);
  fclose(header);
}

/* Newer than the headers of Linux 6.1. */
Test(table, names_and_numbers_newer_than_the_headers) {
  static const char *const names[] = {
      "cachestat",         "fchmodat2",         "map_shadow_stack", "futex_wake",
      "futex_wait",        "futex_requeue",     "statmount",        "listmount",
      "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
      "setxattrat",        "getxattrat",        "listxattrat",      "removexattrat",
      "open_tree_attr",    "file_getattr",      "file_setattr"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(names); i++)
    cr_expect_str_eq(dz_syscall_by_number(451 + (int64_t)i)->name, names[i]);
  cr_expect_str_eq(dz_syscall_by_number(335)->name, "uretprobe");
  cr_expect_str_eq(dz_syscall_by_number(336)->name, "uprobe");
}

Test(table, a_row_has_what_its_disposition_asks_for) {
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row))) {
    bool checked = row->disposition == DZ_CHECKED;
    bool performed = row->disposition == DZ_EMULATED || row->disposition == DZ_INJECTED;

    cr_expect_eq(row->rule != NULL, checked, "%s: rule", row->name);
    cr_expect(performed || checked || !row->handler, "%s: handler", row->name);
    cr_expect_eq(row->refusal > 0, row->disposition == DZ_REFUSED || (checked && row->refusal),
                 "%s: errno", row->name);
    cr_expect(row->disposition == DZ_EMULATED || !row->needs, "%s: needs", row->name);
    cr_expect(row->disposition != DZ_UNSUPPORTED || row->partial, "%s: no reason", row->name);
    cr_expect_leq(row->argument_count, DZ_ARGUMENTS_MAX, "%s", row->name);
    if (row->area == DZ_AREA_obsolete)
      cr_expect_eq(row->refusal, ENOSYS, "%s", row->name);
  }
}

static bool listed(const char *name, const char *const *names) {
  while (*names && strcmp(*names, name) != 0)
    names++;
  return *names != NULL;
}

/* The boundary: design.md, "no call that names something". */
Test(table, a_native_row_names_nothing) {
  const struct dz_syscall *row = NULL;
  /* The caller's children, and groups of its own session, by the kernel's own check. */
  static const char *const numbers[] = {"wait4", "waitid", "setpgid", NULL};
  /* A label for /proc/self/maps. */
  static const char *const strings[] = {"memfd_create", NULL};

  while ((row = dz_syscall_next(row))) {
    for (unsigned i = 0; row->disposition == DZ_NATIVE && i < row->argument_count; i++) {
      enum dz_argument_type type = row->arguments[i].type;

      cr_expect(type != DZ_ARG_PATH && type != DZ_ARG_DIRFD, "%s", row->name);
      cr_expect(type != DZ_ARG_PID || listed(row->name, numbers), "%s", row->name);
      cr_expect(type != DZ_ARG_STRING || listed(row->name, strings), "%s", row->name);
    }
  }
}

/* A *at call reaches the kernel by no descriptor's number, nor by a need that is absent. */
Test(table, a_row_with_a_path_is_emulated_in_every_silo) {
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row))) {
    for (unsigned i = 0; i < row->argument_count; i++)
      if (row->arguments[i].type == DZ_ARG_PATH)
        cr_expect(row->disposition != DZ_NATIVE && !row->needs, "%s", row->name);
  }
}

/* Does the alternative pin the argument to zero? */
static bool pins_to_zero(const struct dz_alternative *alternative, const char *argument) {
  for (int i = 0; i < DZ_CONDITIONS_MAX && alternative->all[i].kind; i++) {
    const struct dz_condition *condition = &alternative->all[i];

    if (condition->kind == DZ_CONDITION_IN && strcmp(condition->argument, argument) == 0)
      return condition->value_count == 1 && condition->values[0] == 0;
  }
  return false;
}

static void expect_nothing_named(const struct dz_syscall *row,
                                 const struct dz_alternative *alternative) {
  for (unsigned i = 0; i < row->argument_count; i++) {
    enum dz_argument_type type = row->arguments[i].type;

    if (type == DZ_ARG_PID || type == DZ_ARG_PATH || type == DZ_ARG_STRING)
      cr_expect(pins_to_zero(alternative, row->arguments[i].name), "%s: %s", row->name,
                row->arguments[i].name);
  }
}

Test(table, a_checked_row_is_native_for_no_process_and_no_path_but_none) {
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row))) {
    if (row->disposition != DZ_CHECKED)
      continue;
    cr_expect(row->rule->any[0].all[0].kind, "%s: an empty rule", row->name);
    for (int i = 0; i < DZ_ALTERNATIVES_MAX && row->rule->any[i].all[0].kind; i++)
      expect_nothing_named(row, &row->rule->any[i]);
  }
}

/* Position and width of every argument that a rule compares, from the SYSCALL_DEFINE of each call.
 */
static const struct inspected {
  const char *call;
  const char *argument;
  int position;
  unsigned bits;
} inspected[] = {
    {"clone", "flags", 0, 64},
    {"unshare", "flags", 0, 64},
    {"personality", "persona", 0, 32},
    {"getpgid", "pid", 0, 32},
    {"getsid", "pid", 0, 32},
    {"getpriority", "which", 0, 32},
    {"getpriority", "who", 1, 32},
    {"setpriority", "which", 0, 32},
    {"setpriority", "who", 1, 32},
    {"ioprio_get", "which", 0, 32},
    {"ioprio_get", "who", 1, 32},
    {"ioprio_set", "which", 0, 32},
    {"ioprio_set", "who", 1, 32},
    {"sched_setparam", "pid", 0, 32},
    {"sched_getparam", "pid", 0, 32},
    {"sched_setscheduler", "pid", 0, 32},
    {"sched_getscheduler", "pid", 0, 32},
    {"sched_rr_get_interval", "pid", 0, 32},
    {"sched_setaffinity", "pid", 0, 32},
    {"sched_getaffinity", "pid", 0, 32},
    {"sched_setattr", "pid", 0, 32},
    {"sched_getattr", "pid", 0, 32},
    {"get_robust_list", "pid", 0, 32},
    {"migrate_pages", "pid", 0, 32},
    {"move_pages", "pid", 0, 32},
    {"clock_gettime", "clockid", 0, 32},
    {"clock_getres", "clockid", 0, 32},
    {"clock_nanosleep", "clockid", 0, 32},
    {"timer_create", "clockid", 0, 32},
    {"getrlimit", "resource", 0, 32},
    {"setrlimit", "resource", 0, 32},
    {"prlimit64", "pid", 0, 32},
    {"prlimit64", "resource", 1, 32},
    {"socket", "domain", 0, 32},
    {"socket", "type", 1, 32},
    {"socket", "protocol", 2, 32},
    {"socketpair", "domain", 0, 32},
    {"socketpair", "type", 1, 32},
    {"getsockopt", "level", 1, 32},
    {"getsockopt", "optname", 2, 32},
    {"setsockopt", "level", 1, 32},
    {"setsockopt", "optname", 2, 32},
    {"userfaultfd", "flags", 0, 32},
    {"futimesat", "dirfd", 0, 32},
    {"futimesat", "pathname", 1, 64},
    {"utimensat", "dirfd", 0, 32},
    {"utimensat", "pathname", 1, 64},
    {"fcntl", "cmd", 1, 32},
    {"fcntl", "arg", 2, 64},
    {"ioctl", "request", 1, 32},
    {"prctl", "option", 0, 32},
};

static const struct inspected *find_inspected(const char *call, const char *argument) {
  for (size_t i = 0; i < DZ_ARRAY_SIZE(inspected); i++)
    if (strcmp(inspected[i].call, call) == 0 && strcmp(inspected[i].argument, argument) == 0)
      return &inspected[i];
  return NULL;
}

static void compare_condition(const struct dz_syscall *row, const struct dz_condition *condition) {
  const struct inspected *typed = find_inspected(row->name, condition->argument);
  int position = dz_syscall_argument(row, condition->argument);

  cr_assert(typed && position >= 0, "%s: %s", row->name, condition->argument);
  cr_expect_eq(position, typed->position, "%s: %s", row->name, condition->argument);
  cr_expect_eq(dz_argument_bits(row->arguments[position].type), typed->bits, "%s: %s", row->name,
               condition->argument);
}

Test(table, what_a_rule_compares_has_the_position_and_width_of_the_kernels_argument) {
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row))) {
    for (int i = 0; row->rule && i < DZ_ALTERNATIVES_MAX; i++)
      for (int j = 0; j < DZ_CONDITIONS_MAX && row->rule->any[i].all[j].kind; j++)
        compare_condition(row, &row->rule->any[i].all[j]);
  }
}

/* The bits of a C type as tracefs prints it. */
static unsigned type_bits(const char *type) {
  static const char *const wide[] = {"*",   "long",     "size_t", "off_t", "aio_context_t",
                                     "u64", "cap_user_"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(wide); i++)
    if (strstr(type, wide[i]))
      return 64;
  return strstr(type, "umode_t") ? 16 : 32;
}

static FILE *open_format(const char *name) {
  /* Where the kernel's function has another name than the call. */
  static const char *const renamed[][2] = {{"stat", "newstat"},        {"fstat", "newfstat"},
                                           {"lstat", "newlstat"},      {"uname", "newuname"},
                                           {"sendfile", "sendfile64"}, {"umount2", "umount"}};
  char path[128];

  for (size_t i = 0; i < DZ_ARRAY_SIZE(renamed); i++)
    if (strcmp(renamed[i][0], name) == 0)
      name = renamed[i][1];
  snprintf(path, sizeof path, "/sys/kernel/tracing/events/syscalls/sys_enter_%s/format", name);
  return fopen(path, "re");
}

/* Compares a row with the kernel's own description; returns whether there is one. */
static bool compare_with_kernel(const struct dz_syscall *row) {
  FILE *format = open_format(row->name);
  char line[256], type[200];
  unsigned count = 0;
  bool arguments = false;

  if (!format)
    return false;
  while (fgets(line, sizeof line, format)) {
    if (sscanf(line, "\tfield:%199[^;]", type) != 1)
      continue;
    if (arguments && count < row->argument_count)
      cr_expect_eq(dz_argument_bits(row->arguments[count].type), type_bits(type), "%s: %s",
                   row->name, type);
    count += arguments;
    arguments = arguments || strstr(type, "__syscall_nr");
  }
  fclose(format);
  cr_expect_eq(count, row->argument_count, "%s has %u arguments", row->name, count);
  return true;
}

Test(table, arguments_are_as_many_and_as_wide_as_the_running_kernels) {
  const struct dz_syscall *row = NULL;
  unsigned compared = 0;

  if (access("/sys/kernel/tracing/events/syscalls", X_OK) != 0)
    cr_skip_test("/sys/kernel/tracing/events/syscalls cannot be read: %s", strerror(errno));
  while ((row = dz_syscall_next(row)))
    compared += compare_with_kernel(row);
  cr_expect_gt(compared, 300);
}

Test(table, a_row_without_its_handler_is_unsupported) {
  struct dz_syscall row = *dz_syscall_by_name("open");

  row.handler = NULL;
  cr_expect_not(dz_syscall_supported(&row));
  cr_expect_eq(dz_syscall_disposition(&row), DZ_UNSUPPORTED);
  row.handler = (dz_handler *)abort;
  cr_expect_eq(dz_syscall_disposition(&row), DZ_EMULATED);
  row = *dz_syscall_by_name("userfaultfd");
  cr_expect_eq(dz_syscall_disposition(&row), DZ_CHECKED,
               "the filter answers, no handler is needed");
  row = *dz_syscall_by_name("seccomp");
  row.handler = (dz_handler *)abort;
  cr_expect_eq(dz_syscall_disposition(&row), DZ_UNSUPPORTED);
}

/* The kernel has no code for these numbers; with zeros they could do no harm if it had. */
Test(table, the_kernel_has_none_of_the_obsolete_calls) {
  const struct dz_syscall *row = NULL;
  struct utsname host;
  int major = 0, minor = 0;

  cr_assert_eq(uname(&host), 0);
  cr_assert_eq(sscanf(host.release, "%d.%d", &major, &minor), 2);
  while ((row = dz_syscall_next(row))) {
    if (row->area != DZ_AREA_obsolete)
      continue;
    if (strcmp(row->name, "lookup_dcookie") == 0 && (major < 6 || (major == 6 && minor < 7))) {
      cr_log_warn("lookup_dcookie not tried: Linux %s is older than 6.7\n", host.release);
      continue;
    }
    cr_expect(syscall(row->number, 0, 0, 0, 0, 0, 0) < 0 && errno == ENOSYS, "%s", row->name);
  }
}
