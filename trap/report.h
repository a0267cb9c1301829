/*
 * What a person hears of a guest while it runs: a call that denizen lacks, once per silo, with
 * its arguments and where in the guest it was made; where a guest ends itself, as abort(3) does;
 * and a guest's crash.
 *
 * The text is made in a thread of its own, since it reads files and memory that may be slow. The
 * guest waits meanwhile, in a stop (for its registers), and no longer than REPORT_MILLISECONDS:
 * then it gets its answer, whatever becomes of the report. Reports are few: a call (or the form
 * of it that is lacking) is told once, and DZ_REPORTS_MAX in all.
 *
 * Shared by the files of trap/report*.c.
 */
#ifndef DZ_TRAP_REPORT_H
#define DZ_TRAP_REPORT_H

#include "signals/note.h"
#include "trap/engine.h"

enum { DZ_REPORTS_MAX = 64, DZ_REPORT_WHAT_MAX = 80, DZ_REPORT_TEXT_MAX = 8192 };

struct dz_report {
  struct dz_report *next;       /* in a list of the reporter's */
  struct dz_report *next_begun; /* the receiver's */
  struct dz_call call;          /* a copy; its record is held */
  char what[DZ_REPORT_WHAT_MAX];
  int signal; /* the caller is about to end itself by it, and goes on with its call afterwards; or
                 0: the call is unsupported */
  int64_t result;   /* for the guest */
  int64_t deadline; /* CLOCK_MONOTONIC, milliseconds */
  struct dz_attached attached;
  bool is_attached;
  bool answered;    /* the receiver has nothing left to do for the guest */
  atomic_bool gone; /* the thread was let go or died: nothing of it may be read */
  enum { DZ_REGISTERS_NONE, DZ_REGISTERS_TWO, DZ_REGISTERS_ALL } known;
  struct user_regs_struct registers;
};

/* report_call.c: "mq_open(name="/q", oflag=0x42, …)" with strings from the guest's memory, or with
 * their addresses when its memory must not be read. */
void dz_report_call(const struct dz_call *call, bool may_read, struct dz_note *note);

/* report_text.c: the whole text. On the reporter's thread. */
void dz_report_text(struct dz_report *report, struct dz_note *note);

/* The same without a backtrace and without a look at the guest. */
void dz_report_text_bare(struct dz_report *report, struct dz_note *note);

/* report_say.c: on standard error, never waiting: what does not fit is lost. Where the terminal is
 * raw, lines end with a carriage return too. */
void dz_report_say(struct dz_engine *engine, const char *text, size_t length);
/* Standard error, opened for that, or -1. */
int dz_report_open_messages(void);

#endif
