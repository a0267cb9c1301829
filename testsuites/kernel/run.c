/*
 * The runner: a probe gets a child, a process group, a scratch directory and a time limit.
 *
 * Whatever the probe forked is in its group and, once orphaned, becomes a child of this process
 * (PR_SET_CHILD_SUBREAPER): killing the group and reaping until ECHILD leaves nothing behind.
 */
#include "testsuites/kernel/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* How long killed processes may take to go before the runner gives up on them. */
#define END_LIMIT_US 2000000.0

struct shared_state {
  struct dz_probe_report report;
  int code;
  bool finished;
};

/* Signals that are held back while a probe runs, so that it is always cleaned up after. */
static const int held_signals[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void hold_signals(sigset_t *old) {
  sigset_t set;

  sigemptyset(&set);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(held_signals); i++)
    sigaddset(&set, held_signals[i]);
  sigprocmask(SIG_BLOCK, &set, old);
}

static _Noreturn void probe_child(const struct dz_probe *probe, struct shared_state *state,
                                  const sigset_t *mask, pid_t runner) {
  static const struct rlimit no_core = {0, 0};

  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != runner)
    _exit(1);
  setrlimit(RLIMIT_CORE, &no_core);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(held_signals); i++)
    signal(held_signals[i], SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  state->code = probe->run(&state->report);
  state->finished = true;
  _exit(0);
}

/* Wait until the child is a zombie, which is left: its number keeps naming the group. */
static bool wait_for_end(pid_t child, double until) {
  for (;;) {
    siginfo_t info = {0};
    sigset_t set;
    double left = until - dz_probe_now();
    struct timespec pause;

    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid)
      return true;
    if (left <= 0)
      return false;
    pause.tv_sec = (time_t)(left / 1e6);
    pause.tv_nsec = (long)(left * 1e3) % 1000000000;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigtimedwait(&set, NULL, &pause);
  }
}

/* Kill and reap the whole group; the child's wait status goes to status. 0 or -EBUSY. */
static int end_group(pid_t child, int *status) {
  double until = dz_probe_now() + END_LIMIT_US;

  kill(child, SIGKILL);
  kill(-child, SIGKILL);
  for (;;) {
    int one;
    pid_t pid = waitpid(-child, &one, __WALL | WNOHANG);

    if (pid < 0 && errno == ECHILD)
      return 0;
    if (pid == child)
      *status = one;
    if (pid > 0)
      continue;
    if (dz_probe_now() > until)
      return -EBUSY;
    dz_probe_sleep_us(200);
  }
}

static void conclude(const struct dz_probe *probe, const struct shared_state *state, int status,
                     bool in_time, struct dz_probe_result *result) {
  const char *observed = state->report.observed;
  const char *comma = *observed ? "; " : "";

  if (state->finished) {
    result->code = state->code;
    snprintf(result->observed, sizeof result->observed, "%s", observed);
  } else if (!in_time) {
    result->code = -ETIME;
    snprintf(result->observed, sizeof result->observed, "%.300s%sno answer within %u ms", observed,
             comma, probe->milliseconds);
  } else {
    result->code = -ECHILD;
    snprintf(result->observed, sizeof result->observed, "%.300s%s%s: %s", observed, comma,
             WIFSIGNALED(status) ? "the probe died" : "it could not go on",
             WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : strerror(WEXITSTATUS(status)));
  }
  result->ok = result->code == 0;
}

/* Signals are held by the caller; the child gets mask back. */
static int run_in_child(const struct dz_probe *probe, struct shared_state *state,
                        const sigset_t *mask, struct dz_probe_result *result) {
  double start = dz_probe_now();
  pid_t runner = getpid();
  bool in_time;
  int status = 0;
  int subreaper = 0;
  int err;
  pid_t child;

  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  child = fork();
  if (child == 0)
    probe_child(probe, state, mask, runner);
  if (child < 0) {
    err = -errno;
  } else {
    setpgid(child, child);
    in_time = wait_for_end(child, start + probe->milliseconds * 1e3);
    err = end_group(child, &status);
    conclude(probe, state, status, in_time, result);
    result->milliseconds = (dz_probe_now() - start) / 1e3;
  }
  prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)subreaper);
  return err;
}

int dz_probe_run(const struct dz_probe *probe, int base, struct dz_probe_result *result) {
  struct shared_state *state;
  struct dz_probe_scratch scratch;
  sigset_t mask;
  int err;

  memset(result, 0, sizeof *result);
  state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (state == MAP_FAILED)
    return -errno;
  hold_signals(&mask);
  err = dz_probe_scratch_make(base, &scratch);
  if (err == 0) {
    state->report.scratch = scratch.fd;
    err = run_in_child(probe, state, &mask, result);
    dz_probe_scratch_remove(base, &scratch);
  }
  sigprocmask(SIG_SETMASK, &mask, NULL);
  munmap(state, sizeof *state);
  return err;
}
