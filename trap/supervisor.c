/*
 * The supervisor from its birth to its end: gives up what it does not need, builds
 * the guest's filesystem, starts the first process, receives calls until that one
 * ends, and leaves nothing behind.
 */
#include "trap/supervisor.h"

#include "host/calls.h"
#include "proc/identity.h"
#include "proc/warden.h"
#include "trap/engine.h"
#include "trap/mounts.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define CACHE_LIMIT_BYTES (UINT64_C(4) << 30)

struct supervisor {
  const struct dz_silo_config *config;
  uint64_t number;
  struct dz_supervisor_pipes pipes;
  struct rlimit files; /* the guest's own limit */
  struct dz_engine engine;
  struct dz_error error;
  int first_error; /* errno of the first process's exec, negative; 0: it was executed */
  bool failed_exec;
};

static void close_unneeded(const struct supervisor *supervisor) {
  const struct dz_silo_config *config = supervisor->config;
  const int keep[] = {0,
                      1,
                      2,
                      config->stdio[0],
                      config->stdio[1],
                      config->stdio[2],
                      config->terminal,
                      supervisor->pipes.lifeline,
                      supervisor->pipes.reports,
                      supervisor->pipes.commands};
  DIR *directory = opendir("/proc/self/fd");
  struct dirent *entry;

  while (directory && (entry = readdir(directory))) {
    int fd = atoi(entry->d_name);
    bool kept = fd == dirfd(directory) || entry->d_name[0] == '.';

    for (size_t i = 0; i < DZ_ARRAY_SIZE(keep); i++)
      kept |= fd == keep[i];
    if (!kept)
      close(fd);
  }
  if (directory)
    closedir(directory);
}

static int become_supervisor(struct supervisor *supervisor) {
  struct rlimit most;
  sigset_t handled;
  int err;

  setsid();
  prctl(PR_SET_NAME, "denizen-silo");
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  close_unneeded(supervisor);
  umask(0);
  if (chdir("/"))
    return -errno;
  if (getrlimit(RLIMIT_NOFILE, &supervisor->files))
    return -errno;
  most = (struct rlimit){supervisor->files.rlim_max, supervisor->files.rlim_max};
  setrlimit(RLIMIT_NOFILE, &most);
  if (getrlimit(RLIMIT_LOCKS, &most) || most.rlim_max != RLIM_INFINITY)
    return dz_fail(&supervisor->error, -EPERM,
                   "the limit on file locks (ulimit -x) is bounded; denizen keeps its guests' "
                   "state there: raise the hard limit to unlimited");
  err = dz_confine_supervisor();
  if (err)
    return dz_fail(&supervisor->error, err, "giving up capabilities: %s", strerror(-err));
  sigemptyset(&handled);
  for (int signal = 1; signal < SIGRTMIN; signal++)
    if (signal != SIGSEGV && signal != SIGBUS && signal != SIGABRT && signal != SIGFPE &&
        signal != SIGILL && signal != SIGTRAP)
      sigaddset(&handled, signal);
  return (int)dz_result(sigprocmask(SIG_SETMASK, &handled, NULL));
}

static void init_proc(struct supervisor *supervisor) {
  struct dz_proc *proc = &supervisor->engine.silo.proc;
  const struct dz_silo_config *config = supervisor->config;
  struct utsname host;

  proc->silo = supervisor->number;
  proc->supervisor = getpid();
  proc->host_uid = geteuid();
  proc->host_gid = getegid();
  /* The host user's own files are those of the silo's user, as in a rootless container. */
  proc->shown_uid = config->uid;
  proc->shown_gid = config->gid;
  proc->terminal = config->terminal;
  uname(&host);
  snprintf(proc->hostname, sizeof proc->hostname, "%s",
           config->hostname ? config->hostname : host.nodename);
  snprintf(proc->domainname, sizeof proc->domainname, "%s", host.domainname);
}

