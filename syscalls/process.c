/* Calls that name a process by its number: those of the silo are acted on by the supervisor, all
 * others do not exist (ESRCH). */
#include "syscalls/call.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define MASK_MOST 8192 /* bytes of a CPU mask: far more than any kernel's */

/* Act on a member: it was one before, and was still the same process afterwards, so that a number
 * that was used again meanwhile does not give its answer away. */
struct member {
  int pidfd;
  pid_t pid;
};

static void member_drop(struct member *member) {
  dz_close_scope(&member->pidfd);
}
#define MEMBER DZ_CLEANUP(member_drop)

static int member_find(struct dz_call *call, pid_t pid, struct member *member) {
  pid_t tgid;

  member->pidfd = -1;
  if (pid < 0)
    return -EINVAL;
  member->pid = pid ? pid : call->tid;
  tgid = dz_proc_tgid(&call->silo->proc, member->pid);
  if (tgid < 0)
    return -ESRCH;
  member->pidfd = dz_proc_pidfd(&call->silo->proc, tgid, 0);
  if (member->pidfd < 0)
    return -ESRCH;
  return call->ops->valid(call) ? 0 : -ESRCH;
}

static int64_t member_done(const struct member *member, int64_t result) {
  return dz_pidfd_send_signal(member->pidfd, 0, 0) ? -ESRCH : result;
}

int64_t dz_sys_getppid(struct dz_call *call) {
  return dz_proc_parent(&call->silo->proc, dz_call_tgid(call));
}

int64_t dz_sys_getpgid(struct dz_call *call) {
  struct member member MEMBER = {.pidfd = -1};
  int err = member_find(call, dz_arg_int(call, 0), &member);

  if (err)
    return err == -EINVAL ? -ESRCH : err;
  return member_done(&member, dz_result(getpgid(member.pid)));
}

int64_t dz_sys_getsid(struct dz_call *call) {
  struct member member MEMBER = {.pidfd = -1};
  int err = member_find(call, dz_arg_int(call, 0), &member);

  if (err)
    return err == -EINVAL ? -ESRCH : err;
  return member_done(&member, dz_result(getsid(member.pid)));
}

int64_t dz_sys_pidfd_open(struct dz_call *call) {
  pid_t pid = dz_arg_int(call, 0);
  int fd;

  if (pid <= 0)
    return -EINVAL;
  fd = dz_proc_pidfd(&call->silo->proc, pid, dz_arg_uint(call, 1));
  if (fd >= 0 && !call->ops->valid(call)) {
    close(fd);
    return -ESRCH;
  }
  return dz_return_fd(call, fd, O_CLOEXEC);
}

/* ---- limits ---- */

/* RLIMIT_LOCKS carries the state tag. The guest's own value, which has meant nothing to the kernel
 * since 2.4, lives in the record. do_prlimit() of kernel/sys.c. */
static int64_t locks_limit(struct dz_call *call, pid_t pid, uint64_t new_address,
                           uint64_t old_address) {
  struct dz_state *state DZ_STATE = NULL;
  struct rlimit wanted, old;
  int err = dz_states_of(call->silo->proc.states, pid, &state);

  if (err)
    return -ESRCH;
  old = (struct rlimit){state->locks_soft, state->locks_hard};
  if (new_address) {
    struct dz_state *draft;

    if (dz_arg_read(call, new_address, &wanted, sizeof wanted))
      return -EFAULT;
    if (wanted.rlim_cur > wanted.rlim_max)
      return -EINVAL;
    if (wanted.rlim_max > old.rlim_max)
      return -EPERM; /* as without CAP_SYS_RESOURCE */
    draft = dz_state_draft(state);
    if (!draft)
      return -ENOMEM;
    draft->locks_soft = wanted.rlim_cur;
    draft->locks_hard = wanted.rlim_max;
    err = dz_states_give(call->silo->proc.states, pid, state, draft);
    if (err)
      return err;
  }
  return old_address ? dz_arg_write(call, old_address, &old, sizeof old) : 0;
}

