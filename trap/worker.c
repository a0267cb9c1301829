/*
 * Workers: threads for calls that may sleep. Each call runs from its start
 * again, with may_block set; one that waits watches the guest's signals.
 */
#include "trap/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "host/calls.h"

/* Interrupts a worker's host call; its handler does nothing. */
#define WAKE_SIGNAL SIGUSR1
#define WATCH_NANOSECONDS 5000000

struct dz_job {
  struct dz_job *next;
  struct dz_call call;
  int64_t result;
};

/* A host call that may wait, in a worker. */
struct dz_wait {
  struct dz_wait *next;
  struct dz_call *call;
  pid_t worker;
};

/* What is asked about a wait, copied: /proc is read without the lock. */
struct watched {
  uint64_t id;
  pid_t tid;
  pid_t worker;
};

/* Another thread of the process has stopped: a group stop, which this thread has to join before the
 * parent hears of it, shows in no mask of pending signals. */
static bool is_stopping(const struct dz_proc *proc, pid_t tid) {
  char path[32];
  bool stopping = false;
  struct dirent *entry;
  DIR *threads;
  int fd;

  snprintf(path, sizeof path, "%d/task", (int)tid);
  fd = openat(proc->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  threads = fd < 0 ? NULL : fdopendir(fd);
  while (threads && !stopping && (entry = readdir(threads))) {
    snprintf(path, sizeof path, "%.16s/stat", entry->d_name);
    stopping = entry->d_name[0] != '.' && dz_proc_state_letter(fd, path) == 'T';
  }
  if (threads)
    closedir(threads);
  return stopping;
}

/* A wait ends when the guest has a signal to handle (the call is then answered with ERESTARTSYS:
 * the kernel delivers the signal and restarts the call or gives EINTR), or when the guest dies. */
static bool must_end(const struct dz_engine *engine, const struct watched *wait) {
  const struct dz_proc *proc = &engine->silo.proc;
  uint64_t own = 0, shared = 0, blocked = 0, id = wait->id;
  char status[DZ_STATUS_MAX];

  if (ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) ||
      dz_proc_status(proc, wait->tid, status) || dz_status_number(status, "SigPnd:", 16, &own) ||
      dz_status_number(status, "ShdPnd:", 16, &shared) ||
      dz_status_number(status, "SigBlk:", 16, &blocked))
    return true;
  return ((own | shared) & ~blocked) != 0 || is_stopping(proc, wait->tid);
}

static size_t list_waits(struct dz_engine *engine, struct watched **list) {
  size_t count = 0, room = 0;

  *list = NULL;
  for (struct dz_wait *wait = engine->waits; wait; wait = wait->next)
    room++;
  if (room)
    *list = calloc(room, sizeof **list);
  for (struct dz_wait *wait = *list ? engine->waits : NULL; wait; wait = wait->next)
    (*list)[count++] =
        (struct watched){.id = wait->call->id, .tid = wait->call->tid, .worker = wait->worker};
  return count;
}

/* Interrupt a wait, if it is still the one that was asked about. */
static void interrupt_wait(struct dz_engine *engine, const struct watched *watched) {
  pthread_mutex_lock(&engine->worker_lock);
  for (struct dz_wait *wait = engine->waits; wait; wait = wait->next)
    if (wait->worker == watched->worker && wait->call->id == watched->id)
      dz_tgkill(engine->silo.proc.supervisor, wait->worker, WAKE_SIGNAL);
  pthread_mutex_unlock(&engine->worker_lock);
}

/* The signal may come just before the host call waits, so it is sent again until the wait ends. A
 * round of looking is followed by a longer pause: many waits do not take a processor. */
static void *watch(void *argument) {
  struct dz_engine *engine = argument;
  uint64_t pause_ns = WATCH_NANOSECONDS;

  for (;;) {
    struct timespec pause = {(time_t)(pause_ns / DZ_NS_PER_S), (long)(pause_ns % DZ_NS_PER_S)};
    struct watched *waits DZ_FREE = NULL;
    uint64_t began;
    size_t count;
    bool nothing;

    nanosleep(&pause, NULL);
    pthread_mutex_lock(&engine->worker_lock);
    count = list_waits(engine, &waits);
    nothing = !engine->waits;
    if (nothing)
      engine->watching = false;
    pthread_mutex_unlock(&engine->worker_lock);
    if (nothing)
      return NULL;
    began = dz_monotonic_ns();
    for (size_t i = 0; i < count; i++)
      if (must_end(engine, &waits[i]))
        interrupt_wait(engine, &waits[i]);
    pause_ns = 3 * (dz_monotonic_ns() - began);
    if (pause_ns < WATCH_NANOSECONDS)
      pause_ns = WATCH_NANOSECONDS;
  }
}

int dz_thread_start(void *(*run)(void *), struct dz_engine *engine) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, own;
  int err;

  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &own);
  err = pthread_create(&thread, &attributes, run, engine);
  pthread_sigmask(SIG_SETMASK, &own, NULL);
  pthread_attr_destroy(&attributes);
  return -err;
}

void dz_worker_begin_wait(struct dz_call *call) {
  struct dz_engine *engine = call->engine;
  struct dz_wait *wait = malloc(sizeof *wait);

  if (!wait)
    abort(); /* a wait that nobody watches would be a hang */
  *wait = (struct dz_wait){.call = call, .worker = (pid_t)syscall(SYS_gettid)};
  pthread_mutex_lock(&engine->worker_lock);
  wait->next = engine->waits;
  engine->waits = wait;
  if (!engine->watching)
    engine->watching = dz_thread_start(watch, engine) == 0;
  pthread_mutex_unlock(&engine->worker_lock);
}

