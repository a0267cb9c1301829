/*
 * Crashes of guests. The kernel tells of a death whoever waits for it: the supervisor for the
 * first process and for orphans, whose parent it is. A guest that ends itself, as abort(3) does,
 * makes a call for it: it is stopped there, and can be unwound.
 */
#include "trap/report.h"

#include "signals/crash.h"
#include "signals/names.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* While a dead process is not waited for, it still has its name and its tag. */
void dz_report_look(struct dz_engine *engine, struct dz_death *death) {
  siginfo_t info = {0};

  *death = (struct dz_death){0};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) || info.si_pid <= 0 ||
      (info.si_code != CLD_KILLED && info.si_code != CLD_DUMPED) ||
      !dz_signal_is_crash(info.si_status) || !dz_proc_is_member(&engine->silo.proc, info.si_pid))
    return;
  death->pid = info.si_pid;
  dz_process_name(engine->silo.proc.proc_fd, info.si_pid, death->name);
}

void dz_report_death(struct dz_engine *engine, const struct dz_death *death, pid_t pid,
                     int status) {
  char text[512];
  struct dz_note note = DZ_NOTE(text);

  if (pid != death->pid || !WIFSIGNALED(status))
    return;
  dz_note_print(&note, "denizen: ");
  dz_crash_print(pid, death->name, WTERMSIG(status), &note);
  dz_note_print(&note, "%s\n", pid == engine->init ? "; it was the first process" : "");
  dz_report_say(engine, note.text, note.length);
}

static bool is_own(struct dz_call *call) {
  switch (call->number) {
  case SYS_kill:
    return dz_arg_int(call, 0) == dz_call_tgid(call);
  case SYS_tkill:
    return dz_arg_int(call, 0) == call->tid;
  case SYS_tgkill:
    return dz_arg_int(call, 1) == call->tid;
  default:
    return false;
  }
}

/* Neither blocked nor ignored nor caught. */
static bool is_fatal(const struct dz_call *call, int signal) {
  static const char *const fields[] = {"SigBlk:", "SigIgn:", "SigCgt:"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(fields); i++) {
    uint64_t set;

    if (dz_proc_status_number(&call->silo->proc, call->tid, fields[i], 16, &set) ||
        (set >> (signal - 1) & 1))
      return false;
  }
  return true;
}

int dz_report_send_signal(struct dz_call *call, const int *pidfds, size_t count, int signal,
                          const siginfo_t *info, unsigned flags) {
  if (!call->may_block && dz_signal_is_crash(signal) && is_own(call) && is_fatal(call, signal) &&
      dz_report_ending(call, signal))
    return -DZ_EANSWERED;
  return dz_notify_send_signal(call, pidfds, count, signal, info, flags);
}