int64_t dz_sys_getrlimit(struct dz_call *call) {
  return locks_limit(call, call->tid, 0, call->arguments[1]);
}

int64_t dz_sys_setrlimit(struct dz_call *call) {
  return locks_limit(call, call->tid, call->arguments[1], 0);
}

int64_t dz_sys_prlimit64(struct dz_call *call) {
  struct member member MEMBER = {.pidfd = -1};
  struct rlimit wanted, old;
  unsigned resource = dz_arg_uint(call, 1);
  uint64_t new_address = call->arguments[2], old_address = call->arguments[3];
  int64_t result;
  int err;

  if (resource >= RLIM_NLIMITS)
    return -EINVAL;
  err = member_find(call, dz_arg_int(call, 0), &member);
  if (err)
    return err == -EINVAL ? -ESRCH : err;
  if (resource == RLIMIT_LOCKS)
    return locks_limit(call, member.pid, new_address, old_address);
  if (new_address && dz_arg_read(call, new_address, &wanted, sizeof wanted))
    return -EFAULT;
  result = dz_result(
      prlimit(member.pid, (enum __rlimit_resource)resource, new_address ? &wanted : NULL, &old));
  result = member_done(&member, result);
  if (result == 0 && old_address)
    result = dz_arg_write(call, old_address, &old, sizeof old);
  return result;
}

/* ---- priorities: one process, a group, or all of a user (of the silo) ---- */

typedef int64_t act_on(pid_t pid, int value);

static int64_t set_nice(pid_t pid, int value) {
  return dz_result(syscall(SYS_setpriority, PRIO_PROCESS, pid, value));
}

static int64_t get_nice(pid_t pid, int value DZ_UNUSED) {
  return dz_result(syscall(SYS_getpriority, PRIO_PROCESS, pid));
}

static int64_t set_io(pid_t pid, int value) {
  return dz_result(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, value));
}

static int64_t get_io(pid_t pid, int value DZ_UNUSED) {
  return dz_result(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid));
}

enum who { WHO_PROCESS, WHO_GROUP, WHO_USER };

static bool meant(struct dz_call *call, enum who which, int who, pid_t pid) {
  struct dz_state *state DZ_STATE = NULL;
  uid_t uid = who ? (uid_t)who : call->state->identity.ruid;

  if (which == WHO_GROUP)
    return getpgid(pid) == (who ? who : getpgid(call->tid));
  return dz_states_of(call->silo->proc.states, pid, &state) == 0 && state->identity.ruid == uid;
}

/* The greatest result over all that are meant; an error only when none succeeded. */
static int64_t over_many(struct dz_call *call, enum who which, int who, int value, act_on *act) {
  int64_t best = -ESRCH;
  pid_t *pids DZ_FREE = NULL;
  size_t count;
  int err = dz_proc_list(&call->silo->proc, &pids, &count);

  if (err)
    return err;
  for (size_t i = 0; i < count; i++) {
    struct member member MEMBER = {.pidfd = -1};
    int64_t result;

    if (!meant(call, which, who, pids[i]) || member_find(call, pids[i], &member))
      continue;
    result = member_done(&member, act(member.pid, value));
    if (result > best || best == -ESRCH)
      best = result;
  }
  return best;
}

static int64_t by_who(struct dz_call *call, enum who which, int who, int value, act_on *act) {
  struct member member MEMBER = {.pidfd = -1};
  int err;

  if (which != WHO_PROCESS)
    return over_many(call, which, who, value, act);
  err = member_find(call, who, &member);
  if (err)
    return -ESRCH;
  return member_done(&member, act(member.pid, value));
}

int64_t dz_sys_getpriority(struct dz_call *call) {
  unsigned which = dz_arg_uint(call, 0);

  return which > PRIO_USER ? -EINVAL
                           : by_who(call, (enum who)which, dz_arg_int(call, 1), 0, get_nice);
}

