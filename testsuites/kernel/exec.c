/* exec: held before the first instruction, and an interpreter of denizen's choice. */
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>

/* A child that executes scratch/program when told to; its number. */
static pid_t start_executor(int scratch, int go) {
  pid_t child = dz_probe_fork();
  char *arguments[] = {"program", NULL};
  char byte;

  if (child != 0)
    return child;
  if (read(go, &byte, 1) == 1 && fchdir(scratch) == 0)
    execv("program", arguments);
  _exit(1);
}

static bool executes(pid_t pid, int directory, const char *path) {
  char link[64];
  struct stat running, wanted;

  snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
  return stat(link, &running) == 0 && fstatat(directory, path, &wanted, 0) == 0 &&
         running.st_dev == wanted.st_dev && running.st_ino == wanted.st_ino;
}

/* The exec event stops the caller after the new program is in place and before it has run. */
int dz_probe_exec_event(struct dz_probe_report *report) {
  struct user_regs_struct registers;
  int go[2], status;
  pid_t child;
  int err = dz_probe_write_program(report->scratch, "program");

  if (err || pipe(go) < 0)
    return dz_probe_lacks(report, err, "no program");
  child = start_executor(report->scratch, go[0]);
  if (ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
    return dz_probe_lacks(report, -errno, "SEIZE: %s", strerror(errno));
  if (write(go[1], "", 1) != 1 || waitpid(child, &status, __WALL | __WNOTHREAD) != child ||
      status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8))
    return dz_probe_lacks(report, -EPROTO, "no exec event");
  if (!executes(child, report->scratch, "program"))
    return dz_probe_lacks(report, -EPROTO, "/proc/PID/exe is not the new program");
  if (ptrace(PTRACE_GETREGS, child, 0, &registers) < 0 ||
      registers.rip < DZ_PROBE_PROGRAM_ADDRESS || registers.rip > DZ_PROBE_PROGRAM_ADDRESS + 0x1000)
    return dz_probe_lacks(report, -EPROTO, "the new program is not at its entry");
  ptrace(PTRACE_DETACH, child, 0, 0);
  if (dz_probe_wait(child) != DZ_PROBE_PROGRAM_STATUS)
    return dz_probe_lacks(report, -EPROTO, "the program did not go on");
  return dz_probe_ok(report, "held before the first instruction, with its file in /proc/PID/exe");
}

/* PT_INTERP may be relative: the kernel opens it from the caller's working directory. */
int dz_probe_relative_interpreter(struct dz_probe_report *report) {
  int go[2];
  pid_t child;
  int status;

  if (dz_probe_write_program(report->scratch, "ld") < 0 ||
      dz_probe_write_interpreted(report->scratch, "program", "ld") < 0 || pipe(go) < 0)
    return dz_probe_lacks(report, -EIO, "no program");
  child = start_executor(report->scratch, go[0]);
  if (write(go[1], "", 1) != 1)
    return dz_probe_lacks(report, -EPROTO, "the child failed");
  status = dz_probe_wait(child);
  if (status != DZ_PROBE_PROGRAM_STATUS)
    return dz_probe_lacks(report, -EPROTO, "the interpreter did not run (%d)", status);
  return dz_probe_ok(report, "found from the working directory");
}
