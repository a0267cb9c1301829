#include "cli/terminal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* What a signal handler or exit(3) must restore. Handlers get no argument, so
 * this is the one mutable thing in cli/ that is not passed. */
static struct {
  volatile sig_atomic_t active;
  int fd;
  struct termios modes;
} saved;

/* tcsetattr(3) from the background stops the caller by SIGTTOU unless the signal
 * is blocked (POSIX, "Terminal Access Control"). Async-signal-safe. */
static void restore_modes(void) {
  sigset_t stop, before;

  if (!saved.active)
    return;
  saved.active = 0;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  sigprocmask(SIG_BLOCK, &stop, &before);
  tcsetattr(saved.fd, TCSANOW, &saved.modes);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

static void restore_and_die(int signal) {
  int saved_errno = errno;

  restore_modes();
  errno = saved_errno;
  raise(signal); /* SA_RESETHAND: the default action, once the handler returns */
}

/* Signals that end a process. The caller blocks some of them to take them by
 * signalfd(2); what it doesn't take comes here. */
static void guard_modes(void) {
  static const int fatal[] = {SIGSEGV, SIGBUS,  SIGILL,    SIGFPE,  SIGABRT, SIGSYS,
                              SIGTRAP, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ,
                              SIGINT,  SIGTERM, SIGHUP,    SIGQUIT};
  static bool guarded;
  struct sigaction action = {.sa_handler = restore_and_die, .sa_flags = SA_RESETHAND};

  if (guarded)
    return;
  guarded = true;
  atexit(restore_modes);
  sigemptyset(&action.sa_mask);
  for (size_t at = 0; at < DZ_ARRAY_SIZE(fatal); at++) {
    struct sigaction before;

    if (sigaction(fatal[at], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
      sigaction(fatal[at], &action, NULL);
  }
}

/* O_NONBLOCK belongs to the open file description, which the caller's shell
 * shares: terminals and FIFOs are opened anew. Others are duplicated; a regular
 * file never blocks, and a socket only when its peer doesn't read. */
static int own_descriptor(int fd, int mode) {
  char path[DZ_SELF_FD_MAX];
  struct stat info;
  int own = -1;

  if (fstat(fd, &info) == 0 && (isatty(fd) || S_ISFIFO(info.st_mode)))
    own = open(dz_self_fd_path(fd, path), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return own >= 0 ? own : (int)dz_result(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

static int open_pair(int *master, int *slave) {
  int ends DZ_FD = (int)dz_result(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  int peer;

  if (ends < 0)
    return ends;
  if (grantpt(ends) < 0 || unlockpt(ends) < 0)
    return -errno;
  /* ioctl_tty(2): opens the slave even where /dev/pts is another mount. */
  peer = ioctl(ends, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer < 0)
    return -errno;
  *slave = peer;
  *master = dz_steal_fd(&ends);
  return 0;
}

static void copy_modes(const struct dz_terminal *terminal) {
  struct termios modes;

  if (terminal->outer >= 0 && tcgetattr(terminal->outer, &modes) == 0)
    tcsetattr(terminal->slave, TCSANOW, &modes);
}

int dz_terminal_open(struct dz_terminal *terminal, int input, int output, struct dz_error *error) {
  int in DZ_FD = own_descriptor(input, O_RDONLY);
  int out DZ_FD = own_descriptor(output, O_WRONLY);
  int err = in < 0 ? in : out < 0 ? out : 0;

  *terminal = (struct dz_terminal){.master = -1, .slave = -1, .at_line_start = true};
  if (!err)
    err = open_pair(&terminal->master, &terminal->slave);
  if (err)
    return dz_fail(error, err, "terminal: %s; mount devpts on /dev/pts, or run without -t",
                   strerror(-err));
  terminal->outer = isatty(in) ? in : isatty(out) ? out : -1;
  terminal->input = dz_steal_fd(&in);
  terminal->output = dz_steal_fd(&out);
  copy_modes(terminal);
  dz_terminal_resize(terminal);
  return 0;
}

/* tcgetpgrp(3) fails where outer isn't the controlling terminal: nobody's
 * foreground, so ours to use. */
bool dz_terminal_is_background(const struct dz_terminal *terminal) {
  pid_t foreground = terminal->outer >= 0 ? tcgetpgrp(terminal->outer) : -1;

  return foreground >= 0 && foreground != getpgrp();
}

void dz_terminal_enter(struct dz_terminal *terminal) {
  struct termios modes;

  if (terminal->raw || terminal->outer != terminal->input || dz_terminal_is_background(terminal) ||
      tcgetattr(terminal->outer, &modes) < 0)
    return;
  guard_modes();
  saved.fd = terminal->outer;
  saved.modes = modes;
  saved.active = 1;
  cfmakeraw(&modes);
  tcsetattr(terminal->outer, TCSANOW, &modes);
  terminal->raw = true;
  dz_terminal_resize(terminal);
}

void dz_terminal_leave(struct dz_terminal *terminal) {
  if (terminal->raw)
    restore_modes();
  terminal->raw = false;
}

void dz_terminal_resize(const struct dz_terminal *terminal) {
  struct winsize size;

  if (terminal->master >= 0 && terminal->outer >= 0 &&
      ioctl(terminal->outer, TIOCGWINSZ, &size) == 0)
    ioctl(terminal->master, TIOCSWINSZ, &size);
}

static bool is_empty(const struct dz_terminal_buffer *buffer) {
  return buffer->start == buffer->end;
}

/* Whether a call may succeed later. */
static bool is_passing(int error) {
  return error == EAGAIN || error == EINTR;
}

/* Reading the outer terminal from the background would stop denizen. */
static bool wants_input(const struct dz_terminal *terminal) {
  return !terminal->input_ended && is_empty(&terminal->to_guest) &&
         (terminal->outer != terminal->input || terminal->raw);
}

void dz_terminal_want(const struct dz_terminal *terminal, struct pollfd fds[DZ_TERMINAL_FDS]) {
  bool reads = is_empty(&terminal->from_guest);
  bool writes = !is_empty(&terminal->to_guest);

  /* poll(2) ignores negative descriptors, but not POLLHUP on unwanted ones. */
  fds[DZ_TERMINAL_MASTER] = (struct pollfd){
      .fd = reads || writes ? terminal->master : -1,
      .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)),
  };
  fds[DZ_TERMINAL_INPUT] =
      (struct pollfd){.fd = wants_input(terminal) ? terminal->input : -1, .events = POLLIN};
  fds[DZ_TERMINAL_OUTPUT] = (struct pollfd){.fd = reads ? -1 : terminal->output, .events = POLLOUT};
}

/* 1 something was read, 0 the end, -errno. */
static int fill(struct dz_terminal_buffer *buffer, int fd) {
  ssize_t got = read(fd, buffer->data, sizeof buffer->data);

  if (got < 0)
    return -errno;
  buffer->start = 0;
  buffer->end = (size_t)got;
  return got > 0;
}

static int flush(struct dz_terminal_buffer *buffer, int fd) {
  ssize_t written = write(fd, buffer->data + buffer->start, buffer->end - buffer->start);

  if (written < 0)
    return -errno;
  buffer->start += (size_t)written;
  return 0;
}

/* What a person would type: Ctrl-D; twice within a line, where the first only
 * sends the line so far (termios(3), VEOF). */
static void type_end_of_file(struct dz_terminal *terminal) {
  struct termios modes;
  char key = 4;

  terminal->input_ended = true;
  if (tcgetattr(terminal->slave, &modes) == 0 && modes.c_cc[VEOF])
    key = (char)modes.c_cc[VEOF];
  terminal->to_guest.start = 0;
  terminal->to_guest.end = terminal->at_line_start ? 1 : 2;
  memset(terminal->to_guest.data, key, terminal->to_guest.end);
}

static void take_input(struct dz_terminal *terminal) {
  int got = fill(&terminal->to_guest, terminal->input);

  if (got > 0) {
    char last = terminal->to_guest.data[terminal->to_guest.end - 1];

    terminal->at_line_start = last == '\n' || last == '\r';
  } else if (got == 0 || !is_passing(-got)) {
    type_end_of_file(terminal);
  }
}

/* Nobody reads the output any more: the guest learns it as from a closed window. */
static void hang_up(struct dz_terminal *terminal) {
  terminal->output_failed = true;
  terminal->input_ended = true;
  terminal->to_guest.start = terminal->to_guest.end = 0;
  terminal->from_guest.start = terminal->from_guest.end = 0;
  close(terminal->master);
  terminal->master = -1;
}

static void give_output(struct dz_terminal *terminal) {
  int err = flush(&terminal->from_guest, terminal->output);

  if (err && !is_passing(-err))
    hang_up(terminal);
}

static void give_input(struct dz_terminal *terminal) {
  int err = flush(&terminal->to_guest, terminal->master);

  if (err && !is_passing(-err))
    terminal->to_guest.start = terminal->to_guest.end;
}

void dz_terminal_pump(struct dz_terminal *terminal, const struct pollfd fds[DZ_TERMINAL_FDS]) {
  short master = fds[DZ_TERMINAL_MASTER].revents;

  if (master & POLLOUT)
    give_input(terminal);
  if (fds[DZ_TERMINAL_INPUT].revents)
    take_input(terminal);
  if (master & (POLLIN | POLLERR | POLLHUP))
    fill(&terminal->from_guest, terminal->master);
  if (fds[DZ_TERMINAL_OUTPUT].revents)
    give_output(terminal);
}

void dz_terminal_drain(struct dz_terminal *terminal) {
  /* The pty may still hold the guest's last bytes: poll(2) on the master flushes
   * the kernel's queue before it answers (drivers/tty/n_tty.c, n_tty_poll). */
  while (!terminal->output_failed) {
    bool reads = is_empty(&terminal->from_guest);
    struct pollfd ready = {.fd = reads ? terminal->master : terminal->output,
                           .events = reads ? POLLIN : POLLOUT};
    int count = poll(&ready, 1, reads ? 0 : -1);

    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    if (!reads)
      give_output(terminal);
    else if (!(ready.revents & POLLIN) || fill(&terminal->from_guest, terminal->master) <= 0)
      return;
  }
}

void dz_terminal_close(struct dz_terminal *terminal) {
  int *fds[] = {&terminal->master, &terminal->slave, &terminal->input, &terminal->output};

  dz_terminal_leave(terminal);
  for (size_t at = 0; at < DZ_ARRAY_SIZE(fds); at++)
    dz_close_scope(fds[at]);
  *terminal =
      (struct dz_terminal){.master = -1, .slave = -1, .input = -1, .output = -1, .outer = -1};
}
