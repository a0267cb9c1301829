/*
 * Crashes of guests that have a parent in the silo: only that one is told of the death, so this
 * thread listens to the kernel's events (crash_events.h), where the host has them. It is a race:
 * of a process that was waited for before it is looked at, no more is known than that it crashed.
 */
#include "trap/report.h"

#include "signals/crash.h"
#include "signals/crash_events.h"
#include "signals/names.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>

enum { CRASHES_MAX = 64, EXIT_MILLISECONDS = 2000, FINISH_MILLISECONDS = 100 };

/* The supervisor's own children are told of when they are waited for. */
static bool is_ours(const struct dz_proc *proc, pid_t pid) {
  uint64_t parent;

  return !dz_proc_status_number(proc, pid, "PPid:", 10, &parent) &&
         (pid_t)parent == proc->supervisor;
}

static bool say(struct dz_engine *engine, const struct dz_note *note) {
  dz_report_say(engine, note->text, note->length);
  return true;
}

/* Children of members are members. */
static bool tell_late(struct dz_engine *engine, const struct dz_crash_event *event) {
  char name[DZ_PROCESS_NAME_MAX], text[512];
  struct dz_note note = DZ_NOTE(text);

  if (event->parent != engine->init && !dz_proc_is_member(&engine->silo.proc, event->parent))
    return false;
  dz_process_name(engine->silo.proc.proc_fd, event->parent, name);
  dz_note_print(&note, "denizen: process %d, a child of process %d (", (int)event->pid,
                (int)event->parent);
  dz_note_escaped(&note, name, strlen(name));
  dz_note_print(&note, "), was ended by a signal that dumps core\n");
  return say(engine, &note);
}

static bool tell(struct dz_engine *engine, const struct dz_crash_event *event) {
  const struct dz_proc *proc = &engine->silo.proc;
  int pidfd DZ_FD = dz_proc_pidfd(proc, event->pid, 0);
  char name[DZ_PROCESS_NAME_MAX], text[256];
  struct dz_note note = DZ_NOTE(text);
  int status;

  if (pidfd < 0)
    return tell_late(engine, event);
  if (is_ours(proc, event->pid))
    return false;
  dz_process_name(proc->proc_fd, event->pid, name);
  status = dz_crash_status(pidfd, event->pid, proc->proc_fd, EXIT_MILLISECONDS);
  if (status < 0)
    return tell_late(engine, event);
  if (!WIFSIGNALED(status) || !dz_signal_is_crash(WTERMSIG(status)))
    return false;
  dz_note_print(&note, "denizen: ");
  dz_crash_print(event->pid, name, WTERMSIG(status), &note);
  dz_note_print(&note, "\n");
  return say(engine, &note);
}

static bool is_readable(int fd, int milliseconds) {
  struct pollfd polled = {.fd = fd, .events = POLLIN};

  return poll(&polled, 1, milliseconds) > 0;
}

static void *watch(void *argument) {
  struct dz_engine *engine = argument;
  struct dz_crash_event event;
  unsigned told = 0;
  int err = 0;

  while (told < CRASHES_MAX && (!err || err == -EAGAIN)) {
    if (!is_readable(engine->crash_events, -1))
      continue;
    atomic_store(&engine->crash_told, false);
    err = dz_crash_events_next(engine->crash_events, &event);
    if (!err)
      told += tell(engine, &event);
    atomic_store(&engine->crash_told, true);
  }
  return NULL;
}

void dz_report_watch(struct dz_engine *engine) {
  int err = 0;

  engine->crash_events = dz_crash_events_open();
  atomic_store(&engine->crash_told, true);
  if (engine->crash_events >= 0)
    err = dz_thread_start(watch, engine);
  else
    dz_debug("the kernel does not tell of crashes: %s", strerrordesc_np(-engine->crash_events));
  if (err)
    dz_debug("no thread to watch for crashes: %s", strerrordesc_np(-err));
}

/* What the thread has taken off the descriptor is marked before that. */
void dz_report_finish(struct dz_engine *engine) {
  for (int round = 0; round < FINISH_MILLISECONDS && engine->crash_events >= 0 &&
                      (is_readable(engine->crash_events, 0) || !atomic_load(&engine->crash_told));
       round++)
    usleep(1000);
}
