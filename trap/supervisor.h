/* The supervisor: a child of the command denizen, in a session of its own. */
#ifndef DZ_TRAP_SUPERVISOR_H
#define DZ_TRAP_SUPERVISOR_H

#include "trap/silo.h"

struct dz_supervisor_pipes {
  int lifeline; /* hangs up when the command denizen is gone */
  int reports;  /* one struct dz_supervisor_report at the end */
  int commands; /* int32_t signal numbers to pass on */
};

struct dz_supervisor_report {
  int32_t exit_code;
  char text[768]; /* empty, or an error for people */
};

void dz_supervisor_run(const struct dz_silo_config *config, uint64_t number,
                       const struct dz_supervisor_pipes *pipes) __attribute__((noreturn));

#endif
