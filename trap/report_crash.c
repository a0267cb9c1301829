/*
 * Crashes of guests. The kernel tells of a death whoever waits for it: the supervisor for the
 * first process and for orphans, whose parent it is.
 */
#include "trap/report.h"

#include "signals/crash.h"
#include "signals/names.h"

#include <signal.h>
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
