/*
 * The guest's first process before its program: a fork of the supervisor that
 * makes itself a guest and then execs the command, by the same intercepted
 * execve as any guest's.
 */
#include "syscalls/filter.h"
#include "trap/engine.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FILTER_MAX 4096

static void tell(const struct dz_first *first, enum dz_first_kind kind, int value) {
  struct dz_first_message message = {.kind = (int32_t)kind, .value = value};

  dz_write_all(first->to_supervisor, &message, sizeof message);
}

static void give_up(const struct dz_first *first, enum dz_first_kind kind, int err) {
  tell(first, kind, -err);
  _exit(err == -ENOENT || err == -ENOTDIR ? DZ_EXIT_NOT_FOUND : DZ_EXIT_CANNOT_EXECUTE);
}

static int place_stdio(const int stdio[3]) {
  int kept[3];

  for (int i = 0; i < 3; i++) {
    kept[i] = fcntl(stdio[i], F_DUPFD, 10);
    if (kept[i] < 0)
      return -errno;
  }
  for (int i = 0; i < 3; i++) {
    if (dup2(kept[i], i) < 0)
      return -errno;
    close(kept[i]);
  }
  return 0;
}

/* All else that the supervisor had open is close-on-exec; nothing may be left to a guest that
 * never execs. */
static void close_others(const struct dz_first *first) {
  int keep[2] = {first->to_supervisor, first->from_supervisor};
  int low = keep[0] < keep[1] ? keep[0] : keep[1], high = keep[0] < keep[1] ? keep[1] : keep[0];

  if (low > 3)
    syscall(SYS_close_range, 3, low - 1, 0);
  if (high > low + 1)
    syscall(SYS_close_range, low + 1, high - 1, 0);
  syscall(SYS_close_range, high + 1, ~0U, 0);
}

static void reset_signals(void) {
  sigset_t none;

  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigaction(signal, &action, NULL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int install_filter(unsigned needs) {
  static struct sock_filter instructions[FILTER_MAX];
  struct dz_filter_options options = {.needs = needs};
  int length = dz_filter_make(&options, instructions, FILTER_MAX);
  struct sock_fprog program = {.len = (unsigned short)length, .filter = instructions};

  if (length < 0)
    return length;
  return (int)dz_result(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
              SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program));
}

static int set_up(const struct dz_first *first) {
  const struct dz_silo_config *config = first->config;
  int err;

  if (setsid() < 0)
    return -errno;
  err = place_stdio(config->stdio);
  if (err)
    return err;
  if (config->terminal >= 0 && ioctl(0, TIOCSCTTY, 0) && ioctl(1, TIOCSCTTY, 0))
    return -errno;
  reset_signals();
  umask(0); /* the guest's umask lives in its record, and is applied there */
  if (fchdir(first->programs_fd))
    return -errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    return -errno;
  err = dz_confine_capabilities();
  return err ? err : dz_confine_landlock(first->programs_fd);
}

/* As execvp(3), with the guest's PATH, through intercepted calls. Returns the errno. */
static int exec_command(char *const *argv, char *const *env) {
  const char *path = NULL;
  int result = -ENOENT;

  if (strchr(argv[0], '/')) {
    execve(argv[0], argv, env);
    return -errno;
  }
  for (size_t i = 0; env[i]; i++)
    if (strncmp(env[i], "PATH=", 5) == 0)
      path = env[i] + 5;
  if (!path)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  while (*argv[0]) {
    size_t length = strcspn(path, ":");
    char program[4096];

    if ((size_t)snprintf(program, sizeof program, "%.*s%s%s", (int)length, path,
                         length ? "/" : "./", argv[0]) < sizeof program) {
      execve(program, argv, env);
      if (errno == EACCES)
        result = -EACCES;
      else if (errno != ENOENT && errno != ENOTDIR)
        return -errno;
    }
    path += length;
    if (!*path++)
      break;
  }
  return result;
}

void dz_first_run(const struct dz_first *first) {
  int err, listener;
  char go;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  err = set_up(first);
  if (err)
    give_up(first, DZ_FIRST_FAILED_SETUP, err);
  close_others(first);
  listener = install_filter(first->needs);
  if (listener < 0)
    give_up(first, DZ_FIRST_FAILED_SETUP, listener);
  tell(first, DZ_FIRST_LISTENER, listener);
  /* The supervisor takes its copy of the listener, sets the tag and says go. */
  if (read(first->from_supervisor, &go, 1) != 1)
    _exit(DZ_EXIT_OWN_ERROR);
  close(listener);
  close(first->from_supervisor);
  give_up(first, DZ_FIRST_FAILED_EXEC, exec_command(first->config->argv, first->config->env));
  _exit(DZ_EXIT_OWN_ERROR);
}
