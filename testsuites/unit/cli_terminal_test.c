/*
 * The terminal's pump, with a second pty for the caller's terminal: person is
 * where somebody sits, outer is what denizen has as standard input and output.
 * The guest is played on the silo's slave side.
 */
#include "cli/terminal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static int person, outer;
static struct dz_terminal terminal;
static struct dz_error error;

static void set_up(void) {
  struct winsize size = {.ws_row = 33, .ws_col = 99};

  person = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  cr_assert_geq(person, 0);
  cr_assert_eq(grantpt(person) | unlockpt(person), 0);
  outer = ioctl(person, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_geq(outer, 0);
  cr_assert_eq(ioctl(person, TIOCSWINSZ, &size), 0);
}

static void tear_down(void) {
  dz_terminal_close(&terminal);
}

TestSuite(cli_terminal, .init = set_up, .fini = tear_down, .timeout = 20);

static void open_terminal(int input, int output) {
  cr_assert_eq(dz_terminal_open(&terminal, input, output, &error), 0, "%s", error.text);
  dz_terminal_enter(&terminal);
}

/* Pump until nothing has moved for a while. */
static void settle(void) {
  struct pollfd fds[DZ_TERMINAL_FDS];

  do
    dz_terminal_want(&terminal, fds);
  while (poll(fds, DZ_TERMINAL_FDS, 50) > 0 && (dz_terminal_pump(&terminal, fds), true));
}

static void send_text(int fd, const char *text) {
  cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* All that can be read now, NUL-terminated. */
static const char *received(int fd) {
  static char text[8192];
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  size_t length = 0;
  ssize_t got;

  while (length + 1 < sizeof text && poll(&ready, 1, 50) > 0 && (ready.revents & POLLIN) &&
         (got = read(fd, text + length, sizeof text - 1 - length)) > 0)
    length += (size_t)got;
  text[length] = '\0';
  return text;
}

static bool is_raw(int fd) {
  struct termios modes;

  cr_assert_eq(tcgetattr(fd, &modes), 0);
  return !(modes.c_lflag & (ICANON | ECHO | ISIG));
}

Test(cli_terminal, copies_both_ways) {
  open_terminal(outer, outer);
  send_text(person, "typed\r");
  settle();
  cr_assert_str_eq(received(terminal.slave), "typed\n");
  cr_assert_str_eq(received(person), "typed\r\n", "the silo's pty echoes, once");
  send_text(terminal.slave, "printed\n");
  settle();
  cr_assert_str_eq(received(person), "printed\r\n");
}

Test(cli_terminal, the_outer_terminal_is_raw_and_gets_its_modes_back) {
  struct termios before, after;

  cr_assert_eq(tcgetattr(outer, &before), 0);
  open_terminal(outer, outer);
  cr_assert(is_raw(outer));
  cr_assert_not(is_raw(terminal.slave), "the silo's own keeps a terminal's usual modes");
  dz_terminal_leave(&terminal);
  cr_assert_not(is_raw(outer));
  dz_terminal_enter(&terminal);
  cr_assert(is_raw(outer));
  dz_terminal_close(&terminal);
  cr_assert_eq(tcgetattr(outer, &after), 0);
  cr_assert_eq(after.c_iflag, before.c_iflag);
  cr_assert_eq(after.c_oflag, before.c_oflag);
  cr_assert_eq(after.c_cflag, before.c_cflag);
  cr_assert_eq(after.c_lflag, before.c_lflag);
  cr_assert_arr_eq(after.c_cc, before.c_cc, sizeof after.c_cc);
}

/* End a child that holds the terminal raw, in the given way. */
static void end_child(int signal) {
  pid_t child = fork();
  int status;

  cr_assert_geq(child, 0);
  if (child == 0) {
    int failed = dz_terminal_open(&terminal, outer, outer, NULL);

    dz_terminal_enter(&terminal);
    if (failed || !is_raw(outer))
      _exit(9);
    if (signal)
      raise(signal);
    exit(0);
  }
  cr_assert_eq(waitpid(child, &status, 0), child);
  if (signal)
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == signal, "status %x", status);
  else
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
  cr_assert_not(is_raw(outer), "after signal %d", signal);
}

Test(cli_terminal, modes_come_back_by_exit_and_by_fatal_signals) {
  static const int fatal[] = {0, SIGSEGV, SIGABRT, SIGBUS, SIGALRM};

  for (size_t at = 0; at < DZ_ARRAY_SIZE(fatal); at++) {
    signal(fatal[at], SIG_DFL);
    end_child(fatal[at]);
  }
}

Test(cli_terminal, the_size_is_carried_over_at_first_and_later) {
  struct winsize size;

  open_terminal(outer, outer);
  cr_assert_eq(ioctl(terminal.slave, TIOCGWINSZ, &size), 0);
  cr_assert_eq(size.ws_row, 33);
  cr_assert_eq(size.ws_col, 99);
  size.ws_row = 44;
  cr_assert_eq(ioctl(person, TIOCSWINSZ, &size), 0);
  dz_terminal_resize(&terminal);
  cr_assert_eq(ioctl(terminal.slave, TIOCGWINSZ, &size), 0);
  cr_assert_eq(size.ws_row, 44);
}

Test(cli_terminal, keys_that_signal_go_through_as_bytes) {
  struct termios modes;

  open_terminal(outer, outer);
  cr_assert_eq(tcgetattr(terminal.slave, &modes), 0);
  cfmakeraw(&modes);
  cr_assert_eq(tcsetattr(terminal.slave, TCSANOW, &modes), 0);
  send_text(person, "\x03\x1a\x1c\x04\x11\x13");
  settle();
  cr_assert_str_eq(received(terminal.slave), "\x03\x1a\x1c\x04\x11\x13");
}

Test(cli_terminal, the_end_of_a_piped_input_is_typed) {
  static const char *const texts[] = {"line\nrest", "line\n", ""};

  for (size_t at = 0; at < DZ_ARRAY_SIZE(texts); at++) {
    size_t length = strlen(texts[at]), total = 0;
    char data[64];
    ssize_t got;
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    open_terminal(ends[0], outer);
    cr_assert_not(is_raw(outer), "no keys are read from it");
    send_text(ends[1], texts[at]);
    close(ends[1]);
    settle();
    while ((got = read(terminal.slave, data + total, sizeof data - total)) > 0)
      total += (size_t)got;
    cr_assert_eq(got, 0, "the end of the file");
    cr_assert_eq(total, length);
    cr_assert_arr_eq(data, texts[at], length);
    cr_assert_str_eq(received(terminal.slave), "", "nothing after the end");
    dz_terminal_close(&terminal);
  }
}

Test(cli_terminal, the_callers_pipe_stays_blocking) {
  int ends[2];

  cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
  open_terminal(ends[0], outer);
  cr_assert_not(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
  cr_assert_not(fcntl(outer, F_GETFL) & O_NONBLOCK);
}

Test(cli_terminal, a_closed_output_hangs_the_guest_up) {
  int ends[2];

  signal(SIGPIPE, SIG_IGN);
  cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
  open_terminal(outer, ends[1]);
  close(ends[0]);
  send_text(terminal.slave, "nobody reads this\n");
  settle();
  cr_assert(terminal.output_failed);
  cr_assert_lt(write(terminal.slave, "x", 1), 0);
  cr_assert_eq(errno, EIO);
}

/* More than any buffer on the way holds, to a reader that comes late. */
Test(cli_terminal, a_slow_reader_loses_nothing) {
  enum { AMOUNT = 300000 };
  pid_t guest;
  size_t total = 0;

  open_terminal(outer, outer);
  guest = fork();
  if (guest == 0) {
    for (size_t sent = 0; sent < AMOUNT; sent += 100)
      if (write(terminal.slave, (char[100]){0}, 100) != 100)
        _exit(1);
    _exit(0);
  }
  while (total < AMOUNT) {
    struct pollfd fds[DZ_TERMINAL_FDS];
    char data[1000];
    ssize_t got;

    dz_terminal_want(&terminal, fds);
    if (poll(fds, DZ_TERMINAL_FDS, 5) > 0)
      dz_terminal_pump(&terminal, fds);
    got = read(person, data, sizeof data);
    if (got > 0)
      total += (size_t)got;
  }
  cr_assert_eq(total, AMOUNT);
  cr_assert_eq(waitpid(guest, NULL, 0), guest);
}

Test(cli_terminal, what_the_guest_left_is_drained) {
  open_terminal(outer, outer);
  send_text(terminal.slave, "last words\n");
  dz_terminal_drain(&terminal);
  cr_assert_str_eq(received(person), "last words\r\n");
}

Test(cli_terminal, a_drain_that_waits_for_its_reader_can_be_ended_by_a_signal) {
  pid_t child = fork();
  int status;

  if (child == 0) {
    int full[2];
    char block[4096] = {0};

    if (pipe2(full, O_CLOEXEC | O_NONBLOCK) < 0)
      _exit(1);
    while (write(full[1], block, sizeof block) > 0)
      ;
    open_terminal(outer, full[1]);
    send_text(terminal.slave, "never read\n");
    alarm(1);
    dz_terminal_drain(&terminal);
    _exit(2);
  }
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM, "status %x", status);
  cr_assert_not(is_raw(outer));
}

/* The outer terminal as the controlling one of a session in which another
 * process group is in the foreground. */
Test(cli_terminal, in_the_background_the_outer_terminal_is_left_alone) {
  pid_t leader = fork();
  int status;

  if (leader == 0) {
    pid_t job;

    setsid();
    if (ioctl(outer, TIOCSCTTY, 0) < 0)
      _exit(1);
    job = fork();
    if (job == 0) {
      setpgid(0, 0);
      if (dz_terminal_open(&terminal, outer, outer, NULL) < 0)
        _exit(2);
      dz_terminal_enter(&terminal);
      if (!dz_terminal_is_background(&terminal) || terminal.raw || is_raw(outer))
        _exit(3);
      signal(SIGTTOU, SIG_IGN);
      tcsetpgrp(outer, getpgrp());
      dz_terminal_enter(&terminal);
      _exit(terminal.raw && is_raw(outer) ? 0 : 4);
    }
    waitpid(job, &status, WUNTRACED);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
  }
  cr_assert_eq(waitpid(leader, &status, 0), leader);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}
