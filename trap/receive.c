/*
 * Receiving calls. Everything pending is drained before anything is handled: a call
 * that waits to be received can be interrupted by a signal, a received one cannot
 * (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV).
 *
 * The receiver sleeps in one place, in the ioctl that receives, because polling first
 * would cost every call. What else it must hear of comes as a signal: SIGCHLD for
 * stops and deaths, WAKE_SIGNAL for pipes (F_SETSIG) and workers. A signal that comes
 * between the last look at `pending` and the ioctl would be lost, so its handler jumps
 * out; a notification that the kernel had just handed over is then in the slot (its
 * id is never 0).
 */
#include "trap/engine.h"

#include "host/calls.h"
#include "host/defence.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The receiver's own, since a handler has no argument to find it by. */
static _Thread_local struct {
  volatile sig_atomic_t pending, sleeping;
  sigjmp_buf awake;
} receiver;

static void wake_up(int signal DZ_UNUSED) {
  receiver.pending = 1;
  if (receiver.sleeping) {
    receiver.sleeping = 0;
    siglongjmp(receiver.awake, 1);
  }
}

/* ---- what happens besides calls ---- */

static void pass_signal_on(struct dz_engine *engine) {
  int32_t signal;

  if (read(engine->commands, &signal, sizeof signal) == sizeof signal && engine->init_pidfd >= 0)
    dz_pidfd_send_signal(engine->init_pidfd, signal, 0);
}

static void lifeline_cut(struct dz_engine *engine) {
  if (dz_defence("lifeline"))
    dz_engine_end(engine, "the command denizen has ended");
}

static const struct {
  size_t fd_offset; /* of the descriptor in struct dz_engine */
  void (*act)(struct dz_engine *engine);
} sources[] = {
    {offsetof(struct dz_engine, commands), pass_signal_on},
    {offsetof(struct dz_engine, wake), dz_worker_take_returned},
    {offsetof(struct dz_engine, report_wake), dz_report_take},
    {offsetof(struct dz_engine, lifeline), lifeline_cut},
};

static void act_on_sources(struct dz_engine *engine) {
  struct epoll_event ready[DZ_ARRAY_SIZE(sources)];
  int count;

  receiver.pending = 0;
  dz_attached_reap(engine);
  dz_report_expire(engine);
  count = epoll_wait(engine->events, ready, DZ_ARRAY_SIZE(sources), 0);
  for (int i = 0; i < count; i++)
    sources[ready[i].data.u32].act(engine);
  if (count > 0)
    receiver.pending = 1; /* there may be more of the same */
}

/* Let the kernel send the signal when a pipe becomes readable or loses its writer. */
static int signal_on_input(int fd) {
  struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = (pid_t)syscall(SYS_gettid)};
  int flags = fcntl(fd, F_GETFL);

  if (flags < 0 || fcntl(fd, F_SETOWN_EX, &owner) || fcntl(fd, F_SETSIG, DZ_WAKE_SIGNAL) ||
      fcntl(fd, F_SETFL, flags | O_ASYNC | O_NONBLOCK))
    return -errno;
  return 0;
}

static int gather_sources(struct dz_engine *engine) {
  int events DZ_FD = epoll_create1(EPOLL_CLOEXEC);

  for (uint32_t i = 0; events >= 0 && i < DZ_ARRAY_SIZE(sources); i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    const int *fd = (const int *)(const void *)((const char *)engine + sources[i].fd_offset);

    if (epoll_ctl(events, EPOLL_CTL_ADD, *fd, &event))
      return -errno;
  }
  engine->events = dz_steal_fd(&events);
  return engine->events < 0 ? -errno : 0;
}

/* A short slice makes the scheduler run the receiver soon after it is woken (EEVDF, Linux 6.12):
 * a call that waits to be received can be interrupted. Older kernels refuse or ignore it; guests
 * do not inherit it. struct sched_attr: sched_setattr(2). */
