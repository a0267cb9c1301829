/*
 * A backtrace of a guest's thread that does not run meanwhile: it waits in a call that was
 * trapped, or is in a tracer's stop.
 *
 * The stack, the unwind tables and the symbols are the guest's own and may be made up to hurt
 * whoever reads them. libunwind reads them in a child process that can do nothing but ask this one
 * for bytes of the guest's memory and of the files mapped there, and answer with addresses and
 * names (unwind.h). The time is bounded; what was found until then is kept.
 */
#ifndef DZ_SIGNALS_BACKTRACE_H
#define DZ_SIGNALS_BACKTRACE_H

#include "signals/modules.h"
#include "signals/note.h"

#include <sys/types.h>
#include <sys/user.h>

enum { DZ_FRAMES_MAX = 32, DZ_SYMBOL_MAX = 96 };

struct dz_frame {
  uint64_t ip;
  int module;                 /* index, or -1: in no file's mapping */
  bool has_address;           /* the next two are known */
  uint64_t address;           /* ip as the module's own tables count, for addr2line(1) */
  uint64_t offset;            /* from the symbol's start */
  char symbol[DZ_SYMBOL_MAX]; /* a guest's bytes; "" for none */
};

enum dz_backtrace_end {
  DZ_BACKTRACE_WHOLE,  /* to the thread's first function */
  DZ_BACKTRACE_CUT,    /* there are more frames */
  DZ_BACKTRACE_BLIND,  /* the last frame's code has no unwind tables */
  DZ_BACKTRACE_BROKEN, /* the stack or the tables make no sense */
};

struct dz_backtrace {
  enum dz_backtrace_end end;
  size_t count;
  struct dz_frame frames[DZ_FRAMES_MAX];
};

struct dz_backtrace_source {
  pid_t tid;
  const struct user_regs_struct *registers;
  bool all_registers; /* false: only rip and rsp are known */
  const struct dz_modules *modules;
  /* A descriptor to read a module's file with (it is closed), or a negative errno. */
  int (*open_module)(void *context, const struct dz_module *module);
  void *context;
  int milliseconds; /* at most */
};

/* Fill the backtrace; its first frame is always there. 0, or a negative errno with what was found
 * before: -ETIME when the time was over, -EPROTO when the child died. */
int dz_backtrace_make(const struct dz_backtrace_source *source, struct dz_backtrace *backtrace);

/* Why a backtrace ends where it does, or NULL for a whole one; err: dz_backtrace_make's. */
const char *dz_backtrace_why(const struct dz_backtrace *backtrace, int err);

/* A line for each frame. */
void dz_backtrace_print(const struct dz_backtrace *backtrace, const struct dz_modules *modules,
                        struct dz_note *note);

#endif
