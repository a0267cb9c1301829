/* ptrace: the transient attach, whom it may reach, and the restart of an answered call. */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/probes.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* Seize and stop a thread; 0 or a negative errno. */
static int stop_thread(pid_t pid) {
  int status;

  if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
    return -errno;
  if (waitpid(pid, &status, __WALL | __WNOTHREAD) < 0)
    return -errno;
  return WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP ? 0 : -EPROTO;
}

static int attach_and_read(pid_t pid) {
  struct user_regs_struct registers;
  int err = stop_thread(pid);

  if (err)
    return err;
  if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0 || ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
    return -errno;
  return 0;
}

static _Noreturn void sleep_for_ever(void) {
  for (;;)
    pause();
}

/* A child, and a child's child, are seized, interrupted, read and let go. */
int dz_probe_ptrace_descendant(struct dz_probe_report *report) {
  volatile pid_t *grandchild = dz_probe_shared(sizeof *grandchild);
  pid_t child = dz_probe_fork();
  int err;

  if (child == 0) {
    pid_t pid = dz_probe_fork();

    if (pid == 0)
      sleep_for_ever();
    *grandchild = pid;
    sleep_for_ever();
  }
  while (!*grandchild)
    dz_probe_sleep_us(100);
  err = attach_and_read(child);
  if (err)
    return dz_probe_lacks(report, err, "SEIZE and INTERRUPT of a child: %s", strerror(-err));
  err = attach_and_read(*grandchild);
  if (err)
    return dz_probe_lacks(report, err, "SEIZE of a grandchild: %s", strerror(-err));
  return dz_probe_ok(report, "child and grandchild seized, interrupted, read, let go");
}

/* A process of the same user that is no descendant: allowed under Yama's scope 0 only. */
int dz_probe_ptrace_other(struct dz_probe_report *report) {
  const char *who = geteuid() == 0 ? " (as root: for a user it may be less)" : "";
  pid_t other = dz_probe_fork();
  pid_t tracer;
  int status;

  if (other == 0)
    sleep_for_ever();
  tracer = dz_probe_fork();
  if (tracer == 0)
    _exit(-attach_and_read(other));
  status = dz_probe_wait(tracer);
  if (status != 0)
    return dz_probe_lacks(report, -status,
                          "%s: only descendants can be traced, as under Yama's scope 1%s",
                          strerror(status), who);
  return dz_probe_ok(report, "a sibling was seized: effective Yama scope 0%s", who);
}

#define VALUE 4711

static int restart_guest(void *argument DZ_UNUSED) {
  if (dz_probe_call(1) != VALUE)
    return 1;
  return dz_probe_call(2) == getppid() ? 0 : 2;
}

/* Attach, answer the call with -ERESTARTNOINTR, wait for the stop. */
static int restart_into_stop(const struct dz_probe_guest *guest, uint64_t id) {
  int status;

  if (ptrace(PTRACE_SEIZE, guest->pid, 0, 0) < 0 ||
      ptrace(PTRACE_INTERRUPT, guest->pid, 0, 0) < 0 ||
      dz_probe_answer(guest->listener, id, 0, DZ_ERESTARTNOINTR) < 0 ||
      waitpid(guest->pid, &status, __WALL | __WNOTHREAD) < 0)
    return -errno;
  return WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP ? 0 : -EPROTO;
}

/* In the stop: make the thread do getppid() instead of its call. */
static int inject_getppid(pid_t pid) {
  struct user_regs_struct registers;

  if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0)
    return -errno;
  if ((long)registers.rax != -DZ_ERESTARTNOINTR || registers.orig_rax != DZ_PROBE_CALL)
    return -EPROTO;
  registers.rip -= 2; /* the length of `syscall` */
  registers.rax = SYS_getppid;
  registers.orig_rax = (unsigned long long)-1; /* nothing to restart */
  return (int)dz_result(ptrace(PTRACE_SETREGS, pid, 0, &registers));
}

#define ATTACHES 20

/* Stop the guest in its call and let it go; it makes the call again, each time. The median time
 * that it was attached goes to microseconds. 0 or a negative errno. */
static int restart_often(const struct dz_probe_guest *guest, union dz_probe_notice *notice,
                         double *microseconds) {
  double figures[ATTACHES];

  for (int i = 0; i < ATTACHES; i++) {
    double start = dz_probe_now();
    int err = restart_into_stop(guest, notice->call.id);

    if (err)
      return err;
    ptrace(PTRACE_DETACH, guest->pid, 0, 0);
    figures[i] = dz_probe_now() - start;
    if (!dz_probe_pending(guest->listener, 1000))
      return -ETIME;
    err = dz_probe_receive(guest->listener, notice);
    if (err)
      return err;
    if (notice->call.data.args[0] != 1)
      return -EPROTO;
  }
  *microseconds = dz_probe_median(figures, ATTACHES);
  return 0;
}

/* An answer of -ERESTARTNOINTR under a transient attach lands in the stop, with the registers of
 * a restartable call: left alone the call is made again, rewritten another one is. */
int dz_probe_ptrace_restart(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  double attached = 0;
  int err =
      dz_probe_guest_start(&guest, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, restart_guest, NULL);

  if (err || (err = dz_probe_receive(guest.listener, &notice)) < 0)
    return dz_probe_lacks(report, err, "no notification: %s", strerror(-err));
  err = restart_often(&guest, &notice, &attached);
  if (err)
    return dz_probe_lacks(report, err, "the call is not stopped and made again: %s",
                          strerror(-err));
  dz_probe_answer(guest.listener, notice.call.id, VALUE, 0);

  if (dz_probe_receive(guest.listener, &notice) || restart_into_stop(&guest, notice.call.id))
    return dz_probe_lacks(report, -EPROTO, "no stop in the second call");
  err = inject_getppid(guest.pid);
  if (err)
    return dz_probe_lacks(report, err, "registers: %s", strerror(-err));
  ptrace(PTRACE_DETACH, guest.pid, 0, 0);
  err = dz_probe_wait(guest.pid);
  if (err)
    return dz_probe_lacks(report, -EPROTO, "the guest saw a wrong value (call %d)", err);
  return dz_probe_ok(report, "restarted, and another call made instead; attached for %.0f us",
                     attached);
}
