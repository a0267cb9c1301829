#include "cli/run_loop.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

/* While denizen is in the background, how often to ask whether it still is. */
enum { FOREGROUND_CHECK_MS = 500 };

enum { POLL_SUPERVISOR, POLL_SIGNALS, POLL_TERMINAL, POLL_FDS = POLL_TERMINAL + DZ_TERMINAL_FDS };

struct loop {
  struct dz_silo_handle *handle;
  struct dz_terminal *terminal;
  int signal_fd;
};

static void pass_on(struct loop *loop, int signal) {
  int err = dz_silo_signal(loop->handle, signal);

  if (err < 0)
    dz_debug("run: signal %d not passed on: %s", signal, strerror(-err));
}

/* A guest on a pty gets SIGWINCH from the pty; another one only from us. */
static void take_resize(struct loop *loop, int signal) {
  if (loop->terminal)
    dz_terminal_resize(loop->terminal);
  else
    pass_on(loop, signal);
}

/* The guest's first process leads a session of its own, so its group is orphaned
 * and SIGTSTP's default action does nothing there (kernel/signal.c, get_signal):
 * SIGSTOP does. */
static void take_stop(struct loop *loop, int signal DZ_UNUSED) {
  pass_on(loop, SIGSTOP);
  if (loop->terminal)
    dz_terminal_leave(loop->terminal);
  raise(SIGSTOP);
}

static void take_continue(struct loop *loop, int signal) {
  if (loop->terminal)
    dz_terminal_enter(loop->terminal);
  pass_on(loop, signal);
}

static const struct {
  int signal;
  void (*take)(struct loop *loop, int signal);
} taken[] = {
    {SIGINT, pass_on},       {SIGTERM, pass_on},   {SIGHUP, pass_on},
    {SIGQUIT, pass_on},      {SIGUSR1, pass_on},   {SIGUSR2, pass_on},
    {SIGWINCH, take_resize}, {SIGTSTP, take_stop}, {SIGCONT, take_continue},
};

/* SIGPIPE is blocked too, though not taken: a write to a closed pipe shall
 * return EPIPE. Signals that were ignored when denizen started stay so; a
 * blocked signal would be queued for signalfd(2) even when ignored. */
static int open_signals(sigset_t *before) {
  sigset_t set, blocked;

  sigemptyset(&set);
  for (size_t at = 0; at < DZ_ARRAY_SIZE(taken); at++) {
    struct sigaction action;

    if (sigaction(taken[at].signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(&set, taken[at].signal);
  }
  blocked = set;
  sigaddset(&blocked, SIGPIPE);
  if (sigprocmask(SIG_BLOCK, &blocked, before) < 0)
    return -errno;
  return (int)dz_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

static void take_signals(struct loop *loop) {
  struct signalfd_siginfo info;

  while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
    for (size_t at = 0; at < DZ_ARRAY_SIZE(taken); at++)
      if (taken[at].signal == (int)info.ssi_signo)
        taken[at].take(loop, taken[at].signal);
}

static void pump(struct loop *loop, const struct pollfd *fds) {
  bool failed = loop->terminal->output_failed;

  dz_terminal_pump(loop->terminal, fds);
  if (loop->terminal->output_failed && !failed)
    pass_on(loop, SIGHUP);
}

/* Prepare for poll(2); returns its timeout. */
static int prepare(struct loop *loop, struct pollfd fds[POLL_FDS]) {
  fds[POLL_SUPERVISOR] = (struct pollfd){.fd = loop->handle->pidfd, .events = POLLIN};
  fds[POLL_SIGNALS] = (struct pollfd){.fd = loop->signal_fd, .events = POLLIN};
  if (!loop->terminal)
    return -1;
  dz_terminal_enter(loop->terminal);
  dz_terminal_want(loop->terminal, &fds[POLL_TERMINAL]);
  return dz_terminal_is_background(loop->terminal) ? FOREGROUND_CHECK_MS : -1;
}

/* What came too late for the guest is dropped; from then on signals have their
 * usual effect again. */
static void close_signals(struct loop *loop, sigset_t *before) {
  struct signalfd_siginfo info;

  while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
    ;
  close(loop->signal_fd);
  sigaddset(before, SIGPIPE);
  sigprocmask(SIG_SETMASK, before, NULL);
}

static int serve(struct loop *loop, struct dz_error *error) {
  for (;;) {
    struct pollfd fds[POLL_FDS];
    int timeout = prepare(loop, fds);

    if (poll(fds, loop->terminal ? POLL_FDS : POLL_TERMINAL, timeout) < 0) {
      if (errno == EINTR)
        continue;
      return dz_fail(error, -errno, "poll: %s", strerror(errno));
    }
    if (fds[POLL_SIGNALS].revents)
      take_signals(loop);
    if (loop->terminal)
      pump(loop, &fds[POLL_TERMINAL]);
    if (fds[POLL_SUPERVISOR].revents)
      return 0;
  }
}

int dz_run_loop(struct dz_silo_handle *handle, struct dz_terminal *terminal,
                struct dz_error *error) {
  struct loop loop = {.handle = handle, .terminal = terminal};
  sigset_t before;
  int err;

  loop.signal_fd = open_signals(&before);
  if (loop.signal_fd < 0)
    return dz_fail(error, loop.signal_fd, "signals: %s", strerror(-loop.signal_fd));
  err = serve(&loop, error);
  close_signals(&loop, &before);
  return err;
}
