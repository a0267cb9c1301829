/* Surprises of ptrace and of what it guards. */
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

struct thief {
  pid_t victim;
  int flags;
  atomic_int got; /* what its waitpid gave; 0 while it waits */
};

static void *steal(void *argument) {
  struct thief *thief = argument;
  int status;

  for (int i = 0; i < 100 && !thief->got; i++) {
    thief->got = waitpid(thief->victim, &status, __WALL | WNOHANG | thief->flags);
    dz_probe_sleep_us(500);
  }
  return NULL;
}

/* Does another thread's waitpid take the stop of this thread's tracee? */
static bool stop_is_stolen(pid_t victim, int flags) {
  struct thief thief = {.victim = victim, .flags = flags};
  pthread_t thread;
  int status;

  ptrace(PTRACE_INTERRUPT, victim, 0, 0);
  if (pthread_create(&thread, NULL, steal, &thief) != 0)
    abort();
  pthread_join(thread, NULL);
  if (thief.got <= 0)
    waitpid(victim, &status, __WALL | __WNOTHREAD);
  ptrace(PTRACE_CONT, victim, 0, 0);
  return thief.got == victim;
}

/* Any thread of the tracer reaps its stops, unless that thread says __WNOTHREAD. */
int dz_probe_fact_stops_are_stolen(struct dz_probe_report *report) {
  pid_t child = dz_probe_fork();

  if (child == 0)
    for (;;)
      pause();
  if (ptrace(PTRACE_SEIZE, child, 0, 0) < 0)
    return dz_probe_lacks(report, -errno, "SEIZE: %s", strerror(errno));
  if (!stop_is_stolen(child, 0))
    return dz_probe_lacks(report, -EPROTO, "the stop was not taken by another thread");
  if (stop_is_stolen(child, __WNOTHREAD))
    return dz_probe_lacks(report, -EPROTO, "the stop was taken in spite of __WNOTHREAD");
  return dz_probe_ok(report, "taken without __WNOTHREAD, not with it");
}

/* A /proc/T/mem that was opened before exec reads the old program's memory, not the new one's. */
int dz_probe_fact_old_memory_after_exec(struct dz_probe_report *report) {
  char path[64], word[4] = "";
  int go[2];
  int memory, fresh;
  pid_t child;

  if (dz_probe_write_program(report->scratch, "program") < 0 || pipe(go) < 0)
    return dz_probe_lacks(report, -EIO, "no program");
  child = dz_probe_fork();
  if (child == 0) {
    char *arguments[] = {"program", "wait", NULL};

    if (read(go[0], word, 1) == 1 && fchdir(report->scratch) == 0)
      execv("program", arguments);
    _exit(1);
  }
  snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
  memory = open(path, O_RDONLY | O_CLOEXEC);
  if (memory < 0 || write(go[1], "", 1) != 1)
    return dz_probe_lacks(report, -errno, "%s: %s", path, strerror(errno));
  /* Nothing else is mapped where the tiny program is linked to. */
  for (int i = 0; i < 1000; i++) {
    fresh = open(path, O_RDONLY | O_CLOEXEC);
    if (fresh >= 0 && pread(fresh, word, 4, DZ_PROBE_PROGRAM_ADDRESS) == 4)
      break;
    close(fresh);
    dz_probe_sleep_us(500);
  }
  if (memcmp(word, "\177ELF", 4) != 0)
    return dz_probe_lacks(report, -EPROTO, "the program was not executed");
  if (pread(memory, word, 4, DZ_PROBE_PROGRAM_ADDRESS) == 4)
    return dz_probe_lacks(report, -EPROTO, "the held descriptor reads the new program");
  return dz_probe_ok(report, "a held descriptor does not see the new program");
}

/* PR_SET_DUMPABLE 0 keeps an ordinary user's other processes out; a privileged one is let in. */
int dz_probe_fact_undumpable_shuts_out(struct dz_probe_report *report) {
  char word[4] = "";
  struct iovec here = {word, sizeof word};
  static char there_word[4] = "dz\n";
  struct iovec there = {there_word, sizeof there_word};
  int ready[2];
  pid_t child;
  bool privileged = geteuid() == 0;
  ssize_t got;

  if (pipe(ready) < 0)
    return dz_probe_lacks(report, -errno, "pipe");
  child = dz_probe_fork();
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    if (write(ready[1], "", 1) == 1)
      for (;;)
        pause();
    _exit(1);
  }
  close(ready[1]);
  if (read(ready[0], word, 1) != 1)
    return dz_probe_lacks(report, -EPROTO, "the child failed");
  got = process_vm_readv(child, &here, 1, &there, 1, 0);
  if (privileged ? got != 4 : got != -1 || errno != EPERM)
    return dz_probe_lacks(report, -EPROTO, "process_vm_readv gave %zd: %s", got, strerror(errno));
  if (!privileged && (ptrace(PTRACE_SEIZE, child, 0, 0) == 0 || errno != EPERM))
    return dz_probe_lacks(report, -EPROTO, "it was seized");
  return dz_probe_ok(report, "%s", privileged ? "root is let in" : "EPERM for memory and ptrace");
}

/* A dead tracee is its tracer's first: until that one reaps it, its parent waits. */
int dz_probe_fact_tracer_reaps_first(struct dz_probe_report *report) {
  pid_t child = dz_probe_fork();
  pid_t tracer;
  int go[2], status, own;
  char byte;

  if (child == 0)
    for (;;)
      pause();
  if (pipe(go) < 0)
    return dz_probe_lacks(report, -errno, "pipe");
  tracer = dz_probe_fork();
  if (tracer == 0) {
    int err = ptrace(PTRACE_SEIZE, child, 0, 0) < 0 ? errno : 0;

    if (err == 0 && kill(child, SIGKILL) == 0 && read(go[0], &byte, 1) == 1)
      waitpid(child, &status, __WALL);
    _exit(err);
  }
  dz_probe_sleep_us(50000);
  own = waitpid(child, &status, WNOHANG);
  if (write(go[1], "", 1) != 1 || dz_probe_wait(tracer) != 0)
    return dz_probe_lacks(report, -EPERM, "a sibling cannot be traced");
  if (own != 0)
    return dz_probe_lacks(report, -EPROTO, "the parent saw the end before the tracer");
  if (dz_probe_wait(child) != 128 + SIGKILL)
    return dz_probe_lacks(report, -EPROTO, "the parent did not see the end at all");
  return dz_probe_ok(report, "the parent waits until the tracer has reaped");
}
