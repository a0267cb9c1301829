/*
 * The notify engine's receiver. It drains everything pending before it handles
 * anything: a call that waits to be received can be interrupted by a signal, a
 * received one cannot (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV). It makes no host
 * call that can sleep on a guest; what may sleep goes to workers.
 */
#include "trap/engine.h"

#include "host/calls.h"
#include "host/defence.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int dz_engine_reply(struct dz_engine *engine, uint64_t id, int64_t value) {
  struct seccomp_notif_resp response = {
      .id = id, .val = value < 0 ? 0 : value, .error = value < 0 ? (int32_t)value : 0};

  /* ENOENT: the caller has died meanwhile. */
  return (int)dz_result(ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_SEND, &response));
}

int dz_engine_continue_exec(struct dz_engine *engine, uint64_t id) {
  struct seccomp_notif_resp response = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

  return (int)dz_result(ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_SEND, &response));
}

void dz_engine_end(struct dz_engine *engine, const char *format, ...) {
  va_list arguments;

  if (!engine->killed) {
    va_start(arguments, format);
    vsnprintf(engine->report_text, sizeof engine->report_text, format, arguments);
    va_end(arguments);
  }
  engine->killed = true;
  engine->ended = true;
}

void dz_engine_answer(struct dz_call *call, int64_t result) {
  if (result == -DZ_EANSWERED)
    return;
  if (result == -DZ_ETAMPERED) {
    dz_engine_end(call->engine, "a state tag was changed behind denizen's back");
    return;
  }
  dz_engine_reply(call->engine, call->id, result);
}

static bool notify_valid(struct dz_call *call) {
  return ioctl(call->engine->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) == 0;
}

static int notify_add_fd(struct dz_call *call, int fd, unsigned fd_flags) {
  struct seccomp_notif_addfd addfd = {
      .id = call->id, .srcfd = (uint32_t)fd, .newfd_flags = fd_flags};

  return (int)dz_result(ioctl(call->engine->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd));
}

const struct dz_call_ops dz_notify_ops = {
    .valid = notify_valid,
    .add_fd = notify_add_fd,
    .send_path_fd = dz_notify_send_path_fd,
    .send_signal = dz_notify_send_signal,
    .exec = dz_notify_exec,
    .begin_wait = dz_worker_begin_wait,
    .end_wait = dz_worker_end_wait,
    .settle = dz_worker_settle,
    .unsupported = dz_report_unsupported,
};

void dz_engine_perform(struct dz_call *call) {
  int64_t result = dz_dispatch(call);

  if (result == -DZ_EBLOCK)
    result = dz_worker_submit(call->engine, call);
  dz_engine_answer(call, result);
}

static void handle(struct dz_engine *engine, const struct seccomp_notif *notification) {
  struct dz_attached *attached = dz_attached_find(engine, (pid_t)notification->pid);
  struct dz_call call = {.silo = &engine->silo,
                         .engine = engine,
                         .ops = &dz_notify_ops,
                         .number = notification->data.nr,
                         .arch = notification->data.arch,
                         .id = notification->id,
                         .tid = (pid_t)notification->pid};
  int err;

  if (attached && attached->notified && attached->notified(attached, notification))
    return;
  memcpy(call.arguments, notification->data.args, sizeof call.arguments);
  err = dz_states_of(engine->silo.proc.states, call.tid, &call.state);
  if (err == -ENODATA) { /* a number that we never gave: not to be trusted with anything */
    kill(call.tid, SIGKILL);
    return;
  }
  if (err) {
    dz_engine_reply(engine, call.id, -ESRCH);
    return;
  }
  dz_engine_perform(&call);
  dz_state_put(call.state);
}

/* One notification off the listener into the queue. */
static void receive(struct dz_engine *engine) {
  struct seccomp_notif *slot =
      &engine->queue[(engine->queue_head + engine->queue_count) % DZ_QUEUE_MAX];

  memset(slot, 0, sizeof *slot);
  if (ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_RECV, slot) == 0)
    engine->queue_count++;
  else if (errno != ENOENT && errno != EINTR) /* ENOENT: interrupted before it was received */
    dz_engine_end(engine, "receiving calls: %s", strerror(errno));
}

