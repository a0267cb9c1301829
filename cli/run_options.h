/*
 * The command line of `denizen run` as a struct. Parsing neither exits nor
 * prints nor looks at the host; run_plan.h makes a silo's description of it.
 */
#ifndef DZ_CLI_RUN_OPTIONS_H
#define DZ_CLI_RUN_OPTIONS_H

#include "cli/options.h"

/* All texts belong to argv. */
struct dz_run_options {
  const char *root;
  char **command; /* ends with NULL, as argv does */
  bool help;
  bool interactive;
  bool terminal;
  bool read_only;
  bool strict;
  bool no_host_etc;
  const char *workdir; /* the following are NULL when not given */
  const char *user;
  const char *hostname;
  const char *engine;
  struct dz_text_list volumes;
  struct dz_text_list env;
  struct dz_text_list env_files;
};

/* Fill options from argv (argv[0] is "run"). With --help nothing else is checked. */
int dz_run_options_parse(int argc, char **argv, struct dz_run_options *options,
                         struct dz_error *error);

void dz_run_options_drop(struct dz_run_options *options);

void dz_run_options_print_help(FILE *to);

#endif