static int open_parts(struct supervisor *supervisor) {
  struct dz_engine *engine = &supervisor->engine;
  struct dz_error *error = &supervisor->error;
  char programs[PATH_MAX];
  int err;

  err = dz_report_init(engine);
  if (err)
    return err;
  engine->silo.proc.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (engine->silo.proc.proc_fd < 0)
    return dz_fail(error, -errno, "/proc: %s", strerror(errno));
  err = dz_states_make(supervisor->number, &engine->silo.proc.states);
  if (err)
    return err;
  if ((size_t)snprintf(programs, sizeof programs, "%s/programs", supervisor->config->cache_dir) >=
      sizeof programs)
    return dz_fail(error, -ENAMETOOLONG, "%s", supervisor->config->cache_dir);
  err = dz_cache_open(programs, CACHE_LIMIT_BYTES, &engine->cache, error);
  if (!err)
    err =
        dz_programs_open(supervisor->config->runtime_dir, engine->cache, &engine->programs, error);
  if (err)
    return err;
  if (getrandom(engine->room_stamp, sizeof engine->room_stamp, 0) != sizeof engine->room_stamp)
    return -EIO;
  engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (engine->wake < 0)
    return -errno;
  return dz_mounts_make(supervisor->config, &engine->silo,
                        dz_programs_directory_fd(engine->programs), error);
}

/* The first record: where the command starts and who it is. */
static int first_state(struct supervisor *supervisor, struct dz_state **made) {
  const struct dz_silo_config *config = supervisor->config;
  struct dz_silo *silo = &supervisor->engine.silo;
  const struct dz_node *root = dz_vfs_root(silo->vfs);
  struct dz_view view = {
      .vfs = silo->vfs, .proc = &silo->proc, .root = root, .cwd = root, .may_block = true};
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct dz_node copy DZ_NODE = DZ_NODE_NONE;
  struct dz_state *state = dz_state_draft(NULL);
  const char *workdir = config->workdir ? config->workdir : "/";
  int err = state ? 0 : -ENOMEM;

  if (err)
    return err;
  err = dz_walk(&view, NULL, workdir, DZ_WALK_FOLLOW, &lookup);
  if (!err && !S_ISDIR(lookup.node.mode))
    err = -ENOTDIR;
  if (err) {
    dz_state_put(state);
    return dz_fail(&supervisor->error, err, "working directory %s: %s (in the root filesystem)",
                   workdir, strerror(-err));
  }
  err = dz_node_copy(root, &copy);
  if (!err)
    err = dz_state_set_root(state, &copy);
  if (!err)
    err = dz_state_set_cwd(state, &lookup.node);
  state->umask = 022;
  dz_identity_init(&state->identity, config->uid, config->gid, config->groups,
                   (unsigned)config->group_count);
  *made = state;
  return err;
}

static int read_message(int from, struct dz_first_message *message) {
  ssize_t got;

  do
    got = read(from, message, sizeof *message);
  while (got < 0 && errno == EINTR);
  return got == sizeof *message ? 0 : -EPIPE;
}

static int take_listener(struct supervisor *supervisor, int from_first) {
  struct dz_engine *engine = &supervisor->engine;
  struct dz_first_message message;
  int err = read_message(from_first, &message);

  if (err)
    return dz_fail(&supervisor->error, err, "the first process died before it was set up");
  if (message.kind != DZ_FIRST_LISTENER)
    return dz_fail(&supervisor->error, -message.value,
                   "setting up the first process: %s; `denizen doctor` tells what the host lacks",
                   strerror(message.value));
  engine->listener = dz_pidfd_getfd(engine->init_pidfd, message.value);
  if (engine->listener < 0)
    return dz_fail(&supervisor->error, engine->listener,
                   "taking the listener from the first process (pidfd_getfd): %s; is ptrace "
                   "forbidden here?",
                   strerror(-engine->listener));
  /* Kernels before 6.6 lack the flag and only wake up more slowly. */
  ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  return 0;
}

