/*
 * The transient attach: a guest's thread that waits in a notification is seized,
 * answered with ERESTARTNOINTR and lands in a stop with restartable registers,
 * before any signal is delivered (get_signal() of kernel/signal.c looks at ptrace's
 * trap first). ptrace belongs to one thread: only the receiver attaches and waits.
 */
#include "trap/engine.h"

#include "host/calls.h"
#include "host/defence.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define SYSCALL_INSTRUCTION_SIZE 2
#define LIMIT_SIGNAL SIGUSR2
#define LIMIT_NANOSECONDS 300000000

struct dz_attached *dz_attached_find(struct dz_engine *engine, pid_t tid) {
  struct dz_attached *attached = engine->attached;

  while (attached && attached->tid != tid)
    attached = attached->next;
  return attached;
}

void dz_attached_drop(struct dz_attached *attached) {
  struct dz_attached **at = &attached->engine->attached;

  while (*at && *at != attached)
    at = &(*at)->next;
  if (*at)
    *at = attached->next;
  attached->engine->exec_ended |= attached->is_exec;
  if (attached->release && !attached->calling)
    attached->release(attached);
}

static void note_death(struct dz_engine *engine, pid_t pid, int status) {
  if (pid == engine->init) {
    engine->init_status = status;
    engine->ended = true;
  }
}

static void do_nothing(int signal DZ_UNUSED) {}

/* Nothing that a guest does keeps the receiver waiting for a stop: a timer interrupts the wait, and
 * the process that does not stop is killed. */
int dz_attach_init(struct dz_engine *engine) {
  struct sigaction action = {.sa_handler = do_nothing};
  sigset_t limit;
  int err = dz_receive_timer(&engine->attach_timer, LIMIT_SIGNAL);

  if (err)
    return err;
  if (sigaction(LIMIT_SIGNAL, &action, NULL))
    return -errno;
  sigemptyset(&limit);
  sigaddset(&limit, LIMIT_SIGNAL);
  return -pthread_sigmask(SIG_UNBLOCK, &limit, NULL);
}

static void limit_wait(struct dz_engine *engine) {
  struct itimerspec limit = {.it_value = {.tv_nsec = LIMIT_NANOSECONDS},
                             .it_interval = {.tv_nsec = LIMIT_NANOSECONDS}};

  engine->attach_began = dz_monotonic_ns();
  engine->attach_ran = 0;
  timer_settime(engine->attach_timer, 0, &limit, NULL);
}

static void unlimit_wait(struct dz_engine *engine) {
  struct itimerspec none = {{0}, {0}};

  timer_settime(engine->attach_timer, 0, &none, NULL);
}

/* Nanoseconds that a thread has run (/proc/TID/schedstat), and its state letter. */
static uint64_t run_time(struct dz_engine *engine, pid_t tid, char *state) {
  char path[32], text[128];
  uint64_t ran = 0;

  snprintf(path, sizeof path, "%d/schedstat", (int)tid);
  if (dz_read_file_at(engine->silo.proc.proc_fd, path, text, sizeof text) > 0)
    ran = strtoull(text, NULL, 10);
  snprintf(path, sizeof path, "%d/stat", (int)tid);
  *state = dz_proc_state_letter(engine->silo.proc.proc_fd, path);
  return ran;
}

/* Does a thread that has not stopped keep from stopping? Asked at each tick of the timer. One that
 * runs and runs had its code overwritten; one that sleeps was made to, by a sibling; one that
 * wants to run and is not let (a busy machine, SCHED_IDLE) is given its time. */
static bool never_stops(struct dz_engine *engine, pid_t tid) {
  uint64_t waited = dz_monotonic_ns() - engine->attach_began;
  uint64_t before = engine->attach_ran;
  char state;

  if (waited < LIMIT_NANOSECONDS)
    return false;
  engine->attach_ran = run_time(engine, tid, &state);
  if (state != 'R')
    return waited > 3 * LIMIT_NANOSECONDS;
  if (before && engine->attach_ran - before > LIMIT_NANOSECONDS / 20)
    return true;
  return waited > 100 * (uint64_t)LIMIT_NANOSECONDS;
}