static void pass_signal_on(struct dz_engine *engine) {
  int32_t signal;

  if (read(engine->commands, &signal, sizeof signal) == sizeof signal && engine->init_pidfd >= 0)
    dz_pidfd_send_signal(engine->init_pidfd, signal, 0);
}

static void drain_signals(struct dz_engine *engine) {
  struct signalfd_siginfo info[16];

  while (read(engine->signals, info, sizeof info) > 0)
    continue;
  dz_attached_reap(engine);
}

static void lifeline_cut(struct dz_engine *engine) {
  if (dz_defence("lifeline"))
    dz_engine_end(engine, "the command denizen has ended");
}

/* What happens besides calls, and what to do then. */
static const struct {
  size_t fd_offset; /* of the descriptor in struct dz_engine */
  void (*act)(struct dz_engine *engine);
} sources[] = {
    {offsetof(struct dz_engine, signals), drain_signals},
    {offsetof(struct dz_engine, commands), pass_signal_on},
    {offsetof(struct dz_engine, wake), dz_worker_take_returned},
    {offsetof(struct dz_engine, lifeline), lifeline_cut},
};

/* All of them behind one descriptor: poll(2) costs by the number of its descriptors. The listener
 * is polled itself, since SYNC_WAKE_UP does not reach through an epoll. */
static int gather_sources(struct dz_engine *engine) {
  int events = epoll_create1(EPOLL_CLOEXEC);

  for (uint32_t i = 0; events >= 0 && i < DZ_ARRAY_SIZE(sources); i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    const int *fd = (const int *)(const void *)((const char *)engine + sources[i].fd_offset);

    if (epoll_ctl(events, EPOLL_CTL_ADD, *fd, &event)) {
      int err = -errno;

      close(events);
      return err;
    }
  }
  return events < 0 ? -errno : events;
}

static void act_on_sources(struct dz_engine *engine) {
  struct epoll_event ready[DZ_ARRAY_SIZE(sources)];
  int count = epoll_wait(engine->events, ready, DZ_ARRAY_SIZE(sources), 0);

  for (int i = 0; i < count; i++)
    sources[ready[i].data.u32].act(engine);
}

/* Wait for something to do, or look whether there is (timeout 0). */
static void look(struct dz_engine *engine, int timeout) {
  struct pollfd polled[] = {{.fd = engine->listener_gone ? -1 : engine->listener, .events = POLLIN},
                            {.fd = engine->events, .events = POLLIN}};

  if (poll(polled, DZ_ARRAY_SIZE(polled), timeout) < 0)
    return;
  while ((polled[0].revents & POLLIN) && engine->queue_count < DZ_QUEUE_MAX && !engine->ended) {
    receive(engine);
    polled[0].revents = 0;
    poll(polled, 1, 0);
  }
  engine->listener_gone |= (polled[0].revents & POLLHUP) && !(polled[0].revents & POLLIN);
  if (polled[1].revents & POLLIN)
    act_on_sources(engine);
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

void dz_engine_run(struct dz_engine *engine) {
  int err;

  ask_for_short_slices();
  err = dz_attach_init(engine);
  if (err)
    dz_engine_end(engine, "a timer for attaching: %s", strerror(-err));
  engine->events = gather_sources(engine);
  if (engine->events < 0)
    dz_engine_end(engine, "watching for events: %s", strerror(-engine->events));
  while (!engine->ended) {
    look(engine, engine->queue_count ? 0 : -1);
    if (engine->queue_count) {
      struct seccomp_notif *next = &engine->queue[engine->queue_head];

      engine->queue_head = (engine->queue_head + 1) % DZ_QUEUE_MAX;
      engine->queue_count--;
      handle(engine, next);
    }
    if (dz_states_sweep_due(engine->silo.proc.states))
      dz_states_sweep(engine->silo.proc.states);
  }
}
