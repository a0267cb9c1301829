/*
 * Kernel probes: each assumption about the host is a function that does the thing and tells
 * whether it held. `denizen doctor` and the test runner (main.c) run the same functions.
 *
 * A probe runs in a child process of its own (dz_probe_run, run.c), in its own process group,
 * within a time limit; nothing that it starts outlives it. It may therefore crash, hang, change
 * its limits, mask and credentials, and need not free anything.
 */
#ifndef DZ_TESTSUITES_KERNEL_PROBE_H
#define DZ_TESTSUITES_KERNEL_PROBE_H

#include "host/base.h"

#include <sys/types.h>

#define DZ_PROBE_OBSERVED_MAX 400

enum dz_probe_need {
  DZ_PROBE_NEEDED, /* denizen does not run without it */
  DZ_PROBE_USEFUL, /* something is lost without it, which `loss` names */
  DZ_PROBE_FACT,   /* a surprise that the design is built on: tests only, not shown by doctor */
};

/* What a probe fills in; memory shared with the runner, so it survives the probe's death. */
struct dz_probe_report {
  int scratch;                          /* an empty directory where denizen's cache would be */
  char observed[DZ_PROBE_OBSERVED_MAX]; /* version, figure or the reason; one line */
};

struct dz_probe {
  const char *name;
  enum dz_probe_need need;
  /* 0 when the assumption holds, else a negative errno. */
  int (*run)(struct dz_probe_report *report);
  const char *loss;      /* what is lost where it does not hold; one sentence */
  unsigned milliseconds; /* the limit */
};

/* The table, in the order in which a reader should meet them. */
extern const struct dz_probe dz_probes[];
extern const size_t dz_probe_count;

struct dz_probe_result {
  bool ok;
  int code; /* the probe's value; -ETIME at the limit, -ECHILD when it died of a signal */
  double milliseconds;
  char observed[DZ_PROBE_OBSERVED_MAX];
};

/*
 * Run one probe and end everything it started. base is a directory in which the
 * scratch directory is made: one of the cache's filesystem. 0, or a negative errno when the probe
 * could not be run at all. Single-threaded callers only: it forks, and reaps no other children of
 * the caller.
 */
int dz_probe_run(const struct dz_probe *probe, int base, struct dz_probe_result *result);

/* ---- for probes ---- */

/* Set what was observed and return 0, or code (negative), as the probe's value. */
int dz_probe_ok(struct dz_probe_report *report, const char *format, ...) DZ_PRINTF(2, 3);
int dz_probe_lacks(struct dz_probe_report *report, int code, const char *format, ...)
    DZ_PRINTF(3, 4);

/* fork(2); the child is killed when its parent dies. Where it fails the probe ends with errno as
 * its exit status, which the runner reports. */
pid_t dz_probe_fork(void);

/* Wait for a child: its exit status, 128 + the signal that ended it, or a negative errno. */
int dz_probe_wait(pid_t pid);

/* Microseconds of the monotonic clock. */
double dz_probe_now(void);
void dz_probe_sleep_us(unsigned microseconds);

/* The middle one of count figures, which are sorted in place. */
double dz_probe_median(double *figures, size_t count);

/* Memory that children share; never fails (the probe aborts, which the runner reports). */
void *dz_probe_shared(size_t size);

/* Write a small string to a file below directory (mode 0600, truncated); 0 or a negative errno. */
int dz_probe_write_file(int directory, const char *path, const char *text);

/*
 * Make a tiny static program: with no argument it exits with DZ_PROBE_PROGRAM_STATUS, with one
 * it sleeps for ever. 0 or a negative errno.
 */
#define DZ_PROBE_PROGRAM_STATUS 7
#define DZ_PROBE_PROGRAM_ADDRESS 0x10000 /* where it is linked to */
int dz_probe_write_program(int directory, const char *path);

/* A program without code of its own, whose PT_INTERP names interpreter (31 bytes at most). */
int dz_probe_write_interpreted(int directory, const char *path, const char *interpreter);

#endif
