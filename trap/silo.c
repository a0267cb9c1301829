/* The parent's side of a silo: start, signals, the end. */
#include "trap/silo.h"

#include "host/calls.h"
#include "loader/programs.h"
#include "proc/warden.h"
#include "trap/guard.h"
#include "trap/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct pipes {
  int lifeline[2], reports[2], commands[2];
};

static void close_pipes(struct pipes *pipes) {
  for (int i = 0; i < 2; i++) {
    dz_close_scope(&pipes->lifeline[i]);
    dz_close_scope(&pipes->reports[i]);
    dz_close_scope(&pipes->commands[i]);
  }
}

static int make_pipes(struct pipes *pipes) {
  *pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
  if (pipe2(pipes->lifeline, O_CLOEXEC) || pipe2(pipes->reports, O_CLOEXEC) ||
      pipe2(pipes->commands, O_CLOEXEC))
    return -errno;
  return 0;
}

int dz_silo_start(const struct dz_silo_config *config, struct dz_silo_handle *handle,
                  struct dz_error *error) {
  struct pipes pipes DZ_CLEANUP(close_pipes) = {{-1, -1}, {-1, -1}, {-1, -1}};
  int64_t number;
  int err = make_pipes(&pipes);

  if (err)
    return dz_fail(error, err, "pipes to the supervisor: %s", strerror(-err));
  number = dz_warden_allot(config->runtime_dir, error);
  if (number < 0)
    return (int)number;
  /* Guests whose supervisor is gone become our children: the warden reaps them. */
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  *handle = (struct dz_silo_handle){.number = (uint64_t)number, .pidfd = -1, .guard_line = -1};
  handle->supervisor = fork();
  if (handle->supervisor < 0)
    return dz_fail(error, -errno, "supervisor: fork: %s", strerror(errno));
  if (handle->supervisor == 0) {
    struct dz_supervisor_pipes own = {
        .lifeline = pipes.lifeline[0], .reports = pipes.reports[1], .commands = pipes.commands[0]};

    dz_supervisor_run(config, (uint64_t)number, &own);
  }
  handle->pidfd = dz_pidfd_open(handle->supervisor, 0);
  handle->lifeline = dz_steal_fd(&pipes.lifeline[1]);
  handle->reports = dz_steal_fd(&pipes.reports[0]);
  handle->commands = dz_steal_fd(&pipes.commands[1]);
  handle->runtime_dir = config->runtime_dir;
  err = dz_guard_start(handle);
  if (err)
    dz_debug("no guard: %s", strerror(-err));
  return 0;
}

int dz_silo_signal(struct dz_silo_handle *handle, int signal) {
  int32_t number = signal;

  return dz_write_all(handle->commands, &number, sizeof number);
}

int dz_silo_finish(struct dz_silo_handle *handle, struct dz_error *error) {
  struct dz_supervisor_report report = {0};
  int status = 0;
  ssize_t got;

  while (waitpid(handle->supervisor, &status, __WALL) < 0 && errno == EINTR)
    continue;
  got = read(handle->reports, &report, sizeof report);
  dz_warden_sweep(handle->number);
  dz_programs_sweep(handle->runtime_dir);
  dz_guard_dismiss(handle);
  dz_close_scope(&handle->pidfd);
  dz_close_scope(&handle->lifeline);
  dz_close_scope(&handle->reports);
  dz_close_scope(&handle->commands);
  if (got != sizeof report) {
    dz_fail(error, -EIO, "the supervisor ended unexpectedly (%s %d); its guests were killed",
            WIFSIGNALED(status) ? "signal" : "exit code",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return DZ_EXIT_OWN_ERROR;
  }
  report.text[sizeof report.text - 1] = '\0';
  if (report.text[0])
    dz_fail(error, -EIO, "%s", report.text);
  return report.exit_code;
}
