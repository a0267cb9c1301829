#include "cli/run_plan.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/* What to do about a root filesystem that open(2) refuses. */
static const char *advice_on_root(int code) {
  switch (-code) {
  case ENOENT:
    return "make one with debootstrap or mmdebstrap, or name an existing directory";
  case ENOTDIR:
    return "unpack it into a directory first, with tar -x -C DIR, and name that";
  case EACCES:
    return "you may not enter it; chown it to yourself or run denizen as its owner";
  default:
    return "name another directory";
  }
}

/* The root's real path, and whether it is the host's own root directory. */
static int find_root(const char *root, char **real, bool *is_host_root, struct dz_error *error) {
  int fd DZ_FD = (int)dz_result(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  int err = fd < 0 ? fd : 0;
  struct stat info, host;

  if (!err && (fstat(fd, &info) < 0 || stat("/", &host) < 0 || faccessat(fd, ".", X_OK, 0) < 0))
    err = -errno;
  if (!err && !(*real = realpath(root, NULL)))
    err = -errno;
  if (err)
    return dz_fail(error, err, "root filesystem %s: %s; %s", root, strerror(-err),
                   advice_on_root(err));
  *is_host_root = info.st_dev == host.st_dev && info.st_ino == host.st_ino;
  return 0;
}

static int add_volumes(const struct dz_run_options *options, bool is_host_root,
                       struct dz_volume_list *volumes, struct dz_error *error) {
  for (size_t at = 0; at < options->volumes.count; at++) {
    int err = dz_volumes_add(volumes, options->volumes.items[at], error);

    if (err)
      return err;
  }
  if (options->no_host_etc || is_host_root)
    return 0;
  return dz_volumes_add_host_etc(volumes, error);
}

/* As docker: files first, whatever the order on the command line. */
static int compose_environment(const struct dz_run_options *options, const char *home,
                               bool terminal, struct dz_environment *env, struct dz_error *error) {
  struct utsname names;
  int err;

  if (uname(&names) < 0)
    return dz_fail(error, -errno, "host name: %s", strerror(errno));
  err = dz_environment_defaults(env, home, options->hostname ? options->hostname : names.nodename,
                                terminal, error);
  for (size_t at = 0; !err && at < options->env_files.count; at++)
    err = dz_environment_read_file(env, options->env_files.items[at], error);
  for (size_t at = 0; !err && at < options->env.count; at++)
    err = dz_environment_apply(env, options->env.items[at], error);
  return err;
}

static void fill_config(const struct dz_run_options *options, bool is_host_root,
                        struct dz_run_plan *plan) {
  plan->config = (struct dz_silo_config){
      .root = plan->root,
      .read_only = options->read_only || is_host_root,
      .volumes = plan->volumes.items,
      .volume_count = plan->volumes.count,
      .workdir = options->workdir,
      .argv = options->command,
      .env = plan->env.items,
      .uid = plan->user.uid,
      .gid = plan->user.gid,
      .groups = plan->user.groups,
      .group_count = plan->user.group_count,
      .hostname = options->hostname,
      .strict = options->strict,
      .stdio = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
      .terminal = -1,
      .cache_dir = plan->paths.cache_dir,
      .runtime_dir = plan->paths.runtime_dir,
  };
}

int dz_run_plan_make(const struct dz_run_options *options, bool terminal, struct dz_run_plan *plan,
                     struct dz_error *error) {
  bool is_host_root = false;
  int err;

  *plan = (struct dz_run_plan){0};
  err = find_root(options->root, &plan->root, &is_host_root, error);
  if (!err)
    err = add_volumes(options, is_host_root, &plan->volumes, error);
  if (!err)
    err = dz_user_lookup(plan->root, options->user, &plan->user, error);
  if (!err)
    err = compose_environment(options, plan->user.home, terminal, &plan->env, error);
  if (!err)
    err = dz_paths_make(&plan->paths, error);
  if (!err)
    fill_config(options, is_host_root, plan);
  return err;
}

void dz_run_plan_drop(struct dz_run_plan *plan) {
  dz_user_drop(&plan->user);
  dz_environment_drop(&plan->env);
  dz_volumes_drop(&plan->volumes);
  free(plan->root);
  plan->root = NULL;
}
