/* Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2). The supervisor decides whether
 * the target is in the silo; the caller's own thread sends, on a pidfd, so that si_pid is true. */
#include "syscalls/call.h"

#include "host/calls.h"

#include <signal.h>
#include <string.h>

#define THREAD_PIDFD 0200 /* PIDFD_THREAD is O_EXCL: include/uapi/linux/pidfd.h, Linux 6.9 */
#define SIGNAL_THREAD 1u  /* PIDFD_SIGNAL_THREAD */

struct targets {
  int *pidfds;
  size_t count;
};

static void targets_drop(struct targets *targets) {
  for (size_t i = 0; i < targets->count; i++)
    close(targets->pidfds[i]);
  free(targets->pidfds);
}

static int targets_add(struct targets *targets, int pidfd) {
  int *grown = realloc(targets->pidfds, (targets->count + 1) * sizeof *grown);

  if (!grown) {
    close(pidfd);
    return -ENOMEM;
  }
  targets->pidfds = grown;
  grown[targets->count++] = pidfd;
  return 0;
}

static int64_t send(struct dz_call *call, struct targets *targets, int signal,
                    const siginfo_t *info, unsigned flags) {
  if (targets->count == 0)
    return -ESRCH;
  if (!call->ops->valid(call))
    return -ESRCH;
  if (signal == 0)
    return 0;
  return call->ops->send_signal(call, targets->pidfds, targets->count, signal, info, flags);
}

/* All members (group 0), or those of one process group; for kill(-1) the caller itself is left
 * out and so is the first process, as Linux leaves out init. */
static int collect(struct dz_call *call, pid_t group, struct targets *targets) {
  const struct dz_proc *proc = &call->silo->proc;
  pid_t self = dz_call_tgid(call);
  pid_t *pids DZ_FREE = NULL;
  size_t count;
  int err = dz_proc_list(proc, &pids, &count);

  for (size_t i = 0; !err && i < count; i++) {
    int pidfd;

    if (pids[i] == self || (group ? getpgid(pids[i]) != group : pids[i] == proc->init))
      continue;
    pidfd = dz_proc_pidfd(proc, pids[i], 0);
    if (pidfd >= 0)
      err = targets_add(targets, pidfd);
  }
  if (!err && group && getpgid(self) == group) { /* last: the signal may end the sender */
    int pidfd = dz_proc_pidfd(proc, self, 0);

    if (pidfd >= 0)
      err = targets_add(targets, pidfd);
  }
  return err;
}

static int find_process(struct dz_call *call, pid_t pid, struct targets *targets) {
  int pidfd = dz_proc_pidfd(&call->silo->proc, pid, 0);

  if (pidfd == -EINVAL || pidfd == -ENOENT) { /* the number is a thread's: kill takes it too */
    pid_t tgid = dz_proc_tgid(&call->silo->proc, pid);

    pidfd = tgid > 0 ? dz_proc_pidfd(&call->silo->proc, tgid, 0) : -ESRCH;
  }
  return pidfd < 0 ? -ESRCH : targets_add(targets, pidfd);
}

int64_t dz_sys_kill(struct dz_call *call) {
  struct targets targets DZ_CLEANUP(targets_drop) = {0};
  pid_t pid = dz_arg_int(call, 0);
  int signal = dz_arg_int(call, 1);
  int err;

  if (signal < 0 || signal > SIGRTMAX)
    return -EINVAL;
  if (pid == INT32_MIN)
    return -ESRCH;
  if (pid > 0)
    err = find_process(call, pid, &targets);
  else
    err = collect(call, pid == 0 ? getpgid(call->tid) : pid == -1 ? 0 : -pid, &targets);
  return err ? err : send(call, &targets, signal, NULL, 0);
}

static int64_t send_to_thread(struct dz_call *call, pid_t tgid, pid_t tid, int signal,
                              const siginfo_t *info) {
  struct targets targets DZ_CLEANUP(targets_drop) = {0};
  const struct dz_proc *proc = &call->silo->proc;
  int pidfd, err;

  if (signal < 0 || signal > SIGRTMAX || tid <= 0)
    return -EINVAL;
  pidfd = dz_proc_pidfd(proc, tid, THREAD_PIDFD);
  if (pidfd < 0)
    return pidfd == -EINVAL ? -ENOSYS : -ESRCH;
  err = targets_add(&targets, pidfd);
  if (err)
    return err;
  if (tgid && dz_proc_tgid(proc, tid) != tgid)
    return -ESRCH;
  return send(call, &targets, signal, info, SIGNAL_THREAD);
}

int64_t dz_sys_tkill(struct dz_call *call) {
  return send_to_thread(call, 0, dz_arg_int(call, 0), dz_arg_int(call, 1), NULL);
}

int64_t dz_sys_tgkill(struct dz_call *call) {
  if (dz_arg_int(call, 0) <= 0)
    return -EINVAL;
  return send_to_thread(call, dz_arg_int(call, 0), dz_arg_int(call, 1), dz_arg_int(call, 2), NULL);
}

/* __copy_siginfo_from_user(): the number is the argument's, whatever the structure says. */
static int read_info(struct dz_call *call, uint64_t address, int signal, siginfo_t *info) {
  int err = dz_arg_read(call, address, info, sizeof *info);

  info->si_signo = signal;
  return err;
}

int64_t dz_sys_rt_sigqueueinfo(struct dz_call *call) {
  struct targets targets DZ_CLEANUP(targets_drop) = {0};
  int signal = dz_arg_int(call, 1);
  siginfo_t info;
  int err = read_info(call, call->arguments[2], signal, &info);

  if (err)
    return err;
  if (signal < 0 || signal > SIGRTMAX)
    return -EINVAL;
  err = find_process(call, dz_arg_int(call, 0), &targets);
  return err ? err : send(call, &targets, signal, &info, 0);
}

int64_t dz_sys_rt_tgsigqueueinfo(struct dz_call *call) {
  siginfo_t info;
  int err = read_info(call, call->arguments[3], dz_arg_int(call, 2), &info);

  if (err)
    return err;
  if (dz_arg_int(call, 0) <= 0)
    return -EINVAL;
  return send_to_thread(call, dz_arg_int(call, 0), dz_arg_int(call, 1), dz_arg_int(call, 2), &info);
}
