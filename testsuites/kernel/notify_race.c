/*
 * The fast-reply race of SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19 to 6.17; mended by
 * cce436aafc2a "seccomp: Fix a race with WAIT_KILLABLE_RECV if the tracer replies too fast",
 * 6.18 and the stable series of October 2025).
 *
 * The caller waits interruptibly until its call is received, killably from then on. A signal that
 * comes first makes it leave the interruptible wait and take the filter's mutex to look whether
 * the call was received meanwhile; then it waits again. Older kernels asked whether the state
 * was exactly SENT. If the supervisor has received *and* answered between the caller's leaving
 * the wait and its taking the mutex, the state is REPLIED already and the call counts as
 * interrupted: although NOTIF_SEND succeeded it is restarted and performed twice, or says EINTR.
 *
 * The window is some 100 ns wide, so the probe aims: with a call pending, it signals the caller,
 * waits, then receives and answers at once. Where the caller had gone already it waits less the
 * next time, else more, and so hovers about the moment at which the caller leaves its wait. Half
 * of the attempts let caller and supervisor share a processor, where the caller is in the idle
 * class and the supervisor's waking preempts it; the others leave both to the scheduler.
 */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/probes.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define ATTEMPTS 3000
#define STEP_NS 150
#define DELAY_MAX_NS 300000
#define BUDGET_US 500000.0 /* for each half */

struct race {
  volatile uint32_t handled; /* by the guest: signals */
  bool idle_class;
};

static struct race *race;

static void count_signal(int signal DZ_UNUSED) {
  race->handled++;
}

/* Serial numbers as arguments: each must be answered exactly once, with itself. */
static int racing_guest(void *argument DZ_UNUSED) {
  struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
  struct sched_param none = {0};

  sigaction(SIGUSR1, &action, NULL);
  if (race->idle_class)
    sched_setscheduler(0, SCHED_IDLE, &none);
  for (long serial = 1;; serial++) {
    long value = dz_probe_call(serial);

    if (value == 0)
      return 0; /* the end */
    if (value != serial)
      return 1;
  }
}

static void wait_ns(unsigned nanoseconds, bool sleeping) {
  struct timespec pause = {.tv_nsec = nanoseconds};
  double until = dz_probe_now() + nanoseconds / 1e3;

  if (sleeping)
    nanosleep(&pause, NULL); /* lets the caller run on this processor */
  else
    while (dz_probe_now() < until)
      ;
}

struct outcome {
  uint64_t served;
  uint64_t interrupted; /* before receipt: harmless, the kernel restarts */
  uint64_t doubled;     /* received again after a successful answer */
};

/* Signal, wait, receive, answer. 0, or a negative errno. */
static int attempt(const struct dz_probe_guest *guest, unsigned *delay_ns, uint64_t *last,
                   struct outcome *outcome) {
  union dz_probe_notice notice;
  int err;

  if (!dz_probe_pending(guest->listener, 1000))
    return -ETIME;
  kill(guest->pid, SIGUSR1);
  wait_ns(*delay_ns, race->idle_class);
  err = dz_probe_receive(guest->listener, &notice);
  if (err == -ENOENT) {
    outcome->interrupted++;
    *delay_ns -= *delay_ns < STEP_NS ? *delay_ns : STEP_NS;
    return 0;
  }
  if (err)
    return err;
  if (notice.call.data.args[0] <= *last)
    outcome->doubled++;
  err = dz_probe_answer(guest->listener, notice.call.id, (int64_t)notice.call.data.args[0], 0);
  if (err == -ENOENT)
    return -EINTR; /* not killable after receipt at all */
  if (err == 0) {
    *delay_ns += *delay_ns < DELAY_MAX_NS ? STEP_NS : 0;
    *last = notice.call.data.args[0];
    outcome->served++;
  }
  return err;
}

/* Serve without signals until the guest has seen an end. Its exit status, or a negative errno. */
static int finish(const struct dz_probe_guest *guest, uint64_t last, struct outcome *outcome) {
  union dz_probe_notice notice;
  int err;

  do
    err = dz_probe_pending(guest->listener, 1000) ? dz_probe_receive(guest->listener, &notice)
                                                  : -ETIME;
  while (err == -ENOENT);
  if (err)
    return err;
  if (notice.call.data.args[0] <= last)
    outcome->doubled++;
  err = dz_probe_answer(guest->listener, notice.call.id, 0, 0);
  return err ? err : dz_probe_wait(guest->pid);
}

static void share_processor(void) {
  cpu_set_t one;
  int here = sched_getcpu();

  if (here < 0)
    return;
  CPU_ZERO(&one);
  CPU_SET((size_t)here, &one);
  sched_setaffinity(0, sizeof one, &one);
}

static int run_half(bool share, struct outcome *outcome) {
  struct dz_probe_guest guest;
  double until = dz_probe_now() + BUDGET_US;
  unsigned delay_ns = 0;
  uint64_t last = 0;
  int err;

  race->idle_class = share;
  if (share)
    share_processor();
  err = dz_probe_guest_start(&guest, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, racing_guest, NULL);
  for (unsigned i = 0; err == 0 && i < ATTEMPTS && dz_probe_now() < until; i++)
    err = attempt(&guest, &delay_ns, &last, outcome);
  return err ? err : finish(&guest, last, outcome);
}

/* Rapid replies while the caller is being signalled: none hangs, none is performed twice. */
int dz_probe_notify_fast_reply(struct dz_probe_report *report) {
  struct outcome outcome = {0};
  int err;

  race = dz_probe_shared(sizeof *race);
  prctl(PR_SET_TIMERSLACK, 1UL);
  err = run_half(false, &outcome);
  if (err == 0)
    err = run_half(true, &outcome);
  if (outcome.doubled)
    return dz_probe_lacks(report, -EAGAIN, "%lu of %lu answered calls were performed again",
                          (unsigned long)outcome.doubled, (unsigned long)outcome.served);
  if (err == -ETIME)
    return dz_probe_lacks(report, err, "a call hung after %lu answers",
                          (unsigned long)outcome.served);
  if (err > 0)
    return dz_probe_lacks(report, -EPROTO, "an answered call showed another value");
  if (err < 0)
    return dz_probe_lacks(report, err, "after %lu answers: %s", (unsigned long)outcome.served,
                          strerror(-err));
  if (outcome.served == 0 || race->handled == 0)
    return dz_probe_lacks(report, -EPROTO, "no call met a signal");
  return dz_probe_ok(report, "%lu answers, %lu calls interrupted before receipt: none doubled",
                     (unsigned long)outcome.served, (unsigned long)outcome.interrupted);
}