static int start_first(struct supervisor *supervisor, int *from_first) {
  struct dz_engine *engine = &supervisor->engine;
  struct dz_state *state = NULL;
  int up[2], down[2];
  int err = first_state(supervisor, &state);

  if (err)
    return err;
  if (pipe2(up, O_CLOEXEC) || pipe2(down, O_CLOEXEC))
    return -errno;
  engine->init = fork();
  if (engine->init == 0) {
    struct dz_first first = {.config = supervisor->config,
                             .programs_fd = dz_programs_directory_fd(engine->programs),
                             .to_supervisor = up[1],
                             .from_supervisor = down[0],
                             .needs = engine->silo.needs};

    setrlimit(RLIMIT_NOFILE, &supervisor->files);
    dz_first_run(&first);
  }
  close(up[1]);
  close(down[0]);
  *from_first = up[0];
  if (engine->init < 0)
    return dz_fail(&supervisor->error, -errno, "fork: %s", strerror(errno));
  engine->silo.proc.init = engine->init;
  engine->init_pidfd = dz_pidfd_open(engine->init, 0);
  err = take_listener(supervisor, up[0]);
  if (!err)
    err = dz_states_give(engine->silo.proc.states, engine->init, NULL, state);
  if (!err)
    err = dz_write_all(down[1], "g", 1);
  close(down[1]);
  return err;
}

/* What the first process said when its exec failed. */
static void read_first_error(struct supervisor *supervisor, int from_first) {
  struct dz_first_message message;
  const char *command = supervisor->config->argv[0];

  if (read_message(from_first, &message) || message.kind != DZ_FIRST_FAILED_EXEC)
    return;
  supervisor->failed_exec = true;
  if (supervisor->engine.exec_error[0])
    dz_fail(&supervisor->error, -message.value, "%s: %s", command, supervisor->engine.exec_error);
  else
    dz_fail(&supervisor->error, -message.value, "%s: %s%s", command, strerror(message.value),
            message.value == ENOENT ? " (in the root filesystem)" : "");
}

static int exit_code(const struct supervisor *supervisor) {
  int status = supervisor->engine.init_status;

  if (supervisor->engine.killed)
    return DZ_EXIT_OWN_ERROR;
  if (WIFSIGNALED(status))
    return DZ_EXIT_SIGNAL_BASE + WTERMSIG(status);
  return WEXITSTATUS(status);
}

static void finish(struct supervisor *supervisor, int code) {
  struct dz_supervisor_report report = {.exit_code = code};

  dz_warden_sweep(supervisor->number);
  dz_programs_remove(supervisor->engine.programs);
  if (supervisor->engine.killed)
    snprintf(report.text, sizeof report.text, "%s", supervisor->engine.report_text);
  else if (supervisor->error.code)
    snprintf(report.text, sizeof report.text, "%s", supervisor->error.text);
  dz_write_all(supervisor->pipes.reports, &report, sizeof report);
}

void dz_supervisor_run(const struct dz_silo_config *config, uint64_t number,
                       const struct dz_supervisor_pipes *pipes) {
  struct supervisor *supervisor = calloc(1, sizeof *supervisor);
  int from_first = -1, err;

  if (!supervisor)
    _exit(DZ_EXIT_OWN_ERROR);
  supervisor->config = config;
  supervisor->number = number;
  supervisor->pipes = *pipes;
  supervisor->engine.listener = -1;
  supervisor->engine.lifeline = pipes->lifeline;
  supervisor->engine.commands = pipes->commands;
  supervisor->engine.jobs_end = &supervisor->engine.jobs;
  supervisor->engine.silo.strict = config->strict;
  pthread_mutex_init(&supervisor->engine.worker_lock, NULL);
  pthread_cond_init(&supervisor->engine.worker_wake, NULL);
  err = become_supervisor(supervisor);
  init_proc(supervisor);
  if (!err)
    err = open_parts(supervisor);
  if (!err)
    err = start_first(supervisor, &from_first);
  if (err) {
    dz_fail(&supervisor->error, err, "supervisor: %s", strerror(-err));
    if (supervisor->engine.init > 0)
      kill(supervisor->engine.init, SIGKILL);
    finish(supervisor, DZ_EXIT_OWN_ERROR);
    _exit(DZ_EXIT_OWN_ERROR);
  }
  dz_engine_run(&supervisor->engine);
  dz_report_finish(&supervisor->engine);
  read_first_error(supervisor, from_first);
  finish(supervisor, exit_code(supervisor));
  _exit(0);
}
