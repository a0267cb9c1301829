#include "trap/guard.h"

#include "host/calls.h"
#include "loader/programs.h"
#include "proc/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A supervisor whose command is gone ends its silo by itself; one that is kept from it gets no
 * longer than this. */
#define PATIENCE_MS 3000

enum { LINE_FD, SUPERVISOR_FD, FIRST_UNUSED_FD };

/* Standard input and output are somebody's pipes: nothing of the command's is held open. */
static int keep_two(int line, int supervisor) {
  int high_line = fcntl(line, F_DUPFD_CLOEXEC, FIRST_UNUSED_FD);
  int high_supervisor = fcntl(supervisor, F_DUPFD_CLOEXEC, FIRST_UNUSED_FD);

  if (high_line < 0 || high_supervisor < 0 || dup2(high_line, LINE_FD) < 0 ||
      dup2(high_supervisor, SUPERVISOR_FD) < 0)
    return -errno;
  return (int)dz_result(syscall(SYS_close_range, FIRST_UNUSED_FD, ~0U, 0));
}

static void guard_silo(uint64_t number, const char *runtime_dir) {
  struct pollfd supervisor = {.fd = SUPERVISOR_FD, .events = POLLIN};
  char dismissed;
  ssize_t got;

  while ((got = read(LINE_FD, &dismissed, 1)) < 0 && errno == EINTR)
    continue;
  if (got == 1)
    return;
  if (poll(&supervisor, 1, PATIENCE_MS) == 0)
    dz_pidfd_send_signal(SUPERVISOR_FD, SIGKILL, 0);
  dz_warden_sweep(number);
  dz_programs_sweep(runtime_dir);
}

static void run_guard(const struct dz_silo_handle *silo, int line) {
  sigset_t all;

  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  setsid();
  prctl(PR_SET_NAME, "denizen-guard");
  if (keep_two(line, silo->pidfd) == 0)
    guard_silo(silo->number, silo->runtime_dir);
  _exit(0);
}

int dz_guard_start(struct dz_silo_handle *silo) {
  int line[2];

  if (pipe2(line, O_CLOEXEC))
    return -errno;
  silo->guard = fork();
  if (silo->guard == 0)
    run_guard(silo, line[0]);
  close(line[0]);
  silo->guard_line = line[1];
  return silo->guard < 0 ? -EAGAIN : 0;
}

void dz_guard_dismiss(struct dz_silo_handle *silo) {
  if (silo->guard_line < 0)
    return;
  dz_write_all(silo->guard_line, "d", 1);
  dz_close_scope(&silo->guard_line);
  silo->guard_line = -1;
  if (silo->guard > 0)
    waitpid(silo->guard, NULL, __WALL);
}
