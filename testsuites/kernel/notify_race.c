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
 * The window is narrow, so the probe works at it in two ways, with caller and supervisor on
 * different processors. Aimed: with a call pending it signals the caller, waits, receives and
 * answers at once; where the caller had gone already it waits less the next time, else more, and
 * so hovers about the moment at which the caller leaves its wait. In a storm: the caller's own
 * timer signals it every 30 us while its calls are answered as fast as they come. On a kernel with
 * the race each finds several doubled calls in its time, on a busy machine too.
 */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/probes.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#define STEP_NS 100
#define DELAY_MAX_NS 60000
#define STORM_US 30
#define TIME_US 600000.0 /* for each way; on a slow machine up to TIME_MAX_US, for ATTEMPTS */
#define TIME_MAX_US 2500000.0
#define ATTEMPTS 400
#define HANG_MS 2000

struct race {
  volatile uint32_t handled; /* by the guest: signals */
  bool storm;
  bool apart; /* there are two processors to use */
  size_t processors[2];
};

static struct race *race;

static void count_signal(int signal DZ_UNUSED) {
  race->handled++;
}

static void stay_on(size_t processor) {
  cpu_set_t one;

  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  sched_setaffinity(0, sizeof one, &one);
}

/* Serial numbers as arguments: each must be answered exactly once, with itself. */
static int racing_guest(void *argument DZ_UNUSED) {
  struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
  struct itimerval storm = {.it_interval = {.tv_usec = STORM_US},
                            .it_value = {.tv_usec = STORM_US}};

  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  if (race->apart)
    stay_on(race->processors[1]);
  if (race->storm)
    setitimer(ITIMER_REAL, &storm, NULL);
  for (long serial = 1;; serial++) {
    long value = dz_probe_call(serial);

    if (value == 0)
      return 0; /* the end */
    if (value != serial)
      return 1;
  }
}

static void wait_ns(unsigned nanoseconds) {
  double until = dz_probe_now() + nanoseconds / 1e3;

  while (dz_probe_now() < until)
    ;
}

struct outcome {
  uint64_t served;
  uint64_t interrupted; /* before receipt: harmless, the kernel restarts */
  uint64_t doubled;     /* received again after a successful answer */
};

/* Signal (unless the storm does), wait, receive, answer. 0, or a negative errno. */
static int attempt(const struct dz_probe_guest *guest, unsigned *delay_ns, uint64_t *last,
                   struct outcome *outcome) {
  union dz_probe_notice notice;
  int err;

  if (!dz_probe_pending(guest->listener, HANG_MS))
    return -ETIME;
  if (!race->storm) {
    kill(guest->pid, SIGUSR1);
    wait_ns(*delay_ns);
  }
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
    err = dz_probe_pending(guest->listener, HANG_MS) ? dz_probe_receive(guest->listener, &notice)
                                                     : -ETIME;
  while (err == -ENOENT);
  if (err)
    return err;
  if (notice.call.data.args[0] <= last)
    outcome->doubled++;
  err = dz_probe_answer(guest->listener, notice.call.id, 0, 0);
  return err ? err : dz_probe_wait(guest->pid);
}

/* Two processors that this process may use. */
static bool find_processors(size_t processors[2]) {
  cpu_set_t allowed;
  int found = 0;

  if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
    return false;
  for (size_t i = 0; i < CPU_SETSIZE && found < 2; i++)
    if (CPU_ISSET(i, &allowed))
      processors[found++] = i;
  return found == 2;
}

static bool long_enough(double microseconds, unsigned attempts) {
  return microseconds > (attempts < ATTEMPTS ? TIME_MAX_US : TIME_US);
}

static int run_way(bool storm, struct outcome *outcome) {
  struct dz_probe_guest guest;
  double start = dz_probe_now();
  unsigned delay_ns = 0;
  uint64_t last = 0;
  int err;

  race->storm = storm;
  err = dz_probe_guest_start(&guest, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, racing_guest, NULL);
  for (unsigned i = 0; err == 0 && !long_enough(dz_probe_now() - start, i); i++)
    err = attempt(&guest, &delay_ns, &last, outcome);
  return err ? err : finish(&guest, last, outcome);
}

/* Rapid replies while the caller is being signalled: none hangs, none is performed twice. */
int dz_probe_notify_fast_reply(struct dz_probe_report *report) {
  struct outcome outcome = {0};
  int err;

  race = dz_probe_shared(sizeof *race);
  race->apart = find_processors(race->processors);
  if (race->apart)
    stay_on(race->processors[0]);
  err = run_way(false, &outcome);
  if (err == 0)
    err = run_way(true, &outcome);
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