int64_t dz_sys_setpriority(struct dz_call *call) {
  unsigned which = dz_arg_uint(call, 0);

  return which > PRIO_USER
             ? -EINVAL
             : by_who(call, (enum who)which, dz_arg_int(call, 1), dz_arg_int(call, 2), set_nice);
}

int64_t dz_sys_ioprio_get(struct dz_call *call) {
  unsigned which = dz_arg_uint(call, 0) - 1;

  return which > WHO_USER ? -EINVAL : by_who(call, (enum who)which, dz_arg_int(call, 1), 0, get_io);
}

int64_t dz_sys_ioprio_set(struct dz_call *call) {
  unsigned which = dz_arg_uint(call, 0) - 1;

  return which > WHO_USER
             ? -EINVAL
             : by_who(call, (enum who)which, dz_arg_int(call, 1), dz_arg_int(call, 2), set_io);
}

/* ---- scheduling ---- */

/* A call of the form (pid, scalar, structure): the structure is copied in, out, or not at all. */
struct scheduling {
  long number;
  uint64_t scalar;
  uint64_t address;
  size_t size;
  bool in, out;
  bool pointer_first; /* (pid, structure, scalar) */
};

static int64_t schedule(struct dz_call *call, const struct scheduling *what) {
  struct member member MEMBER = {.pidfd = -1};
  unsigned char *data DZ_FREE = calloc(1, what->size ? what->size : 1);
  int64_t result;
  int err = member_find(call, dz_arg_int(call, 0), &member);

  if (err)
    return err;
  if (!data)
    return -ENOMEM;
  if (what->in && dz_arg_read(call, what->address, data, what->size))
    return -EFAULT;
  if (what->number == SYS_sched_setattr) { /* the size that was looked at, not what is there now */
    uint32_t size = (uint32_t)what->size;

    memcpy(data, &size, sizeof size);
  }
  if (what->pointer_first)
    result = dz_result(syscall(what->number, member.pid, data, what->scalar, 0));
  else
    result = dz_result(syscall(what->number, member.pid, what->scalar, data, 0));
  result = member_done(&member, result);
  if (result >= 0 && what->out) {
    size_t size = what->number == SYS_sched_getaffinity ? (size_t)result : what->size;

    if (dz_arg_write(call, what->address, data, size))
      return -EFAULT;
  }
  return result;
}

int64_t dz_sys_sched_setparam(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_setparam,
                            .address = call->arguments[1],
                            .size = sizeof(struct sched_param),
                            .in = true,
                            .pointer_first = true};

  return what.address ? schedule(call, &what) : -EINVAL;
}

int64_t dz_sys_sched_getparam(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_getparam,
                            .address = call->arguments[1],
                            .size = sizeof(struct sched_param),
                            .out = true,
                            .pointer_first = true};

  return what.address ? schedule(call, &what) : -EINVAL;
}

int64_t dz_sys_sched_setscheduler(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_setscheduler,
                            .scalar = dz_arg_uint(call, 1),
                            .address = call->arguments[2],
                            .size = sizeof(struct sched_param),
                            .in = true};

  return what.address ? schedule(call, &what) : -EINVAL;
}

int64_t dz_sys_sched_getscheduler(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_getscheduler};

  return schedule(call, &what);
}

int64_t dz_sys_sched_rr_get_interval(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_rr_get_interval,
                            .address = call->arguments[1],
                            .size = sizeof(struct timespec),
                            .out = true,
                            .pointer_first = true};

  return schedule(call, &what);
}

static size_t mask_size(struct dz_call *call) {
  size_t size = dz_arg_uint(call, 1);

  return size > MASK_MOST ? MASK_MOST : size;
}

int64_t dz_sys_sched_setaffinity(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_setaffinity,
                            .scalar = mask_size(call),
                            .address = call->arguments[2],
                            .size = mask_size(call),
                            .in = true};

  return schedule(call, &what);
}