static void handle_status(struct dz_engine *engine, pid_t pid, int status);

/* Wait for one thread's next stop. 0 with its status, or -ESRCH when it has died, or when another
 * thread's exec has taken its number: that one's event is handled as such. */
static int wait_stop(struct dz_engine *engine, pid_t tid, int *status) {
  pid_t got;

  while ((got = waitpid(tid, status, __WALL | __WNOTHREAD)) < 0 && errno == EINTR)
    if (never_stops(engine, tid) && dz_defence("attach_limit"))
      kill(tid, SIGKILL); /* the number is pinned: we are its tracer and have not reaped it */
  if (got == tid && *status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
    handle_status(engine, tid, *status);
    return -ESRCH;
  }
  if (got == tid && WIFSTOPPED(*status))
    return 0;
  if (got == tid)
    note_death(engine, tid, *status);
  return -ESRCH;
}

/* Seize the caller, answer with a restart, and have it in its stop. */
static int seize(struct dz_call *call, uint64_t options, int reply) {
  int status, err;

  if (ptrace(PTRACE_SEIZE, call->tid, 0, options | PTRACE_O_TRACESYSGOOD))
    return -errno;
  limit_wait(call->engine);
  ptrace(PTRACE_INTERRUPT, call->tid, 0, 0);
  dz_engine_reply(call->engine, call->id, reply);
  err = wait_stop(call->engine, call->tid, &status);
  unlimit_wait(call->engine);
  if (err)
    return -DZ_EANSWERED; /* died: nobody is left to answer */
  if (status >> 16 != PTRACE_EVENT_STOP) {
    /* A signal came first after all: it is delivered, the call is made again. */
    ptrace(PTRACE_DETACH, call->tid, 0, WSTOPSIG(status));
    return -DZ_EANSWERED;
  }
  return 0;
}

/* The thread belongs to the process of an exec that is under way. */
bool dz_attach_is_busy(const struct dz_call *call) {
  for (struct dz_attached *other = call->engine->attached; other; other = other->next)
    if (other->is_exec && other->tid != call->tid && dz_tgkill(other->tgid, call->tid, 0) == 0)
      return true;
  return false;
}

bool dz_attach_later(struct dz_call *call, int64_t result) {
  return dz_attach_is_busy(call) && dz_worker_put_aside(call->engine, call, result) == 0;
}

void dz_attach_restart(struct dz_call *call) {
  int err;

  if (dz_attach_later(call, -DZ_ERESTARTSYS))
    return;
  err = seize(call, 0, -DZ_ERESTARTSYS);

  if (!err)
    ptrace(PTRACE_DETACH, call->tid, 0, 0);
  else if (err != -DZ_EANSWERED)
    dz_engine_reply(call->engine, call->id, -EINTR);
}

int dz_attach(struct dz_call *call, struct dz_attached *attached, uint64_t options) {
  struct dz_engine *engine = call->engine;
  int err;

  attached->engine = engine;
  attached->tid = call->tid;
  if (attached->is_exec) /* most execs are a process's first thread's */
    attached->tgid = dz_tgkill(call->tid, call->tid, 0) == 0 ? call->tid : dz_call_tgid(call);
  err = seize(call, options, -DZ_ERESTARTNOINTR);
  if (err)
    return err;
  if (ptrace(PTRACE_GETREGS, call->tid, 0, &attached->registers) ||
      ptrace(PTRACE_GETSIGMASK, call->tid, sizeof attached->signal_mask, &attached->signal_mask)) {
    ptrace(PTRACE_DETACH, call->tid, 0, 0);
    return -DZ_EANSWERED;
  }
  attached->next = engine->attached;
  engine->attached = attached;
  return 0;
}

int dz_attached_block_signals(struct dz_attached *attached) {
  uint64_t all = ~UINT64_C(0);

  return (int)dz_result(ptrace(PTRACE_SETSIGMASK, attached->tid, sizeof all, &all));
}

