/*
 * From options to a silo's description: looks the user up, finds the volumes'
 * sources, composes the environment, chooses directories.
 */
#ifndef DZ_CLI_RUN_PLAN_H
#define DZ_CLI_RUN_PLAN_H

#include "cli/environment.h"
#include "cli/paths.h"
#include "cli/run_options.h"
#include "cli/run_volumes.h"
#include "cli/user.h"
#include "trap/silo.h"

/* config points into the rest and into the options' texts. */
struct dz_run_plan {
  struct dz_silo_config config;
  struct dz_user user;
  struct dz_environment env;
  struct dz_volume_list volumes;
  struct dz_paths paths;
  char *root;
};

/* terminal: whether the guest will have one (for TERM). The config's descriptors
 * are 0, 1, 2 and no terminal; the caller changes them. On failure error is
 * filled and the plan is still to be dropped. */
int dz_run_plan_make(const struct dz_run_options *options, bool terminal, struct dz_run_plan *plan,
                     struct dz_error *error);

void dz_run_plan_drop(struct dz_run_plan *plan);

#endif
