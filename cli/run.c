/*
 * denizen run: describe a silo, start it, stay until its end.
 *
 * Standard input, output and error are the guest's directly, except where it
 * gets a terminal of its own: always with --tty; by itself when standard input
 * and output are both terminals (as systemd-run does). With only one of them a
 * terminal, as in `denizen run ROOT ls | less`, a raw outer terminal would take
 * the keys from the other program.
 */
#include "cli/commands.h"
#include "cli/run_loop.h"
#include "cli/run_options.h"
#include "cli/run_plan.h"
#include "cli/terminal.h"

#include <signal.h>
#include <stdio.h>

/* With --tty all three are the terminal, as with docker; without it a standard
 * error that leads elsewhere is kept. */
static void give_terminal(const struct dz_run_options *options, const struct dz_terminal *terminal,
                          struct dz_silo_config *config) {
  config->terminal = terminal->slave;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (options->terminal || isatty(fd))
      config->stdio[fd] = terminal->slave;
}

/* Returns the exit code; error is filled when denizen, not the guest, failed. */
static int run_silo(const struct dz_silo_config *config, struct dz_terminal *terminal,
                    struct dz_error *error) {
  struct dz_silo_handle handle;
  struct dz_error loop_error = {0};
  int code;

  fflush(NULL); /* it forks */
  if (dz_silo_start(config, &handle, error) < 0)
    return DZ_EXIT_OWN_ERROR;
  if (dz_run_loop(&handle, terminal, &loop_error) < 0) {
    *error = loop_error;
    dz_silo_signal(&handle, SIGKILL);
  }
  code = dz_silo_finish(&handle, error);
  if (terminal)
    dz_terminal_drain(terminal);
  return loop_error.code ? DZ_EXIT_OWN_ERROR : code;
}

static int run(const struct dz_run_options *options, struct dz_run_plan *plan,
               struct dz_error *error) {
  bool wants_terminal = options->terminal || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
  struct dz_terminal terminal;
  int code;

  if (dz_run_plan_make(options, wants_terminal, plan, error) < 0)
    return DZ_EXIT_OWN_ERROR;
  if (!wants_terminal)
    return run_silo(&plan->config, NULL, error);
  if (dz_terminal_open(&terminal, STDIN_FILENO, STDOUT_FILENO, error) < 0)
    return DZ_EXIT_OWN_ERROR;
  give_terminal(options, &terminal, &plan->config);
  code = run_silo(&plan->config, &terminal, error);
  dz_terminal_close(&terminal);
  return code;
}

int dz_cmd_run(int argc, char **argv) {
  struct dz_run_options options DZ_CLEANUP(dz_run_options_drop) = {0};
  struct dz_run_plan plan DZ_CLEANUP(dz_run_plan_drop) = {0};
  struct dz_error error = {0};
  int code;

  if (dz_run_options_parse(argc, argv, &options, &error) < 0)
    return dz_complain("run", &error);
  if (options.help) {
    dz_run_options_print_help(stdout);
    return 0;
  }
  code = run(&options, &plan, &error);
  if (!error.code)
    return code;
  dz_complain("run", &error);
  return error.exit_code ? error.exit_code : code;
}
