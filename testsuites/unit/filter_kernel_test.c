/*
 * The filter in the kernel. Calls that would go to the supervisor are answered
 * with an errno that no call has instead; each call is made in a process of its
 * own, and what is allowed must end as it ends without a filter.
 */
#include "host/base.h"
#include "syscalls/filter.h"
#include "syscalls/table.h"
#include "testsuites/unit/filter_cases.h"

#include <criterion/criterion.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Stands for "to the supervisor"; Linux's errnos end at 133 (EHWPOISON). */
enum { ASKED = 3999, NOT_INSTALLED = 3998 };

enum { NOBODY = 65534 };

/* How a call ended: 0, or its errno. */
struct ending {
  int error;
  int status; /* of the process, as by wait4; 0 when it lived to tell */
};

typedef int caller(const void *what);

static int install(unsigned needs) {
  struct dz_filter_options options = {.needs = needs, .to_supervisor = SECCOMP_RET_ERRNO | ASKED};
  struct sock_filter program[DZ_FILTER_MAX];
  int length = dz_filter_make(&options, program, DZ_FILTER_MAX);
  struct sock_fprog installed = {.len = (unsigned short)length, .filter = program};

  if (length < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &installed);
}

/* In a process of an ordinary user. */
static int call_in_child(caller *call, const void *what, bool filtered, unsigned needs) {
  if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
    return NOT_INSTALLED;
  if (filtered && install(needs) < 0)
    return NOT_INSTALLED;
  return call(what);
}

static struct ending perform(caller *call, const void *what, bool filtered, unsigned needs) {
  struct ending ending = {.error = -1};
  int ends[2];
  pid_t child;

  cr_assert_eq(pipe(ends), 0);
  child = fork();
  cr_assert_geq(child, 0);
  if (child == 0) {
    int error = call_in_child(call, what, filtered, needs);

    _exit(write(ends[1], &error, sizeof error) != sizeof error);
  }
  close(ends[1]);
  if (read(ends[0], &ending.error, sizeof ending.error) != sizeof ending.error)
    ending.error = -1;
  close(ends[0]);
  cr_assert_eq(waitpid(child, &ending.status, 0), child);
  return ending;
}

static int call_case(const void *what) {
  const struct filter_case *at = what;
  const uint64_t *a = at->arguments;

  errno = 0;
  return syscall(dz_syscall_by_name(at->call)->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0
             ? errno
             : 0;
}

Test(filter_in_the_kernel, single_calls_are_treated_as_the_manual_asks) {
  for (size_t i = 0; i < filter_case_count; i++) {
    const struct filter_case *at = &filter_cases[i];
    struct ending ending = perform(call_case, at, true, at->needs);
    int expected = at->expected;

    if (expected == FILTER_ASKS)
      expected = ASKED;
    else if (expected == FILTER_ALLOWS)
      expected = perform(call_case, at, false, 0).error;
    cr_expect(ending.status == 0 && ending.error == expected,
              "%s(%#lx, %#lx, %#lx), needs %u: errno %d, expected %d, status %#x", at->call,
              at->arguments[0], at->arguments[1], at->arguments[2], at->needs, ending.error,
              expected, ending.status);
  }
}

static int call_number(const void *what) {
  errno = 0;
  return syscall(*(const long *)what, 0, 0, 0, 0, 0, 0) < 0 ? errno : 0;
}

Test(filter_in_the_kernel, numbers_of_no_call_and_those_of_x32_go_to_the_supervisor) {
  static const long numbers[] = {
      337, 423,      470, 512, 1000, 0x40000000, 0x40000000 + SYS_getpid, 0x40000000 + 514,
      -1,  INT32_MAX};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(numbers); i++)
    cr_expect_eq(perform(call_number, &numbers[i], true, 0).error, ASKED, "%ld", numbers[i]);
}

/* getpid by the gate of i386, where it has number 20. */
static int call_i386(DZ_UNUSED const void *what) {
  long result = 20;

  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "cc", "r8", "r9", "r10", "r11");
  return result < 0 ? (int)-result : 0;
}

Test(filter_in_the_kernel, calls_of_i386_go_to_the_supervisor) {
  if (perform(call_i386, NULL, false, 0).status != 0)
    cr_skip_test("this kernel has no i386 calls");
  cr_expect_eq(perform(call_i386, NULL, true, 0).error, ASKED);
}

/* Every call that is not the kernel's, with zeros. */
Test(filter_in_the_kernel, no_call_of_the_supervisors_is_performed) {
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row))) {
    long number = row->number;

    if (row->disposition == DZ_NATIVE || row->disposition == DZ_CHECKED)
      continue;
    cr_expect_eq(perform(call_number, &number, true, DZ_NEED_ALL).error,
                 row->refusal ? row->refusal : ASKED, "%s", row->name);
  }
}
