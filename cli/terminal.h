/*
 * The silo's own terminal: a pty whose slave the guest gets and whose master is
 * copied to and from the caller's terminal (the outer one).
 *
 * While the guest runs, the outer terminal is in raw mode, so that every key
 * goes to the pty, whose line discipline makes Ctrl-C and Ctrl-Z of it for the
 * guest's foreground process group. However denizen ends, SIGKILL apart, the
 * outer terminal gets its modes back. In the background it is left alone until
 * the shell hands it over (fg).
 *
 * The outer descriptors need not be terminals (run -t in a script): then nothing
 * is raw, and the end of input becomes the pty's end-of-file character.
 *
 * No call here waits, dz_terminal_drain apart.
 */
#ifndef DZ_CLI_TERMINAL_H
#define DZ_CLI_TERMINAL_H

#include "host/base.h"

#include <poll.h>
#include <termios.h>

/* Bytes on their way: data[start, end). */
struct dz_terminal_buffer {
  char data[4096];
  size_t start, end;
};

struct dz_terminal {
  int master;
  int slave; /* kept open, so that the master never reports a hangup */
  int input; /* the outer side; own descriptors */
  int output;
  int outer; /* input or output, whichever is a terminal; -1: neither */
  bool raw;  /* the outer terminal is in raw mode */
  bool input_ended;
  bool output_failed;
  bool at_line_start; /* the last byte sent to the guest ended a line */
  struct dz_terminal_buffer to_guest, from_guest;
};

/* Where the terminal's descriptors are in the caller's array for poll(2). */
enum { DZ_TERMINAL_MASTER, DZ_TERMINAL_INPUT, DZ_TERMINAL_OUTPUT, DZ_TERMINAL_FDS };

/* Make the pty, with the outer terminal's modes and size. input and output are
 * the caller's and stay so. On failure error is filled, nothing is to be closed. */
int dz_terminal_open(struct dz_terminal *terminal, int input, int output, struct dz_error *error);

/* Put the outer terminal into raw mode if denizen is in its foreground; call it
 * again whenever that may have changed. Nothing happens when it is raw already. */
void dz_terminal_enter(struct dz_terminal *terminal);

/* Give the outer terminal its modes back. */
void dz_terminal_leave(struct dz_terminal *terminal);

/* Whether the outer terminal belongs to another job: then dz_terminal_enter is
 * to be called now and then, since a shell need not tell. */
bool dz_terminal_is_background(const struct dz_terminal *terminal);

/* Carry the outer terminal's size to the pty, whose foreground group gets SIGWINCH. */
void dz_terminal_resize(const struct dz_terminal *terminal);

/* Fill fds for poll(2), then copy what poll found. The output's failure (a
 * closed pipe) hangs the guest's terminal up. */
void dz_terminal_want(const struct dz_terminal *terminal, struct pollfd fds[DZ_TERMINAL_FDS]);
void dz_terminal_pump(struct dz_terminal *terminal, const struct pollfd fds[DZ_TERMINAL_FDS]);

/* After the last guest's end: write what it left in the pty. Waits for whoever
 * reads the output; a signal that ends denizen then restores the modes first. */
void dz_terminal_drain(struct dz_terminal *terminal);

/* Leave raw mode and close the pty. */
void dz_terminal_close(struct dz_terminal *terminal);

#endif
