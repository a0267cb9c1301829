/* Surprises of seccomp user notification that the supervisor is built around. */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static void ignore_signal(int signal DZ_UNUSED) {}

static int restarting_guest(void *argument DZ_UNUSED) {
  struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};

  sigaction(SIGUSR1, &action, NULL);
  return dz_probe_call(5) == 6 ? 0 : 1;
}

/* Without WAIT_KILLABLE_RECV a call whose caller is signalled after receipt comes a second time. */
int dz_probe_fact_default_wait_doubles(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice first, second;
  int err = dz_probe_guest_start(&guest, 0, restarting_guest, NULL);

  if (err || dz_probe_receive(guest.listener, &first))
    return dz_probe_lacks(report, err, "no notification");
  kill(guest.pid, SIGUSR1);
  if (!dz_probe_pending(guest.listener, 500) || dz_probe_receive(guest.listener, &second))
    return dz_probe_lacks(report, -EPROTO, "the call was not restarted");
  if (dz_probe_answer(guest.listener, first.call.id, 6, 0) != -ENOENT ||
      first.call.id == second.call.id || second.call.data.args[0] != 5)
    return dz_probe_lacks(report, -EPROTO, "the restarted call is not a new one");
  dz_probe_answer(guest.listener, second.call.id, 6, 0);
  if (dz_probe_wait(guest.pid) != 0)
    return dz_probe_lacks(report, -EPROTO, "the guest saw a wrong answer");
  return dz_probe_ok(report, "one call was received twice, under two ids");
}

static int quiet_guest(void *argument DZ_UNUSED) {
  return dz_probe_call(5) == 6 ? 0 : 1;
}

/* NOTIF_ADDFD refuses an O_PATH descriptor. */
int dz_probe_fact_opath_not_added(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  struct seccomp_notif_addfd add = {0};
  int err = dz_probe_guest_start(&guest, 0, quiet_guest, NULL);
  int path = open("/", O_PATH | O_CLOEXEC);

  if (err || path < 0 || dz_probe_receive(guest.listener, &notice))
    return dz_probe_lacks(report, err, "no notification");
  add.id = notice.call.id;
  add.srcfd = (uint32_t)path;
  if (ioctl(guest.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0 || errno != EBADF)
    return dz_probe_lacks(report, -EPROTO, "it was added, or failed otherwise: %s",
                          strerror(errno));
  return dz_probe_ok(report, "EBADF");
}

static int second_listener_guest(void *argument DZ_UNUSED) {
  return dz_probe_install_filter(0) == -EBUSY ? 0 : 1;
}

/* A process under a listener cannot make one of its own. */
int dz_probe_fact_one_listener(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  int err = dz_probe_guest_start(&guest, 0, second_listener_guest, NULL);

  if (err || dz_probe_wait(guest.pid) != 0)
    return dz_probe_lacks(report, err, "a second listener was given, or failed otherwise");
  return dz_probe_ok(report, "EBUSY for the second listener");
}

static int leaving_guest(void *argument DZ_UNUSED) {
  struct sigaction action = {.sa_handler = ignore_signal};

  sigaction(SIGUSR1, &action, NULL);
  if (dz_probe_call(5) != -EINTR)
    return 1;
  pause();
  return 0;
}

/* A pending call whose caller was interrupted is counted still: RECV says ENOENT, not "wait". */
int dz_probe_fact_receive_after_interrupt(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  int err =
      dz_probe_guest_start(&guest, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, leaving_guest, NULL);

  if (err || !dz_probe_pending(guest.listener, 500))
    return dz_probe_lacks(report, err, "no notification");
  kill(guest.pid, SIGUSR1);
  for (int i = 0; i < 500 && dz_probe_pending(guest.listener, 0); i++)
    dz_probe_sleep_us(1000);
  err = dz_probe_receive(guest.listener, &notice);
  if (err != -ENOENT)
    return dz_probe_lacks(report, -EPROTO, "NOTIF_RECV gave %d", err);
  return dz_probe_ok(report, "NOTIF_RECV says ENOENT");
}

static int brief_guest(void *argument DZ_UNUSED) {
  return 0;
}

/* When the last guest is gone the listener polls as hung up; NOTIF_RECV blocked until 6.11. */
int dz_probe_fact_hangup_without_guests(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  struct pollfd entry = {.events = POLLIN};
  union dz_probe_notice notice;
  int err = dz_probe_guest_start(&guest, 0, brief_guest, NULL);
  int status = 0;
  pid_t receiver;

  if (err || dz_probe_wait(guest.pid) != 0)
    return dz_probe_lacks(report, err, "no guest");
  entry.fd = guest.listener;
  if (poll(&entry, 1, 500) != 1 || !(entry.revents & POLLHUP))
    return dz_probe_lacks(report, -EPROTO, "no POLLHUP");
  receiver = dz_probe_fork();
  if (receiver == 0) {
    alarm(1);
    _exit(dz_probe_receive(guest.listener, &notice) == -ENOENT ? 0 : 1);
  }
  status = dz_probe_wait(receiver);
  if (status != 0 && status != 128 + SIGALRM)
    return dz_probe_lacks(report, -EPROTO, "NOTIF_RECV gave something else");
  return dz_probe_ok(report, "POLLHUP; NOTIF_RECV %s", status ? "blocks" : "says ENOENT");
}

/* The kernel takes 32 bits of an int argument; the filter and the supervisor see all 64. */
int dz_probe_fact_high_half(struct dz_probe_report *report) {
  struct dz_probe_guest guest;
  union dz_probe_notice notice;
  int err = dz_probe_guest_start(&guest, 0, quiet_guest, NULL);
  long garbage = 1L << 32;
  long family = syscall(SYS_socket, AF_UNIX | garbage, SOCK_STREAM, 0);

  if (family < 0)
    return dz_probe_lacks(report, -errno, "socket(AF_UNIX | 1 << 32): %s", strerror(errno));
  if (err || dz_probe_receive(guest.listener, &notice))
    return dz_probe_lacks(report, err, "no notification");
  if (dz_probe_answer(guest.listener, notice.call.id, 6, 0) || dz_probe_wait(guest.pid) != 0)
    return dz_probe_lacks(report, -EPROTO, "the guest saw a wrong answer");
  return dz_probe_ok(report, "socket(AF_UNIX | 1 << 32) makes a socket");
}
