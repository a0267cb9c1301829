/* Syscall User Dispatch: calls made outside an allowed range of code become SIGSYS. */
#include "testsuites/kernel/probes.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

/* include/uapi/linux/prctl.h, 5.11 */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif
/* include/uapi/asm-generic/siginfo.h */
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

#define ANSWER 4711
/* Below every mapping of a normal program: all code above it is in the allowed range. */
#define FOREIGN_PAGE ((void *)0x200000)
#define PAGE 4096UL

/* mov $39 (getpid), %eax; syscall; ret */
static const unsigned char foreign_code[] = {0xb8, 0x27, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xc3};

static volatile sig_atomic_t trapped;

static void answer_call(int signal DZ_UNUSED, siginfo_t *info, void *context) {
  ucontext_t *frame = context;

  if (info->si_code != SYS_USER_DISPATCH || info->si_syscall != SYS_getpid)
    return;
  trapped++;
  frame->uc_mcontext.gregs[REG_RAX] = ANSWER;
}

static long (*load_foreign_code(void))(void) {
  void *page = mmap(FOREIGN_PAGE, PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

  if (page != FOREIGN_PAGE)
    return NULL;
  memcpy(page, foreign_code, sizeof foreign_code);
  if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) < 0)
    return NULL;
  return (long (*)(void))page;
}

/* The allowed range is everything above the foreign page; no selector. */
static int turn_on(void) {
  struct sigaction action = {.sa_sigaction = answer_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
  unsigned long start = (unsigned long)FOREIGN_PAGE + PAGE;

  sigaction(SIGSYS, &action, NULL);
  return (int)dz_result(
      prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, start, ~0UL - start, 0UL));
}

#define TIMED 2000

int dz_probe_syscall_user_dispatch(struct dz_probe_report *report) {
  long (*foreign)(void) = load_foreign_code();
  double start;
  int err;

  if (!foreign)
    return dz_probe_lacks(report, -ENOMEM, "no page for foreign code: %s", strerror(errno));
  if (foreign() != getpid())
    return dz_probe_lacks(report, -EPROTO, "the foreign code does not run");
  err = turn_on();
  if (err)
    return dz_probe_lacks(report, err, "PR_SET_SYSCALL_USER_DISPATCH (Linux 5.11): %s",
                          strerror(-err));
  if (foreign() != ANSWER || trapped != 1)
    return dz_probe_lacks(report, -EPROTO, "the foreign call was not trapped");
  if (syscall(SYS_getpid) == ANSWER)
    return dz_probe_lacks(report, -EPROTO, "an allowed call was trapped");
  start = dz_probe_now();
  for (int i = 0; i < TIMED; i++)
    foreign();
  return dz_probe_ok(report, "trapped and answered in %.1f us", (dz_probe_now() - start) / TIMED);
}

/* The dispatch is a thread's own: a child made by fork runs without it. */
int dz_probe_fact_dispatch_not_inherited(struct dz_probe_report *report) {
  long (*foreign)(void) = load_foreign_code();
  pid_t child;
  int status;

  if (!foreign || turn_on() < 0)
    return dz_probe_lacks(report, -ENOTSUP, "there is no dispatch: %s", strerror(errno));
  if (foreign() != ANSWER)
    return dz_probe_lacks(report, -EPROTO, "the foreign call was not trapped");
  child = dz_probe_fork();
  if (child == 0)
    _exit(foreign() == ANSWER ? 1 : 0);
  status = dz_probe_wait(child);
  if (status != 0)
    return dz_probe_lacks(report, -EPROTO, "the child's call was trapped");
  return dz_probe_ok(report, "a child's foreign calls are not trapped");
}