void dz_worker_end_wait(struct dz_call *call) {
  struct dz_engine *engine = call->engine;
  struct dz_wait **at = &engine->waits, *wait;
  int kept = errno;

  pthread_mutex_lock(&engine->worker_lock);
  while (*at && (*at)->call != call)
    at = &(*at)->next;
  wait = *at;
  if (wait)
    *at = wait->next;
  pthread_mutex_unlock(&engine->worker_lock);
  free(wait);
  errno = kept;
}

#define SETTLE_ROUNDS 40
#define SETTLE_NANOSECONDS 250000

/* Interrupt the waits whose guests are dead; how many there are. */
static unsigned interrupt_dead(struct dz_engine *engine) {
  unsigned dead = 0;

  pthread_mutex_lock(&engine->worker_lock);
  for (struct dz_wait *wait = engine->waits; wait; wait = wait->next) {
    uint64_t id = wait->call->id;

    if (ioctl(engine->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0)
      continue;
    dead++;
    dz_tgkill(engine->silo.proc.supervisor, wait->worker, WAKE_SIGNAL);
  }
  pthread_mutex_unlock(&engine->worker_lock);
  return dead;
}

/* Bounded: a worker that cannot be woken must not hold up the receiver. */
void dz_worker_settle(struct dz_call *call) {
  struct timespec pause = {.tv_nsec = SETTLE_NANOSECONDS};

  for (int round = 0; round < SETTLE_ROUNDS && interrupt_dead(call->engine); round++)
    nanosleep(&pause, NULL);
}

static struct dz_job *take_job(struct dz_engine *engine) {
  struct dz_job *job;

  pthread_mutex_lock(&engine->worker_lock);
  engine->idle_workers++;
  while (!engine->jobs)
    pthread_cond_wait(&engine->worker_wake, &engine->worker_lock);
  engine->idle_workers--;
  job = engine->jobs;
  engine->jobs = job->next;
  if (!engine->jobs)
    engine->jobs_end = &engine->jobs;
  pthread_mutex_unlock(&engine->worker_lock);
  return job;
}

static void give_back(struct dz_engine *engine, struct dz_job *job) {
  uint64_t one = 1;

  pthread_mutex_lock(&engine->worker_lock);
  job->next = engine->returned;
  engine->returned = job;
  pthread_mutex_unlock(&engine->worker_lock);
  dz_write_all(engine->wake, &one, sizeof one);
  dz_receive_wake(engine);
}

int dz_worker_put_aside(struct dz_engine *engine, const struct dz_call *call, int64_t result) {
  struct dz_job *job = malloc(sizeof *job);

  if (!job)
    return -ENOMEM;
  *job = (struct dz_job){.next = engine->aside, .call = *call, .result = result};
  atomic_fetch_add(&job->call.state->references, 1);
  engine->aside = job;
  return 0;
}

/* On the receiver, where attaching is possible. */
static void go_on(struct dz_job *job) {
  struct dz_job *next;

  for (; job; job = next) {
    next = job->next;
    job->call.may_block = false;
    if (job->result == -DZ_ERESTARTSYS)
      dz_attach_restart(&job->call);
    else
      dz_engine_perform(&job->call);
    dz_state_put(job->call.state);
    free(job);
  }
}

void dz_worker_take_aside(struct dz_engine *engine) {
  struct dz_job *jobs = engine->aside;

  engine->aside = NULL;
  go_on(jobs);
}

void dz_worker_take_returned(struct dz_engine *engine) {
  struct dz_job *job;
  uint64_t count;

  if (read(engine->wake, &count, sizeof count) < 0)
    return;
  pthread_mutex_lock(&engine->worker_lock);
  job = engine->returned;
  engine->returned = NULL;
  pthread_mutex_unlock(&engine->worker_lock);
  go_on(job);
}

static void do_nothing(int signal DZ_UNUSED) {}

static void *work(void *argument) {
  struct dz_engine *engine = argument;
  struct sigaction action = {.sa_handler = do_nothing};
  sigset_t wake;

  sigaction(WAKE_SIGNAL, &action, NULL); /* without SA_RESTART */
  sigemptyset(&wake);
  sigaddset(&wake, WAKE_SIGNAL);
  pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
  for (;;) {
    struct dz_job *job = take_job(engine);

    job->result = dz_dispatch(&job->call);
    if (job->result == -DZ_ERETRY || job->result == -DZ_ERESTARTSYS) {
      give_back(engine, job);
      continue;
    }
    dz_engine_answer(&job->call, job->result);
    dz_state_put(job->call.state);
    free(job);
  }
  return NULL;
}

static int start_worker(struct dz_engine *engine) {
  int err = dz_thread_start(work, engine);

  if (!err)
    engine->workers++;
  return err;
}

int dz_worker_submit(struct dz_engine *engine, const struct dz_call *call) {
  struct dz_job *job = malloc(sizeof *job);
  unsigned waiting = 1;
  int err = 0;

  if (!job)
    return -ENOMEM;
  job->next = NULL;
  job->call = *call;
  job->call.may_block = true;
  atomic_fetch_add(&job->call.state->references, 1);
  pthread_mutex_lock(&engine->worker_lock);
  for (struct dz_job *other = engine->jobs; other; other = other->next)
    waiting++;
  if (waiting > engine->idle_workers && engine->workers < DZ_WORKERS_MAX)
    err = start_worker(engine);
  if (err && engine->workers == 0) {
    pthread_mutex_unlock(&engine->worker_lock);
    dz_state_put(job->call.state);
    free(job);
    return err;
  }
  *engine->jobs_end = job;
  engine->jobs_end = &job->next;
  pthread_cond_signal(&engine->worker_wake);
  pthread_mutex_unlock(&engine->worker_lock);
  return -DZ_EANSWERED;
}
