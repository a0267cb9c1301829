/*
 * The notify engine: what becomes of a call that the receiver took (receive.c). No
 * host call that can sleep on a guest is made here; what may sleep goes to workers.
 */
#include "trap/engine.h"

#include "host/calls.h"
#include "host/defence.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#define MAX_ERRNO 4095 /* include/linux/err.h */

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
  if (call->report && dz_report_answer(call, result))
    return;
  if (result == -DZ_EANSWERED)
    return;
  if (result == -DZ_ETAMPERED) {
    dz_engine_end(call->engine, "a state tag was changed behind denizen's back");
    return;
  }
  if (result < -MAX_ERRNO) { /* a number of our own must not reach a guest */
    dz_debug("call %d: internal result %lld", call->number, (long long)result);
    result = -EIO;
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
    .send_signal = dz_report_send_signal,
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
  /* The record was read by a number, which may have a new owner: only now is it the caller's. */
  if (!notify_valid(&call)) {
    if (call.state)
      dz_state_put(call.state);
    return;
  }
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

void dz_engine_run(struct dz_engine *engine) {
  int err = dz_receive_init(engine);

  if (!err)
    err = dz_attach_init(engine);
  if (err)
    dz_engine_end(engine, "the receiver: %s", strerror(-err));
  dz_report_watch(engine);
  while (!engine->ended) {
    dz_receive(engine);
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