static void ask_for_short_slices(void) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = sizeof attributes,
                  .flags = 1, /* SCHED_FLAG_RESET_ON_FORK */
                  .nice = getpriority(PRIO_PROCESS, 0),
                  .runtime = 100000};

  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int dz_receive_init(struct dz_engine *engine) {
  /* Handlers jump away, so the mask must not be changed for them (SA_NODEFER). */
  struct sigaction action = {.sa_handler = wake_up, .sa_flags = SA_NODEFER | SA_RESTART};
  sigset_t woken_by;
  int err = gather_sources(engine);

  ask_for_short_slices();
  if (!err)
    err = signal_on_input(engine->commands);
  if (!err)
    err = signal_on_input(engine->lifeline);
  if (err)
    return err;
  if (sigaction(SIGCHLD, &action, NULL) || sigaction(DZ_WAKE_SIGNAL, &action, NULL))
    return -errno;
  sigemptyset(&woken_by);
  sigaddset(&woken_by, SIGCHLD);
  sigaddset(&woken_by, DZ_WAKE_SIGNAL);
  receiver.pending = 1; /* for what came before the handlers */
  return -pthread_sigmask(SIG_UNBLOCK, &woken_by, NULL);
}

void dz_receive_wake(const struct dz_engine *engine) {
  dz_tgkill(engine->silo.proc.supervisor, engine->silo.proc.supervisor, DZ_WAKE_SIGNAL);
}

int dz_receive_timer(timer_t *timer, int signal) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal};

  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  return (int)dz_result(timer_create(CLOCK_MONOTONIC, &event, timer));
}

/* ---- calls ---- */

static struct seccomp_notif *free_slot(struct dz_engine *engine) {
  return &engine->queue[(engine->queue_head + engine->queue_count) % DZ_QUEUE_MAX];
}

static void count_slot(struct dz_engine *engine, int result, int error) {
  if (result == 0 || free_slot(engine)->id)
    engine->queue_count++;
  else if (error == ENOENT)
    engine->listener_gone = true; /* or interrupted before it was received: poll will tell */
  else if (error != EINTR)
    dz_engine_end(engine, "receiving calls: %s", strerror(error));
}

/* Is there more? Never sleeps. */
static bool is_pending(struct dz_engine *engine) {
  struct pollfd polled = {.fd = engine->listener, .events = POLLIN};

  return poll(&polled, 1, 0) > 0 && (polled.revents & POLLIN);
}

static void receive_pending(struct dz_engine *engine) {
  while (engine->queue_count < DZ_QUEUE_MAX && !engine->ended && is_pending(engine)) {
    struct seccomp_notif *slot = free_slot(engine);
    int result;

    memset(slot, 0, sizeof *slot);
    result = ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_RECV, slot);
    count_slot(engine, result, errno);
  }
}

/* ThreadSanitizer holds signals back until a call that it knows to wait: it gets one. */
#ifdef __SANITIZE_THREAD__
#define POLLS_FIRST true
#else
#define POLLS_FIRST false
#endif

/* Sleep until a call comes, or a signal. Without guests the ioctl would return at once (Linux 6.18)
 * or not at all: then poll sleeps, on the listener too, for guests may be on their way. */
static void sleep_for_one(struct dz_engine *engine) {
  struct seccomp_notif *slot = free_slot(engine);
  struct pollfd polled = {.fd = engine->listener, .events = POLLIN};
  volatile int result = -1, error = EINTR;

  memset(slot, 0, sizeof *slot);
  if (sigsetjmp(receiver.awake, 0) == 0) {
    receiver.sleeping = 1;
    if (!receiver.pending) {
      if (engine->listener_gone) {
        poll(&polled, 1, -1);
      } else if (!POLLS_FIRST || poll(&polled, 1, -1) > 0) {
        result = ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_RECV, slot);
        error = errno;
      }
    }
    receiver.sleeping = 0;
  }
  engine->listener_gone = false;
  count_slot(engine, result, error);
  if (engine->listener_gone && !(poll(&polled, 1, 0) > 0 && (polled.revents & POLLHUP)))
    engine->listener_gone = false;
}

void dz_receive(struct dz_engine *engine) {
  if (receiver.pending)
    act_on_sources(engine);
  while (engine->exec_ended && !engine->ended) {
    engine->exec_ended = false;
    dz_worker_take_aside(engine);
  }
  if (engine->ended)
    return;
  if (!engine->queue_count && !receiver.pending)
    sleep_for_one(engine);
  receive_pending(engine);
}