int64_t dz_sys_sched_getaffinity(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_getaffinity,
                            .scalar = mask_size(call),
                            .address = call->arguments[2],
                            .size = mask_size(call),
                            .out = true};

  return schedule(call, &what);
}

/* struct sched_attr begins with its own size (sched_setattr(2)). */
int64_t dz_sys_sched_setattr(struct dz_call *call) {
  struct scheduling what = {.number = SYS_sched_setattr,
                            .scalar = dz_arg_uint(call, 2),
                            .address = call->arguments[1],
                            .in = true,
                            .pointer_first = true};
  uint32_t size;

  if (!what.address)
    return -EINVAL;
  if (dz_arg_read(call, what.address, &size, sizeof size))
    return -EFAULT;
  what.size = size == 0 ? 48 : size; /* SCHED_ATTR_SIZE_VER0 */
  return what.size < 48 || what.size > 4096 ? -E2BIG : schedule(call, &what);
}

int64_t dz_sys_sched_getattr(struct dz_call *call) {
  struct member member MEMBER = {.pidfd = -1};
  unsigned size = dz_arg_uint(call, 2);
  unsigned char data[4096];
  int64_t result;
  int err;

  if (!call->arguments[1] || size < 48 || size > sizeof data)
    return -EINVAL;
  err = member_find(call, dz_arg_int(call, 0), &member);
  if (err)
    return err;
  result = member_done(
      &member, dz_result(syscall(SYS_sched_getattr, member.pid, data, size, dz_arg_uint(call, 3))));
  return result ? result : dz_arg_write(call, call->arguments[1], data, size);
}

/* ---- CPU clocks of other processes ---- */

static int clock_member(struct dz_call *call, int clock, struct member *member) {
  pid_t pid = ~(clock >> 3);

  return member_find(call, pid, member) ? -EINVAL : 0;
}

int64_t dz_sys_clock_gettime(struct dz_call *call) {
  struct member member MEMBER = {.pidfd = -1};
  struct timespec now;
  int64_t result = clock_member(call, dz_arg_int(call, 0), &member);

  if (result)
    return result;
  result = member_done(&member, dz_result(syscall(SYS_clock_gettime, dz_arg_int(call, 0), &now)));
  return result ? result : dz_arg_write(call, call->arguments[1], &now, sizeof now);
}

int64_t dz_sys_clock_getres(struct dz_call *call) {
  struct member member MEMBER = {.pidfd = -1};
  struct timespec step;
  int64_t result = clock_member(call, dz_arg_int(call, 0), &member);

  if (result)
    return result;
  result = member_done(&member, dz_result(syscall(SYS_clock_getres, dz_arg_int(call, 0), &step)));
  if (!result && call->arguments[1])
    result = dz_arg_write(call, call->arguments[1], &step, sizeof step);
  return result;
}

/* ---- prctl: what the rule does not leave to the kernel ---- */

#define PR_OPTION_GET_DUMPABLE 3
#define PR_OPTION_SET_DUMPABLE 4

/* Not performed: it would shut the supervisor out of the caller's memory. */
static int64_t set_dumpable(struct dz_call *call) {
  struct dz_state *draft;

  if (call->arguments[1] > 1)
    return -EINVAL;
  if (call->state->undumpable == !call->arguments[1])
    return 0;
  draft = dz_state_draft(call->state);
  if (!draft)
    return -ENOMEM;
  draft->undumpable = !call->arguments[1];
  return dz_call_change_state(call, draft);
}

int64_t dz_sys_prctl(struct dz_call *call) {
  switch (dz_arg_int(call, 0)) {
  case PR_OPTION_GET_DUMPABLE:
    return !call->state->undumpable;
  case PR_OPTION_SET_DUMPABLE:
    return set_dumpable(call);
  default:
    return dz_identity_prctl(call);
  }
}
