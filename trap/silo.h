/*
 * A silo: one running instance. The command line describes it, starts it and
 * waits for its end; everything between happens in the supervisor, a child
 * process in a session of its own.
 */
#ifndef DZ_TRAP_SILO_H
#define DZ_TRAP_SILO_H

#include "host/base.h"

#include <sys/types.h>

/* A bind mount of a host file or directory (run -v SOURCE:TARGET[:ro]). */
struct dz_volume {
  const char *source; /* host path */
  const char *target; /* absolute guest path */
  bool read_only;
  bool optional; /* left out without an error when the target cannot be made */
};

struct dz_silo_config {
  const char *root; /* host path of the root filesystem */
  bool read_only;   /* the root filesystem cannot be written */
  const struct dz_volume *volumes;
  size_t volume_count;
  const char *workdir; /* guest path, "/" when NULL */
  char *const *argv;   /* the command; argv[0] is searched in PATH of env when it has no '/' */
  char *const *env;
  uid_t uid; /* guest identity */
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
  const char *hostname;    /* NULL: the host's */
  bool strict;             /* an unsupported call ends the silo with a report */
  int stdio[3];            /* descriptors for the guest's 0, 1, 2 */
  int terminal;            /* slave side of the silo's own pty, its controlling terminal; or -1 */
  const char *cache_dir;   /* host directory for copies of programs, made when missing */
  const char *runtime_dir; /* host directory for the silo's private files, made when missing */
};

/* A started silo, as its parent sees it. */
struct dz_silo_handle {
  pid_t supervisor;
  int pidfd;       /* becomes readable when the supervisor has ended */
  int reports;     /* the supervisor's account of its end */
  int lifeline;    /* held open; the supervisor ends the silo when it closes */
  int commands;    /* signals to pass on */
  uint64_t number; /* names the silo in its guests' state tags */
  const char *runtime_dir;
  pid_t guard;    /* ends the silo when the command and the supervisor are gone: trap/guard.h */
  int guard_line; /* held open; the guard acts when it closes */
};

/* Start a silo. 0 or a negative errno with error filled and its exit_code set:
 * 125 for denizen's own errors. Errors of the guest's exec are reported by
 * dz_silo_finish. Multithreaded callers are not supported: it forks. */
int dz_silo_start(const struct dz_silo_config *config, struct dz_silo_handle *handle,
                  struct dz_error *error);

/* Pass a signal on to the guest's first process (its session's leader). */
int dz_silo_signal(struct dz_silo_handle *handle, int signal);

/* Wait for the end, then make sure that no guest is left, however the
 * supervisor ended. Returns the exit code for the command denizen: the guest's,
 * 128+n when signal n ended it, or 125 to 127 with error filled. */
int dz_silo_finish(struct dz_silo_handle *handle, struct dz_error *error);

#endif
