/* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: what may interrupt a call that was received. */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/probes.h"

#include <signal.h>
#include <string.h>

#define ANSWER 99
#define STORM 200 /* signals while a received call waits */

static volatile sig_atomic_t handled;

static void count_signal(int signal DZ_UNUSED) {
  handled++;
}

/* A handler without SA_RESTART: an interrupted call would say EINTR. */
static int interruptible_guest(void *argument DZ_UNUSED) {
  struct sigaction action = {.sa_handler = count_signal};
  long value;

  sigaction(SIGUSR1, &action, NULL);
  value = dz_probe_call(0);
  if (value == ANSWER)
    return handled > 0 ? 0 : 2;
  return value == -EINTR ? 3 : 4;
}

/* Receive one call, signal its caller again and again, answer; the answer's value, then the
 * guest's exit status. */
static int answer_under_storm(unsigned flags, int *status) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  int err = dz_probe_guest_start(&guest, flags, interruptible_guest, NULL);

  if (err < 0)
    return err;
  err = dz_probe_receive(guest.listener, &notice);
  if (err < 0)
    return err;
  for (int i = 0; i < STORM; i++) {
    kill(guest.pid, SIGUSR1);
    dz_probe_sleep_us(100);
  }
  err = dz_probe_answer(guest.listener, notice.call.id, ANSWER, 0);
  *status = dz_probe_wait(guest.pid);
  return err;
}

/* A received call is not interrupted by a storm of non-fatal signals, whose handler runs after
 * it. The control without the flag must be interrupted, else the storm proves nothing. */
int dz_probe_notify_wait_killable(struct dz_probe_report *report) {
  int status = -1;
  int err = answer_under_storm(0, &status);

  if (status < 0)
    return dz_probe_lacks(report, err, "no listener: %s", strerror(-err));
  if (err != -ENOENT || status != 3)
    return dz_probe_lacks(report, -EPROTO, "the control was not interrupted: %s, guest %d",
                          strerror(-err), status);
  err = answer_under_storm(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &status);
  if (err == -EINVAL)
    return dz_probe_lacks(report, err, "the flag is unknown (Linux 5.19)");
  if (err != 0 || status != 0)
    return dz_probe_lacks(report, -EINTR, "interrupted after receipt: %s, guest %d", strerror(-err),
                          status);
  return dz_probe_ok(report, "%d signals did not interrupt a received call; without it, one did",
                     STORM);
}

static int waiting_guest(void *argument DZ_UNUSED) {
  return dz_probe_call(0) == ANSWER ? 0 : 1;
}

/* SIGKILL ends a guest whose call was received and is never answered. */
int dz_probe_notify_kill_while_waiting(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  double start;
  int err =
      dz_probe_guest_start(&guest, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, waiting_guest, NULL);

  if (err < 0)
    return dz_probe_lacks(report, err, "no listener: %s", strerror(-err));
  err = dz_probe_receive(guest.listener, &notice);
  if (err < 0)
    return dz_probe_lacks(report, err, "NOTIF_RECV: %s", strerror(-err));
  dz_probe_sleep_us(1000);
  start = dz_probe_now();
  kill(guest.pid, SIGKILL);
  err = dz_probe_wait(guest.pid);
  if (err != 128 + SIGKILL)
    return dz_probe_lacks(report, -EPROTO, "the guest ended with %d", err);
  err = dz_probe_answer(guest.listener, notice.call.id, ANSWER, 0);
  if (err != -ENOENT)
    return dz_probe_lacks(report, -EPROTO, "a dead guest's call could be answered");
  return dz_probe_ok(report, "killed within %.0f us", dz_probe_now() - start);
}