int dz_attached_set_registers(struct dz_attached *attached,
                              const struct user_regs_struct *registers) {
  return (int)dz_result(ptrace(PTRACE_SETREGS, attached->tid, 0, registers));
}

void dz_attached_continue(struct dz_attached *attached, int request, int signal) {
  ptrace((enum __ptrace_request)request, attached->tid, 0, signal);
}

void dz_attached_leave(struct dz_attached *attached, const struct user_regs_struct *registers) {
  ptrace(PTRACE_SETSIGMASK, attached->tid, sizeof attached->signal_mask, &attached->signal_mask);
  if (registers)
    dz_attached_set_registers(attached, registers);
  ptrace(PTRACE_DETACH, attached->tid, 0, attached->held_signal);
  dz_attached_drop(attached);
}

/* The thread makes one call that is native in every filter and cannot wait; its signals are
 * blocked, so that the only stops are this call's. */
static int make_call(struct dz_attached *attached, const struct dz_injection *injection,
                     int64_t *result) {
  struct user_regs_struct registers = attached->registers;
  int status;

  registers.rip -= SYSCALL_INSTRUCTION_SIZE;
  registers.rax = (unsigned long long)injection->number;
  registers.orig_rax = (unsigned long long)-1;
  registers.rdi = injection->arguments[0];
  registers.rsi = injection->arguments[1];
  registers.rdx = injection->arguments[2];
  registers.r10 = injection->arguments[3];
  registers.r8 = injection->arguments[4];
  registers.r9 = injection->arguments[5];
  if (dz_attached_set_registers(attached, &registers))
    return -ESRCH;
  for (int stops = 0; stops < 2;) { /* at its entry, at its exit */
    if (ptrace(PTRACE_SYSCALL, attached->tid, 0, 0) ||
        wait_stop(attached->engine, attached->tid, &status))
      return -ESRCH;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80))
      stops++;
    else if (status >> 16 == 0)
      attached->held_signal = WSTOPSIG(status);
  }
  if (ptrace(PTRACE_GETREGS, attached->tid, 0, &registers))
    return -ESRCH;
  *result = (int64_t)registers.rax;
  return 0;
}

int dz_attached_call(struct dz_attached *attached, const struct dz_injection *injection,
                     int64_t *result) {
  int err;

  attached->calling = true;
  limit_wait(attached->engine);
  err = make_call(attached, injection, result);
  unlimit_wait(attached->engine);
  attached->calling = false;
  return err;
}

/* After exec by a thread that is not its process's first, the thread has that one's number. */
static struct dz_attached *find_renamed(struct dz_engine *engine, pid_t pid, int status) {
  unsigned long former;
  struct dz_attached *attached, *leader;

  if (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8) ||
      ptrace(PTRACE_GETEVENTMSG, pid, 0, &former) || (pid_t)former == pid)
    return NULL;
  attached = dz_attached_find(engine, (pid_t)former);
  leader = attached ? dz_attached_find(engine, pid) : NULL;
  if (leader)
    dz_attached_drop(leader);
  if (attached)
    attached->tid = pid;
  return attached;
}

static void handle_status(struct dz_engine *engine, pid_t pid, int status) {
  struct dz_attached *attached = find_renamed(engine, pid, status);

  if (!attached)
    attached = dz_attached_find(engine, pid);
  if (WIFSTOPPED(status)) {
    if (attached)
      attached->stopped(attached, status);
    else
      ptrace(PTRACE_DETACH, pid, 0, 0);
    return;
  }
  if (attached)
    dz_attached_drop(attached);
  note_death(engine, pid, status);
}

/* All stops and deaths that are waiting; deaths of orphans too, whose parent we are. */
void dz_attached_reap(struct dz_engine *engine) {
  struct dz_death death;
  int status;
  pid_t pid;

  while (dz_report_look(engine, &death), (pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
    dz_report_death(engine, &death, pid, status);
    handle_status(engine, pid, status);
  }
}
