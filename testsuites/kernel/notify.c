/* Seccomp user notification: the engine `notify`, its descriptors and its speed. */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/probes.h"

#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#define ANSWER 4242

static int listener_guest(void *argument DZ_UNUSED) {
  char text[8] = "";
  long fd;

  if (dz_probe_call(1) != ANSWER)
    return 1;
  fd = dz_probe_call(2);
  if (fd < 0 || read((int)fd, text, sizeof text) != 3 || memcmp(text, "dz\n", 3) != 0)
    return 2;
  if (dz_probe_call(3) != -EXDEV)
    return 3;
  return 0;
}

static int add_pipe(int listener, uint64_t id) {
  struct seccomp_notif_addfd add = {.id = id};
  int ends[2];

  if (pipe(ends) < 0 || write(ends[1], "dz\n", 3) != 3)
    return -errno;
  add.srcfd = (uint32_t)ends[0];
  return (int)dz_result(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
}

/* A call is received with its caller and argument; a value, a descriptor, an errno come back. */
int dz_probe_notify_listener(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  int value = dz_probe_guest_start(&guest, 0, listener_guest, NULL);

  if (value < 0)
    return dz_probe_lacks(report, value, "seccomp(SET_MODE_FILTER, NEW_LISTENER): %s",
                          strerror(-value));
  value = dz_probe_receive(guest.listener, &notice);
  if (value < 0)
    return dz_probe_lacks(report, value, "NOTIF_RECV: %s", strerror(-value));
  if (notice.call.pid != (uint32_t)guest.pid || notice.call.data.nr != DZ_PROBE_CALL ||
      notice.call.data.args[0] != 1)
    return dz_probe_lacks(report, -EBADMSG, "a notification names another call or caller");
  if (ioctl(guest.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &notice.call.id) < 0)
    return dz_probe_lacks(report, -errno, "NOTIF_ID_VALID: %s", strerror(errno));
  dz_probe_answer(guest.listener, notice.call.id, ANSWER, 0);

  if (dz_probe_receive(guest.listener, &notice) < 0)
    return dz_probe_lacks(report, -EPROTO, "the answered value did not arrive");
  value = add_pipe(guest.listener, notice.call.id);
  if (value < 0)
    return dz_probe_lacks(report, value, "NOTIF_ADDFD (Linux 5.9): %s", strerror(-value));
  dz_probe_answer(guest.listener, notice.call.id, value, 0);

  if (dz_probe_receive(guest.listener, &notice) < 0)
    return dz_probe_lacks(report, -EPROTO, "the added descriptor cannot be read");
  dz_probe_answer(guest.listener, notice.call.id, 0, EXDEV);
  value = dz_probe_wait(guest.pid);
  if (value != 0)
    return dz_probe_lacks(report, -EPROTO, "the guest saw a wrong answer (step %d)", value);
  return dz_probe_ok(report, "received, answered, descriptor added");
}

#define BLOCKS 8 /* each is run without and with the flag, in turn */
#define BLOCK_CALLS 50

struct figures {
  double microseconds[2][BLOCKS * BLOCK_CALLS];
};

static int timed_guest(void *argument) {
  struct figures *figures = argument;

  for (size_t i = 0; i < (size_t)2 * BLOCKS * BLOCK_CALLS; i++) {
    size_t block = i / BLOCK_CALLS;
    double start = dz_probe_now();

    if (dz_probe_call((long)i) != (long)i)
      return 1;
    figures->microseconds[block % 2][block / 2 * BLOCK_CALLS + i % BLOCK_CALLS] =
        dz_probe_now() - start;
  }
  return 0;
}

/* Begin on different processors, as after any pause; then the scheduler may do as it likes. */
static void part(pid_t guest) {
  cpu_set_t all, one;
  int found = 0;
  pid_t sides[] = {guest, 0};

  if (sched_getaffinity(0, sizeof all, &all) < 0)
    return;
  for (size_t cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
    if (!CPU_ISSET(cpu, &all))
      continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(sides[found++], sizeof one, &one);
  }
  sched_setaffinity(guest, sizeof all, &all);
  sched_setaffinity(0, sizeof all, &all);
}

static int serve_timed(const struct dz_probe_guest *guest) {
  for (int i = 0; i < 2 * BLOCKS * BLOCK_CALLS; i++) {
    uint64_t flags = i / BLOCK_CALLS % 2 ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0;
    int err;

    if (i % BLOCK_CALLS == 0) {
      part(guest->pid);
      if (ioctl(guest->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags) < 0)
        return -errno;
    }
    err = dz_probe_serve(guest->listener, i);
    if (err)
      return err;
  }
  return 0;
}

/* The flag is taken, and a round trip is measured without and with it, interleaved. */
int dz_probe_notify_sync_wake_up(struct dz_probe_report *report) {
  struct figures *figures = dz_probe_shared(sizeof *figures);
  struct dz_probe_guest guest;
  int err = dz_probe_guest_start(&guest, 0, timed_guest, figures);

  if (err < 0)
    return dz_probe_lacks(report, err, "no listener: %s", strerror(-err));
  err = serve_timed(&guest);
  if (err < 0)
    return dz_probe_lacks(report, err, "NOTIF_SET_FLAGS (Linux 6.6): %s", strerror(-err));
  if (dz_probe_wait(guest.pid) != 0)
    return dz_probe_lacks(report, -EPROTO, "the guest saw a wrong answer");
  return dz_probe_ok(report, "a round trip takes %.1f us with it, %.1f without (medians)",
                     dz_probe_median(figures->microseconds[1], (size_t)BLOCKS * BLOCK_CALLS),
                     dz_probe_median(figures->microseconds[0], (size_t)BLOCKS * BLOCK_CALLS));
}
