/*
 * The time between a silo's start and its end, as the caller's process spends
 * it: signals are passed on, the terminal is copied.
 */
#ifndef DZ_CLI_RUN_LOOP_H
#define DZ_CLI_RUN_LOOP_H

#include "cli/terminal.h"
#include "trap/silo.h"

/* Signals to this process go to the guest's first process from now on; those
 * that the caller was started with ignored (nohup) stay ignored. SIGTSTP stops
 * the guest's first process and this one, SIGCONT continues both.
 * Returns when the supervisor has ended; terminal may be NULL. SIGPIPE stays
 * blocked, so that a closed output is an error and no death. */
int dz_run_loop(struct dz_silo_handle *handle, struct dz_terminal *terminal,
                struct dz_error *error);

#endif
